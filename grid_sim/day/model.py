"""A simulated day as plain values: what is given, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from grid_sim.arrays import Bools, Codes, Counts, Floats
from grid_sim.network.model import Network, Tap
from master_scada.site_file import Site
from rtu_firmware.battery import Battery

Tell = Callable[[float], None]
"""Is told, now and then, how much of the work is done: 0 to 1."""


def later(start: datetime, seconds: float) -> datetime:
    """Which a sum of local times is not, on the day of a clock change."""
    return (start.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(start.tzinfo)


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """Where a station of the site hangs on the network; its circuit and priority are in the site."""

    tap: Tap
    rated_power_w: float
    minimum_power_w: float

    @property
    def name(self) -> str:
        return self.tap.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A car that stands at a station from one time to another, in seconds since the scenario's start."""

    station: str
    arrives_s: float
    leaves_s: float
    needs_wh: float
    """At the socket; its battery is full, or at the charge its driver wanted, when it has got that."""
    battery: Battery
    state_of_charge_pct: float
    """On arrival."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Homes and roofs: all that draws or feeds besides the stations, at every scan.

    Each array is (scans, taps).
    """

    taps: tuple[Tap, ...]
    demand_w: Floats
    demand_var: Floats
    solar_w: Floats
    """What the roofs feed in: positive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A day, or some days, that are fit to be run."""

    name: str
    about: str
    start: datetime
    """With its time zone."""
    scans: int
    """The last one is a scan period before the end."""
    site: Site
    """Its rule, tariff, circuits and scan period, and a station entry for each of `stations`, in order."""
    network: Network
    stations: tuple[Station, ...]
    visits: tuple[Visit, ...]
    """By time of arrival."""
    surroundings: Surroundings
    compare_uncontrolled: bool
    sources: tuple[str, ...]
    """Sentences for the report: where data come from, and what was assumed."""

    @property
    def scan_period_s(self) -> float:
        return self.site.scan_period_s

    def time(self, at_s: float) -> datetime:
        return later(self.start, at_s)

    @property
    def summary(self) -> str:
        """For a line of `pev-scada check`."""
        end = self.time(self.scans * self.scan_period_s)
        days = f"from {self.start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
        return f"{days}, {len(self.stations)} stations, {len(self.visits)} visits, {self.scans} scans"

    @property
    def at_s(self) -> Floats:
        """(scans,): seconds since the start."""
        return np.arange(self.scans, dtype=np.float64) * self.scan_period_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What was so at each scan, before the master acted on it."""

    charging_w: Floats
    """(scans, stations)"""
    state_of_charge_pct: Floats
    """(scans, stations); NaN without a car."""
    reason: Codes
    """(scans, stations): why not, as the code of a `LimitReason` in the register map; without a master
    only none, no_vehicle and full."""
    closed: Bools
    """(scans, stations): the contactor."""
    station_voltage_v: Floats
    """(scans, stations): at a three-phase station that of the phase furthest from nominal, as its RTU
    measures it."""
    low_pu: Floats
    """(scans,): the lowest voltage at any tap, home, roof or station, on a phase that it uses; per unit of
    the main circuit's nominal."""
    high_pu: Floats
    loading: Floats
    """(scans,): of the most loaded line; NaN where nobody has said what lines carry."""
    supplied_w: Floats
    """(scans,): by the source, losses and all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """What a visit came to."""

    visit: Visit
    delivered_wh: float
    """What the car got, as its battery counts it, at the socket."""
    state_of_charge_pct: float
    """When it left, or when the days ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What the master told of itself."""

    at_s: float
    source: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One way through the scenario's days."""

    series: Series
    charged: tuple[Charged, ...]
    """One for each of the scenario's visits, in order."""
    metered_wh: Floats
    """(stations,): as the stations' own registers tell it at the end."""
    switchings: Counts
    """(stations,): how often the contactor has closed or opened."""
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A scenario and what came of it."""

    scenario: Scenario
    price: Floats
    """(scans,): per kWh; NaN where it is unknown."""
    controlled: Run
    uncontrolled: Run | None
