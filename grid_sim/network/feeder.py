"""The feeder of a simulated site: which voltage each place has while all of them draw."""

from collections.abc import Iterable, Mapping

import numpy as np

from grid_sim.network.model import Tap
from grid_sim.network.power_flow import Flow, PowerFlow
from grid_sim.network.radial import RadialLine, RadialNetwork


class Feeder:
    """Two wires that branch; whatever stands at the end of a line may draw."""

    def __init__(self, source_voltage_v: float, lines: Iterable[RadialLine]) -> None:
        lines = tuple(lines)
        network = RadialNetwork(phases=1, source_voltage_v=source_voltage_v, lines=lines).network()
        taps = [Tap(name=line.to, bus=line.to, phases="a") for line in lines]
        self._index = {tap.name: index for index, tap in enumerate(taps)}
        self._loads_w = np.zeros(len(taps))
        self._power_flow = PowerFlow(network, taps)
        self._flow: Flow | None = None

    def set_loads(self, loads_w: Mapping[str, float]) -> None:
        """What the named places draw from now on; the others keep what they drew."""
        for name, watts in loads_w.items():
            if self._loads_w[self._index[name]] != watts:
                self._loads_w[self._index[name]] = watts
                self._flow = None

    def voltage_v(self, name: str) -> float:
        if self._flow is None:
            self._flow = self._power_flow.solve(self._loads_w, np.zeros_like(self._loads_w))
        return float(self._flow.voltage_v[self._index[name], 0])


class FeederTap:
    """A station's place on the feeder: the `Line` of its simulated board."""

    def __init__(self, feeder: Feeder, name: str) -> None:
        self._feeder = feeder
        self._name = name

    def voltage_v(self, power_w: float) -> float:
        self._feeder.set_loads({self._name: power_w})
        return self._feeder.voltage_v(self._name)
