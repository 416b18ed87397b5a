"""Masters and stations killed and paused at random moments: what is drawn stays within the limit."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos_site import ChaosSite, Settings
from chaos_trial import Break, Mend, killed, paused, try_fault

Record = Callable[[str, object], None]
SHORT_S, LONG_S = 0.4, 1.5
"""Shorter and longer than the failsafe's timeout."""
FAULTS: dict[str, list[tuple[str, tuple[Break, Mend], float]]] = {
    "master": [
        ("master killed", killed("master1"), SHORT_S),
        ("master killed for long", killed("master1"), LONG_S),
        ("master paused", paused("master1"), SHORT_S),
        ("master paused for long", paused("master1"), LONG_S),
    ],
    "station": [
        ("station killed", killed("RTS1"), SHORT_S),
        ("station paused for long", paused("RTS2"), LONG_S),
        ("master and station killed", killed("master1", "RTS3"), SHORT_S),
        ("master and station paused for long", paused("master1", "RTS1"), LONG_S),
    ],
}


@pytest.mark.parametrize("who", FAULTS)
async def test_whoever_is_killed_or_paused_the_limit_is_kept(
    tmp_path: Path, record_property: Record, who: str
) -> None:
    rng = random.Random()
    site = ChaosSite(tmp_path, Settings(), rng)
    async with site.running():
        for name, (break_, mend), lasts_s in FAULTS[who]:
            trial = await try_fault(site, name, break_, mend, lasts_s)
            record_property("trial", str(trial))
            assert trial.is_good, trial
