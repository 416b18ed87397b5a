"""The voltage part of the rule: what it sees and remembers of the voltages, and whom it sheds for them.

A step is as large as the sag asks for, by what the stations are known to take from the lowest voltage, and
the next follows when the effect of this one can be seen. Who comes in is decided in `voltage_room`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from master_scada.memory import Memory
from master_scada.model import Circuit, Plant
from master_scada.sensitivity import learn
from master_scada.station import Station
from master_scada.voltage_room import NOTICEABLE_PU, brings_its_own_down, rises_pu


@dataclass(frozen=True, slots=True)
class Extremes:
    """Lowest and highest voltage of the stations on a circuit, in per unit of its nominal."""

    low_pu: float
    high_pu: float
    lowest: str
    """The station that has it."""
    highest: str


def extremes(plant: Plant) -> dict[str, Extremes]:
    """By circuit; a circuit without any known voltage is not in it."""
    values: dict[str, list[tuple[float, str]]] = {}
    for station in plant.stations:
        if station.name in plant.voltages:
            values.setdefault(station.circuit, []).append((plant.voltages[station.name][0], station.name))
    found = {}
    for name, seen in values.items():
        (low_pu, lowest), (high_pu, highest) = min(seen), max(seen)
        found[name] = Extremes(low_pu, high_pu, lowest, highest)
    return found


def remember_voltage(plant: Plant, seen: Mapping[str, Extremes], memory: Memory) -> Memory:
    """Since when each circuit is well inside its band, and what a change of load did to the voltages."""
    circuits = dict(memory.circuits)
    populated = {station.circuit for station in plant.stations}  # silent ones say nothing of the voltage
    for name, circuit in plant.feeder.circuits.items():
        old = memory.of_circuit(name)
        found = seen.get(name)
        ok = name not in populated if found is None else _is_well_inside(circuit, found, plant)
        # A master that has just begun has not seen the voltage change: nothing to wait for.
        began = plant.now if memory.stations else -math.inf
        since = (began if old.voltage_ok_since is None else old.voltage_ok_since) if ok else None
        circuits[name] = replace(old, voltage_ok_since=since)
    return replace(memory, circuits=circuits, sensitivity=learn(memory.sensitivity, plant))


def limited_by_overvoltage(plant: Plant, seen: Mapping[str, Extremes]) -> set[str]:
    """The circuits whose voltage is above the band, where the rule limits for that."""
    if plant.rules.overvoltage == "charge":
        return set()
    circuits = plant.feeder.circuits
    return {name for name, found in seen.items() if found.high_pu > circuits[name].voltage_band[1]}


def shed_for_voltage(
    plant: Plant, seen: Mapping[str, Extremes], memory: Memory, on: Sequence[Station]
) -> tuple[set[str], Memory]:
    """Whom to shed now; `on` in the order in which they go. One step per circuit and settling time."""
    shed: set[str] = set()
    circuits = dict(memory.circuits)
    for name, found in seen.items():
        old = memory.of_circuit(name)
        if plant.now - old.shed_at < plant.rules.settle_s:
            continue
        low_pu, high_pu = plant.feeder.circuits[name].voltage_band
        # Those who go for another circuit may hang on the same cable.
        gone, left = [s for s in on if s.name in shed], [s for s in on if s.name not in shed]
        if found.low_pu < low_pu:
            missing_pu = low_pu - found.low_pu - rises_pu(found.lowest, memory, gone)
            step = _step(_nearest(left, plant.feeder.path(name), plant), found, missing_pu, memory)
        elif found.high_pu > high_pu:
            excess_pu = found.high_pu - high_pu + rises_pu(found.highest, memory, gone)
            lifting = [s for s in left if not brings_its_own_down(s, plant, memory)]
            step = _step_down(lifting, found, excess_pu, memory)
        else:
            continue
        if step or gone:
            shed |= step
            circuits[name] = replace(old, shed_at=plant.now)
    return shed, replace(memory, circuits=circuits)


def _step(on: Sequence[Station], found: Extremes, wanted_pu: float, memory: Memory) -> set[str]:
    """As many as the sag asks for: of equal priority first those who are known to give back to the lowest
    voltage. Of the others each is taken for its part, if all of the sag came from charging; but no more of
    them than are surely wanted, and after them nobody of a higher priority, because their effect will be
    seen before the next step."""
    part_pu = max(0.0, 1 - found.low_pu) / max(1, len(on))
    known_pu = {s.name: memory.sensitivity.taken_pu(s.name, s.drawn_w, found.lowest) for s in on}
    step: list[tuple[Station, float]] = []
    missing_pu, has_guess = wanted_pu, False
    for station in sorted(on, key=lambda s: (-s.priority, known_pu[s.name] is None)):
        known = known_pu[station.name]
        gives_pu = part_pu if known is None else known
        too_much = known is None and step and gives_pu > missing_pu
        too_far = has_guess and station.priority < step[-1][0].priority
        if missing_pu <= 0 or too_much or too_far:
            break
        if known is None or known >= NOTICEABLE_PU:
            step.append((station, gives_pu))
            missing_pu -= gives_pu
            has_guess = has_guess or known is None
    if wanted_pu > 0 and not step:
        return {s.name for s in on[:1]}  # where nobody is known to help, one goes all the same
    return _needed(step, wanted_pu)


def _step_down(on: Sequence[Station], found: Extremes, wanted_pu: float, memory: Memory) -> set[str]:
    """Of those that are known to lift the highest voltage, as an uneven load does on the phases that it
    leaves alone."""
    step: list[tuple[Station, float]] = []
    missing_pu = wanted_pu
    for station in on:
        lifts_pu = -(memory.sensitivity.taken_pu(station.name, station.drawn_w, found.highest) or 0.0)
        if lifts_pu >= NOTICEABLE_PU and missing_pu > 0:
            step.append((station, lifts_pu))
            missing_pu -= lifts_pu
    return _needed(step, wanted_pu)


def _needed(step: Sequence[tuple[Station, float]], wanted_pu: float) -> set[str]:
    """By name, without those who need not go, because the last of their priority brings so much."""
    spare_pu = sum(pu for _, pu in step) - wanted_pu
    needed: set[str] = set()
    for station, pu in step:
        if pu <= spare_pu and station.priority == step[-1][0].priority:
            spare_pu -= pu
        else:
            needed.add(station.name)
    return needed


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
