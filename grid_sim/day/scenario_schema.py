"""A scenario's YAML file as it is written: its keys, and what each of them can be."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BeforeValidator, with_config

from master_scada.site_schema import MOST_W, Name, NotNegative, Positive
from register_maps.yaml_file import STRICT_KEYS, Real, Whole
from rtu_firmware.battery import KNEE_PCT


def _local_time(value: object) -> datetime:
    """As YAML reads it, with or without quotes; a date alone is its midnight."""
    if isinstance(value, str):
        with suppress(ValueError):
            value = datetime.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        raise ValueError(f"must be a time such as 2026-03-02T15:30:00 (got {value!r})")
    if value.tzinfo is not None:
        raise ValueError(f"must be a local time, without an offset from UTC (got {value.isoformat()})")
    return value


def _bus_name(value: object) -> object:
    """Buses have numbers as often as names."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _spread(value: object) -> object:
    """One number is a spread of none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {"mean": value, "sd": 0} if is_number else value


LocalTime = Annotated[datetime, BeforeValidator(_local_time)]
Bus = Annotated[str, MinLen(1), BeforeValidator(_bus_name)]
Hour = Annotated[Real, Ge(0), Le(24)]
Share = Annotated[Real, Ge(0), Le(1)]
Level = Annotated[Real, Ge(0), Le(5)]
"""Between low (0) and high (1), or beyond on a colder day; a number of per cent is none."""
Watts = Annotated[Real, Gt(0), MOST_W]
Percent = Annotated[Real, Ge(0), Le(100)]
Phases = Literal["a", "b", "c", "abc"]
Every = Annotated[Whole, Ge(1)]


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class DaysFile:
    """When it is."""

    start: LocalTime
    time_zone: Name
    days: Annotated[Real, Gt(0), Le(366)] = 1
    scan_period_s: Annotated[Real, Ge(0.1), Le(300)] = 10


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class DemandFile:
    """Where each load stands between its low and its high, by the hour of the day."""

    share: Annotated[Mapping[Annotated[Real, Ge(0), Lt(24)], Level], MinLen(1)]


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class SolarFile:
    """A roof at every n-th load, beginning with the `first`, under a clear sky."""

    peak_w: Watts
    every: Every = 1
    first: Every = 1
    sunrise: Hour = 6
    sunset: Hour = 20


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFile(DaysFile):
    """As written, but for what `scenario_of` reads item by item, so that a fault in one place hides none in
    another."""

    scenario: Name
    about: str = ""
    seed: Annotated[Whole, Ge(0)] = 1
    network: Mapping[str, Any]
    demand: Mapping[str, Any] | None = None
    solar: Mapping[str, Any] | None = None
    rule: Mapping[str, Any]
    tariff: Mapping[str, Any]
    circuits: Annotated[list[Any], MinLen(1)]
    stations: Annotated[list[Any], MinLen(1)]
    cars: list[Any]
    compare: Literal["uncontrolled", "nothing"] = "uncontrolled"


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class StationKeys:
    circuit: Name
    rated_power_w: Watts
    minimum_power_w: Watts
    priority: Annotated[Whole, Ge(1), Le(100)] = 1


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class OneStation(StationKeys):
    name: Name
    bus: Bus
    phases: Phases


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class StationsAtLoads(StationKeys):
    """One at every n-th load, beginning with the `first`, with the load's name, bus and phases."""

    at: Literal["loads"]
    every: Every = 1
    first: Every = 1


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class StationsAtSessions(StationKeys):
    """One for each station that the files of sessions name."""

    at: Literal["sessions"]
    bus: Bus
    phases: Literal["a", "b", "c", "abc", "in turn"]


StationEntries = OneStation | StationsAtLoads | StationsAtSessions
PLACES: dict[str, type[StationEntries]] = {"loads": StationsAtLoads, "sessions": StationsAtSessions}
"""What `at` may be; without it, it is one station."""


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class VisitEntry:
    """One car, at one station, once."""

    station: Name
    arrives: LocalTime
    leaves: LocalTime
    capacity_kwh: Positive
    state_of_charge: Percent | None = None
    needs_kwh: Positive | None = None
    max_power_w: Watts
    taper_from_pct: Percent = KNEE_PCT


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCars:
    kind: Literal["list"]
    visits: Annotated[list[Any], MinLen(1)]


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class CarsFromFile:
    """Real sessions. `capacity_kwh` None: the battery is what the driver took, no more is known of it."""

    kind: Literal["file"]
    path: Name
    period_s: Positive
    first_period: LocalTime
    time_zone: Name | None = None
    max_power_w: Watts
    capacity_kwh: Positive | None = None
    taper_from_pct: Percent = 100


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadFile:
    """A normal distribution; a draw outside of what is possible is moved to its edge."""

    mean: NotNegative
    sd: NotNegative


Spread = Annotated[SpreadFile, BeforeValidator(_spread)]


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class HabitKeys:
    """`stations`: at which, by name; `*` stands for anything. `share` of them have a car.

    The taper begins late, because a station gives a car far less than what its battery takes.
    """

    max_power_w: Watts
    share: Share = 1
    stations: Annotated[list[Name], MinLen(1)] | None = None
    capacity_kwh: Spread = field(default=SpreadFile(mean=60, sd=0))
    taper_from_pct: Percent = 95


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class HomeCars(HabitKeys):
    kind: Literal["home"]
    arrives: Spread = field(default=SpreadFile(mean=18, sd=1.5))
    leaves: Spread = field(default=SpreadFile(mean=7.5, sd=1))
    needs_kwh: Spread = field(default=SpreadFile(mean=12, sd=5))


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCars(HabitKeys):
    kind: Literal["work"]
    arrives: Spread = field(default=SpreadFile(mean=8.5, sd=1))
    leaves: Spread = field(default=SpreadFile(mean=17, sd=1))
    needs_kwh: Spread = field(default=SpreadFile(mean=10, sd=5))


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class PublicCars(HabitKeys):
    kind: Literal["public"]
    visits_per_day: Annotated[Whole, Ge(1), Le(100)] = 4
    opens: Hour = 8
    closes: Hour = 22
    stays_h: Spread = field(default=SpreadFile(mean=2.5, sd=0.75))
    needs_kwh: Spread = field(default=SpreadFile(mean=15, sd=8))


Habit = HomeCars | WorkCars | PublicCars
CarsEntry = ListedCars | CarsFromFile | Habit
CAR_KINDS: dict[str, type[CarsEntry]] = {
    "list": ListedCars,
    "file": CarsFromFile,
    "home": HomeCars,
    "work": WorkCars,
    "public": PublicCars,
}
