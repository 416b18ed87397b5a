"""Site files: what a good one says, and that every fault is told at once, with its place and line."""

import contextlib
import re
from pathlib import Path

import pytest

from master_scada.site_file import Site, read_site
from master_scada.tariff import ScheduleTariff
from register_maps.yaml_file import BadFile

EXAMPLE = Path(__file__).parents[2] / "examples" / "site.yaml"

HEAD = """\
site: Park
rule: {price_limit: 0.2}
tariff: {kind: schedule, currency: EUR, default: 0.1}
"""
MAIN = "{name: main, power_limit_w: 5000, nominal_voltage_v: 230}"
SHORTEST = HEAD + f"circuits: [{MAIN}]\nstations: [{{name: A, circuit: main, host: a}}]\n"

WALLBOX = """\
name: wallbox
version: 1
about: A wallbox without ratings.
source: a test
points:
  charge_enable: {table: coil, address: 0, type: bool, access: rw, about: x}
  vehicle_connected: {table: discrete_input, address: 0, type: bool, about: x}
  contactor_closed: {table: discrete_input, address: 1, type: bool, about: x}
  voltage: {table: input_register, address: 0, type: uint16, about: x}
  power: {table: input_register, address: 1, type: uint16, about: x}
"""


def site(folder: Path, text: str) -> Site:
    path = folder / "site.yaml"
    path.write_text(text)
    return read_site(path)


def faults(folder: Path, text: str) -> list[str]:
    """Each without the path in front, so 'line: place: message'."""
    with pytest.raises(BadFile) as caught:
        site(folder, text)
    return [line.removeprefix(f"{folder / 'site.yaml'}:").strip() for line in str(caught.value).splitlines()]


def with_circuits(*circuits: str) -> str:
    lines = "".join(f"  - {{{c}, power_limit_w: 1, nominal_voltage_v: 1}}\n" for c in circuits)
    return HEAD + f"circuits:\n{lines}stations: [{{name: A, circuit: main, host: a}}]\n"


def with_stations(*stations: str) -> str:
    lines = "".join(f"  - {{{s}}}\n" for s in stations)
    return HEAD + f"circuits: [{MAIN}]\nstations:\n{lines}"


def test_the_example() -> None:
    found = read_site(EXAMPLE)
    assert (found.name, found.scan_period_s, found.currency) == ("Demo car park", 1.0, "USD")
    assert (found.rules.price_limit, found.rules.rotation_s, found.rules.minimum_off_s) == (0.20, 900, 10)
    assert found.rules.settle_s == 2.0  # two scans
    assert found.feeder.main.voltage_band == (0.95, 1.05)
    assert [(s.name, s.port) for s in found.stations] == [("RTS1", 5021), ("RTS2", 5022)]
    assert set(found.maps) == {"pev_rtu"}
    assert (found.server.port, found.failsafe) == (5020, None)


def test_what_may_be_left_out(tmp_path: Path) -> None:
    found = site(tmp_path, SHORTEST)
    assert (found.scan_period_s, found.rules.rotation_s, found.rules.minimum_off_s) == (1.0, 900, 10)
    assert (found.rules.overvoltage, found.rules.voltage_recovery) == ("limit", 0.01)
    (station,) = found.stations
    assert (station.port, station.map, station.priority, station.rated_power_w) == (502, "pev_rtu", 1, None)
    assert (found.server.host, found.server.port) == ("127.0.0.1", 5020)
    assert isinstance(found.tariff, ScheduleTariff)


def test_a_tree_of_circuits(tmp_path: Path) -> None:
    found = site(tmp_path, with_circuits("name: main", "name: row, parent: main", "name: end, parent: row"))
    assert found.feeder.main.name == "main"
    assert found.feeder.path("end") == ("end", "row", "main")


def test_a_map_beside_the_site_file(tmp_path: Path) -> None:
    (tmp_path / "wallbox.yaml").write_text(WALLBOX)
    station = "name: A, circuit: main, host: a, map: wallbox.yaml, rated_power_w: 7400"
    assert site(tmp_path, with_stations(station)).maps["wallbox.yaml"].name == "wallbox"


def test_every_fault_at_once(tmp_path: Path) -> None:
    (tmp_path / "wallbox.yaml").write_text(WALLBOX)
    (tmp_path / "broken.yaml").write_text(WALLBOX.replace("uint16", "uint17"))
    text = """\
site: Park
scan_period: 1
rule: {price_limit: cheap, overvoltage: shed}
tariff: {kind: schedule, currency: EURO, default: 0.1}
circuits:
  - {name: main, power_limit_w: 0, nominal_voltage_v: 230, voltage_band: [1.0, 1.05]}
  - {name: row, power_limit_w: 1, nominal_voltage_v: 230, voltage_band: [1.02, 1.05], parent: mian}
stations:
  - {name: A, circuit: main, host: a}
  - {name: A, circuit: row, host: a, priority: 0}
  - {name: C, circuit: rwo, host: c, prot: 502}
  - {name: D, circuit: row, host: d, map: wallbox.yaml}
  - {name: E, circuit: row, host: e, map: broken.yaml}
  - F
server: {port: 70000}
failsafe: {timeout_s: 0}
"""
    told = faults(tmp_path, text)
    for line in [
        "2: scan_period: there is no key 'scan_period'; did you mean 'scan_period_s'?",
        "3: rule.price_limit: must be a valid number (got 'cheap')",
        "3: rule.overvoltage: must be 'limit' or 'charge' (got 'shed')",
        "4: tariff.currency: string should have at most 3 characters",
        "6: circuits[0].power_limit_w: must be greater than 0 (got 0)",
        "7: circuits[1].voltage_band: [1.02, 1.05] must reach from below to above 1",
        "7: circuits[1].parent: there is no circuit 'mian'; did you mean 'main'?",
        "10: stations[1].name: 'A' is the name of stations[0] already",
        "10: stations[1].priority: must be greater than or equal to 1 (got 0)",
        "11: stations[2].circuit: there is no circuit 'rwo'; did you mean 'row'?",
        "11: stations[2].prot: there is no key 'prot'; did you mean 'port'?",
        "12: stations[3]: needs rated_power_w, because 'wallbox.yaml' has no point rated_power",
        "13: stations[4].map: the map has faults:",
        "14: stations[5]: must be a mapping of keys to values (got 'F')",
        "15: server.port: must be less than or equal to 65535 (got 70000)",
        "16: failsafe.timeout_s: must be greater than or equal to 1 (got 0)",
    ]:
        assert any(found.startswith(line) for found in told), (line, told)
    broken = [line for line in told if line.startswith(f"{tmp_path / 'broken.yaml'}:")]
    assert [line.split(": ")[1] for line in broken] == ["points.voltage.type", "points.power.type"]


def test_what_is_missing(tmp_path: Path) -> None:
    told = faults(tmp_path, "server: {port: 5020}\n")
    missing = ["site", "rule", "tariff", "circuits", "stations"]
    assert sorted(told) == sorted(f"{key}: is missing" for key in missing)


CIRCUITS = {
    "its own parent": (["name: main", "name: a, parent: a"], "6: circuits[1].parent: 'a' would be its own"),
    "in a circle": (
        ["name: main", "name: a, parent: b", "name: b, parent: a"],
        "6: circuits[1].parent: 'a' would be its own",
    ),
    "two main": (
        ["name: main", "name: b"],
        "4: circuits: only the main circuit has no parent; here main and",
    ),
    "same name": (["name: main", "name: main"], "6: circuits[1].name: 'main' is the name of another"),
    "no main": (["name: main, parent: main"], "5: circuits[0].parent: 'main' would be its own"),
    "band above": (
        ["name: main, voltage_band: [1.01, 1.1]"],
        "5: circuits[0].voltage_band: [1.01, 1.1] must reach from below to above 1",
    ),
    "band upside down": (
        ["name: main, voltage_band: [1.05, 0.95]"],
        "5: circuits[0].voltage_band: [1.05, 0.95] must reach",
    ),
    "band of one": (["name: main, voltage_band: [0.95]"], "5: circuits[0].voltage_band[1]: is missing"),
}


@pytest.mark.parametrize(("circuits", "told"), CIRCUITS.values(), ids=CIRCUITS)
def test_circuits(tmp_path: Path, circuits: list[str], told: str) -> None:
    assert any(line.startswith(told) for line in faults(tmp_path, with_circuits(*circuits)))


STATIONS = {
    "same port": (
        ["name: A, circuit: main, host: h, port: 9", "name: B, circuit: main, host: h, port: 9"],
        "7: stations[1].port: h:9 is 'A' already",
    ),
    "same port by default": (
        ["name: A, circuit: main, host: h", "name: B, circuit: main, host: h, port: 502"],
        "7: stations[1].port: h:502 is 'A' already",
    ),
    "same port, map written out": (
        ["name: A, circuit: main, host: h", "name: B, circuit: main, host: h, map: pev_rtu"],
        "7: stations[1].port: h:502 is 'A' already",
    ),
    "unknown map": (
        ["name: A, circuit: main, host: h, map: pev_rtx"],
        "6: stations[0].map: there is no map 'pev_rtx'; did you mean 'pev_rtu'?",
    ),
    "no map file": (
        ["name: A, circuit: main, host: h, map: no.yaml"],
        "6: stations[0].map: the map has faults:",
    ),
    "no hosts": (
        ["name: A, circuit: main, host: h", "name: B, circuit: main", "name: C, circuit: main"],
        "7: stations[1].host: is missing",
    ),
    "no host": (["name: A, circuit: main"], "6: stations[0].host: is missing"),
    "empty name": (["name: '', circuit: main, host: h"], "6: stations[0].name: string should"),
}


@pytest.mark.parametrize(("stations", "told"), STATIONS.values(), ids=STATIONS)
def test_stations(tmp_path: Path, stations: list[str], told: str) -> None:
    (found,) = [line for line in faults(tmp_path, with_stations(*stations)) if line.startswith(told[:2])]
    assert found.startswith(told)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("site.yaml", "site.yaml is this file itself; name another"),
        ("../{folder}/site.yaml", "site.yaml is this file itself; name another"),
        (".", "{path} is a folder; name a file in it"),
    ],
)
def test_a_journal_in_the_place_of_something_else(tmp_path: Path, path: str, told: str) -> None:
    named = path.format(folder=tmp_path.name)
    expected = f"8: journal.path: {told.format(path=tmp_path)}"
    assert faults(tmp_path, SHORTEST + f"journal:\n  max_mb: 8\n  path: {named}\n") == [expected]


@pytest.mark.parametrize("path", ["nowhere/site.journal", f"{'x' * 300}.journal"])
def test_where_no_journal_can_be_now_there_may_be_one_later(tmp_path: Path, path: str) -> None:
    assert site(tmp_path, SHORTEST + f"journal: {{path: {path}}}\n").journal


@pytest.mark.parametrize("point", ["vehicle_connected", "contactor_closed", "voltage", "power"])
def test_a_map_that_lacks_a_point_the_rule_needs(tmp_path: Path, point: str) -> None:
    (tmp_path / "wallbox.yaml").write_text(WALLBOX.replace(f"  {point}:", f"  other_{point}:"))
    station = "name: A, circuit: main, host: a, map: wallbox.yaml, rated_power_w: 7400"
    assert faults(tmp_path, with_stations(station)) == [
        f"6: stations[0].map: 'wallbox.yaml' lacks what the rule needs: {point}"
    ]


def test_a_permission_that_can_only_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "wallbox.yaml").write_text(WALLBOX.replace(", access: rw", ""))
    station = "name: A, circuit: main, host: a, map: wallbox.yaml, rated_power_w: 7400"
    (told,) = faults(tmp_path, with_stations(station))
    assert told.endswith("lacks what the rule needs: charge_enable with access rw")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("power_limit_w: 5000", "power_limit_w: 5e9", "circuits[0].power_limit_w"),
        ("price_limit: 0.2", "price_limit: 1e6", "rule.price_limit"),
        ("nominal_voltage_v: 230", "nominal_voltage_v: 11000", "circuits[0].nominal_voltage_v"),
        ("host: a", "host: a, rated_power_w: 5e9", "stations[0].rated_power_w"),
    ],
)
def test_more_than_a_register_can_hold(tmp_path: Path, old: str, new: str, place: str) -> None:
    (told,) = faults(tmp_path, SHORTEST.replace(old, new))
    assert told.partition(": ")[2].startswith(place)


@pytest.mark.parametrize("value", ["[1]", "{a: 1}", "~", "''", "-1", "1e300"])
def test_no_value_anywhere_is_more_than_a_fault(tmp_path: Path, value: str) -> None:
    """Each value of a whole file in turn: the file is good or bad, and nothing breaks over it."""
    whole = """\
site: Park
scan_period_s: 1
rule: {price_limit: 0.2, rotation_s: 900, minimum_off_s: 10, overvoltage: limit, voltage_recovery: 0.01}
tariff: {kind: schedule, currency: EUR, default: 0.1, hours: {"17-21": 0.3}, time_zone: Europe/Paris}
circuits:
  - {name: main, power_limit_w: 5000, nominal_voltage_v: 230, voltage_band: [0.9, 1.1]}
  - {name: row, power_limit_w: 5000, nominal_voltage_v: 230, parent: main}
stations:
  - {name: A, circuit: main, host: a, port: 502, map: pev_rtu, priority: 1, rated_power_w: 3300}
server: {host: a, port: 5020, allow: []}
failsafe: {timeout_s: 10, power_limit_w: 0}
"""
    site(tmp_path, whole)
    for found in re.finditer(r"(?<=: )[^\s{}\[\],]+(?=[,}\n])", whole):
        with contextlib.suppress(BadFile):
            site(tmp_path, whole[: found.start()] + value + whole[found.end() :])
