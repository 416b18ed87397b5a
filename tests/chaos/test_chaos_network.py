"""A network that fails between the master and its stations, which hang on one feeder: power and voltage."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos_proxy import Fault
from chaos_site import NOMINAL_V, ChaosSite, Settings
from chaos_trial import Trial, line_fault, try_fault

Record = Callable[[str, object], None]
LOW_V = 0.95 * NOMINAL_V
LONG_S = 1.5
"""Longer than the failsafe's timeout."""
SHARE_W = 1300
ROOM_BESIDE_SHARES_W = 7000
FAULTS = {
    "gone": [Fault.CUT, Fault.BLACK_HOLE, Fault.REFUSE, Fault.RESET],
    "bad": [Fault.HALF_OPEN, Fault.DELAY, Fault.LOSS, Fault.TRICKLE],
}


def check(trial: Trial) -> None:
    assert trial.is_good, trial
    assert trial.lowest_v >= LOW_V, trial


@pytest.mark.parametrize("faults", FAULTS)
async def test_whatever_the_network_does_to_a_station_or_to_all_the_limit_is_kept(
    tmp_path: Path, record_property: Record, faults: str
) -> None:
    site = ChaosSite(tmp_path, Settings(inside=True), random.Random())
    async with site.running():
        for fault in FAULTS[faults]:
            cut = [] if site.rng.random() < 0.5 else [site.rng.choice(site.names)]
            trial = await try_fault(site, f"{fault}, {cut or 'all'}", *line_fault(fault, *cut), LONG_S)
            record_property("trial", str(trial))
            check(trial)


async def test_with_failsafe_shares_too(tmp_path: Path, record_property: Record) -> None:
    settings = Settings(inside=True, share_w=SHARE_W, power_limit_w=ROOM_BESIDE_SHARES_W)
    site = ChaosSite(tmp_path, settings, random.Random())
    async with site.running():
        for cut in ([], ["RTS2"]):
            trial = await try_fault(site, f"cut off, {cut or 'all'}", *line_fault(Fault.CUT, *cut), LONG_S)
            record_property("trial", str(trial))
            check(trial)
