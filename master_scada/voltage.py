"""The voltage part of the rule: shed in steps while a circuit is under its band, and let in with care.

A step is as large as the sag asks for: if all of it came from charging, shedding this share of it
would bring the voltage back. It never does all, so a step rarely sheds too much, and the next follows
when the effect of this one can be seen.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from master_scada.memory import CircuitMemory, Memory
from master_scada.model import Circuit, Plant, Station


@dataclass(frozen=True, slots=True)
class Extremes:
    """Lowest and highest voltage of the stations on a circuit, in per unit of its nominal."""

    low_pu: float
    high_pu: float


def extremes(plant: Plant) -> dict[str, Extremes]:
    """By circuit; a circuit without any known voltage is not in it."""
    values: dict[str, list[float]] = {}
    for station in plant.stations:
        seen = station.reading
        if seen and seen.voltage_v is not None:
            nominal_v = plant.feeder.circuits[station.circuit].nominal_voltage_v
            values.setdefault(station.circuit, []).append(seen.voltage_v / nominal_v)
    return {name: Extremes(min(pu), max(pu)) for name, pu in values.items()}


def remember_voltage(plant: Plant, seen: Mapping[str, Extremes], memory: Memory) -> Memory:
    """Since when each circuit is well inside its band, and what shedding did to its voltage."""
    circuits, stations = dict(memory.circuits), dict(memory.stations)
    populated = {station.circuit for station in plant.stations}  # silent ones say nothing of the voltage
    for name, circuit in plant.feeder.circuits.items():
        old = memory.of_circuit(name)
        found = seen.get(name)
        ok = name not in populated if found is None else _is_well_inside(circuit, found, plant)
        # A master that has just begun has not seen the voltage change: nothing to wait for.
        began = plant.now if memory.stations else -math.inf
        since = (began if old.voltage_ok_since is None else old.voltage_ok_since) if ok else None
        circuits[name] = replace(old, voltage_ok_since=since)
        if old.shed and found and plant.now - old.shed_at >= plant.rules.settle_s:
            rise_pu = max(0.0, found.low_pu - old.shed_voltage_pu)
            for shed in old.shed:
                stations[shed] = replace(
                    memory.of_station(shed), voltage_rise_pu=rise_pu, shed_at=old.shed_at
                )
            circuits[name] = replace(circuits[name], shed=())
    return replace(memory, circuits=circuits, stations=stations)


def limited_by_overvoltage(plant: Plant, seen: Mapping[str, Extremes]) -> set[str]:
    """The circuits whose voltage is above the band, where the rule limits for that."""
    if plant.rules.overvoltage == "charge":
        return set()
    circuits = plant.feeder.circuits
    return {name for name, found in seen.items() if found.high_pu > circuits[name].voltage_band[1]}


def shed_for_undervoltage(
    plant: Plant, seen: Mapping[str, Extremes], memory: Memory, on: Sequence[Station]
) -> tuple[set[str], Memory]:
    """Whom to shed now; `on` in the order in which they go. One step per circuit and settling time."""
    shed: set[str] = set()
    circuits = dict(memory.circuits)
    for name, found in seen.items():
        low_pu = plant.feeder.circuits[name].voltage_band[0]
        old = memory.of_circuit(name)
        if found.low_pu >= low_pu or plant.now - old.shed_at < plant.rules.settle_s:
            continue
        there = _nearest([s for s in on if s.name not in shed], plant.feeder.path(name), plant)
        step = there[: _step_size(len(there), found.low_pu, low_pu)]
        shed |= {station.name for station in step}
        circuits[name] = CircuitMemory(
            shed_at=plant.now,
            shed_voltage_pu=found.low_pu,
            shed=tuple(station.name for station in step),
            admitted_at=old.admitted_at,
        )
    return shed, replace(memory, circuits=circuits)


def may_join(station: Station, plant: Plant, seen: Mapping[str, Extremes], memory: Memory) -> bool:
    """Whether the voltage on all circuits above the station has room for it, and has had for a while."""
    for name in plant.feeder.path(station.circuit):
        since = memory.of_circuit(name).voltage_ok_since
        if since is None or plant.now - since < plant.rules.minimum_off_s:
            return False
        found = seen.get(name)
        low_pu = plant.feeder.circuits[name].voltage_band[0]
        if found and found.low_pu - _expected_drop_pu(station, plant, memory) < low_pu:
            return False
    return True


def _expected_drop_pu(station: Station, plant: Plant, memory: Memory) -> float:
    """What the station took from the voltage when last shed; trusted less and less as time passes,
    because something else may have moved the voltage in the same moment, and nobody waits for ever."""
    old = memory.of_station(station.name)
    if old.voltage_rise_pu == 0.0:
        return 0.0
    return old.voltage_rise_pu * math.pow(0.5, (plant.now - old.shed_at) / plant.rules.rotation_s)


def _is_well_inside(circuit: Circuit, found: Extremes, plant: Plant) -> bool:
    low_pu, high_pu = circuit.voltage_band
    margin = plant.rules.voltage_recovery
    low_ok = found.low_pu >= low_pu + margin
    return low_ok and (plant.rules.overvoltage == "charge" or found.high_pu <= high_pu - margin)


def _nearest(on: Iterable[Station], path: Sequence[str], plant: Plant) -> list[Station]:
    """Those of `on` that hang on the first circuit of `path` that has any."""
    on = list(on)
    for name in path:
        there = [s for s in on if name in plant.feeder.path(s.circuit)]
        if there:
            return there
    return []


def _step_size(count: int, voltage_pu: float, low_pu: float) -> int:
    share = (low_pu - voltage_pu) / (1 - voltage_pu) if voltage_pu < 1 else 0.0
    return max(1, math.floor(share * count))
