"""The same loads on the European feeder, by our solver and by pandapower's three-phase power flow."""

import logging
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from networks import EUROPEAN_PHASE_V, european_lv

from grid_sim.arrays import Floats
from grid_sim.network.model import PHASES, Network
from grid_sim.network.power_flow import PowerFlow

OPEN_PERCENT = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    load_w: float
    lowest_pu: float
    largest_pu: float
    """Of the voltages at all homes."""
    our_s: float
    their_s: float


class PandapowerCheck:
    """`is_magnetised`: with the zero-sequence magnetising path that pandapower's transformer has and the
    project's tables don't; without it the two calculate the same thing."""

    def __init__(self, *, is_magnetised: bool) -> None:
        logging.getLogger("pandapower").setLevel(logging.ERROR)  # it is slow without numba, and says so often
        with warnings.catch_warnings(action="ignore"):
            from pandapower.networks import ieee_european_lv_asymmetric

            self.net: Any = ieee_european_lv_asymmetric("on_peak_566")
        if not is_magnetised:
            self.net.trafo["mag0_percent"] = OPEN_PERCENT
        self.network = european_lv()
        self._buses = [int(load.tap.bus) for load in self.network.loads]
        self._power_flow = PowerFlow(self.network, [load.tap for load in self.network.loads])

    def difference(self, p_w: Floats, q_var: Floats) -> Difference:
        started = time.perf_counter()
        ours_pu = self._power_flow.solve(p_w, q_var).voltage_v / EUROPEAN_PHASE_V
        between = time.perf_counter()
        theirs_pu = self._theirs(p_w, q_var)
        return Difference(
            load_w=float(p_w.sum()),
            lowest_pu=float(np.nanmin(ours_pu)),
            largest_pu=float(np.nanmax(abs(ours_pu - theirs_pu))),
            our_s=between - started,
            their_s=time.perf_counter() - between,
        )

    def _theirs(self, p_w: Floats, q_var: Floats) -> Floats:
        loads = self.net.asymmetric_load
        assert loads.bus.tolist() == self._buses
        for phase in PHASES:
            uses = np.array([load.tap.phases == phase for load in self.network.loads])
            loads[f"p_{phase}_mw"], loads[f"q_{phase}_mvar"] = uses * p_w / 1e6, uses * q_var / 1e6
        with warnings.catch_warnings(action="ignore"):
            from pandapower import runpp_3ph

            runpp_3ph(self.net)
        columns = [f"vm_{phase}_pu" for phase in PHASES]
        voltages: Floats = self.net.res_bus_3ph.loc[self._buses, columns].to_numpy()
        return voltages


def random_state(network: Network, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Homes anywhere between their quiet and their busy hour, and at some of them a car of up to 7.4 kW."""
    loads = network.loads
    share = random.uniform(0, 1, len(loads))
    has_car = random.uniform(0, 1, len(loads)) < random.uniform(0, 0.6)
    car_w = has_car * random.uniform(1400, 7400, len(loads))
    home_w = [load.low_w + part * (load.high_w - load.low_w) for load, part in zip(loads, share, strict=True)]
    var = [
        load.low_var + part * (load.high_var - load.low_var) for load, part in zip(loads, share, strict=True)
    ]
    return np.array(home_w) + car_w, np.array(var)
