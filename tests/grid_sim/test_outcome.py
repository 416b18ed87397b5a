"""The figures of a run, counted on series that were made by hand."""

from typing import Any

import numpy as np
import pytest
from small_days import scenario, visit

from grid_sim.day.model import Charged, Run
from grid_sim.day.outcome import Outcome, outcome
from grid_sim.day.series import empty_series

GIVEN = scenario([visit("S1", 0, 3600, 2), visit("S2", 0, 3600, 4)], hours=1, scan_period_s=60)
"""60 scans of a minute."""


def counted(**series: Any) -> Outcome:
    """Of a quiet hour in which `series` were otherwise; each is a list of scans and values."""
    quiet = empty_series(GIVEN)
    quiet.low_pu[:], quiet.high_pu[:] = 0.98, 1.01
    for name, values in series.items():
        for at, value in values:
            getattr(quiet, name)[at] = value
    run = Run(
        series=quiet,
        charged=tuple(
            Charged(visit=one, delivered_wh=share * one.needs_wh, state_of_charge_pct=100)
            for one, share in zip(GIVEN.visits, (1.0, 0.5), strict=True)
        ),
        metered_wh=np.array([2000.0, 1990.0]),
        switchings=np.array([3, 7]),
    )
    price = np.concatenate([np.full(30, 0.1), np.full(30, np.nan)])
    return outcome(GIVEN, price, run)


def test_a_quiet_hour() -> None:
    found = counted()
    assert (found.cars, found.cars_served) == (2, 1)
    assert (found.requested_kwh, found.delivered_kwh, found.undelivered_kwh) == (6, 4, 2)
    assert found.delivered_share == pytest.approx(4 / 6)
    assert found.metered_share == pytest.approx(3.99 / 4)
    assert (found.switchings, found.most_switchings) == (10, 7)
    assert (found.lowest_pu, found.highest_pu) == (0.98, 1.01)
    violations = (
        found.scans_over_power_limit,
        found.minutes_under_band,
        found.minutes_over_band,
        found.longest_out_of_band_s,
        found.minutes_out_beyond_answer,
        found.minutes_overloaded,
    )
    assert violations == (0,) * 6


def test_power_at_the_limit_is_not_over_it() -> None:
    at_limit = [(5, [2500.0, 2500.0])]
    assert counted(charging_w=at_limit).scans_over_power_limit == 0
    found = counted(charging_w=[*at_limit, (6, [2500.0, 2501.0]), (9, [9000.0, 0.0])])
    assert (found.scans_over_power_limit, found.minutes_over_power_limit) == (2, 2)
    assert found.peak_charging_kw == 9


def test_energy_costs_what_it_cost_when_it_was_drawn() -> None:
    found = counted(charging_w=[(slice(0, 60), [1000.0, 0.0])])
    assert found.cost == pytest.approx(4 * 0.5 * 0.1)  # 4 kWh; half of the hour had no price


def test_stretches_out_of_the_band_and_what_lies_beyond_the_answer() -> None:
    found = counted(
        low_pu=[(slice(0, 3), 0.94), (slice(10, 16), 0.9), (59, 0.949)],
        high_pu=[(slice(14, 20), 1.06)],
    )
    assert (found.minutes_under_band, found.minutes_over_band) == (10, 6)
    assert found.longest_out_of_band_s == 600  # from 10 to 20, first under, then over
    assert found.answer_s == 240
    assert found.minutes_out_beyond_answer == 6


def test_the_edges_of_the_band_are_in_it() -> None:
    assert counted(low_pu=[(5, 0.95)], high_pu=[(6, 1.05)]).longest_out_of_band_s == 0


def test_overload_and_an_unknown_loading() -> None:
    found = counted(loading=[(3, 1.2), (4, 1.0)])
    assert (found.peak_loading, found.minutes_overloaded) == (1.2, 1)
    unknown = counted(loading=[(slice(None), np.nan)])
    assert (unknown.peak_loading, unknown.minutes_overloaded) == (None, 0)
