"""The voltage part of the rule: shed in steps while a circuit is under its band, and let in with care.

A step is as large as the sag asks for, by what the stations are known to take from the lowest voltage, and
the next follows when the effect of this one can be seen. Nobody comes in who is known to take more than
there is; where that keeps somebody out for a whole turn, others give up theirs.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from master_scada.memory import Memory
from master_scada.model import Circuit, Plant, Station
from master_scada.sensitivity import learn
from master_scada.turns import must_yield

NOTICEABLE_PU = 0.001
"""Who takes less than this from a voltage has nothing to do with it; nor can meters tell it."""
PATIENCE_TURNS = 4
"""When a station has waited so many turns for the voltage alone, what it is known to take begins to count
less: something else may have moved the voltage when that was seen, and nobody waits for ever."""


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
        voltage_pu = plant.voltage_pu(station)
        if voltage_pu is not None:
            values.setdefault(station.circuit, []).append((voltage_pu, station.name))
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
        left = [s for s in on if s.name not in shed]
        low_pu, high_pu = plant.feeder.circuits[name].voltage_band
        step: set[str] = set()
        if found.low_pu < low_pu:
            step = _step(_nearest(left, plant.feeder.path(name), plant), found, low_pu, memory)
        elif found.high_pu > high_pu:
            step = _step_down([s for s in left if not _has_plenty(s, plant, memory)], found, high_pu, memory)
        if step:
            shed |= step
            circuits[name] = replace(old, shed_at=plant.now)
    return shed, replace(memory, circuits=circuits)


def _step(on: Sequence[Station], found: Extremes, low_pu: float, memory: Memory) -> set[str]:
    """As many as the sag asks for, by what each gives back to the lowest voltage: as known, or else its
    part, if all of the sag came from charging."""
    part_pu = max(0.0, 1 - found.low_pu) / max(1, len(on))
    known = {s.name: memory.sensitivity.taken_pu(s.name, s.drawn_w, found.lowest) for s in on}
    relief_pu = {name: part_pu if pu is None else pu for name, pu in known.items()}
    helpful = {name: pu for name, pu in relief_pu.items() if pu >= NOTICEABLE_PU}
    # Where nobody is known to help, one goes all the same.
    return _enough(helpful or dict.fromkeys(relief_pu, math.inf), low_pu - found.low_pu)


def _step_down(on: Sequence[Station], found: Extremes, high_pu: float, memory: Memory) -> set[str]:
    """Of those that are known to lift the highest voltage, as an uneven load does on the phases that it
    leaves alone."""
    known = {s.name: memory.sensitivity.taken_pu(s.name, s.drawn_w, found.highest) for s in on}
    lifts_pu = {name: -pu for name, pu in known.items() if pu is not None and pu <= -NOTICEABLE_PU}
    return _enough(lifts_pu, found.high_pu - high_pu)


def _has_plenty(station: Station, plant: Plant, memory: Memory) -> bool:
    """Without it, its own voltage would be in the upper half of the band, or above: by drawing, it brings
    that down. What it lifts elsewhere is the smaller evil, as under many roofs at noon; but not where that
    would limit the whole circuit."""
    if plant.rules.overvoltage == "limit":
        return False
    voltage_pu = plant.voltage_pu(station)
    taken_pu = memory.sensitivity.taken_pu(station.name, station.drawn_w, station.name) or 0.0
    middle_pu = sum(plant.feeder.circuits[station.circuit].voltage_band) / 2
    return voltage_pu is not None and voltage_pu + taken_pu > middle_pu


def _enough(relief_pu: Mapping[str, float], wanted_pu: float) -> set[str]:
    """The first, and of the next as many as together bring no more than is wanted: their effect will be
    seen before the next step."""
    step: set[str] = set()
    risen_pu = 0.0
    for name, pu in relief_pu.items():
        risen_pu += pu
        if step and risen_pu > wanted_pu:
            break
        step.add(name)
    return step


def may_join(station: Station, plant: Plant, seen: Mapping[str, Extremes], memory: Memory) -> bool:
    """Whether the voltage on all circuits above the station has room for it, and has had for a while."""
    for name in plant.feeder.path(station.circuit):
        since = memory.of_circuit(name).voltage_ok_since
        if since is None or plant.now - since < plant.rules.minimum_off_s:
            return False
    return _has_room(station, plant, memory)


def give_way(
    plant: Plant, memory: Memory, waiting: Sequence[Station], on: Sequence[Station]
) -> tuple[set[str], Memory]:
    """Whose turn is over, where one of those `waiting` for the voltage has waited a whole turn for what they
    take; both in the order in which they come and go. One has its way in a settling time."""
    for station in waiting:
        path = plant.feeder.path(station.circuit)
        settling = any(plant.now - memory.of_circuit(n).shed_at < plant.rules.settle_s for n in path)
        if settling or _waited_s(station, plant, memory) < plant.rules.rotation_s:
            continue
        leaving = _who_leaves(station, plant, memory, on)
        if leaving:
            circuits = {n: replace(memory.of_circuit(n), shed_at=plant.now) for n in path}
            return leaving, replace(memory, circuits={**memory.circuits, **circuits})
    return set(), memory


def _who_leaves(station: Station, plant: Plant, memory: Memory, on: Sequence[Station]) -> set[str]:
    """None, if nothing is in its way, or even all of them don't clear it."""
    taken_pu = memory.sensitivity.taken_pu
    others = [other for other in on if must_yield(other, station, plant, memory)]
    leaving: list[Station] = []
    while short := _first_short(station, plant, memory, leaving):
        at, sign = short
        helpful = (o for o in others if sign * (taken_pu(o.name, o.drawn_w, at) or 0.0) >= NOTICEABLE_PU)
        other = next(helpful, None)
        if other is None:
            return set()
        others.remove(other)
        leaving.append(other)
    return {other.name for other in leaving}


def _first_short(
    station: Station, plant: Plant, memory: Memory, leaving: Sequence[Station]
) -> tuple[str, int] | None:
    """At which station the voltage keeps it from joining, once those who are `leaving` are gone; and 1 if
    it is too low there, -1 if it is too high."""
    path, margin = plant.feeder.path(station.circuit), plant.rules.voltage_recovery
    for other in plant.stations:
        if other.circuit in path and other.name in plant.voltages:
            voltage_pu, low_pu, high_pu = plant.voltages[other.name]
            then_pu = voltage_pu + _rises_pu(other.name, memory, leaving)
            if then_pu < low_pu + margin:
                return other.name, 1
            if plant.rules.overvoltage == "limit" and then_pu > high_pu - margin:
                return other.name, -1
    return next(_no_room(station, plant, memory, leaving), None)


def _has_room(station: Station, plant: Plant, memory: Memory) -> bool:
    """Whether every voltage that the station would move stays in its band."""
    return next(_no_room(station, plant, memory), None) is None


def _no_room(
    station: Station, plant: Plant, memory: Memory, leaving: Sequence[Station] = ()
) -> Iterator[tuple[str, int]]:
    """Where a voltage would leave its band by what the station is known to take, and in which direction."""
    takes, watts = memory.sensitivity.takes.get(station.name, {}), plant.grant_w(station)
    trust = _trust(station, plant, memory)
    for at, (voltage_pu, low_pu, high_pu) in plant.voltages.items() if takes else ():
        falls_pu = trust * (watts * takes.get(at, 0.0))
        if abs(falls_pu) < NOTICEABLE_PU:
            continue
        then_pu = voltage_pu + _rises_pu(at, memory, leaving) - falls_pu
        if falls_pu > 0 and then_pu < low_pu + NOTICEABLE_PU:
            yield at, 1
        elif falls_pu < 0 and then_pu > high_pu - NOTICEABLE_PU and not _has_plenty(station, plant, memory):
            yield at, -1


def _rises_pu(at: str, memory: Memory, leaving: Sequence[Station]) -> float:
    """Once those who are `leaving` are gone."""
    taken_pu = memory.sensitivity.taken_pu
    return sum(taken_pu(s.name, s.drawn_w, at) or 0.0 for s in leaving) if leaving else 0.0


def _trust(station: Station, plant: Plant, memory: Memory) -> float:
    """In what it is known to take."""
    since = memory.of_station(station.name).short_of_voltage_since
    turns = 0.0 if since is None else (plant.now - since) / plant.rules.rotation_s
    return math.pow(0.5, max(0.0, turns - PATIENCE_TURNS))


def _waited_s(station: Station, plant: Plant, memory: Memory) -> float:
    since = memory.of_station(station.name).waiting_since
    return 0.0 if since is None else plant.now - since


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
