"""The street that ships, through the real code: a few hours of its evening, with the rule and without."""

from datetime import datetime

import pytest
from networks import DATA
from processes import EXAMPLES

from grid_sim.day.outcome import Outcome, outcome
from grid_sim.day.run import run_day
from grid_sim.day.scenario_file import scenario_of
from register_maps.yaml_file import read_yaml

STREET = EXAMPLES / "day_street.yaml"
EVENING = {"start": datetime(2023, 3, 1, 17), "days": 0.25, "scan_period_s": 60}
NEEDS_KWH = {"mean": 10, "sd": 3}
"""Half as much as in the example, in a quarter of its time."""


@pytest.mark.skipif(not DATA.is_dir(), reason=f"needs {DATA}")
def test_the_rule_keeps_the_street_in_its_limits_and_still_charges_most() -> None:
    data = read_yaml(STREET)
    data["cars"][0]["needs_kwh"] = NEEDS_KWH
    day = run_day(scenario_of(data | EVENING, STREET))
    assert day.uncontrolled
    free, ruled = (outcome(day.scenario, day.price, run) for run in (day.uncontrolled, day.controlled))
    assert free.cars == ruled.cars > 15
    assert free.minutes_over_power_limit > 15
    assert free.minutes_out_beyond_answer > 60
    assert free.delivered_share > 0.99
    _keeps(ruled)


def _keeps(ruled: Outcome) -> None:
    assert ruled.scans_over_power_limit == 0
    assert ruled.minutes_out_beyond_answer == 0
    assert ruled.delivered_share > 0.8
    assert ruled.metered_share == pytest.approx(1, abs=0.001)
