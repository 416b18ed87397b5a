"""A CSV file of charging sessions: station, arrival_period, departure_period, requested_kwh."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from grid_sim.day.calendar import Calendar
from grid_sim.day.faults import ManyFaults
from grid_sim.day.model import Visit
from grid_sim.day.scenario_schema import CarsFromFile
from grid_sim.day.visits import Told, battery_of, charge_before_pct, cut_at_end
from register_maps.yaml_file import Faults, Place

NUMBERS = ("arrival_period", "departure_period", "requested_kwh")
COLUMNS = ("station", *NUMBERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    line: int
    station: str
    arrival_period: float
    departure_period: float
    requested_kwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsFile:
    """`sessions` are those that can be read; what is wrong with the others is noted."""

    cars: CarsFromFile
    zone: ZoneInfo | None
    """None: the scenario's."""
    path: Path
    place: Place
    sessions: Sequence[Session]

    def stations(self) -> set[str]:
        return {session.station for session in self.sessions}

    def told(self, calendar: Calendar) -> list[Told]:
        """The visits that begin within the days; those that last longer are cut."""
        visits = zip(self.sessions, self._visits(calendar), strict=True)
        return [
            Told(visit=cut_at_end(visit, calendar), place=self.place, line=f"{self.path}:{session.line}: ")
            for session, visit in visits
            if calendar.has(visit.arrives_s)
        ]

    def source(self, calendar: Calendar) -> str:
        """For the report."""
        visits = self._visits(calendar)
        taken = [visit for visit in visits if calendar.has(visit.arrives_s)]
        cut = sum(visit.leaves_s > calendar.end_s for visit in taken)
        early = sum(visit.arrives_s < 0 < visit.leaves_s for visit in visits)
        return (
            f"{self.path.name}: the {len(taken)} of {len(visits)} sessions that begin within the days;"
            f" {cut} of them last longer and are cut at the end, and {early} that began before are left out."
            f" {self._battery_text()}"
        )

    def _battery_text(self) -> str:
        power = f"takes at most {self.cars.max_power_w / 1000:g} kW"
        if self.cars.capacity_kwh is None:
            return f"A car {power}; its battery is taken to be full with what its driver asked for."
        return f"A car {power} into a battery of {self.cars.capacity_kwh:g} kWh that is full when it leaves."

    def _visits(self, calendar: Calendar) -> list[Visit]:
        first_s = calendar.seconds(self.cars.first_period, self.zone)
        return [self._visit(session, first_s) for session in self.sessions]

    def _visit(self, session: Session, first_s: float) -> Visit:
        cars, needs_wh = self.cars, session.requested_kwh * 1000
        capacity_wh = None if cars.capacity_kwh is None else cars.capacity_kwh * 1000
        battery = battery_of(needs_wh, cars.max_power_w, capacity_wh, cars.taper_from_pct)
        return Visit(
            station=session.station,
            arrives_s=first_s + session.arrival_period * cars.period_s,
            leaves_s=first_s + session.departure_period * cars.period_s,
            needs_wh=needs_wh,
            battery=battery,
            state_of_charge_pct=charge_before_pct(needs_wh, battery),
        )


def read_sessions(
    cars: CarsFromFile, zone: ZoneInfo | None, base: Path, faults: Faults, place: Place
) -> SessionsFile:
    path = base / cars.path
    noted, sessions = ManyFaults(faults), list[Session]()
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                noted.add(place, f"{path}:1: the line of headings lacks {', '.join(missing)}")
            for row in () if missing else reader:
                try:
                    sessions.append(_session(row, reader.line_num))
                except ValueError as error:
                    noted.add(place, f"{path}:{reader.line_num}: {error}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        noted.add(place, f"{path} can't be read: {reason}")
    if not sessions and not noted:
        noted.add(place, f"{path} has no sessions")
    noted.end()
    return SessionsFile(cars=cars, zone=zone, path=path, place=place, sessions=sessions)


def _session(row: dict[str, str | None], line: int) -> Session:
    station = (row["station"] or "").strip()
    if not station:
        raise ValueError("station is missing")
    arrival, departure, requested_kwh = (_number(row, name) for name in NUMBERS)
    if departure <= arrival:
        raise ValueError(f"departure_period must be after arrival_period {arrival:g} (got {departure:g})")
    if requested_kwh <= 0:
        raise ValueError(f"requested_kwh must be above 0 (got {requested_kwh:g})")
    return Session(
        line=line,
        station=station,
        arrival_period=arrival,
        departure_period=departure,
        requested_kwh=requested_kwh,
    )


def _number(row: dict[str, str | None], name: str) -> float:
    try:
        number = float(row[name] or "")
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name} must be a number (got {row[name]!r})")
    return number
