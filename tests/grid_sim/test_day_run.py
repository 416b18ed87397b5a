"""Days through the real code: what the cars get, what the meters say, and what the limits keep."""

import pickle
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from small_days import RATED_W, START, beside, scenario, two_wires, visit

from grid_sim.day.controlled import run_controlled
from grid_sim.day.model import Day, Run, Visit
from grid_sim.day.outcome import Outcome, outcome
from grid_sim.day.run import prices, run_day
from grid_sim.day.stand import reason_codes
from grid_sim.day.uncontrolled import run_uncontrolled
from grid_sim.network.power_flow import NetworkError
from register_maps.vocabulary import LimitReason

CODES = reason_codes()


def tapered(one: Visit, from_pct: float) -> Visit:
    return replace(one, battery=replace(one.battery, knee_pct=from_pct))


# Full power until they are full.
TWO_CARS = [tapered(visit("S1", 300, 9000, 3), 100), tapered(visit("S2", 305, 9000, 2), 100)]


def figures(day: Day, run: Run | None) -> Outcome:
    assert run is not None
    return outcome(day.scenario, day.price, run)


def test_two_cars_behind_five_kilowatts_take_turns_and_both_get_what_they_need() -> None:
    day = run_day(scenario(TWO_CARS, hours=2))
    ruled, free = figures(day, day.controlled), figures(day, day.uncontrolled)
    assert ruled.peak_charging_kw == pytest.approx(3.3)
    assert free.peak_charging_kw == pytest.approx(6.6)
    assert ruled.scans_over_power_limit == 0
    assert free.scans_over_power_limit > 150
    assert ruled.delivered_share == pytest.approx(1, abs=0.006)
    assert free.delivered_share == pytest.approx(1, abs=1e-9)
    assert CODES[LimitReason.WAITING_TURN] in day.controlled.series.reason[:, 1]
    # The one who is full is switched off by its station, and by nobody again.
    assert day.controlled.series.reason[-60, 0] == CODES[LimitReason.FULL]


@pytest.mark.parametrize("taper_from_pct", [80.0, 100.0])
@pytest.mark.parametrize("scan_period_s", [5, 30])
def test_what_the_cars_got_is_what_the_stations_metered(scan_period_s: float, taper_from_pct: float) -> None:
    cars = [
        visit("S1", 300, 1529.5, 2, capacity_kwh=8),  # leaves while it charges
        visit("S1", 1530, 9000, 1, capacity_kwh=8),
        visit("S2", 307.7, 9000, 1.3, capacity_kwh=8),
        visit("S3", 722, 9000, 1.7, capacity_kwh=8),
    ]
    given = scenario(
        [tapered(car, taper_from_pct) for car in cars], stations=3, hours=1, scan_period_s=scan_period_s
    )
    day = run_day(given)
    assert figures(day, day.controlled).metered_share == pytest.approx(1, abs=0.001)
    for number, name in enumerate(["S1", "S2", "S3"]):
        got_wh = sum(c.delivered_wh for c in day.controlled.charged if c.visit.station == name)
        assert day.controlled.metered_wh[number] == pytest.approx(got_wh, rel=0.001)


def test_a_car_comes_and_goes_at_its_own_time_between_two_scans() -> None:
    given = scenario([visit("S1", 1234.5, 1834.5, 20, capacity_kwh=24)], hours=0.75)
    free = run_uncontrolled(given)
    assert free.charged[0].delivered_wh == pytest.approx(RATED_W / 6)
    here = ~np.isnan(free.series.state_of_charge_pct[:, 0])
    assert (here == ~np.isnan(run_controlled(given, print).series.state_of_charge_pct[:, 0])).all()
    assert list(np.flatnonzero(here)[[0, -1]]) == [124, 183]


def test_a_car_that_stays_beyond_the_end_is_counted_until_then() -> None:
    given = scenario([visit("S1", 0, 1e6, 20)], hours=1)
    assert run_uncontrolled(given).charged[0].delivered_wh == pytest.approx(RATED_W)
    # One scan to be seen and let in.
    assert run_controlled(given, print).charged[0].delivered_wh == pytest.approx(RATED_W, rel=0.02)


@pytest.mark.parametrize("arrives_s", [3600, 3650])
def test_a_car_that_comes_after_the_last_whole_scan_period_gets_nothing(arrives_s: float) -> None:
    """As in the last minute of a day that the scan period does not divide."""
    day = run_day(scenario([visit("S1", arrives_s, 3700, 6)], hours=1))
    for run in (day.controlled, day.uncontrolled):
        assert figures(day, run).delivered_kwh == 0
        assert figures(day, run).cars == 1


def test_nobody_charges_while_the_price_is_above_the_limit() -> None:
    given = scenario([visit("S1", 0, 30_000, 6)], hours=2.2, dear_hours="16-17")
    run = run_controlled(given, print)
    dear = prices(given) > 0.20
    assert dear.sum() == 360
    answered = dear & np.roll(dear, 1)
    assert run.series.charging_w[answered].max() == 0
    assert set(run.series.reason[answered, 0]) == {CODES[LimitReason.PRICE]}
    assert run.series.charging_w[~dear].max() > 3000


def test_the_rule_answers_a_sag_and_the_uncontrolled_day_does_not() -> None:
    given = scenario(
        [visit("S1", 0, 30_000, 15), visit("S2", 0, 30_000, 15)],
        network=two_wires(2, resistance_ohm=0.06),
        power_limit_w=10_000,
        hours=2.2,
    )
    busy = np.where((given.at_s > 3600) & (given.at_s < 7200), 5000.0, 0.0)
    day = run_day(beside(given, "S1", busy))
    ruled, free = figures(day, day.controlled), figures(day, day.uncontrolled)
    assert free.minutes_under_band > 50
    assert ruled.minutes_under_band < 1
    assert ruled.switchings < 50
    assert ruled.minutes_out_beyond_answer == 0
    assert ruled.lowest_pu >= free.lowest_pu
    assert CODES[LimitReason.VOLTAGE] in day.controlled.series.reason


def test_the_same_scenario_gives_the_same_run() -> None:
    given = scenario(TWO_CARS, hours=1)
    first, second = run_day(given), run_day(given)
    assert pickle.dumps(first.controlled) == pickle.dumps(second.controlled)
    assert pickle.dumps(first.uncontrolled) == pickle.dumps(second.uncontrolled)


def test_more_than_the_network_can_carry_is_said_with_its_time() -> None:
    given = scenario([], network=two_wires(2, resistance_ohm=2), hours=1)
    given = beside(given, "S2", np.where(given.at_s >= 1800, 50_000.0, 0.0))
    with pytest.raises(NetworkError, match="at 2026-03-02 15:30:00"):
        run_controlled(given, print)


def test_the_time_of_day_is_right_beyond_a_change_of_the_clocks() -> None:
    berlin = datetime(2026, 3, 29, 1, 59, tzinfo=ZoneInfo("Europe/Berlin"))
    given = replace(scenario([]), start=berlin)
    assert f"{given.time(60):%H:%M %z}" == "03:00 +0200"
    assert given.time(60) == berlin.replace(hour=3, minute=0)
    assert scenario([]).time(0) == START
