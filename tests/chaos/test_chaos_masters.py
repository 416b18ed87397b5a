"""Two masters, with half of the stations each or with all of them: the limit is kept."""

from pathlib import Path

import pytest
from chaos_plan import Plan, Record, all_at_once
from chaos_price import MODBUS, partition_while_all_are_open
from chaos_proxy import Fault
from chaos_site import NOMINAL_V, ChaosSite, Settings
from chaos_trial import Trial, killed, line_fault, partition, paused, second_master

LOW_V = 0.95 * NOMINAL_V
STANDBY = Settings(inside=True, masters=2, stations=4, failsafe_s=3, redundant=True, tariff=MODBUS)
TAKES_OVER_S = (3.2, 3.6)
"""Longer than the failsafe's timeout."""


async def voltage_is_in_band(site: ChaosSite, trial: Trial) -> None:
    assert trial.lowest_v >= LOW_V, trial


async def no_failsafe_tripped(site: ChaosSite, trial: Trial) -> None:
    assert site.watch.record.tripped == set()


async def test_two_masters_keep_the_limit(tmp_path: Path, record_property: Record) -> None:
    plans = {
        "strangers": Plan(
            settings=lambda folder: Settings(inside=True, masters=2),
            faults=lambda site, sources: {
                "a second master": second_master("master2"),
                "the first of two masters killed": killed("master1"),
                "one of two masters cut off": line_fault(Fault.CUT, master="master2"),
            },
            between_s=(1.0, 2.0),
            masters=["master1"],
        ),
        "standby": Plan(
            settings=lambda folder: STANDBY,
            faults=lambda site, sources: {
                "partition": partition(),
                "standby cut off": line_fault(Fault.CUT, master="master2"),
            },
            between_s=TAKES_OVER_S,
        ),
        "partition": Plan(
            settings=lambda folder: STANDBY,
            faults=lambda site, sources: {
                "partition while all are open": partition_while_all_are_open(sources),
            },
            between_s=(1.0, 1.0),
        ),
    }
    await all_at_once(plans, tmp_path, record_property, voltage_is_in_band)


@pytest.mark.alone
async def test_a_standby_takes_over_before_a_failsafe_trips(tmp_path: Path, record_property: Record) -> None:
    plan = Plan(
        settings=lambda folder: STANDBY,
        faults=lambda site, sources: {"the first master paused, with a standby": paused("master1")},
        between_s=TAKES_OVER_S,
    )
    await all_at_once({"standby": plan}, tmp_path, record_property, no_failsafe_tripped)
