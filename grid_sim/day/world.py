"""The world of a scenario: which voltages its taps have while homes, roofs and stations draw."""

import numpy as np

from grid_sim.arrays import Floats
from grid_sim.day.model import Scenario
from grid_sim.network.power_flow import Flow, NetworkError, PowerFlow


class World:
    """Arrays over taps are in one order: the surroundings', then the stations'."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        surroundings, self.stations = scenario.surroundings, len(scenario.stations)
        self._flow = PowerFlow(
            scenario.network, [*surroundings.taps, *(station.tap for station in scenario.stations)]
        )
        self._net_w = surroundings.demand_w - surroundings.solar_w
        circuits = scenario.site.feeder.circuits
        self._nominal_v = np.array([circuits[e.circuit].nominal_voltage_v for e in scenario.site.stations])

    def at(self, scan: int, charging_w: Floats) -> Flow:
        """While the stations draw `charging_w`: (stations,)."""
        p_w = np.concatenate([self._net_w[scan], charging_w])
        q_var = np.concatenate([self._scenario.surroundings.demand_var[scan], np.zeros(self.stations)])
        try:
            return self._flow.solve(p_w, q_var)
        except NetworkError as error:
            at = self._scenario.time(scan * self._scenario.scan_period_s)
            raise NetworkError(f"at {at:%Y-%m-%d %H:%M:%S}: {error}") from error

    def at_each(self, charging_w: Floats) -> Flow:
        """At every scan at once; `charging_w`: (scans, stations)."""
        return self._flow.solve_each(
            np.hstack([self._net_w, charging_w]),
            np.hstack([self._scenario.surroundings.demand_var, np.zeros_like(charging_w)]),
        )

    def station_voltage_v(self, flow: Flow) -> Floats:
        """(…, stations): at a three-phase station the one furthest from nominal."""
        voltage_v = flow.voltage_v[..., -self.stations :, :]
        worst = np.nanargmax(np.abs(voltage_v - self._nominal_v[:, np.newaxis]), axis=-1)
        found: Floats = np.take_along_axis(voltage_v, worst[..., np.newaxis], axis=-1)[..., 0]
        return found
