"""`pev-scada certs`, and a whole site over TLS with what it makes."""

import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import Program, free_port, run, until

import pev_scada
from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.errors import Refused
from modbus_link.tls import TlsFiles
from register_maps.register_map import load_map

Start = Callable[..., Program]

SITE = """\
site: Park
scan_period_s: 0.2
rule: {{price_limit: 0.2, minimum_off_s: 0.2}}
tariff: {{kind: schedule, currency: USD, default: 0.1, hours: {{}}}}
circuits: [{{name: feeder, power_limit_w: 5000, nominal_voltage_v: 110}}]
stations: [{{name: RTS1, circuit: feeder, host: 127.0.0.1, port: {rtu}, tls: true}}]
tls: {{ca: certs/ca.crt, certificate: certs/master.crt, key: certs/master.key}}
server:
  port: {master}
  roles: {{operator: {{write: [power_limit]}}, viewer: {{}}}}
"""
STATION = """\
name: RTS1
board: sim
rated_power_w: 3300
minimum_power_w: 1300
vehicle: {{capacity_kwh: 24, state_of_charge: 5}}
tls: {{ca: certs/ca.crt, certificate: certs/RTS1.crt, key: certs/RTS1.key}}
listen:
  port: {rtu}
  roles:
    master: {{write: all}}
    operator: {{write: [stop_request, start_request]}}
    viewer: {{}}
"""


@pytest.fixture
def site(tmp_path: Path) -> dict[str, int]:
    """The files of a site, and the ports in them; its certificates are not there yet."""
    ports = {"rtu": free_port(), "master": free_port()}
    (tmp_path / "site.yaml").write_text(SITE.format(**ports))
    (tmp_path / "rts1.yaml").write_text(STATION.format(**ports))
    return ports


def command(*args: object) -> int:
    """`pev-scada` with these arguments, without a process of its own; its exit code."""
    before, sys.argv = sys.argv, ["pev-scada", *map(str, args)]
    try:
        pev_scada.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    finally:
        sys.argv = before
    return 0


def test_init_makes_what_a_site_needs(tmp_path: Path, site: dict[str, int]) -> None:
    folder = tmp_path / "certs"
    done = run("certs", "init", folder, "--site", tmp_path / "site.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [(Path(line[0]).name, line[1]) for line in lines[:4]] == [
        ("master.crt", "master"),
        ("operator.crt", "operator"),
        ("viewer.crt", "viewer"),
        ("RTS1.crt", "rtu"),
    ]
    assert "127.0.0.1" in lines[3]
    assert f"{folder}/ca.key signs new certificates: keep it safe" in done.stdout
    names = ["RTS1", "ca", "master", "operator", "viewer"]
    assert sorted(path.stem for path in folder.glob("*.crt")) == names
    keys = sorted(folder.glob("*.key"))
    assert [path.stem for path in keys] == names
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    again = run("certs", "init", folder, "--site", tmp_path / "site.yaml")
    assert (again.returncode, again.stdout) == (2, "")
    told = f"{folder}/ca.crt is there already; move it away, or choose another folder or name\n"
    assert again.stderr == told


def test_init_without_a_site_and_add(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "certs"
    assert command("certs", "init", folder) == 0
    capsys.readouterr()
    assert (
        command("certs", "add", folder, "RTS 7", "--role", "rtu", "--host", "10.0.0.7", "--host", "rts7") == 0
    )
    assert capsys.readouterr().out == f"{folder}/RTS 7.crt  rtu      10.0.0.7, rts7\n"
    own = folder / "RTS 7"
    TlsFiles(ca=f"{folder}/ca.crt", certificate=f"{own}.crt", key=f"{own}.key").load()


BAD = {
    "no such site": (
        ("init", "new", "--site", "no.yaml"),
        "no.yaml: can't be read: No such file or directory",
    ),
    "a site with a fault": (
        ("init", "new", "--site", "bad.yaml"),
        "bad.yaml:2: stations[0].host: is missing",
    ),
    "a station called master": (
        ("init", "new", "--site", "twice.yaml"),
        "two certificates would have the name 'master'",
    ),
    "a folder that is a file": (("init", "bad.yaml"), "bad.yaml can't be made: file exists"),
    "no authority": (
        ("add", "nowhere", "x", "--role", "rtu"),
        "nowhere/ca.key can't be read: no such file or directory; pev-scada certs init makes an authority",
    ),
    "a name that is there": (
        ("add", "certs", "master", "--role", "master"),
        "certs/master.crt is there already; move it away, or choose another folder or name",
    ),
    "a name that is a path": (
        ("add", "certs", "../x", "--role", "rtu"),
        "'../x' can't be the name of a certificate's file",
    ),
    "a host that is none": (
        ("add", "certs", "x", "--role", "rtu", "--host", "ü"),
        "'ü' is neither an address nor a host's name",
    ),
    "an address that is none": (
        ("add", "certs", "x", "--role", "rtu", "--host", "10.0.0.300"),
        "'10.0.0.300' is neither an address nor a host's name",
    ),
    "no role": (
        ("add", "certs", "x", "--role", ""),
        "a certificate without a role is let in nowhere: give --role a name",
    ),
    "a station's file for a site": (
        ("init", "new", "--site", "station.yaml"),
        "station.yaml: stations: is missing: is this a site's file?",
    ),
    "a role that is too long": (
        ("add", "certs", "x", "--role", 128 * "r"),
        f"the role '{128 * 'r'}' is longer than 127 bytes, or no plain text",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_exit_code_2_and_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    args, message = BAD[what]
    Path("bad.yaml").write_text("site: s\nstations: [{name: A, circuit: f}]\n")
    Path("twice.yaml").write_text("site: s\nstations: [{name: master, circuit: f, host: h}]\n")
    Path("station.yaml").write_text("name: RTS1\nboard: sim\n")
    assert command("certs", "init", "certs") == 0
    before = sorted(tmp_path.rglob("*"))
    capsys.readouterr()
    assert command("certs", *args) == 2
    assert capsys.readouterr() == ("", f"{message}\n")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "args",
    [
        ("init",),
        ("add",),
        ("add", "certs", "x"),
        ("init", "x", "--days", "0"),
        ("init", "x", "--days", "3651"),
    ],
    ids=" ".join,
)
def test_what_is_missing_or_out_of_range_is_wrong_input(
    capsys: pytest.CaptureFixture[str], args: tuple[str, ...]
) -> None:
    assert command("certs", *args) == 2
    assert "Usage: " in capsys.readouterr().err


async def test_a_whole_site_over_tls(tmp_path: Path, site: dict[str, int], start: Start) -> None:
    assert command("certs", "init", tmp_path / "certs", "--site", tmp_path / "site.yaml") == 0
    programs = {"rtu": start("rtu", "rts1.yaml"), "master": start("master", "site.yaml")}
    programs["rtu"].wait_for_log("serving pev_rtu on 127.0.0.1:")
    programs["master"].wait_for_log("serving pev_master on 127.0.0.1:")

    def client(role: str, where: str) -> ModbusClient:
        own = tmp_path / "certs" / role
        files = TlsFiles(ca=str(own.with_name("ca.crt")), certificate=f"{own}.crt", key=f"{own}.key")
        return ModbusClient("127.0.0.1", site[where], timeout_s=5, tls=files.load().client)

    async with client("operator", "rtu") as operator, client("viewer", "master") as viewer:
        await until(lambda: operator.connected and viewer.connected)
        station = Device(operator, load_map("pev_rtu"))

        async def contactor_is(closed: bool) -> bool:
            return (await station.read())["contactor_closed"] is closed

        await until(lambda: contactor_is(True))
        seen = Device(viewer, load_map("pev_master"), ["charging_count", "station_count"])
        await until(lambda: _is(seen, charging_count=1, station_count=1))
        for device, point in ((station, {"charge_enable": False}), (Device(viewer, seen.map), {"price": 1})):
            with pytest.raises(Refused) as caught:
                await device.write(point)
            assert caught.value.code == 1
        await station.write({"stop_request": True})
        await until(lambda: contactor_is(False))
    log = programs["rtu"].log
    assert "127.0.0.1:" in log
    assert ", over TLS, for the roles master, operator, viewer" in log
    assert "(operator: operator) may not write charge_enable: refused" in log
    assert "RTS1: stop_request off → on, written by 127.0.0.1:" in log
    assert "(master: master)" in log
    assert "(viewer: viewer) may not write (function " in programs["master"].log
    for program in programs.values():
        program.terminate()
        assert program.process.returncode == 0
        assert "Traceback" not in program.log


async def _is(device: Device, **wanted: object) -> bool:
    values = await device.read()
    return all(values[name] == value for name, value in wanted.items())


def test_a_station_without_its_certificates_is_one_clear_line_for_each(
    tmp_path: Path, site: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("rtu", tmp_path / "rts1.yaml") == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    for line, key, name in zip(
        lines, ("ca", "certificate", "key"), ("ca.crt", "RTS1.crt", "RTS1.key"), strict=True
    ):
        path = tmp_path / "certs" / name
        assert line.startswith(f"{tmp_path}/rts1.yaml:6: tls.{key}: {path} can't be read: no such file")
        assert line.endswith("; pev-scada certs init makes a site's certificates")
