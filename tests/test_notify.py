"""What a service tells systemd, at the other end of its socket."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import free_port

from modbus_link.notify import Notify

STATION = """
name: RTS1
board: sim
listen: {port: 0}
rated_power_w: 3300
minimum_power_w: 1300
"""


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "notify"))
        end.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "5000000")
        yield end


def told(end: socket.socket) -> list[str]:
    return end.recv(1000).decode().splitlines()


def test_ready_is_told_once_and_life_now_and_then(systemd: socket.socket) -> None:
    notify = Notify(0.1)
    for _ in range(1000):
        notify.alive()
    assert told(systemd) == ["READY=1", "WATCHDOG=1"]
    systemd.setblocking(False)
    with pytest.raises(BlockingIOError):
        systemd.recv(1000)


def heard(end: socket.socket) -> list[str] | None:
    try:
        return told(end)
    except TimeoutError:
        return None


@pytest.mark.parametrize(("turn_s", "longer"), [(1.0, []), (60.0, ["WATCHDOG_USEC=240000000"])])
def test_a_watchdog_waits_for_some_slow_turns(
    systemd: socket.socket, turn_s: float, longer: list[str]
) -> None:
    Notify(turn_s).alive()
    assert told(systemd) == ["READY=1", "WATCHDOG=1", *longer]


def test_without_a_watchdog_none_is_asked_for(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WATCHDOG_USEC")
    Notify(60.0).alive()
    assert told(systemd) == ["READY=1", "WATCHDOG=1"]


@pytest.mark.parametrize("name", ["", "/nowhere/notify", "@nobody-listens-here"])
def test_nobody_who_listens_is_no_trouble(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    Notify(0.1).alive()


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5"])
def test_a_watchdog_without_a_number_is_none(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", text)
    Notify(60.0).alive()
    assert told(systemd) == ["READY=1", "WATCHDOG=1"]


WITHOUT_FILES = """
import resource
from modbus_link.notify import Notify
notify = Notify(0.1)
resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
notify.alive()
"""


def test_no_file_to_be_had_is_no_trouble(systemd: socket.socket) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", WITHOUT_FILES], check=True, env=environment)


def test_a_station_tells_of_itself_and_a_hung_one_does_not(systemd: socket.socket, tmp_path: Path) -> None:
    path = tmp_path / "station.yaml"
    path.write_text(STATION.replace("port: 0", f"port: {free_port()}"))
    with subprocess.Popen(
        [sys.executable, "-m", "pev_scada", "rtu", str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            assert told(systemd) == ["READY=1", "WATCHDOG=1"]
            assert told(systemd) == ["WATCHDOG=1"]
            process.send_signal(signal.SIGSTOP)
            systemd.settimeout(1.2)
            while (datagram := heard(systemd)) is not None:
                assert datagram == ["WATCHDOG=1"]  # sent before it was stopped
        finally:
            process.kill()
