"""The solver against pandapower's, on the European feeder; benchmarks/power_flow.py tries more states."""

import numpy as np
import pytest
from networks import busy_var, busy_w, needs_european_lv, needs_pandapower
from pandapower_check import PandapowerCheck, random_state

from grid_sim.network.pandapower_tables import NOT_MAGNETISED, PandapowerTables
from grid_sim.network.power_flow import PowerFlow


@needs_pandapower
@needs_european_lv
def test_both_solvers_find_the_same_voltages() -> None:
    """As the feeder comes with pandapower, and without the one thing that the project's tables don't have."""
    random = np.random.default_rng(7)
    for is_magnetised, states, most_pu in ((True, 1, 1e-3), (False, 2, 5e-5)):
        check = PandapowerCheck(is_magnetised=is_magnetised)
        _same_as_the_tables(check)
        for _ in range(states):
            assert check.difference(*random_state(check.network, random)).largest_pu < most_pu


def _same_as_the_tables(check: PandapowerCheck) -> None:
    theirs = PandapowerTables(check.net).network()
    assert theirs
    assert theirs.assumptions == (NOT_MAGNETISED,)
    assert [load.tap.phases for load in theirs.loads] == [load.tap.phases for load in check.network.loads]
    assert busy_w(theirs) == pytest.approx(busy_w(check.network), abs=0.1)
    flows = [
        PowerFlow(network, [load.tap for load in network.loads]).solve(
            busy_w(check.network), busy_var(check.network)
        )
        for network in (theirs, check.network)
    ]
    assert flows[0].voltage_v == pytest.approx(flows[1].voltage_v, rel=1e-6, nan_ok=True)
    assert flows[0].loading == pytest.approx(flows[1].loading, rel=1e-5)
