"""The solver against pandapower's, on the European feeder; benchmarks/power_flow.py tries more states."""

import numpy as np
import pytest
from networks import needs_european_lv
from pandapower_check import PandapowerCheck, random_state

pytest.importorskip("pandapower")


@needs_european_lv
def test_both_solvers_find_the_same_voltages() -> None:
    """As the feeder comes with pandapower, and without the one thing that the project's tables don't have."""
    random = np.random.default_rng(7)
    for is_magnetised, states, most_pu in ((True, 1, 1e-3), (False, 2, 5e-5)):
        check = PandapowerCheck(is_magnetised=is_magnetised)
        for _ in range(states):
            assert check.difference(*random_state(check.network, random)).largest_pu < most_pu
