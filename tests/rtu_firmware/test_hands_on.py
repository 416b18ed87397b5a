"""--self-test and --open-contactor as a person or systemd calls them: what they refuse, and how they end."""

import os
import pty
import socket
import subprocess
import sys

import pytest
from gpio_header import Contactor, GpioHeader
from processes import EXAMPLES, free_port, run

from modbus_link.errors import BadInput
from modbus_link.listen import Listen
from rtu_firmware.pi.hands_on import AtTerminal, open_at_once, refuse_while_it_runs, walk_through
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
    assert open_at_once(read_station(ON_A_PI)) == 0
    assert not contactor.coil_is_on
    assert header.edges_of(17) == [True, False]


def test_open_contactor_touches_no_other_pin(header: GpioHeader) -> None:
    header.broken = {22, 23, 24, 25, 27}
    assert open_at_once(read_station(ON_A_PI)) == 0
    assert header.level(17) is False


def test_a_contactor_that_could_not_be_opened_is_told(
    header: GpioHeader, capsys: pytest.CaptureFixture[str]
) -> None:
    header.broken = {17}
    assert open_at_once(read_station(ON_A_PI)) == 1
    assert "could not be opened: GPIO 17: the chip is gone" in capsys.readouterr().err


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


def test_a_question_at_a_terminal() -> None:
    """Asked again until it is answered; brackets are no markup."""
    program = f"from {AtTerminal.__module__} import AtTerminal; print(AtTerminal().agrees('Is [red] lit?'))"
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", program], stdin=theirs, stdout=subprocess.PIPE) as asks:
        os.write(ours, b"what\ny\n")
        out = asks.communicate(timeout=30)[0].decode()
    os.close(ours)
    os.close(theirs)
    assert out.count("Is [red] lit? [y/n]: ") == 2
    assert out.endswith("True\n")
