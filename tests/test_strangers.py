"""Other people's Modbus clients: they find points with `map show`, read and write them, and stop a car."""

import csv
import functools
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.metadata import version

import pytest
from processes import START_S, ExampleSite, run, wait_until
from strangers.in_python import ModbusTk, PyModbusTcp, UModbus
from strangers.programs import JsModbus, Libmodbus, Mbpoll, ModbusSerial
from strangers.stranger import Refused, Register, Stranger

MakeSite = Callable[..., ExampleSite]
EVERYBODY = [Mbpoll, Libmodbus, PyModbusTcp, UModbus, ModbusTk, ModbusSerial, JsModbus]


def these(*strangers: type[Stranger]) -> pytest.MarkDecorator:
    """Run the test with each of these."""
    return pytest.mark.parametrize("stranger", strangers, ids=lambda kind: kind.__name__, indirect=True)


@pytest.fixture
def stranger(request: pytest.FixtureRequest) -> type[Stranger]:
    kind: type[Stranger] = request.param
    if kind.missing():
        pytest.skip(f"needs {kind.missing()}")
    return kind


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a station without a master: starting one for each test would take too long."""
    site = ExampleSite(tmp_path_factory.mktemp("station"))
    try:
        site.start("RTS1")
        yield site.ports["RTS1"]
    finally:
        site.end()


@pytest.fixture
def station(running: int) -> int:
    """The same, with its session stopped, whatever the test before has left."""
    point = points("pev_rtu")
    with PyModbusTcp(running) as client:
        client.write(point["stop_request"], 1)
        wait_until(lambda: client.read(point["contactor_closed"]) == 0)
    return running


@functools.cache
def points(name: str, group: str = "") -> dict[str, Register]:
    """As a person finds them; of a group the points of its first member."""
    printed = run("map", "show", name, "--format", "csv").stdout
    return {
        row["name"]: Register(
            table=row["table"],
            address=int(row["address"]),
            kind=row["type"].replace("enum", "uint16"),
            scale=float(row["scale"]),
        )
        for row in csv.DictReader(io.StringIO(printed))
        if row["group"] == group
    }


@these(*EVERYBODY)
def test_a_stranger_reads_every_kind_of_value(station: int, stranger: type[Stranger]) -> None:
    point = points("pev_rtu")
    with stranger(station) as client:

        def read(name: str) -> float:
            return client.read(point[name])

        assert [read("stop_request"), read("vehicle_connected"), read("contactor_closed")] == [0, 1, 0]
        assert read("state") == 5  # finishing, because it was stopped
        assert read("voltage") == pytest.approx(110.0)
        assert read("state_of_charge") == pytest.approx(5.0, abs=0.3)
        assert [read("current"), read("power")] == [0, 0]
        assert [read("rated_power"), read("minimum_power")] == [3300, 1300]
        assert read("time_to_full") == 0xFFFF_FFFF  # it has no value


@these(*EVERYBODY)
def test_a_stranger_charges_a_car_and_stops_it(station: int, stranger: type[Stranger]) -> None:
    point = points("pev_rtu")
    with stranger(station) as client:

        def read(name: str) -> float:
            return client.read(point[name])

        client.write(point["master_heartbeat"], (read("master_heartbeat") + 1) % 0x10000)
        client.write(point["price"], -0.0123)
        client.write(point["power_limit"], 70_000)
        client.write(point["charge_enable"], 1)
        assert [read("power_limit"), read("charge_enable")] == [70_000, 1]
        assert read("price") == pytest.approx(-0.0123)

        client.write(point["start_request"], 1)
        wait_until(lambda: read("contactor_closed") == 1)
        wait_until(lambda: read("current") > 0)
        # 3300 W through the simulated line's 0.05 Ω take 1.5 V from the 110 V behind it.
        assert [read("power"), read("voltage")] == [3300, pytest.approx(108.5, abs=0.11)]
        assert read("current") == pytest.approx(3300 / 108.5, abs=0.1)

        client.write(point["stop_request"], 1)
        assert [read("user_stopped"), read("stop_request")] == [1, 0]
        wait_until(lambda: read("contactor_closed") == 0)
        wait_until(lambda: read("power") == 0)


@these(*EVERYBODY)
def test_a_stranger_is_told_why_it_is_refused(station: int, stranger: type[Stranger]) -> None:
    point = points("pev_rtu")
    nowhere = Register(table="input_register", address=900, kind="uint16")
    half_a_price = Register(table="holding_register", address=point["price"].address, kind="uint16")
    with stranger(station) as client:
        refused: list[tuple[Callable[..., object], tuple[object, ...], int]] = [
            (client.read, (nowhere,), 2),
            (client.write, (half_a_price, 0), 2),
            (client.write, (point["failsafe_timeout"], 0), 3),
            (client.write, (point["price"], 200_001), 3),
        ]
        for attempt, args, code in refused:
            with pytest.raises(Refused) as refusal:
                attempt(*args)
            assert refusal.value.code == code, args
        assert client.read(point["failsafe_timeout"]) == 10  # and the connection goes on


@these(*EVERYBODY)
def test_a_stranger_is_told_that_another_is_the_master(station: int, stranger: type[Stranger]) -> None:
    point = points("pev_rtu")
    with PyModbusTcp(station) as master, stranger(station) as client:
        master.write(point["limit_reason"], 1)
        with pytest.raises(Refused) as refusal:
            client.write(point["limit_reason"], 2)
        assert refusal.value.code == 6
        assert client.read(point["limit_reason"]) == 1
        client.write(point["stop_request"], 1)  # which anybody may


@these(Mbpoll, ModbusSerial)
def test_a_stranger_stops_a_car_beside_the_master(example_site: MakeSite, stranger: type[Stranger]) -> None:
    site, point = example_site(), points("pev_rtu")
    for name in ("RTS1", "RTS2", "master"):
        site.start(name)
    with stranger(site.ports["RTS1"]) as client:

        def read(name: str) -> float:
            return client.read(point[name])

        wait_until(lambda: read("contactor_closed") == 1 and read("power") > 0)
        assert read("power") == 3300
        assert read("voltage") == pytest.approx(108.5, abs=0.11)
        assert read("current") == pytest.approx(3300 / 108.5, abs=0.1)
        assert read("state_of_charge") == pytest.approx(5.0, abs=0.3)
        assert read("price") == pytest.approx(0.12)
        assert read("power_limit") == 3300

        client.write(point["stop_request"], 1)
        assert read("user_stopped") == 1
        wait_until(lambda: read("contactor_closed") == 0)
        assert read("power") == 0
        wait_until(
            lambda: read("charge_enable") == 0
        )  # the master has seen it, and takes its permission back


@these(Mbpoll, PyModbusTcp)
def test_a_stranger_reads_the_master(example_site: MakeSite, stranger: type[Stranger]) -> None:
    site, point, first = example_site(), points("pev_master"), points("pev_master", "station")
    closed = points("pev_rtu")["contactor_closed"]
    for name in ("RTS1", "RTS2", "master"):
        site.start(name)
    with stranger(site.ports["master"]) as client:
        wait_until(lambda: client.read(point["charging_count"]) == 1)
        assert client.read(point["station_count"]) == 2
        assert client.read(point["silent_count"]) == 0
        assert client.read(point["power"]) == 3300
        assert client.read(point["power_limit_in_force"]) == 5000
        assert client.read(point["lowest_voltage"]) == pytest.approx(108.5, abs=0.11)
        assert client.read(point["voltage_low_limit"]) == pytest.approx(104.5)
        assert client.read(point["price_limit"]) == pytest.approx(0.20)
        assert client.read(first["voltage"]) == pytest.approx(108.5, abs=0.11)
        assert client.read(first["power"]) == 3300
        assert client.read(first["state_of_charge"]) == pytest.approx(5.0, abs=0.3)
        assert client.read(first["allowed"]) == 1
        client.write(first["hold"], 1)
    # The operator holds the first station, and the second takes its place.
    with stranger(site.ports["RTS1"]) as one, stranger(site.ports["RTS2"]) as other:
        wait_until(lambda: one.read(closed) == 0)
        wait_until(lambda: other.read(closed) == 1)


@pytest.mark.parametrize(
    ("stranger", "how", "outstanding"),
    [(ModbusSerial, "at_once", 20), (JsModbus, "at_once", 20), (JsModbus, "queued", 1)],
    ids=["ModbusSerial", "JsModbus", "JsModbus-by-its-queue"],
    indirect=["stranger"],
)
def test_twenty_requests_at_once_are_answered_in_order(
    station: int, stranger: type[ModbusSerial | JsModbus], how: str, outstanding: int
) -> None:
    point = points("pev_rtu")
    with PyModbusTcp(station) as master:
        for name, value in {"limit_reason": 5, "price": 12.3456, "price_limit": -6.5432}.items():
            master.write(point[name], value)
        there = [master.get(Register(table="holding_register", address=n, kind="uint16")) for n in range(11)]
    first = point["limit_reason"].address
    spans = [(first + n % 4, 1 + n // 4) for n in range(20)]
    wanted = [there[start : start + count] for start, count in spans]
    assert len({tuple(words) for words in wanted}) == 20  # so that no answer passes for another
    with stranger(station) as client:
        answer = json.loads(client.ask("together", how, *(f"{start},{count}" for start, count in spans)))
    assert answer["answers"] == [[index, words] for index, words in enumerate(wanted)]
    assert answer["outstanding"] == outstanding


BASIC = {0: "pev-scada", 1: "pev_rtu", 2: version("pev-scada")}


@these(PyModbusTcp, ModbusSerial, JsModbus)
def test_a_stranger_learns_who_it_talks_to(station: int, stranger: type[PyModbusTcp | ModbusSerial]) -> None:
    with stranger(station) as client:
        basic, extended = client.identity(1), client.identity(3)
    assert basic == BASIC
    assert basic.items() <= extended.items()
    assert extended[6] == "RTS1"


@pytest.mark.skipif(shutil.which("nmap") is None, reason="needs nmap: apt-get install nmap")
def test_nmap_discovers_one_device_and_what_it_is(station: int) -> None:
    every_unit = ("--script-args", "modbus-discover.aggressive=true")
    command = ["nmap", "-sT", "-Pn", "-n", "-p", str(station), "--script", "+modbus-discover", *every_unit]
    done = subprocess.run(
        [*command, "127.0.0.1"], capture_output=True, text=True, timeout=START_S, check=True
    )
    unit = re.compile(
        r"""sid\ 0x(?P<unit>\w+):\ *\n
            [|_\ ]+ error:\ (?P<error>.*)\n
            (?:[|_\ ]+ Device\ identification:\ (?P<identity>.*))?""",
        re.VERBOSE,
    )
    this, *others = unit.finditer(done.stdout)
    # It asks for function 17 first, which is for serial lines alone.
    assert this.groups() == ("1", "ILLEGAL FUNCTION", " ".join(BASIC.values())), done.stdout
    assert len(others) == 245
    assert {(other["error"], other["identity"]) for other in others} == {
        ("GATEWAY TARGET DEVICE FAILED TO RESPOND", None)
    }
