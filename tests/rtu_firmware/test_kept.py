"""When a station writes what it keeps: soon where it matters, rarely where it only counts."""

import asyncio
import logging
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from fragile_disk import FullDisk
from hypothesis import given
from hypothesis import strategies as st

from rtu_firmware import kept as kept_module
from rtu_firmware.kept import ENERGY_EVERY_S, SOONEST_S, Keeper, Kept, is_due
from rtu_firmware.kept_file import KeptFile
from rtu_firmware.model import Session

IDLE = Kept(total_energy_wh=500.0)
BEGUN = replace(IDLE, session=Session(energy_wh=100.0, charging_time_s=60.0))


def with_session(**changes: object) -> Kept:
    assert BEGUN.session
    return replace(BEGUN, session=replace(BEGUN.session, **changes))  # type: ignore[arg-type]


CHANGES = {
    "nothing": (BEGUN, BEGUN, math.inf),
    "energy": (BEGUN, replace(BEGUN, total_energy_wh=501.0), ENERGY_EVERY_S),
    "the session's energy": (BEGUN, with_session(energy_wh=101.0), ENERGY_EVERY_S),
    "charging time": (BEGUN, with_session(charging_time_s=61.0), ENERGY_EVERY_S),
    "counted charge": (BEGUN, with_session(counted_pct=6.0), ENERGY_EVERY_S),
    "entered charge": (BEGUN, with_session(counted_pct=70.0, entered_pct=70.0), SOONEST_S),
    "plugged in": (IDLE, BEGUN, SOONEST_S),
    "unplugged": (BEGUN, IDLE, SOONEST_S),
    "another vehicle": (BEGUN, with_session(energy_wh=0.0, charging_time_s=0.0), SOONEST_S),
    "stopped": (BEGUN, with_session(stopped=True), SOONEST_S),
    "started": (with_session(stopped=True), BEGUN, SOONEST_S),
    "full": (BEGUN, with_session(full=True), SOONEST_S),
    "the contactor fell off": (BEGUN, with_session(fallen_off=1), SOONEST_S),
    "term": (IDLE, replace(IDLE, master_term=256), SOONEST_S),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_written_after_how_long(name: str) -> None:
    last, kept, after_s = CHANGES[name]
    assert not is_due(kept, last, after_s - 0.1)
    assert is_due(kept, last, after_s) is (after_s < math.inf)


def test_the_docstring_tells_the_figures_of_the_constants() -> None:
    doc = kept_module.__doc__ or ""
    assert f"{365 * 24 * 3600 / ENERGY_EVERY_S:,.0f} times a year" in doc
    assert f"{3300 * ENERGY_EVERY_S / 3600:.0f} Wh at 3.3 kW" in doc
    assert ENERGY_EVERY_S / 3600 == 1 / 12


class CountingFile(KeptFile):
    def __init__(self, path: Path) -> None:
        super().__init__(path, "RTS1")
        self.saved: list[Kept] = []

    def save(self, kept: Kept) -> None:
        super().save(kept)
        self.saved.append(kept)


async def settle(keeper: Keeper) -> None:
    while keeper._writing and not keeper._writing.done():
        await asyncio.sleep(0.001)


async def test_a_day_of_charging(tmp_path: Path) -> None:
    """The last word is kept, whatever came before it."""
    file = CountingFile(tmp_path / "kept.json")
    keeper = Keeper(file)
    kept = BEGUN
    for now in range(0, 3600, 5):
        kept = replace(kept, total_energy_wh=kept.total_energy_wh + 1)
        keeper.offer(kept, float(now))
        await settle(keeper)
    assert len(file.saved) == 3600 / ENERGY_EVERY_S
    await keeper.finish(kept)
    await keeper.finish(kept)
    assert len(file.saved) == 3600 / ENERGY_EVERY_S + 1
    assert Keeper(KeptFile(file.path, "RTS1")).last == kept


@given(st.lists(st.sampled_from([one[1] for one in CHANGES.values()]), max_size=40))
def test_never_the_same_twice_and_never_too_often(offers: list[Kept]) -> None:
    last, written_at, saved = Kept(), -math.inf, list[tuple[float, Kept]]()
    for now, kept in enumerate(offers):
        if is_due(kept, last, now - written_at):
            last, written_at = kept, float(now)
            saved.append((now, kept))
    for (before_s, before), (after_s, after) in pairwise(saved):
        assert after_s - before_s >= SOONEST_S
        assert after != before


async def test_a_full_disk_is_told_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    disk = FullDisk()
    file = KeptFile(tmp_path / "kept.json", "RTS1", disk)
    keeper = Keeper(file)
    for now in range(0, 60):
        keeper.offer(BEGUN, float(now))
        await settle(keeper)
    assert disk.tried == 60 / SOONEST_S
    assert caplog.messages == [
        f"energy and session can't be kept: {tmp_path}/kept.json.new: No space left on device"
    ]
    disk.is_full = False
    keeper.offer(BEGUN, 60.0)
    await settle(keeper)
    assert caplog.messages[1:] == ["energy and session are kept again"]
    assert file.load() == BEGUN


async def test_the_end_waits_for_a_slow_disk_and_writes_the_last(tmp_path: Path) -> None:
    file = CountingFile(tmp_path / "kept.json")
    keeper = Keeper(file)
    keeper.offer(BEGUN, 0.0)  # is being written
    keeper.offer(IDLE, 1000.0)  # must wait
    last = with_session(stopped=True)
    await keeper.finish(last)
    assert file.saved == [BEGUN, last]
