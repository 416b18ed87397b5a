"""A full disk while the journal writes: the site goes on, and the journal too when there is room again."""

import time
from pathlib import Path

from chaos_disk import disk_full, last_event_at
from chaos_plan import Plan, Record, all_at_once
from chaos_site import ChaosSite, Settings
from chaos_trial import Trial
from processes import until

LASTS_S = (1.5, 2.5)


async def test_a_full_disk_stops_nothing_but_the_journal(tmp_path: Path, record_property: Record) -> None:
    async def journal_goes_on(site: ChaosSite, trial: Trial) -> None:
        assert site.watch.record.tripped == set()
        ended_at = time.time()
        await until(lambda: last_event_at(site, "master1") > ended_at)

    plan = Plan(
        settings=lambda folder: Settings(inside=True, failsafe_s=5),
        faults=lambda site, sources: {"disk full": disk_full("master1")},
        between_s=LASTS_S,
    )
    await all_at_once({"disk": plan}, tmp_path, record_property, journal_goes_on)
