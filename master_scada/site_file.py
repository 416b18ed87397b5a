"""A site's YAML file: what `pev-scada master SITE.yaml` runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import Strict, with_config

from master_scada.journal import JournalFile
from master_scada.model import Circuit, Feeder, Rules
from master_scada.readings import missing_points
from master_scada.tariff import (
    KINDS,
    CsvTariff,
    ModbusTariff,
    Price,
    ScheduleTariff,
    Tariff,
    WrittenPrice,
    note_schedule,
)
from modbus_link.listen import Listen, note_server
from modbus_link.tls import TlsFiles
from register_maps.register_map import RegisterMap, load_map
from register_maps.yaml_file import STRICT_KEYS, BadFile, Faults, Real, Whole, read_yaml, unknown

Positive = Annotated[Real, Gt(0)]
NotNegative = Annotated[Real, Ge(0)]
# What the master's registers can hold.
MOST_W = Le(4e9)
MOST_V = 6500
MOST_STATIONS = 1500
OWN_SERVER = Listen(port=5020)
# Of Modbus TCP, in the clear and over TLS.
PORT, TLS_PORT = 502, 802
Name = Annotated[str, MinLen(1)]
FENCING = ("master_term", "master_age")


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    price_limit: Price
    rotation_s: Positive = 900
    minimum_off_s: NotNegative = 10
    overvoltage: Literal["limit", "charge"] = "limit"
    voltage_recovery: Annotated[Real, Ge(0), Le(0.1)] = 0.01


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitFile:
    name: Name
    power_limit_w: Annotated[Real, Gt(0), MOST_W]
    nominal_voltage_v: Positive
    voltage_band: tuple[Positive, Positive] = (0.95, 1.05)
    parent: str | None = None


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class StationEntry:
    """`rated_power_w` counts until the station has told its own, and where its map has no such point."""

    name: Name
    circuit: str
    host: Name
    port: Annotated[Whole, Ge(1), Le(65535)] = PORT
    tls: Annotated[bool, Strict()] = False
    map: str = "pev_rtu"
    priority: Annotated[Whole, Ge(1), Le(100)] = 1
    rated_power_w: Annotated[Real, Gt(0), MOST_W] | None = None


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Failsafe:
    """For a site that hangs under a master above: what it may draw while that one is silent."""

    timeout_s: Annotated[Whole, Ge(1), Le(3600)] = 10
    power_limit_w: Annotated[Real, Ge(0), MOST_W] = 0


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """`path` None: beside the site's file."""

    path: Name | None = None
    max_mb: Annotated[Real, Ge(4), Le(100_000)] = 64

    def file(self, site: Path) -> JournalFile:
        path = site.with_suffix(".journal") if self.path is None else site.parent / self.path
        return JournalFile(path=path, max_mb=self.max_mb)


NORMAL_JOURNAL = JournalEntry()


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFile:
    """As written, but for its lists and its tariff, which `read_site` reads item by item, so that a fault
    in one place hides none in another."""

    site: Name
    rule: RuleFile
    tariff: Mapping[str, Any]
    circuits: Annotated[list[Any], MinLen(1)]
    stations: Annotated[list[Any], MinLen(1), MaxLen(MOST_STATIONS)]
    scan_period_s: Annotated[Real, Ge(0.1)] = 1.0
    server: Listen = OWN_SERVER
    failsafe: Failsafe | None = None
    tls: TlsFiles | None = None
    redundant: Annotated[bool, Strict()] = False
    journal: JournalEntry = NORMAL_JOURNAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site that is fit to run."""

    name: str
    scan_period_s: float
    rules: Rules
    feeder: Feeder
    stations: tuple[StationEntry, ...]
    maps: Mapping[str, RegisterMap]
    tariff: Tariff
    currency: str
    server: Listen
    failsafe: Failsafe | None
    tls: TlsFiles | None = None
    redundant: bool = False
    """Two masters steer it in turn; both read this file."""
    journal: JournalFile | None = None


def read_site(path: Path) -> Site:
    """The site in the file; BadFile with every fault in it and in the maps and prices that it names."""
    faults = Faults(path)
    data = _read(path)
    file = faults.parse(SiteFile, data)
    tariff, currency = _read_tariff(data.get("tariff"), path, faults)
    circuits = faults.parse_each(CircuitFile, data.get("circuits"), ("circuits",))
    stations = faults.parse_each(StationEntry, data.get("stations"), ("stations",))
    _note_circuit_faults(_mappings(data.get("circuits")), faults)
    _note_bands(circuits, faults)
    _note_station_faults(_mappings(data.get("stations")), _mappings(data.get("circuits")), faults)
    _note_mixed_tls(_mappings(data.get("stations")), faults)
    maps = _read_maps(_mappings(data.get("stations")), path, faults)
    if file and file.redundant:
        _note_unfenced(stations, maps, faults)
    tls = file.tls.under(path.parent) if file and file.tls else None
    if file:
        note_server(file.server, tls, master_map(len(stations)), faults, "server")
        _note_tls_use(stations, file, faults)
    faults.raise_if_any()
    assert file is not None
    assert tariff is not None
    return Site(
        name=file.site,
        scan_period_s=file.scan_period_s,
        rules=_rules(file),
        feeder=Feeder(_circuit(entry) for entry in circuits if entry),
        stations=tuple(entry for entry in stations if entry),
        maps=maps,
        tariff=tariff,
        currency=currency,
        server=file.server,
        failsafe=file.failsafe,
        tls=tls,
        redundant=file.redundant,
        journal=file.journal.file(path),
    )


def read_journal_file(path: Path) -> JournalFile:
    """Where the master of this site keeps its journal; for those who only read it, so nothing else in the
    file has to be right."""
    faults = Faults(path)
    data = _read(path)
    if "stations" not in data:
        faults.add(("stations",), "is missing: is this a site's file?")
    entry = faults.parse(JournalEntry, data["journal"], ("journal",)) if "journal" in data else NORMAL_JOURNAL
    faults.raise_if_any()
    assert entry is not None
    return entry.file(path)


def read_hosts(path: Path) -> tuple[str, str, dict[str, str]]:
    """The site's name, where its master serves, and each station's host. Read for those who make the
    certificates that the file names, so before it can be used as a whole."""
    faults = Faults(path)
    data = _read(path)
    if "stations" not in data:
        faults.add(("stations",), "is missing: is this a site's file?")
    stations = faults.parse_each(StationEntry, data.get("stations"), ("stations",))
    server = faults.parse(Listen, data["server"], ("server",)) if "server" in data else OWN_SERVER
    faults.raise_if_any()
    assert server is not None
    return str(data.get("site", "")), server.host, {entry.name: entry.host for entry in stations if entry}


def master_map(stations: int) -> RegisterMap:
    """What a master of so many stations serves."""
    found = load_map("pev_master")
    counts = {name: found.groups[name].max_count for name in ("event", "alarm")}
    return found.expanded(station=stations, **counts)


def _rules(file: SiteFile) -> Rules:
    rule = file.rule
    return Rules(
        price_limit=rule.price_limit,
        rotation_s=rule.rotation_s,
        minimum_off_s=rule.minimum_off_s,
        overvoltage=rule.overvoltage,
        voltage_recovery=rule.voltage_recovery,
        # One scan for the contactor to move, one for the new voltage to be read.
        settle_s=2 * file.scan_period_s,
    )


def _circuit(entry: CircuitFile) -> Circuit:
    return Circuit(
        name=entry.name,
        power_limit_w=entry.power_limit_w,
        nominal_voltage_v=entry.nominal_voltage_v,
        voltage_band=entry.voltage_band,
        parent=entry.parent,
    )


def _read_tariff(data: object, path: Path, faults: Faults) -> tuple[Tariff | None, str]:
    if not isinstance(data, dict):
        return None, ""  # its absence is noted with the file's other keys
    kind = KINDS.get(str(data.get("kind")))
    if kind is None:
        faults.add(("tariff", "kind"), unknown("kind of tariff", data.get("kind"), KINDS))
        return None, ""
    tariff = faults.parse(kind, data, ("tariff",))
    if tariff is None:
        if kind is CsvTariff and isinstance(data.get("path"), str):  # what is wrong in there, too
            CsvTariff(kind="csv", currency="", path=data["path"]).load(path.parent, faults, ("tariff",))
        return None, ""
    match tariff:
        case CsvTariff():
            return tariff.load(path.parent, faults, ("tariff",)), tariff.currency
        case ModbusTariff():
            return WrittenPrice(tariff.max_age_s), tariff.currency
        case ScheduleTariff():
            note_schedule(tariff, faults, ("tariff",))
            return tariff, tariff.currency


def _read(path: Path) -> dict[str, Any]:
    """As written, and with the standard port for stations that are reached over TLS and name none."""
    data = read_yaml(path)
    if isinstance(data.get("stations"), list):
        data["stations"] = [
            {"port": TLS_PORT, **entry} if isinstance(entry, dict) and entry.get("tls") is True else entry
            for entry in data["stations"]
        ]
    return data


def _mappings(data: object) -> list[dict[str, Any]]:
    """The items as written; {} for one that is no mapping, so that the others keep their index."""
    return [_plain(item) if isinstance(item, dict) else {} for item in data] if isinstance(data, list) else []


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    """With the text of lists and mappings instead of them: what is looked up here is a name or a number."""
    return {key: str(value) if isinstance(value, list | dict) else value for key, value in item.items()}


def _note_circuit_faults(circuits: list[dict[str, Any]], faults: Faults) -> None:
    """What is wrong with the tree of circuits."""
    names = [str(circuit.get("name")) for circuit in circuits]
    parents = {str(c.get("name")): c.get("parent") for c in circuits}
    for index, name in enumerate(names):
        at = ("circuits", index)
        parent = circuits[index].get("parent")
        if names.index(name) != index:
            faults.add((*at, "name"), f"{name!r} is the name of another circuit already")
        if parent is not None and parent not in parents:
            faults.add((*at, "parent"), unknown("circuit", parent, names))
        elif _is_its_own_ancestor(name, parents):
            faults.add((*at, "parent"), f"{name!r} would be its own ancestor")
    main = [name for name, parent in parents.items() if parent is None]
    if len(main) > 1:
        faults.add(("circuits",), f"only the main circuit has no parent; here {' and '.join(main)} have none")


def _note_bands(circuits: list[CircuitFile | None], faults: Faults) -> None:
    for index, circuit in enumerate(circuits):
        if circuit is None:
            continue
        low, high = circuit.voltage_band
        if not low < 1 < high:
            faults.add(
                ("circuits", index, "voltage_band"),
                f"[{low:g}, {high:g}] must reach from below to above 1, in shares of the nominal voltage",
            )
        if high * circuit.nominal_voltage_v > MOST_V:
            faults.add(
                ("circuits", index, "nominal_voltage_v"),
                f"the band's {high * circuit.nominal_voltage_v:g} V are more than the {MOST_V} V that the"
                " registers can hold; give the voltage that the stations measure",
            )


def _note_tls_use(stations: list[StationEntry | None], file: SiteFile, faults: Faults) -> None:
    users = [index for index, entry in enumerate(stations) if entry and entry.tls]
    if file.tls is None:
        for index in users:
            faults.add(("stations", index, "tls"), "needs the master's certificate: give `tls` for the site")
    elif not users and file.server.roles is None:
        faults.add(
            ("tls",),
            "serves nothing: say `tls: true` at the stations that speak it, or give `server` its `roles`",
        )


def _note_unfenced(
    stations: list[StationEntry | None], maps: Mapping[str, RegisterMap], faults: Faults
) -> None:
    """Whoever can't tell an old master from a new one would be steered by both."""
    for index, entry in enumerate(stations):
        if entry is None or entry.map not in maps:
            continue
        lacking = [name for name in FENCING if name not in maps[entry.map].points]
        if lacking:
            faults.add(
                ("stations", index, "map"),
                f"{entry.map!r} has no {' and no '.join(lacking)}: such a station would obey two masters"
                " at once; `redundant` needs stations that refuse the older one",
            )


def _note_mixed_tls(stations: list[dict[str, Any]], faults: Faults) -> None:
    """All who share a host and port share the connection: none may think that it is safer than it is."""
    over_tls: dict[tuple[object, object], object] = {}
    for index, station in enumerate(stations):
        place = (station.get("host"), station.get("port", PORT))
        if over_tls.setdefault(place, station.get("tls", False)) != station.get("tls", False):
            faults.add(
                ("stations", index, "tls"),
                f"{place[0]}:{place[1]} is reached with and without it: give all of its stations the same",
            )


def _is_its_own_ancestor(name: str, parents: Mapping[str, str | None]) -> bool:
    above, seen = parents[name], set[str]()
    while above is not None and above in parents and above not in seen:
        seen.add(above)
        above = parents[above]
    return name in seen


def _read_maps(stations: list[dict[str, Any]], path: Path, faults: Faults) -> dict[str, RegisterMap]:
    maps: dict[str, RegisterMap] = {}
    for index, station in enumerate(stations):
        at, name = ("stations", index), str(station.get("map", "pev_rtu"))
        if name not in maps:
            try:
                maps[name] = load_map(name, base=path.parent)
            except BadFile as error:
                faults.add((*at, "map"), "the map has faults:\n" + indent(str(error), "  "))
                continue
            except LookupError as error:
                faults.add((*at, "map"), str(error.args[0]))
                continue
        device = maps[name]
        missing = missing_points(device)
        if missing:
            faults.add((*at, "map"), f"{name!r} lacks what the rule needs: {', '.join(missing)}")
        if "rated_power" not in device.points and station.get("rated_power_w") is None:
            faults.add(at, f"needs rated_power_w, because {name!r} has no point rated_power")
    return maps


def _note_station_faults(
    stations: list[dict[str, Any]], circuits: list[dict[str, Any]], faults: Faults
) -> None:
    known = [str(circuit.get("name")) for circuit in circuits]
    names: dict[str, int] = {}
    places: dict[tuple[object, ...], str] = {}
    for index, station in enumerate(stations):
        at, name = ("stations", index), str(station.get("name"))
        if name in names:
            faults.add((*at, "name"), f"{name!r} is the name of stations[{names[name]}] already")
        names.setdefault(name, index)
        circuit = station.get("circuit")
        if circuit is not None and circuit not in known:
            faults.add((*at, "circuit"), unknown("circuit", circuit, known))
        place = (station.get("host"), station.get("port", PORT), station.get("map", "pev_rtu"))
        if place[0] is not None and place in places:
            faults.add((*at, "port"), f"{place[0]}:{place[1]} is {places[place]!r} already")
        places.setdefault(place, name)
