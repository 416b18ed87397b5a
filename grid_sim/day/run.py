"""A scenario, run: with the master, and without."""

import numpy as np

from grid_sim.arrays import Floats
from grid_sim.day.controlled import run_controlled
from grid_sim.day.model import Day, Scenario, Tell
from grid_sim.day.uncontrolled import run_uncontrolled

CONTROLLED_SHARE = 0.9
"""Of the work."""


def run_day(scenario: Scenario, tell: Tell = lambda share: None) -> Day:
    """NetworkError where more is drawn than the network can carry."""
    controlled = run_controlled(scenario, lambda share: tell(CONTROLLED_SHARE * share))
    uncontrolled = run_uncontrolled(scenario) if scenario.compare_uncontrolled else None
    tell(1.0)
    return Day(scenario=scenario, price=prices(scenario), controlled=controlled, uncontrolled=uncontrolled)


def prices(scenario: Scenario) -> Floats:
    """(scans,): per kWh; NaN where it is unknown."""
    tariff = scenario.site.tariff
    found = [tariff.price(scenario.time(at_s), at_s) for at_s in scenario.at_s.tolist()]
    return np.array([np.nan if price is None else price for price in found])
