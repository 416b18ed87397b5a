"""The cars of a scenario: each entry's kind, and the visits that it comes to."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from grid_sim.day import habits
from grid_sim.day.calendar import Calendar, zone_of
from grid_sim.day.faults import ManyFaults, unknown_of_many
from grid_sim.day.model import Station, Visit
from grid_sim.day.scenario_schema import CAR_KINDS, CarsFromFile, Habit, ListedCars, VisitEntry
from grid_sim.day.sessions_file import SessionsFile, read_sessions
from grid_sim.day.station_list import StationList
from grid_sim.day.visits import Told, battery_of, charge_before_pct, note_overlaps, note_visits
from register_maps.yaml_file import Faults, Place, unknown
from rtu_firmware.battery import EFFICIENCY, FULL_PCT

SEED_OF_KIND = {"home": 1, "work": 2, "public": 3}
REMEDY = "; say with `stations` at which the cars of this entry stand"


class Cars:
    """Read in two steps, because the stations may come from the files of sessions."""

    def __init__(self, data: object, base: Path, faults: Faults) -> None:
        items = data if isinstance(data, list) else []
        self._faults = faults
        self._base = base
        self._listed: dict[Place, VisitEntry] = {}
        self._files: dict[Place, SessionsFile] = {}
        self._habits: dict[Place, Habit] = {}
        for index, item in enumerate(items):
            self._read(item, ("cars", index))

    def stations_of_sessions(self) -> list[str]:
        return sorted(set[str]().union(*(file.stations() for file in self._files.values())))

    def visits(self, stations: StationList, seed: int, calendar: Calendar) -> tuple[Visit, ...]:
        """By time of arrival."""
        faults = ManyFaults(self._faults)
        told = [_told(entry, place, calendar) for place, entry in self._listed.items()]
        for one in told:
            _note_outside(one, calendar, faults)
        for file in self._files.values():
            told += file.told(calendar)
        for place, habit in self._habits.items():
            _note_patterns(habit, place, stations, faults)
        told += self._by_habit([placed.station for placed in stations], seed, calendar)
        note_visits(told, stations.names, faults)
        note_overlaps(told, calendar, faults)
        faults.end()
        return tuple(sorted((one.visit for one in told), key=lambda visit: (visit.arrives_s, visit.station)))

    def sources(self, calendar: Calendar) -> list[str]:
        files = [file.source(calendar) for file in self._files.values()]
        return files + [habits.source(habit) for habit in self._habits.values()]

    def _read(self, item: object, place: Place) -> None:
        name = item.get("kind") if isinstance(item, dict) else None
        kind = CAR_KINDS.get(str(name))
        if kind is None:
            self._faults.add((*place, "kind"), unknown("kind of cars", name, CAR_KINDS))
            return
        match self._faults.parse(kind, item, place):
            case ListedCars() as listed:
                self._read_visits(listed, (*place, "visits"))
            case CarsFromFile() as cars:
                self._read_file(cars, place)
            case None:
                pass
            case habit:
                self._habits[place] = habit

    def _read_visits(self, listed: ListedCars, place: Place) -> None:
        for index, entry in enumerate(self._faults.parse_each(VisitEntry, listed.visits, place)):
            if entry is None:
                continue
            if (entry.state_of_charge is None) == (entry.needs_kwh is None):
                self._faults.add((*place, index), "give either state_of_charge, on arrival, or needs_kwh")
            else:
                self._listed[*place, index] = entry

    def _read_file(self, cars: CarsFromFile, place: Place) -> None:
        zone = zone_of(cars.time_zone, self._faults, (*place, "time_zone")) if cars.time_zone else None
        self._files[place] = read_sessions(cars, zone, self._base, self._faults, (*place, "path"))

    def _by_habit(self, stations: Sequence[Station], seed: int, calendar: Calendar) -> Iterator[Told]:
        counts = dict.fromkeys(SEED_OF_KIND, 0)
        for place, habit in self._habits.items():
            own_seed = (seed, SEED_OF_KIND[habit.kind], counts[habit.kind])
            counts[habit.kind] += 1
            for visit in habits.visits_by_habit(habit, own_seed, stations, calendar):
                yield Told(visit=visit, place=place, remedy=REMEDY)


def _note_patterns(habit: Habit, place: Place, stations: StationList, faults: ManyFaults) -> None:
    names = stations.names
    for pattern in habit.stations or ():
        if names is not None and not any(fnmatchcase(name, pattern) for name in names):
            faults.add((*place, "stations"), unknown_of_many("station", pattern, names))


def _told(entry: VisitEntry, place: Place, calendar: Calendar) -> Told:
    capacity_wh = 1000 * entry.capacity_kwh
    charge_pct, needs_wh = entry.state_of_charge, 1000 * (entry.needs_kwh or 0.0)
    if charge_pct is not None:
        needs_wh = (FULL_PCT - charge_pct) / 100 * capacity_wh / EFFICIENCY
    battery = battery_of(needs_wh, entry.max_power_w, capacity_wh, entry.taper_from_pct)
    visit = Visit(
        station=entry.station,
        arrives_s=calendar.seconds(entry.arrives),
        leaves_s=calendar.seconds(entry.leaves),
        needs_wh=needs_wh,
        battery=battery,
        state_of_charge_pct=charge_before_pct(needs_wh, battery) if charge_pct is None else charge_pct,
    )
    return Told(visit=visit, place=place)


def _note_outside(one: Told, calendar: Calendar, faults: ManyFaults) -> None:
    days = f"the days, from {calendar.text(0)} to {calendar.text(calendar.end_s)}"
    if not 0 <= one.visit.arrives_s < calendar.end_s:
        faults.add((*one.place, "arrives"), f"must be within {days}")
    if one.visit.leaves_s > calendar.end_s:
        faults.add((*one.place, "leaves"), f"must be within {days}")
