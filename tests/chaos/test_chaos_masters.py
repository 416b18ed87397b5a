"""Two masters that know nothing of each other: one steers a station at a time, and the limit is kept."""

import random
from collections.abc import Callable
from pathlib import Path

from chaos_proxy import Fault
from chaos_site import ChaosSite, Settings
from chaos_trial import killed, line_fault, second_master, try_fault

Record = Callable[[str, object], None]
SHORT_S, LONG_S = 1.0, 2.5


async def test_a_second_master_is_refused_and_follows_when_the_first_is_gone(
    tmp_path: Path, record_property: Record
) -> None:
    site = ChaosSite(tmp_path, Settings(inside=True, masters=2), random.Random())
    faults = {
        "a second master": (second_master("master2"), SHORT_S),
        "the first of two masters killed": (killed("master1"), SHORT_S),
        "one of two masters cut off": (line_fault(Fault.CUT, master="master2"), LONG_S),
    }
    async with site.running("master1"):
        for name, (fault, lasts_s) in faults.items():
            trial = await try_fault(site, name, *fault, lasts_s)
            record_property("trial", str(trial))
            assert trial.is_good, trial
        assert len(site.holders()) == 1
