"""Masters and stations killed and paused at random moments: what is drawn stays within the limit."""

from pathlib import Path

from chaos_plan import Plan, Record, all_at_once
from chaos_site import Settings
from chaos_trial import killed, paused

SHORT_S, LONG_S = (0.1, 0.6), (1.2, 1.5)
"""Shorter and longer than the failsafe's timeout."""


async def test_whoever_is_killed_or_paused_the_limit_is_kept(tmp_path: Path, record_property: Record) -> None:
    plans = {
        "master": Plan(
            settings=lambda folder: Settings(),
            faults=lambda site, sources: {
                "master killed": killed("master1"),
                "master paused": paused("master1"),
                "master and station killed": killed("master1", "RTS3"),
            },
            between_s=LONG_S,
        ),
        "station": Plan(
            settings=lambda folder: Settings(),
            faults=lambda site, sources: {
                "station killed": killed("RTS1"),
                "station paused": paused("RTS2"),
                "master killed for a moment": killed("master1"),
                "master and station paused": paused("master1", "RTS1"),
            },
            between_s=SHORT_S,
        ),
    }
    await all_at_once(plans, tmp_path, record_property)
