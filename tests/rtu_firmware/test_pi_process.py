"""Programs: how a station on a Pi ends, why it can't begin elsewhere, and what needs no Pi's library."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pi_program import STATION
from processes import EXAMPLES, START_S, free_port, run, wait_until

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture
def station(tmp_path: Path) -> Path:
    path = tmp_path / "station.yaml"
    path.write_text(STATION % free_port())
    return path


def pi_program(station: Path, *options: str) -> subprocess.Popen[bytes]:
    log = station.with_name("log").open("wb")
    report = station.with_name("report.json")
    command = [sys.executable, HERE / "pi_program.py", report, station, *options]
    path = os.pathsep.join(map(str, [HERE, HERE.parent, ROOT]))
    with log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": path})


@pytest.mark.parametrize(
    "signals",
    [(signal.SIGTERM, signal.SIGTERM), (signal.SIGHUP,), (signal.SIGTSTP, signal.SIGQUIT)],
    ids=["stopped", "connection broke", "keyboard"],
)
def test_a_signal_opens_the_contactor(station, signals):
    program = pi_program(station)
    try:
        log = station.with_name("log")
        wait_until(lambda: program.poll() is not None or "RTS1: charging" in log.read_text(), START_S)
        for number in signals:
            program.send_signal(number)
        assert program.wait(START_S) == 0, log.read_text()
    finally:
        program.kill()
    report = json.loads(station.with_name("report.json").read_text())
    assert report == {"edges": [True, False], "driven": True}


def test_a_program_that_forgets_its_board_opens_the_contactor(station):
    assert pi_program(station, "--forget").wait(START_S) == 3
    report = json.loads(station.with_name("report.json").read_text())
    assert report == {"edges": [True, False], "driven": True}


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("RPi.py", "", "install with the extra `pi`"),
        (
            "RPi/GPIO.py",
            "raise RuntimeError('This module can only be run on a Raspberry Pi!')",
            "Raspberry Pi",
        ),
    ],
)
def test_elsewhere_it_is_told_in_one_line(station, monkeypatch, file, text, told):
    """Without the library, and with it."""
    library = station.parent / "library" / file
    library.parent.mkdir(parents=True)
    library.write_text(text)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(station.parent / "library"), str(ROOT)]))
    ended = run("rtu", station)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("board: pi")
    assert ended.stderr.count("\n") == 1
    assert told in ended.stderr


WITHOUT_LIBRARIES = """
import importlib, pkgutil, sys
from pathlib import Path

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("RPi", "lgpio", "smbus2", "serial"):
            raise ModuleNotFoundError(f"{name} is not here", name=name)

sys.meta_path.insert(0, Blocked())
import rtu_firmware
for module in pkgutil.walk_packages(rtu_firmware.__path__, "rtu_firmware."):
    importlib.import_module(module.name)

from modbus_link.clock import Clock
from rtu_firmware.boards import open_board
from rtu_firmware.rtu import Rtu
from rtu_firmware.station_file import read_station
station = read_station(Path(sys.argv[1]))
rtu = Rtu(station, open_board(station, Clock()), Clock())
print(rtu.image["vehicle_connected"], rtu.image["voltage"])
"""


def test_firmware_and_simulated_board_need_neither_library():
    command = [sys.executable, "-c", WITHOUT_LIBRARIES, EXAMPLES / "rts1.yaml"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ended.stderr == ""
    assert ended.stdout == "True 110.0\n"
