"""--self-test and --open-contactor as a person or systemd calls them: what they refuse, and how they end."""

import contextlib
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpio_header import Contactor, GpioHeader
from processes import EXAMPLES, START_S, free_port, run

from modbus_link.errors import BadInput
from modbus_link.listen import Listen
from register_maps.yaml_file import BadFile
from rtu_firmware.pi.open_contactor import open_at_once
from rtu_firmware.pi.self_test.hands_on import refuse_while_it_runs, walk_through
from rtu_firmware.station_file import read_station

SIMULATED, ON_A_PI = EXAMPLES / "rts1.yaml", EXAMPLES / "pi.yaml"


@pytest.fixture
def header(monkeypatch: pytest.MonkeyPatch) -> GpioHeader:
    """In the place of the library."""
    found = GpioHeader(lambda: 0.0)
    monkeypatch.setitem(sys.modules, "RPi", type(sys)("RPi"))
    monkeypatch.setitem(sys.modules, "RPi.GPIO", found)
    monkeypatch.setattr(sys.modules["RPi"], "GPIO", found, raising=False)
    return found


def test_open_contactor_opens_what_a_killed_process_left_closed(header: GpioHeader) -> None:
    header.setmode(header.BCM)
    header.setup(17, header.OUT, initial=header.HIGH)
    contactor = Contactor(header, 17)
    assert contactor.coil_is_on
    assert open_at_once(ON_A_PI) == 0
    assert not contactor.coil_is_on
    assert header.edges_of(17) == [True, False]


def test_open_contactor_touches_no_other_pin(header: GpioHeader) -> None:
    header.broken = {22, 23, 24, 25, 27}
    assert open_at_once(ON_A_PI) == 0
    assert header.level(17) is False


def test_a_contactor_that_could_not_be_opened_is_told(
    header: GpioHeader, capsys: pytest.CaptureFixture[str]
) -> None:
    header.broken = {17}
    assert open_at_once(ON_A_PI) == 1
    assert "could not be opened: GPIO 17: the chip is gone" in capsys.readouterr().err


def test_a_file_that_was_made_wrong_meanwhile_keeps_no_contactor_closed(
    header: GpioHeader, tmp_path: Path
) -> None:
    path = tmp_path / "station.yaml"
    path.write_text(ON_A_PI.read_text().replace("rated_power_w", "ratedpower") + "\nnonsense: [1, 2]\n")
    with pytest.raises(BadFile):
        read_station(path)
    header.setmode(header.BCM)
    header.setup(17, header.OUT, initial=header.HIGH)
    assert open_at_once(path) == 0
    assert header.level(17) is False


@pytest.mark.parametrize(
    "text",
    [
        "board: pi",
        "board: pi\npi: [",
        "board: pi\npi: {contactor: {closes_on: high}}",
        "board: pi\npi: {contactor: {pin: 17, closes_on: up}}",
        "board: pi\npi: {contactor: {pin: true, closes_on: high}}",
        "",
    ],
)
def test_a_file_that_names_no_pin_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "station.yaml"
    path.write_text(text)
    done = run("rtu", path, "--open-contactor")
    assert done.returncode == 2
    assert done.stderr.startswith(f"{path}: ")
    assert "Traceback" not in done.stderr


def test_open_contactor_of_a_simulated_station_does_nothing() -> None:
    done = run("rtu", SIMULATED, "--open-contactor")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_self_test_needs_a_terminal() -> None:
    done = run("rtu", ON_A_PI, "--self-test")
    assert done.returncode == 2
    assert done.stderr == "--self-test asks questions: run it in a terminal\n"


def test_a_self_test_needs_a_pi() -> None:
    with pytest.raises(BadInput, match="--self-test is for board: pi"):
        walk_through(read_station(SIMULATED))


def test_no_self_test_beside_a_running_station() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(
            BadInput, match=rf"something serves 0\.0\.0\.0 port {port} already.*systemctl stop"
        ):
            refuse_while_it_runs(Listen(host="0.0.0.0", port=port))
    refuse_while_it_runs(Listen(host="127.0.0.1", port=free_port()))


STARTS = """
import sys
from gpio_header import GpioHeader
from rtu_firmware.pi.self_test.hands_on import walk_through
from rtu_firmware.station_file import read_station
from pathlib import Path
header = GpioHeader(lambda: 0.0)
sys.modules["RPi"] = type(sys)("RPi")
sys.modules["RPi"].GPIO = sys.modules["RPi.GPIO"] = header
code = walk_through(read_station(Path(sys.argv[1])))
print("the pin is", header.level(17), "and was", header.edges_of(17))
sys.exit(code)
"""


@pytest.fixture
def asks(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A self-test at a terminal, and our end of it."""
    station = tmp_path / "station.yaml"
    station.write_text(ON_A_PI.read_text().replace("port: 502", f"port: {free_port()}"))
    ours, theirs = pty.openpty()
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    command = [sys.executable, "-c", STARTS, str(station)]
    environment = os.environ | {"PYTHONPATH": path}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as program:
        try:
            yield program, ours
        finally:
            program.kill()
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGTSTP])
def test_no_key_leaves_the_relay_closed(asks: tuple[subprocess.Popen[bytes], int], number: int) -> None:
    program, terminal = asks
    told = b""
    while b"[y/n]" not in told:
        told += os.read(terminal, 10_000)
    ends_at = time.monotonic() + START_S
    while program.poll() is None and time.monotonic() < ends_at:
        program.send_signal(
            number
        )  # one that comes just before the wait for a key is not seen: a second one is
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(timeout=1)
    assert program.wait(timeout=0) == 1
    told = os.read(terminal, 10_000)
    assert b"The relay is ordered open." in told
    assert b"the pin is False" in told


def test_at_a_terminal_it_asks_until_it_is_answered(asks: tuple[subprocess.Popen[bytes], int]) -> None:
    program, terminal = asks
    os.write(terminal, b"what\nn\n")
    assert program.wait(timeout=START_S) == 1
    told = os.read(terminal, 10_000).decode()
    assert told.count("[y/n]") == 2
    assert "Nothing was tested." in told
    assert "The relay is ordered open." in told
    assert "the pin is False and was []" in told
