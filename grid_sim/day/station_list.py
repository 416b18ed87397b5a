"""Which stations a scenario has, and where each hangs on the network."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, repeat
from typing import Any

from grid_sim.day.faults import unknown_of_many
from grid_sim.day.model import Station
from grid_sim.day.scenario_schema import (
    PLACES,
    OneStation,
    StationEntries,
    StationsAtLoads,
    StationsAtSessions,
)
from grid_sim.network.model import PHASES, Network, Tap
from master_scada.site_schema import MOST_STATIONS
from register_maps.yaml_file import Faults, Place, unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A station, and what the site's file would say of it."""

    station: Station
    circuit: str
    priority: int


class StationList:
    """Reads the entries one by one. Where some of them can't be read, `names` is None: nobody knows all."""

    def __init__(
        self, network: Network | None, sessions_at: Sequence[str], circuits: Collection[str]
    ) -> None:
        self._placed: list[Placed] = []
        self._is_complete = True
        self._network = network
        self._phases = network.phases if network else PHASES
        self._sessions_at = sessions_at
        self._circuits = circuits

    def __iter__(self) -> Iterator[Placed]:
        return iter(self._placed)

    def __len__(self) -> int:
        return len(self._placed)

    @property
    def names(self) -> list[str] | None:
        return [placed.station.name for placed in self._placed] if self._is_complete else None

    def read(self, data: object, faults: Faults) -> None:
        entries = data if isinstance(data, list) else []
        for index, item in enumerate(entries):
            self._read_entry(item, faults, ("stations", index))
        if len(self._placed) > MOST_STATIONS:
            faults.add(
                ("stations",), f"are {len(self._placed)}; a master can have {MOST_STATIONS} at the most"
            )

    def _read_entry(self, item: Any, faults: Faults, place: Place) -> None:
        at = item.get("at") if isinstance(item, dict) else None
        form: type[StationEntries] | None = OneStation if at is None else PLACES.get(str(at))
        entry = faults.parse(form, item, place) if form else None
        if form is None:
            faults.add((*place, "at"), unknown("place for stations", at, PLACES))
        if entry is None:
            self._is_complete = False
            return
        if entry.minimum_power_w > entry.rated_power_w:
            faults.add(
                (*place, "minimum_power_w"), f"must be at most rated_power_w, {entry.rated_power_w:g} W"
            )
        self._place(entry, list(self._taps(entry, faults, place)), faults, place)

    def _place(self, entry: StationEntries, taps: list[Tap], faults: Faults, place: Place) -> None:
        taken = {other.station.name for other in self._placed}
        circuits = [entry.circuit.replace("{phase}", tap.phases) for tap in taps]
        for circuit in sorted(set(circuits) - set(self._circuits)):
            faults.add((*place, "circuit"), unknown("circuit", circuit, self._circuits))
        for tap, circuit in zip(taps, circuits, strict=True):
            if tap.name in taken:
                faults.add((*place, "name"), f"{tap.name!r} is the name of another station already")
            self._placed.append(
                Placed(station=_station(entry, tap), circuit=circuit, priority=entry.priority)
            )

    def _taps(self, entry: StationEntries, faults: Faults, place: Place) -> Iterator[Tap]:
        match entry:
            case OneStation():
                self._note_where(entry.bus, entry.phases, faults, place)
                yield Tap(name=entry.name, bus=entry.bus, phases=entry.phases)
            case StationsAtLoads():
                yield from self._taps_at_loads(entry, faults, place)
            case StationsAtSessions():
                self._note_where(entry.bus, entry.phases, faults, place)
                if not self._sessions_at:
                    faults.add(place, "stands at no session: no entry of `cars` names a file with some")
                in_turn = cycle(self._phases) if entry.phases == "in turn" else repeat(entry.phases)
                for name, phases in zip(self._sessions_at, in_turn, strict=False):
                    yield Tap(name=name, bus=entry.bus, phases=phases)

    def _taps_at_loads(self, entry: StationsAtLoads, faults: Faults, place: Place) -> Iterator[Tap]:
        if self._network is None:
            self._is_complete = False
            return
        taps = [load.tap for load in self._network.loads[entry.first - 1 :: entry.every]]
        if not taps:
            faults.add(place, f"stands at no load: the network has {len(self._network.loads)}")
        yield from taps

    def _note_where(self, bus: str, phases: str, faults: Faults, place: Place) -> None:
        buses = self._network.nominal_voltage_v if self._network else None
        if buses is not None and bus not in buses:
            faults.add((*place, "bus"), unknown_of_many("bus", bus, buses))
        if phases != "in turn" and not set(phases) <= set(self._phases):
            faults.add(
                (*place, "phases"),
                f"must be {' or '.join(self._phases)}: the network has no more phases (got {phases!r})",
            )


def _station(entry: StationEntries, tap: Tap) -> Station:
    return Station(tap=tap, rated_power_w=entry.rated_power_w, minimum_power_w=entry.minimum_power_w)
