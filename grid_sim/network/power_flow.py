"""Which voltage each tap of a network has while all of them draw: three-phase, unbalanced.

The only file that knows power-grid-model. The source is as good as stiff, so what sags is in the network.
"""

from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
from power_grid_model import (
    CalculationMethod,
    ComponentType,
    DatasetType,
    LoadGenType,
    PowerGridModel,
    WindingType,
    initialize_array,
)
from power_grid_model.errors import PowerGridError

from grid_sim.arrays import Floats
from grid_sim.network.joints import without_joints
from grid_sim.network.model import PHASES, Network, Tap, Transformer
from modbus_link.errors import Failed

SHORT_CIRCUIT_VA = 1e12
STATES_AT_ONCE = 1000
"""What is held of them: 24 kB for each state of a thousand buses."""
THREADS = 2
TOLERANCE_PU = 1e-10
METHODS = (CalculationMethod.iterative_current, CalculationMethod.newton_raphson)
"""The first is the quicker; near the most that a network carries only the second finds the solution."""
OUTPUT: dict[ComponentType, Any] = {
    ComponentType.node: ["u"],
    ComponentType.line: ["loading"],
    ComponentType.source: ["p"],
}
WINDINGS = {
    "Dyn": (WindingType.delta, WindingType.wye_n),
    "Dzn": (WindingType.delta, WindingType.zigzag_n),
    "YNyn": (WindingType.wye_n, WindingType.wye_n),
    "Yzn": (WindingType.wye, WindingType.zigzag_n),
}


class NetworkError(Failed):
    """No voltage can be found: more is drawn than the network can carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One state of the network, or many: then the arrays have one axis more, the first."""

    voltage_v: Floats
    """(…, taps, 3), phase to neutral; NaN for a phase that the tap does not use."""
    loading: Floats
    """(…,): of the line with the most current for what it carries, in the phase with the most; NaN where
    no line says what it carries. 1.0 is full."""
    supplied_w: Floats
    """(…,): what the source gives, losses and all."""


class PowerFlow:
    """A network with `taps`; the order of `taps` is that of all arrays."""

    def __init__(self, network: Network, taps: Sequence[Tap]) -> None:
        self._is_rated = any(line.max_current_a is not None for line in network.lines)
        reduced = without_joints(network, {tap.bus for tap in taps})
        self._index = {bus: index for index, bus in enumerate(reduced.nominal_voltage_v)}
        self._nodes = np.array([self._index[tap.bus] for tap in taps], dtype=np.intp)
        uses = np.array([[phase in tap.phases for phase in PHASES] for tap in taps], dtype=np.float64)
        uses = uses.reshape(-1, len(PHASES))
        self._shares = uses / uses.sum(axis=1, keepdims=True)
        self._unused = uses == 0
        self._model = PowerGridModel(dict(self._input(reduced)))

    def solve(self, p_w: Floats, q_var: Floats) -> Flow:
        """`p_w`, `q_var`: (taps,). NetworkError where there is no solution."""
        self._model.update(update_data=self._loads(p_w, q_var))
        return self._flow(self._result(p_w, None))

    def solve_each(self, p_w: Floats, q_var: Floats) -> Flow:
        """`p_w`, `q_var`: (states, taps); quicker than one after the other."""
        parts = []
        for start in range(0, max(len(p_w), 1), STATES_AT_ONCE):
            chunk = slice(start, start + STATES_AT_ONCE)
            parts.append(self._flow(self._result(p_w[chunk], self._loads(p_w[chunk], q_var[chunk]))))
        return Flow(
            voltage_v=np.concatenate([part.voltage_v for part in parts]),
            loading=np.concatenate([part.loading for part in parts]),
            supplied_w=np.concatenate([part.supplied_w for part in parts]),
        )

    def _loads(self, p_w: Floats, q_var: Floats) -> Any:
        columns = {
            "p_specified": p_w[..., np.newaxis] * self._shares,
            "q_specified": q_var[..., np.newaxis] * self._shares,
        }
        return {ComponentType.asym_load: columns}

    def _result(self, p_w: Floats, loads: Any) -> Any:
        """Of the model as it is, or of each state of `loads`."""
        for method in METHODS:
            try:
                return self._model.calculate_power_flow(
                    symmetric=False,
                    calculation_method=method,
                    error_tolerance=TOLERANCE_PU,
                    update_data=loads,
                    threading=THREADS,
                    output_component_types=OUTPUT,
                )
            except PowerGridError as error:
                failed = error
        drawn = f"{p_w.sum(axis=-1).max():.0f} W"
        raise NetworkError(
            f"{drawn} are more than the network can carry: look at its lines and at the loads"
        ) from failed

    def _flow(self, result: Any) -> Flow:
        voltage_v = result[ComponentType.node]["u"][..., self._nodes, :]
        voltage_v[..., self._unused] = np.nan
        lines = result.get(ComponentType.line, {"loading": np.empty((*voltage_v.shape[:-2], 0))})
        return Flow(
            voltage_v=voltage_v,
            loading=np.fmax.reduce(lines["loading"], axis=-1, initial=0.0 if self._is_rated else np.nan),
            supplied_w=result[ComponentType.source]["p"].sum(axis=(-2, -1)),
        )

    def _input(self, network: Network) -> Iterator[tuple[ComponentType, Any]]:
        ids = iter(range(2**31))
        nodes = _table(ComponentType.node, ids, network.nominal_voltage_v)
        nodes["u_rated"] = list(network.nominal_voltage_v.values())
        yield ComponentType.node, nodes
        yield ComponentType.line, self._lines(network, ids)
        yield ComponentType.transformer, self._transformers(network, ids)
        source = _table(ComponentType.source, ids, [network.source])
        source["node"], source["status"] = self._index[network.source.bus], 1
        source["u_ref"], source["sk"] = network.source.voltage_pu, SHORT_CIRCUIT_VA
        yield ComponentType.source, source
        loads = _table(ComponentType.asym_load, ids, self._nodes)
        loads["node"], loads["status"], loads["type"] = self._nodes, 1, LoadGenType.const_power
        loads["p_specified"] = loads["q_specified"] = 0
        yield ComponentType.asym_load, loads

    def _lines(self, network: Network, ids: Iterator[int]) -> Any:
        table = self._branches(ComponentType.line, ids, network.lines)
        for column in ("r1", "x1", "r0", "x0"):
            table[column] = [getattr(line, f"{column}_ohm") for line in network.lines]
        for column in ("c1", "c0"):
            table[column] = [getattr(line, f"{column}_f") for line in network.lines]
        table["tan1"] = table["tan0"] = 0
        table["i_n"] = [line.max_current_a or np.nan for line in network.lines]
        return table

    def _transformers(self, network: Network, ids: Iterator[int]) -> Any:
        table = self._branches(ComponentType.transformer, ids, network.transformers)
        for row, transformer in enumerate(network.transformers):
            for column, value in _nameplate(transformer).items():
                table[column][row] = value
        return table

    def _branches(self, kind: ComponentType, ids: Iterator[int], branches: Sequence[Any]) -> Any:
        table = _table(kind, ids, branches)
        table["from_node"] = [self._index[branch.from_bus] for branch in branches]
        table["to_node"] = [self._index[branch.to_bus] for branch in branches]
        table["from_status"] = table["to_status"] = 1
        return table


def _table(kind: ComponentType, ids: Iterator[int], of: Sized) -> Any:
    table = initialize_array(DatasetType.input, kind, len(of))
    table["id"] = [next(ids) for _ in range(len(of))]
    return table


def _nameplate(transformer: Transformer) -> Mapping[str, float]:
    high, low = WINDINGS[transformer.vector_group]
    no_tap_changer = dict.fromkeys(("tap_side", "tap_pos", "tap_min", "tap_max", "tap_size"), 0)
    return no_tap_changer | {
        "u1": transformer.from_voltage_v,
        "u2": transformer.to_voltage_v,
        "sn": transformer.rated_va,
        "uk": transformer.short_circuit_pu,
        "pk": transformer.copper_loss_pu * transformer.rated_va,
        "i0": transformer.no_load_current_pu,
        "p0": transformer.no_load_loss_w,
        "winding_from": high,
        "winding_to": low,
        "clock": transformer.clock,
    }
