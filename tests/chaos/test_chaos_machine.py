"""The master's machine: its clock is stepped, its disk is full. The site goes on, and so does the journal."""

import time
from pathlib import Path

import pytest
from chaos_disk import disk_full, last_event_at
from chaos_plan import Plan, Record, all_at_once
from chaos_price import PRELOADS, FakedClock, stepped_clock_site
from chaos_site import ChaosSite, Settings
from chaos_trial import Trial
from processes import until

LASTS_S = (1.1, 1.5)
FULL = "disk full"


async def test_a_stepped_clock_and_a_full_disk_stop_nothing(tmp_path: Path, record_property: Record) -> None:
    """Of the two prices that the clock leads to, one is too high and the other unknown."""
    if not PRELOADS:
        pytest.skip("libfaketime is missing")

    async def journal_goes_on(site: ChaosSite, trial: Trial) -> None:
        if trial.fault == FULL:
            assert site.watch.record.tripped == set()
            ended_at = time.time()
            await until(lambda: last_event_at(site, "master1") > ended_at)

    plans = {
        "clock": Plan(
            settings=stepped_clock_site,
            faults=lambda site, sources: FakedClock(site.folder).steps(),
            between_s=LASTS_S,
        ),
        "disk": Plan(
            settings=lambda folder: Settings(inside=True, failsafe_s=5),
            faults=lambda site, sources: {FULL: disk_full("master1")},
            between_s=LASTS_S,
        ),
    }
    await all_at_once(plans, tmp_path, record_property, journal_goes_on)
