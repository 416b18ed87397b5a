"""The command as people and service managers meet it: what it prints, and how it ends."""

import csv
import io
import json
import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from processes import EXAMPLES, ExampleSite, Program, free_port, run, wait_until

from register_maps.register_map import load_map

Start = Callable[..., Program]
SERVES = "it serves in the clear, for this machine alone"
MakeSite = Callable[..., ExampleSite]
SERVED_IN_S = 2.0


def test_help_names_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    for name in ("rtu", "master", "demo", "check", "map"):
        assert re.search(rf"^│ {name} ", done.stdout, re.MULTILINE), name


def test_its_version() -> None:
    assert run("--version").stdout == f"pev-scada {version('pev-scada')}\n"


def test_no_command_and_a_wrong_one_are_wrong_input() -> None:
    assert run().returncode == 2
    done = run("charge")
    assert done.returncode == 2
    assert "No such command 'charge'" in done.stderr


def test_map_list() -> None:
    done = run("map", "list")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "eastron_sdm120",
        "pev_master",
        "pev_rtu",
        "pzem_004t",
    ]


def test_map_show_as_csv_is_the_whole_map() -> None:
    rows = list(csv.DictReader(io.StringIO(run("map", "show", "pev_rtu", "--format", "csv").stdout)))
    device = load_map("pev_rtu")
    groups = {"": device.points} | {group.name: group.points for group in device.groups.values()}
    assert {(row["group"], row["name"]): (row["table"], int(row["address"])) for row in rows} == {
        (group, name): (point.table, point.address)
        for group, points in groups.items()
        for name, point in points.items()
    }
    voltage = next(row for row in rows if row["name"] == "voltage")
    assert (voltage["scale"], voltage["unit"], voltage["access"]) == ("0.1", "V", "ro")


def test_map_show_for_people() -> None:
    markdown = run("map", "show", "pev_rtu", "--format", "markdown").stdout
    assert "| 0 | charge_enable | bool |  | rw | The master's permission" in markdown
    assert "| 5 | voltage | uint16 × 0.1 | V | ro |" in markdown
    assert "| 0-1 | power_limit | uint32 | W | rw |" in markdown
    text = run("map", "show", "pev_rtu").stdout
    assert re.search(r"^ +5 +voltage +uint16 × 0\.1 +V +ro ", text, re.MULTILINE)
    assert re.search(r"^ +8-9 +power +int32 +W +ro ", text, re.MULTILINE)


def test_map_show_of_a_map_that_is_not_there() -> None:
    done = run("map", "show", "pev_rtx")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "there is no map 'pev_rtx'; did you mean 'pev_rtu'?\n"


SHARED = EXAMPLES.parents[1] / "shared" / "data"


def needs_data(path: Path) -> bool:
    return path.name.startswith("study_") or "shared/data" in path.read_text()


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "on shared data"])
def test_check_finds_no_fault_in_the_examples(shared: bool) -> None:
    if shared and not SHARED.is_dir():
        pytest.skip("the data of the shared examples are not here")
    files = [path for path in sorted(EXAMPLES.glob("*.yaml")) if needs_data(path) == shared]
    done = run("check", *files)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split(": ")[0] for line in done.stdout.splitlines()] == [str(path) for path in files]
    assert files


BAD = {
    "site.yaml": (
        "site: Park\nrule: {price_limt: 0.2}\ntariff: {kind: csw}\n"
        "circuits: [{name: feeder, power_limit_w: -1, nominal_voltage_v: 110}]\n"
        "stations: [{name: A, circuit: feedr, host: h}]\n",
        [
            (2, "rule.price_limt: there is no key 'price_limt'; did you mean 'price_limit'?"),
            (2, "rule.price_limit: is missing"),
            (3, "tariff.kind: there is no kind of tariff 'csw'; did you mean 'csv'?"),
            (4, "circuits[0].power_limit_w: must be greater than 0"),
            (5, "stations[0].circuit: there is no circuit 'feedr'; did you mean 'feeder'?"),
        ],
    ),
    "station.yaml": (
        "name: A\nboard: sin\nlisten: {port: 99999}\nrated_power_w: 3300\nminimum_power_w: 0\n",
        [
            (2, "board: must be 'sim'"),
            (3, "listen.port: must be less than or equal to 65535"),
            (5, "minimum_power_w: must be greater than 0"),
        ],
    ),
    "map.yaml": (
        "name: m\nversion: 1\nabout: a\nsource: s\npoints:\n"
        "  a: {table: coil, address: 70000, type: bool, about: x}\n"
        "  b: {table: input_register, address: 1, type: uint17, about: x}\n",
        [
            (6, "points.a: address 70000 is outside 0…65535"),
            (7, "points.b.type: must be"),
        ],
    ),
    "other.yaml": ("colour: red\n", [(None, "is no site (stations, circuits), station")]),
    "broken.yaml": ("site: [\n", [(None, "is not valid YAML: line ")]),
}


@pytest.mark.parametrize("name", BAD)
def test_check_lists_every_fault_with_its_place(tmp_path: Path, name: str) -> None:
    text, expected = BAD[name]
    path = tmp_path / name
    path.write_text(text)
    done = run("check", path)
    assert (done.returncode, done.stdout) == (2, "")
    for line, message in expected:
        where = f"{path}:{line}" if line else str(path)
        assert f"{where}: {message}" in done.stderr
    assert len(done.stderr.splitlines()) == len(expected)


def test_check_goes_on_behind_a_bad_file(tmp_path: Path) -> None:
    done = run("check", tmp_path / "nowhere.yaml", EXAMPLES / "site.yaml")
    assert done.returncode == 2
    assert done.stderr == f"{tmp_path / 'nowhere.yaml'}: can't be read: No such file or directory\n"
    assert done.stdout == f"{EXAMPLES / 'site.yaml'}: a site, 2 stations, no fault; {SERVES}\n"


def test_running_a_bad_file_tells_its_faults(tmp_path: Path) -> None:
    path = tmp_path / "station.yaml"
    path.write_text(BAD["station.yaml"][0])
    done = run("rtu", path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 3)


@pytest.mark.parametrize("name", ["master", "RTS1"])
def test_a_port_in_use_is_one_clear_line(example_site: MakeSite, name: str) -> None:
    site = example_site()
    site.start(name)
    second = site.launch(name)
    assert second.process.wait(20) == 1
    lines = [line for line in second.log.splitlines() if " INFO " not in line]
    place = f"127.0.0.1:{site.ports[name]}"
    assert lines == [f"can't listen on {place}: address already in use; choose another port or host"]


def test_a_host_that_is_not_there_is_one_clear_line(example_site: MakeSite) -> None:
    path = example_site().folder / "site.yaml"
    server = path.read_text().rpartition("server:")[2]
    path.write_text(
        path.read_text().replace(server, server.replace("127.0.0.1", "nowhere.invalid, allow: []"))
    )
    done = run("master", path)
    assert done.returncode == 1
    assert re.fullmatch(r"can't listen on nowhere\.invalid:\d+: .+; choose another .+\n", done.stderr)


def test_a_station_that_can_t_be_found_is_told_once(example_site: MakeSite) -> None:
    site = example_site(power_limit_w=7000)
    path = site.folder / "site.yaml"
    lost = "rated_power_w: 3300, host: nowhere.invalid"
    path.write_text(path.read_text().replace("host: 127.0.0.1", lost, 1))
    site.start("RTS2")
    master = site.start("master")
    # Long after several retries for the host that isn't there:
    master.wait_for_log("RTS2: charging at")
    assert master.log.count("nowhere.invalid") == 1
    assert re.search(r"RTS1: silent \(.* nowhere\.invalid:\d+: \w.+\); ", master.log)


@pytest.mark.parametrize("name", ["master", "RTS1"])
def test_sigterm_ends_it_cleanly_and_soon(example_site: MakeSite, name: str) -> None:
    program = example_site().start(name)
    assert program.terminate() < SERVED_IN_S
    assert program.process.returncode == 0
    assert "Traceback" not in program.log


def test_a_station_loads_only_what_it_needs(start: Start, tmp_path: Path) -> None:
    port = free_port()
    path = tmp_path / "station.yaml"
    path.write_text(
        f"name: A\nboard: sim\nlisten: {{port: {port}}}\nrated_power_w: 3300\nminimum_power_w: 1300\n"
    )
    program = start("rtu", path, python=("-X", "importtime"))
    program.wait_for_port(port)
    program.terminate()
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in program.log.splitlines()}
    assert {"rtu_firmware", "modbus_link", "register_maps"} <= loaded
    assert not loaded & {"master_scada", "hmi", "grid_sim", "power_grid_model", "numpy"}


def test_the_demo_without_a_screen_ends_with_its_sums(start: Start) -> None:
    demo = start("demo", "--headless", "--seconds", "3")
    wait_until(lambda: demo.process.poll() is not None)
    assert demo.process.returncode == 0
    lines = demo.log.splitlines()
    events = [line for line in lines if re.match(r"\d\d:\d\d:\d\d  \w", line)]
    assert any(re.search(r"RTS1: |RTS2: |site: ", line) for line in events)
    servers = [line.split()[0] for line in lines if re.search(r"^  pev_\w+ +127\.0\.0\.1:\d+  ", line)]
    assert servers == ["pev_master", "pev_rtu", "pev_rtu"]
    sums = json.loads(lines[-1])
    assert list(sums) == ["scans", "overruns", "energy_kwh", "limits", "violations"]
    assert sums["scans"] > 0
    assert set(sums["energy_kwh"]) == {"RTS1", "RTS2"}
