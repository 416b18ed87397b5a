"""A site's YAML file: what `pev-scada master SITE.yaml` runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import exists, isdir  # unlike Path's, they take a path that can't be looked at for none
from pathlib import Path
from textwrap import indent
from typing import Any

from master_scada.journal import JournalFile
from master_scada.model import Circuit, Feeder, Rules
from master_scada.readings import missing_points
from master_scada.site_faults import (
    note_bands,
    note_circuit_faults,
    note_mixed_tls,
    note_station_faults,
    note_tls_use,
    note_unfenced,
)
from master_scada.site_schema import (
    NORMAL_JOURNAL,
    OWN_SERVER,
    TLS_PORT,
    CircuitFile,
    Failsafe,
    JournalEntry,
    RuleFile,
    SiteFile,
    StationEntry,
)
from master_scada.tariff import (
    KINDS,
    CsvTariff,
    ModbusTariff,
    ScheduleTariff,
    Tariff,
    WrittenPrice,
    note_schedule,
)
from modbus_link.listen import Listen, note_server
from modbus_link.tls import TlsFiles
from register_maps.register_map import RegisterMap, load_map
from register_maps.yaml_file import BadFile, Faults, read_yaml, unknown


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
    tariff, currency = read_tariff(data.get("tariff"), path, faults)
    circuits = read_circuits(data.get("circuits"), faults)
    stations = faults.parse_each(StationEntry, data.get("stations"), ("stations",))
    note_station_faults(mappings(data.get("stations")), mappings(data.get("circuits")), faults)
    note_mixed_tls(mappings(data.get("stations")), faults)
    maps = _read_maps(mappings(data.get("stations")), path, faults)
    if file and file.redundant:
        note_unfenced(stations, maps, faults)
    tls = file.tls.under(path.parent) if file and file.tls else None
    if file:
        note_server(file.server, tls, master_map(len(stations)), faults, "server")
        note_tls_use(stations, file, faults)
        _note_journal(file.journal.file(path).path, path, faults)
    faults.raise_if_any()
    assert file is not None
    assert tariff is not None
    return Site(
        name=file.site,
        scan_period_s=file.scan_period_s,
        rules=rules_of(file.rule, file.scan_period_s),
        feeder=Feeder(circuits),
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


def _note_journal(journal: Path, site: Path, faults: Faults) -> None:
    """A folder that is missing is no fault: a disk that is not there must keep no master from starting."""
    if isdir(journal):
        faults.add(("journal", "path"), f"{journal} is a folder; name a file in it")
    elif exists(journal) and journal.samefile(site):
        faults.add(("journal", "path"), f"{journal.name} is this file itself; name another")


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


def rules_of(rule: RuleFile, scan_period_s: float) -> Rules:
    return Rules(
        price_limit=rule.price_limit,
        rotation_s=rule.rotation_s,
        minimum_off_s=rule.minimum_off_s,
        overvoltage=rule.overvoltage,
        voltage_recovery=rule.voltage_recovery,
        # One scan for the contactor to move, one for the new voltage to be read.
        settle_s=2 * scan_period_s,
    )


def read_circuits(data: object, faults: Faults) -> list[Circuit]:
    """Those that are right in themselves; a feeder only where there is no fault."""
    entries = faults.parse_each(CircuitFile, data, ("circuits",))
    note_circuit_faults(mappings(data), faults)
    note_bands(entries, faults)
    return [_circuit(entry) for entry in entries if entry]


def _circuit(entry: CircuitFile) -> Circuit:
    return Circuit(
        name=entry.name,
        power_limit_w=entry.power_limit_w,
        nominal_voltage_v=entry.nominal_voltage_v,
        voltage_band=entry.voltage_band,
        parent=entry.parent,
    )


def read_tariff(data: object, path: Path, faults: Faults) -> tuple[Tariff | None, str]:
    """The tariff and its currency."""
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


def mappings(data: object) -> list[dict[str, Any]]:
    """The items as written; {} for one that is no mapping, so that the others keep their index."""
    return [_plain(item) if isinstance(item, dict) else {} for item in data] if isinstance(data, list) else []


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    """With the text of lists and mappings instead of them: what is looked up here is a name or a number."""
    return {key: str(value) if isinstance(value, list | dict) else value for key, value in item.items()}


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
