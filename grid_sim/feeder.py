"""The feeder of a simulated site: which voltage each place has while all of them draw."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from power_grid_model import (
    ComponentType,
    DatasetType,
    LoadGenType,
    PowerGridModel,
    initialize_array,
)
from power_grid_model.errors import PowerGridError

SHORT_CIRCUIT_VA = 1e9
"""The source is stiff: what sags is in the lines."""


class FeederError(RuntimeError):
    """No voltage can be found: more is drawn than the lines can carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A cable to the place `name`, from the place `parent` or, without one, from the source.

    The resistance is that of both conductors together.
    """

    name: str
    parent: str | None
    resistance_ohm: float
    reactance_ohm: float = 0.0


class Feeder:
    """A radial single-phase feeder, solved by power-grid-model.

    Its balanced three-phase equations with the line-to-line voltage set to ours are those of a two-wire
    circuit: the drop is R·P/V either way.
    """

    def __init__(self, source_voltage_v: float, segments: Iterable[Segment]) -> None:
        self._segments = list(segments)
        self._index = {segment.name: i for i, segment in enumerate(self._segments)}
        self._loads_w = np.zeros(len(self._segments))
        self._voltages_v: np.ndarray[Any, Any] | None = None
        self._model = PowerGridModel(self._input(source_voltage_v))

    def set_loads(self, loads_w: Mapping[str, float]) -> None:
        """What the named places draw from now on; the others keep what they drew."""
        for name, watts in loads_w.items():
            if self._loads_w[self._index[name]] != watts:
                self._loads_w[self._index[name]] = watts
                self._voltages_v = None

    def voltage_v(self, name: str) -> float:
        if self._voltages_v is None:
            self._voltages_v = self._solve()
        return float(self._voltages_v[self._index[name]])

    def _solve(self) -> "np.ndarray[Any, Any]":
        update = initialize_array(DatasetType.update, ComponentType.sym_load, len(self._segments))
        update["id"] = _load_ids(self._segments)
        update["p_specified"] = self._loads_w
        self._model.update(update_data={ComponentType.sym_load: update})
        try:
            result = self._model.calculate_power_flow()
        except PowerGridError as error:
            raise FeederError(f"{self._loads_w.sum():.0f} W are more than the feeder can carry") from error
        voltages: np.ndarray[Any, Any] = result[ComponentType.node]["u"][1:]
        return voltages

    def _input(self, source_voltage_v: float) -> Any:
        count = len(self._segments)
        node = initialize_array(DatasetType.input, ComponentType.node, count + 1)
        node["id"] = range(count + 1)  # 0 is the source's
        node["u_rated"] = source_voltage_v
        line = initialize_array(DatasetType.input, ComponentType.line, count)
        line["id"] = range(count + 1, 2 * count + 1)
        line["from_node"] = [self._index[s.parent] + 1 if s.parent else 0 for s in self._segments]
        line["to_node"] = range(1, count + 1)
        line["from_status"] = line["to_status"] = 1
        line["r1"] = [segment.resistance_ohm for segment in self._segments]
        line["x1"] = [segment.reactance_ohm or 1e-6 for segment in self._segments]
        line["c1"] = line["tan1"] = 0
        source = initialize_array(DatasetType.input, ComponentType.source, 1)
        source["id"], source["node"], source["status"] = 2 * count + 1, 0, 1
        source["u_ref"], source["sk"] = 1.0, SHORT_CIRCUIT_VA
        load = initialize_array(DatasetType.input, ComponentType.sym_load, count)
        load["id"] = _load_ids(self._segments)
        load["node"] = range(1, count + 1)
        load["status"], load["type"] = 1, LoadGenType.const_power
        load["p_specified"] = load["q_specified"] = 0
        return {
            ComponentType.node: node,
            ComponentType.line: line,
            ComponentType.source: source,
            ComponentType.sym_load: load,
        }


class FeederTap:
    """A station's place on the feeder: the `Line` of its simulated board."""

    def __init__(self, feeder: Feeder, name: str) -> None:
        self._feeder = feeder
        self._name = name

    def voltage_v(self, power_w: float) -> float:
        self._feeder.set_loads({self._name: power_w})
        return self._feeder.voltage_v(self._name)


def _load_ids(segments: list[Segment]) -> range:
    return range(2 * len(segments) + 2, 3 * len(segments) + 2)
