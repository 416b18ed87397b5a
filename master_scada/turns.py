"""Who may draw when not all can: headroom on every circuit, priority, and turns among equals."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from master_scada.memory import Memory
from master_scada.model import Loads, Plant
from master_scada.station import Station
from register_maps.vocabulary import LimitReason

RAMP_DIVISOR = 20
"""A circuit takes in one station of 20 (at least one) per settling time, so that its voltage can answer."""


@dataclass(slots=True)
class Shares:
    """Who goes on, who comes in (in this order), and why the others don't."""

    kept: list[Station] = field(default_factory=list)
    admitted: list[Station] = field(default_factory=list)
    refused: dict[str, LimitReason] = field(default_factory=dict)


def shed_order(stations: Iterable[Station], memory: Memory) -> list[Station]:
    """Who goes first: the lowest priority (the highest number), then who has had the longest turn."""

    def key(station: Station) -> tuple[int, float, str]:
        since = memory.of_station(station.name).on_since
        return -station.priority, float("inf") if since is None else since, station.name

    return sorted(stations, key=key)


def must_yield(other: Station, to: Station, plant: Plant, memory: Memory) -> bool:
    """The weaker at once; an equal when its turn is over."""
    if other.priority != to.priority:
        return other.priority > to.priority
    since = memory.of_station(other.name).on_since
    return since is not None and plant.now - since >= plant.rules.rotation_s


def wait_order(stations: Iterable[Station], plant: Plant, memory: Memory) -> list[Station]:
    """Who comes first: the highest priority (the lowest number), then who has waited longest."""

    def key(station: Station) -> tuple[int, float, str]:
        since = memory.of_station(station.name).waiting_since
        return station.priority, plant.now if since is None else since, station.name

    return sorted(stations, key=key)


def share_power(plant: Plant, memory: Memory, on: Iterable[Station], ready: Iterable[Station]) -> Shares:
    """`on` may go on charging and `ready` may begin, as far as voltage and price are concerned."""
    round_ = _Round(plant, memory, shed_order(on, memory))
    round_.shed_overload()
    round_.count_unheard()
    for station in wait_order(ready, plant, memory):
        round_.serve(station)
    return round_.shares


class _Round:
    """One scan's sharing. `present` is what may be drawn now; `settled` what may be drawn once
    everybody who is told to stop has stopped. A station comes in only if it fits into both."""

    def __init__(self, plant: Plant, memory: Memory, on: list[Station]) -> None:
        self.plant, self.memory = plant, memory
        self.shares = Shares(kept=on)
        self.present, self.settled = Loads(plant), Loads(plant)
        self._frees_w = {s.name: _frees_w(plant, s) for s in on}
        for station in plant.stations:
            if station.is_unheard:
                continue
            self.present.add(station, station.may_draw_w())
            kept = station.name in self._frees_w
            self.settled.add(station, plant.kept_w(station) if kept else station.told_to_stop_w())
        self._rooms = self._admission_room()

    def shed_overload(self) -> None:
        for station in list(self.shares.kept):
            if not self.settled.has_room(station, 0.0):
                self._dismiss(station, LimitReason.POWER)

    def count_unheard(self) -> None:
        """After the others have been shed: it is for those who want to join."""
        for station in self.plant.stations:
            if station.is_unheard:
                self.present.add(station, station.may_draw_w())
                self.settled.add(station, station.may_draw_w())

    def serve(self, station: Station) -> None:
        watts = max(0.0, self.plant.grant_w(station) - station.may_draw_w())
        if self.settled.has_room(station, watts):
            self._admit_or_reserve(station, watts)
            return
        leaving = self._who_yields(station, watts)
        if leaving:
            for other in leaving:
                is_turn = other.priority == station.priority
                self._dismiss(other, LimitReason.WAITING_TURN if is_turn else LimitReason.POWER)
            self._admit_or_reserve(station, watts)
        elif not self._fits_without(station, watts, self._equal_or_weaker(station)):
            blind = any(math.isinf(self.settled[name]) for name in self.plant.feeder.path(station.circuit))
            self.shares.refused[station.name] = LimitReason.NO_DATA if blind else LimitReason.POWER
        else:
            self.shares.refused[station.name] = LimitReason.WAITING_TURN
            if self._waited_s(station) >= self.plant.rules.rotation_s:
                # Nobody behind it may fill the room that it is waiting for.
                for name in self._full_circuits(station, watts, Loads(self.plant)):
                    self.settled.hold(name, watts)

    def _admit_or_reserve(self, station: Station, watts: float) -> None:
        fits_now = self.present.has_room(station, watts) and self._has_admission_room(station)
        self._reserve(station, watts)
        if fits_now:
            self._use_admission_room(station)
            self.shares.admitted.append(station)
            self._frees_w[station.name] = _frees_w(self.plant, station)
        else:
            self.shares.refused[station.name] = LimitReason.WAITING_TURN

    def _reserve(self, station: Station, watts: float) -> None:
        self.present.add(station, watts)
        self.settled.add(station, watts)

    def _dismiss(self, station: Station, reason: LimitReason) -> None:
        self.shares.kept.remove(station)
        self.shares.refused[station.name] = reason
        self.settled.add(station, -self._frees_w[station.name])

    def _equal_or_weaker(self, station: Station) -> list[Station]:
        drawing = [*self.shares.kept, *self.shares.admitted]
        return [s for s in drawing if s.priority >= station.priority]

    def _who_yields(self, station: Station, watts: float) -> list[Station]:
        """The fewest that make room, lowest priority and longest turn first; none if all together can't."""
        candidates = [s for s in self.shares.kept if must_yield(s, station, self.plant, self.memory)]
        if not self._fits_without(station, watts, candidates):
            return []
        leaving: list[Station] = []
        freed = Loads(self.plant)
        for other in candidates:
            full = self._full_circuits(station, watts, freed)
            if not full:
                break
            if not full.isdisjoint(self.plant.feeder.path(other.circuit)):  # it is in the way
                leaving.append(other)
                freed.add(other, self._frees_w[other.name])
        return leaving

    def _fits_without(self, station: Station, watts: float, leaving: Iterable[Station]) -> bool:
        freed = Loads(self.plant)
        for other in leaving:
            freed.add(other, self._frees_w[other.name])
        return not self._full_circuits(station, watts, freed)

    def _full_circuits(self, station: Station, watts: float, freed: Loads) -> set[str]:
        """Where `watts` more at this station find no room, once what is `freed` is given up."""
        return {
            name
            for name in self.plant.feeder.path(station.circuit)
            if self.settled[name] - freed[name] + watts > self.plant.limit_w(name)
        }

    def _waited_s(self, station: Station) -> float:
        since = self.memory.of_station(station.name).waiting_since
        return 0.0 if since is None else self.plant.now - since

    def _admission_room(self) -> dict[str, int]:
        """How many stations each circuit may take in during this scan."""
        counts = dict.fromkeys(self.plant.feeder.circuits, 0)
        for station in self.plant.stations:
            for name in self.plant.feeder.path(station.circuit):
                counts[name] += 1
        settle_s, now = self.plant.rules.settle_s, self.plant.now
        return {
            name: max(1, count // RAMP_DIVISOR)
            if now - self.memory.of_circuit(name).admitted_at >= settle_s
            else 0
            for name, count in counts.items()
        }

    def _has_admission_room(self, station: Station) -> bool:
        if self.memory.of_station(station.name).on_since is not None:
            return True  # let in before, but its permission has not been read back yet
        return all(self._rooms[name] > 0 for name in self.plant.feeder.path(station.circuit))

    def _use_admission_room(self, station: Station) -> None:
        for name in self.plant.feeder.path(station.circuit):
            self._rooms[name] -= 1


def _frees_w(plant: Plant, station: Station) -> float:
    """What the station gives up when it is told to stop."""
    return plant.kept_w(station) - station.told_to_stop_w()
