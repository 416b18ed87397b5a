"""The plant as plain values: what the rule and the interlock see, decide and command."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from master_scada.station import Station
from register_maps.vocabulary import LimitReason, MasterRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """A piece of the feeder with a limit of its own; `parent` is None for the main circuit."""

    name: str
    power_limit_w: float
    nominal_voltage_v: float
    voltage_band: tuple[float, float]
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rule's settings. Times in seconds, prices per kWh in the site's currency."""

    price_limit: float
    rotation_s: float = 900.0
    minimum_off_s: float = 10.0
    overvoltage: str = "limit"
    voltage_recovery: float = 0.01
    settle_s: float = 2.0
    """How long the effect of a switched contactor needs to be seen in the readings."""


class Feeder:
    """The tree of circuits."""

    def __init__(self, circuits: Iterable[Circuit]) -> None:
        self.circuits = {circuit.name: circuit for circuit in circuits}
        self.main = next(c for c in self.circuits.values() if c.parent is None)
        self._paths = {name: tuple(self._upwards(name)) for name in self.circuits}

    def path(self, circuit: str) -> tuple[str, ...]:
        """The circuit and all above it, up to the main one."""
        return self._paths[circuit]

    def _upwards(self, name: str | None) -> Iterator[str]:
        while name is not None:
            yield name
            name = self.circuits[name].parent


@dataclass(frozen=True, kw_only=True)
class Plant:
    """Everything that one decision is made of. `price` is None where it is unknown."""

    now: float
    price: float | None
    rules: Rules
    feeder: Feeder
    stations: tuple[Station, ...]
    site_limit_w: float = math.inf
    """A limit on the main circuits besides their own: the operator's, or the master above's."""
    site_reason: LimitReason = LimitReason.NONE
    """Why the master above keeps the whole site from charging; `none` where it doesn't."""

    def limit_w(self, circuit: str) -> float:
        own = self.feeder.circuits[circuit]
        return own.power_limit_w if own.parent else min(own.power_limit_w, self.site_limit_w)

    def voltage_pu(self, station: Station) -> float | None:
        """Per unit of its circuit's nominal."""
        volts = station.reading.voltage_v if station.reading else None
        return None if volts is None else volts / self.feeder.circuits[station.circuit].nominal_voltage_v

    def grant_w(self, station: Station) -> float:
        """What the station would be allowed to draw: its rating, or, where it can be throttled, at most
        what its circuits can carry."""
        if not station.throttles:
            return station.rating_w
        return min(station.rating_w, self._tightest_w[station.circuit])

    def kept_w(self, station: Station) -> float:
        """What is to be counted for a station that may go on charging."""
        watts = max(self.grant_w(station), station.overdraw_w, station.failsafe_share_w)
        return max(watts, station.may_draw_w()) if station.disobeys or station.is_unmeasured else watts

    @cached_property
    def voltages(self) -> dict[str, tuple[float, float, float]]:
        """By station, of those that tell: the voltage and the edges of its band, per unit."""
        circuits = self.feeder.circuits
        told = ((s, self.voltage_pu(s)) for s in self.stations)
        return {s.name: (pu, *circuits[s.circuit].voltage_band) for s, pu in told if pu is not None}

    @cached_property
    def _tightest_w(self) -> dict[str, float]:
        """By circuit: the least limit on the way up to the main one."""
        feeder = self.feeder
        return {name: min(self.limit_w(above) for above in feeder.path(name)) for name in feeder.circuits}


class Loads:
    """Watts on every circuit, added up towards the main ones; compared with their limits."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._watts = dict.fromkeys(plant.feeder.circuits, 0.0)

    def add(self, station: Station, watts: float) -> None:
        for name in self._plant.feeder.path(station.circuit):
            self._watts[name] += watts

    def hold(self, circuit: str, watts: float) -> None:
        """Count `watts` on this circuit alone."""
        self._watts[circuit] += watts

    def __getitem__(self, circuit: str) -> float:
        return self._watts[circuit]

    def has_room(self, station: Station, watts: float) -> bool:
        """Whether `watts` more at this station stays within the limit of every circuit above it."""
        return all(
            self._watts[name] + watts <= self._plant.limit_w(name)
            for name in self._plant.feeder.path(station.circuit)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the rule would like for one station, and why not if not. `turn` orders those let in: low first."""

    allow: bool
    reason: LimitReason
    grant_w: float = 0.0
    turn: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What a station is told."""

    charge_enable: bool
    power_limit_w: float
    reason: LimitReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One cycle, as it was."""

    number: int
    at: float
    took_s: float
    plant: Plant
    commands: Mapping[str, Command]
    overruns: int
    role: MasterRole = MasterRole.STEERING
    term: int = 0

    @property
    def total_power_w(self) -> float:
        """What the stations that answered say they draw."""
        return total(s.reading.power_w for s in self.plant.stations if s.reading)

    def voltage_nearest_edge_pu(self) -> float | None:
        """Of the voltages at the stations, in per unit of their circuits' nominal, the one with the least
        room left in its band, or the furthest outside."""
        voltages = self.plant.voltages.values()
        rooms_pu = ((min(pu - low_pu, high_pu - pu), pu) for pu, low_pu, high_pu in voltages)
        nearest = min(rooms_pu, default=None)
        return nearest[1] if nearest else None

    def voltages_v(self) -> list[float]:
        readings = (s.reading for s in self.plant.stations)
        return [r.voltage_v for r in readings if r and r.voltage_v is not None]


def total(values: Iterable[float | None]) -> float:
    return sum(value for value in values if value is not None)
