"""A scenario's YAML file: what `pev-scada day SCENARIO.yaml` runs."""

from collections.abc import Iterable
from dataclasses import fields, replace
from math import sqrt
from pathlib import Path
from typing import Any, TypeVar

from grid_sim.day.calendar import Calendar, exists, zone_of
from grid_sim.day.cars import Cars
from grid_sim.day.model import Scenario
from grid_sim.day.prices import note_gaps
from grid_sim.day.scenario_schema import DaysFile, DemandFile, ScenarioFile, SolarFile
from grid_sim.day.station_list import Placed, StationList
from grid_sim.day.surroundings import note_surroundings, surroundings_of, surroundings_sources
from grid_sim.network.model import Network
from grid_sim.network.network_file import read_network
from master_scada.model import Circuit, Feeder
from master_scada.site_file import Site, mappings, read_circuits, read_tariff, rules_of
from master_scada.site_schema import RuleFile, StationEntry
from master_scada.tariff import PriceList, ScheduleTariff, Tariff, WrittenPrice
from modbus_link.listen import Listen
from register_maps.register_map import load_map
from register_maps.yaml_file import BadFile, Fault, Faults, read_yaml

T = TypeVar("T")

NO_SCENARIO = "is no scenario, which has network and cars; a site is run by `master`, a study by `study`"

HOST = "day"
"""Of all stations; the n-th has port n. There is no network between them and the master."""
FAR_OFF = 1.3
"""No nominal voltage is so many times another one that is meant; between two phases it is 1.73 times."""
MOST_VALUES = 50_000_000
"""Of a series: scans, times places on the network. More don't fit into a usual machine's memory."""


def read_scenario(path: Path) -> Scenario:
    """The scenario in the file; BadFile with every fault in it and in the data that it names."""
    data = read_yaml(path)
    if not data.keys() & {"scenario", "network", "cars"} or "vary" in data:
        raise BadFile(path, [Fault(place=(), message=NO_SCENARIO)])
    return scenario_of(data, path)


def scenario_of(data: dict[str, Any], path: Path) -> Scenario:
    """The same for a mapping that was read from `path` and then changed, as a study does."""
    faults = Faults(path)
    file = faults.parse(ScenarioFile, data)
    rule = _part(RuleFile, data, "rule", faults)
    demand, solar = _part(DemandFile, data, "demand", faults), _part(SolarFile, data, "solar", faults)
    calendar = _calendar(data, faults)
    network = _network(data.get("network"), path, faults)
    tariff, currency = _tariff(data, path, calendar, faults)
    circuits = read_circuits(data.get("circuits"), faults)
    cars = Cars(data.get("cars"), path.parent, faults)
    stations = StationList(network, cars.stations_of_sessions(), _circuit_names(data))
    stations.read(data.get("stations"), faults)
    visits = cars.visits(stations, file.seed if file else 0, calendar) if calendar else ()
    if network:
        note_surroundings(network, data, solar, faults)
        _note_nominal(network, circuits, stations, _circuit_names(data), faults)
    if network and calendar:
        _note_size(calendar.scans, len(stations) + len(network.loads), faults)
    faults.raise_if_any()
    assert file
    assert rule
    assert calendar
    assert network
    assert tariff
    return Scenario(
        name=file.scenario,
        about=file.about,
        start=calendar.start,
        scans=calendar.scans,
        site=_site(file, rule, circuits, stations, tariff, currency),
        network=network,
        stations=tuple(placed.station for placed in stations),
        visits=visits,
        surroundings=surroundings_of(network, demand, solar, calendar),
        compare_uncontrolled=file.compare == "uncontrolled",
        sources=(*_price_source(data), *surroundings_sources(demand, solar), *cars.sources(calendar)),
    )


def _part(kind: type[T], data: dict[str, Any], key: str, faults: Faults) -> T | None:
    """What is missing, or is no mapping, is noted with the file's other keys."""
    return faults.parse(kind, data[key], (key,)) if isinstance(data.get(key), dict) else None


def _calendar(data: dict[str, Any], faults: Faults) -> Calendar | None:
    """The days, whatever is wrong with the rest of the file."""
    keys = {field.name: data[field.name] for field in fields(DaysFile) if field.name in data}
    file = Faults(faults.path).parse(DaysFile, keys)  # its faults are noted with the file's others
    zone = zone_of(file.time_zone, faults, ("time_zone",)) if file else None
    if file is None or zone is None:
        return None
    if not exists(file.start, zone):
        faults.add(("start",), f"is left out that day in {file.time_zone}: the clock is put forward")
    calendar = Calendar.of(file, zone)
    if calendar.scans < 1:
        faults.add(("days",), f"must be at least one scan period, {file.scan_period_s:g} s")
    return calendar


def _network(data: object, path: Path, faults: Faults) -> Network | None:
    return read_network(data, path, faults, ("network",)) if isinstance(data, dict) else None


def _tariff(
    data: dict[str, Any], path: Path, calendar: Calendar | None, faults: Faults
) -> tuple[Tariff | None, str]:
    """A schedule's hours are the scenario's own, unless it has a zone."""
    tariff, currency = read_tariff(data.get("tariff"), path, faults)
    if isinstance(tariff, WrittenPrice):
        faults.add(("tariff", "kind"), "nobody writes prices in a scenario; give a schedule or a csv")
    if isinstance(tariff, ScheduleTariff) and calendar:
        return replace(tariff, time_zone=tariff.time_zone or str(calendar.start.tzinfo)), currency
    if isinstance(tariff, PriceList) and calendar:
        note_gaps(tariff, calendar, faults, ("tariff", "path"))
    return tariff, currency


def _note_nominal(
    network: Network,
    circuits: Iterable[Circuit],
    stations: Iterable[Placed],
    names: list[str],
    faults: Faults,
) -> None:
    """A voltage between two phases in place of that to the neutral would make every scan a violation."""
    nominal_v = {circuit.name: circuit.nominal_voltage_v for circuit in circuits}
    noted = set[str]()
    for placed in stations:
        bus_v, given_v = network.nominal_voltage_v.get(placed.station.tap.bus), nominal_v.get(placed.circuit)
        if bus_v is None or given_v is None or placed.circuit in noted:
            continue  # a fault of its own
        phase_v = bus_v / sqrt(3)
        if not 1 / FAR_OFF < given_v / phase_v < FAR_OFF:
            noted.add(placed.circuit)
            faults.add(
                ("circuits", names.index(placed.circuit), "nominal_voltage_v"),
                f"{given_v:g} V is far from the {phase_v:.1f} V between a phase and the neutral that"
                f" {placed.station.name!r} is connected to",
            )


def _price_source(data: dict[str, Any]) -> list[str]:
    tariff = data["tariff"]
    return [f"Prices: {Path(tariff['path']).name}."] if "path" in tariff else []


def _circuit_names(data: dict[str, Any]) -> list[str]:
    """As written, so that a circuit with a fault is no unknown one."""
    return [str(circuit.get("name")) for circuit in mappings(data.get("circuits"))]


def _note_size(scans: int, places: int, faults: Faults) -> None:
    if scans * places > MOST_VALUES:
        faults.add(
            ("days",),
            f"{scans} scans of {places} loads and stations are too much to be held at once;"
            f" take fewer days or a longer scan_period_s (at most {MOST_VALUES} values)",
        )


def _site(
    file: ScenarioFile,
    rule: RuleFile,
    circuits: Iterable[Circuit],
    stations: Iterable[Placed],
    tariff: Tariff,
    currency: str,
) -> Site:
    return Site(
        name=file.scenario,
        scan_period_s=file.scan_period_s,
        rules=rules_of(rule, file.scan_period_s),
        feeder=Feeder(circuits),
        stations=tuple(_entry(placed, port) for port, placed in enumerate(stations, 1)),
        maps={"pev_rtu": load_map("pev_rtu")},
        tariff=tariff,
        currency=currency,
        server=Listen(port=0),
        failsafe=None,
    )


def _entry(placed: Placed, port: int) -> StationEntry:
    return StationEntry(
        name=placed.station.name,
        circuit=placed.circuit,
        host=HOST,
        port=port,
        priority=placed.priority,
        rated_power_w=placed.station.rated_power_w,
    )
