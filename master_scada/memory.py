"""What the rule has to remember between scans. A master that starts without it goes on from what it reads."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from master_scada.model import Command, Plant
from master_scada.sensitivity import NOTHING_SEEN, Sensitivity
from master_scada.station import Station
from register_maps.vocabulary import LimitReason

_NEITHER_WANTS_NOR_WAITS = (LimitReason.NO_VEHICLE, LimitReason.FULL, LimitReason.USER_STOP)


@dataclass(frozen=True, slots=True, kw_only=True)
class StationMemory:
    on_since: float | None = None
    """Its turn began here; None while it is not allowed."""
    was_on: bool = False
    """In this turn it has been read as on, so that its permission is known to have arrived."""
    off_since: float = -math.inf
    waiting_since: float | None = None
    """It has had a vehicle that wants to charge, and no permission, since then."""
    short_of_voltage_since: float | None = None
    """And for the voltage alone, in every scan, since then."""
    reason: LimitReason = LimitReason.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitMemory:
    voltage_ok_since: float | None = None
    shed_at: float = -math.inf
    admitted_at: float = -math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    price_ok_since: float | None = None
    stations: Mapping[str, StationMemory] = field(default_factory=dict)
    circuits: Mapping[str, CircuitMemory] = field(default_factory=dict)
    sensitivity: Sensitivity = NOTHING_SEEN

    def of_station(self, name: str) -> StationMemory:
        return self.stations.get(name) or StationMemory()

    def of_circuit(self, name: str) -> CircuitMemory:
        return self.circuits.get(name) or CircuitMemory()


def remember_commands(plant: Plant, memory: Memory, commands: Mapping[str, Command]) -> Memory:
    """The memory after the stations were told `commands`."""
    stations = {
        s.name: _station_after(s, memory.stations.get(s.name), commands[s.name], plant.now)
        for s in plant.stations
    }
    admitted_on = {
        circuit
        for s in plant.stations
        if commands[s.name].charge_enable and not s.is_on
        for circuit in plant.feeder.path(s.circuit)
    }
    circuits = dict(memory.circuits)
    for name in admitted_on:
        circuits[name] = replace(memory.of_circuit(name), admitted_at=plant.now)
    return replace(memory, stations=stations, circuits=circuits)


def _station_after(
    station: Station, before: StationMemory | None, command: Command, now: float
) -> StationMemory:
    old = before or StationMemory()
    if before and station.reading is None:
        return _with(old, reason=command.reason)  # nothing is known to have changed
    if command.charge_enable:
        since = old.on_since if old.on_since is not None else now
        was_on = old.was_on or station.is_on
        return _with(
            old,
            on_since=since,
            was_on=was_on,
            waiting_since=None,
            short_of_voltage_since=None,
            reason=command.reason,
        )
    just_off = before is None or old.on_since is not None
    return _with(
        old,
        on_since=None,
        was_on=False,
        off_since=now if just_off else old.off_since,
        waiting_since=_waiting_since(old, command, now),
        short_of_voltage_since=_short_of_voltage_since(old, command, now),
        reason=command.reason,
    )


def _with(old: StationMemory, **news: Any) -> StationMemory:
    """`old` itself where nothing is new, as for nearly every station in nearly every scan."""
    is_new = any(getattr(old, name) != value for name, value in news.items())
    return replace(old, **news) if is_new else old


def _waiting_since(old: StationMemory, command: Command, now: float) -> float | None:
    if command.reason in _NEITHER_WANTS_NOR_WAITS:
        return None
    return now if old.waiting_since is None else old.waiting_since


def _short_of_voltage_since(old: StationMemory, command: Command, now: float) -> float | None:
    if command.reason is not LimitReason.VOLTAGE:
        return None
    return now if old.short_of_voltage_since is None else old.short_of_voltage_since
