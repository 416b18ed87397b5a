"""Other people's Modbus clients: they find the points with `map show`, read them, and stop a session."""

import csv
import io
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Protocol

import pytest
from processes import START_S, ExampleSite, run, wait_until
from pyModbusTCP.client import ModbusClient as PyModbusTcp
from pyModbusTCP.utils import get_2comp, word_list_to_long

MakeSite = Callable[..., ExampleSite]
Row = dict[str, str]


class Stranger(Protocol):
    def read(self, port: int, row: Row) -> float: ...

    def set_coil(self, port: int, row: Row) -> None: ...


MBPOLL_TABLES = {"coil": "0", "discrete_input": "1", "input_register": "3", "holding_register": "4"}


class Mbpoll:
    """The command of that name, a program in C on libmodbus."""

    def read(self, port: int, row: Row) -> float:
        kind = MBPOLL_TABLES[row["table"]] + (":int" if row["words"] == "2" else "")
        printed = self._run(port, "-B", "-t", kind, "-r", row["address"], "-c", "1", "127.0.0.1")
        found = re.search(rf"^\[{row['address']}\]:\s+(-?\d+)", printed, re.MULTILINE)
        assert found, printed
        return int(found[1]) * float(row["scale"])

    def set_coil(self, port: int, row: Row) -> None:
        self._run(port, "-t", "0", "-r", row["address"], "127.0.0.1", "1")

    def _run(self, port: int, *args: str) -> str:
        command = ["mbpoll", "-m", "tcp", "-p", str(port), "-0", "-1", "-o", "5", *args]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_S, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


class PyModbusTcpClient:
    """A library in pure Python."""

    def read(self, port: int, row: Row) -> float:
        client = self._client(port)
        calls = {
            "coil": client.read_coils,
            "discrete_input": client.read_discrete_inputs,
            "input_register": client.read_input_registers,
            "holding_register": client.read_holding_registers,
        }
        words = calls[row["table"]](int(row["address"]), int(row["words"]))
        client.close()
        assert words is not None, client.last_error_as_txt
        raw = word_list_to_long(words)[0] if row["words"] == "2" else int(words[0])
        bits = 16 * int(row["words"])
        return (get_2comp(raw, bits) if row["type"].startswith("int") else raw) * float(row["scale"])

    def set_coil(self, port: int, row: Row) -> None:
        client = self._client(port)
        assert client.write_single_coil(int(row["address"]), True), client.last_error_as_txt
        client.close()

    def _client(self, port: int) -> PyModbusTcp:
        return PyModbusTcp("127.0.0.1", port, timeout=5)


@pytest.fixture(params=["mbpoll", "pyModbusTCP"])
def stranger(request: pytest.FixtureRequest) -> Stranger:
    if request.param == "pyModbusTCP":
        return PyModbusTcpClient()
    if shutil.which("mbpoll") is None:
        pytest.skip("needs mbpoll: apt-get install mbpoll")
    return Mbpoll()


def points(name: str, group: str = "") -> dict[str, Row]:
    """As a person finds them; of a group the points of its first member."""
    printed = run("map", "show", name, "--format", "csv").stdout
    return {row["name"]: row for row in csv.DictReader(io.StringIO(printed)) if row["group"] == group}


def test_a_stranger_reads_and_stops_a_station(example_site: MakeSite, stranger: Stranger) -> None:
    site, point = example_site(), points("pev_rtu")
    site.start("RTS1")
    site.start("RTS2")
    site.start("master")
    port = site.ports["RTS1"]

    def read(name: str) -> float:
        return stranger.read(port, point[name])

    wait_until(lambda: read("contactor_closed") == 1 and read("power") > 0)
    # 3300 W through the simulated line's 0.05 Ω take 1.5 V from the 110 V behind it.
    assert read("power") == 3300
    assert read("voltage") == pytest.approx(108.5, abs=0.11)
    assert read("current") == pytest.approx(3300 / 108.5, abs=0.1)
    assert read("state_of_charge") == pytest.approx(5.0, abs=0.3)
    assert read("price") == pytest.approx(0.12)
    assert read("power_limit") == 3300

    stranger.set_coil(port, point["stop_request"])
    assert read("user_stopped") == 1
    wait_until(lambda: read("contactor_closed") == 0)
    assert read("power") == 0
    wait_until(lambda: read("charge_enable") == 0)  # the master has seen it, and takes its permission back


def test_a_stranger_reads_the_master(example_site: MakeSite, stranger: Stranger) -> None:
    site, point, first = example_site(), points("pev_master"), points("pev_master", "station")
    closed = points("pev_rtu")["contactor_closed"]
    site.start("RTS1")
    site.start("RTS2")
    site.start("master")
    port = site.ports["master"]

    def read(row: Row) -> float:
        return stranger.read(port, row)

    wait_until(lambda: read(point["charging_count"]) == 1)
    assert read(point["station_count"]) == 2
    assert read(point["silent_count"]) == 0
    assert read(point["power"]) == 3300
    assert read(point["power_limit_in_force"]) == 5000
    assert read(point["lowest_voltage"]) == pytest.approx(108.5, abs=0.11)
    assert read(point["voltage_low_limit"]) == pytest.approx(104.5)
    assert read(point["price_limit"]) == pytest.approx(0.20)
    assert read(first["voltage"]) == pytest.approx(108.5, abs=0.11)
    assert read(first["power"]) == 3300
    assert read(first["state_of_charge"]) == pytest.approx(5.0, abs=0.3)
    assert read(first["allowed"]) == 1

    stranger.set_coil(port, first["hold"])
    # The operator holds the first station, and the second takes its place.
    wait_until(lambda: stranger.read(site.ports["RTS1"], closed) == 0)
    wait_until(lambda: stranger.read(site.ports["RTS2"], closed) == 1)
