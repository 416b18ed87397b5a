"""Stations that lie: the others go on, and the limit is kept."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos_liars import EMPTY_MAP, LIES, MASTERS_MAP, WELDED, Liar, another_device, lying
from chaos_site import ChaosSite, Settings
from chaos_trial import Break, Mend, try_fault

Record = Callable[[str, object], None]
LASTS_S = 1.2
LIAR = "RTS2"


def faults(rng: random.Random) -> dict[str, tuple[Break, Mend]]:
    lies = {name: lying(LIAR, lie, drawing=rng.random() < 0.5) for name, lie in LIES.items()}
    welded = {name: lying(LIAR, lie, drawing=True, welded=True) for name, lie in WELDED.items()}
    swapped = {
        "a master in its place": another_device(LIAR, MASTERS_MAP),
        "a device that refuses": another_device(LIAR, EMPTY_MAP),
    }
    return lies | welded | swapped


@pytest.mark.parametrize("part", range(3))
async def test_a_lie_makes_nobody_draw_too_much(tmp_path: Path, record_property: Record, part: int) -> None:
    rng = random.Random()
    site = ChaosSite(tmp_path, Settings(inside=True, rtu=Liar), rng)
    async with site.running():
        for name, fault in list(faults(rng).items())[part::3]:
            trial = await try_fault(site, name, *fault, LASTS_S)
            record_property("trial", str(trial))
            assert trial.is_good, trial
