"""Whether a voltage has room for one more station, and who makes it.

Nobody comes in who is known to take more than there is; where that keeps somebody out for a whole turn,
others give up theirs.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from master_scada.memory import Memory
from master_scada.model import Plant
from master_scada.station import Station
from master_scada.turns import must_yield

NOTICEABLE_PU = 0.001
"""Who takes less than this from a voltage has nothing to do with it; nor can meters tell it."""
PATIENCE_TURNS = 4
"""When a station has waited so many turns for the voltage alone, what it is known to take begins to count
less: something else may have moved the voltage when that was seen, and nobody waits for ever."""


def may_join(station: Station, plant: Plant, memory: Memory) -> bool:
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
    others = [other for other in on if must_yield(other, station, plant, memory)]
    leaving: list[Station] = []
    while short := _first_short(station, plant, memory, leaving):
        at, sign = short
        moved_pu = {o.name: memory.sensitivity.taken_pu(o.name, o.drawn_w, at) for o in others}
        helpful = [o for o in others if sign * (moved_pu[o.name] or 0.0) >= NOTICEABLE_PU]
        # Who has charged since before this master began was never seen to move a voltage: one is tried.
        untold = [o for o in others if moved_pu[o.name] is None and o.circuit == station.circuit]
        if not helpful:
            return {other.name for other in untold[:1]}
        others.remove(helpful[0])
        leaving.append(helpful[0])
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
            then_pu = voltage_pu + rises_pu(other.name, memory, leaving)
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
        then_pu = voltage_pu + rises_pu(at, memory, leaving) - falls_pu
        if falls_pu > 0 and then_pu < low_pu + NOTICEABLE_PU:
            yield at, 1
        elif (
            falls_pu < 0
            and then_pu > high_pu - NOTICEABLE_PU
            and not brings_its_own_down(station, plant, memory)
        ):
            yield at, -1


def rises_pu(at: str, memory: Memory, leaving: Sequence[Station]) -> float:
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


def brings_its_own_down(station: Station, plant: Plant, memory: Memory) -> bool:
    """Without it, its own voltage would be above the band. What it lifts elsewhere is the smaller evil then,
    as under many roofs at noon; but not where that would limit the whole circuit."""
    if plant.rules.overvoltage == "limit":
        return False
    voltage_pu = plant.voltage_pu(station)
    taken_pu = memory.sensitivity.taken_pu(station.name, station.drawn_w, station.name) or 0.0
    high_pu = plant.feeder.circuits[station.circuit].voltage_band[1]
    return voltage_pu is not None and voltage_pu + taken_pu > high_pu
