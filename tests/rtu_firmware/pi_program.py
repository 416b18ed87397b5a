"""`pev-scada rtu STATION.yaml` over the doubles of a Pi, as a program: how it ends can only be seen from
outside. `pi_program.py REPORT.json STATION.yaml` writes, as its last act, what the contactor's pin has seen.

With --forget it closes the contactor and leaves without another word.
"""

import atexit
import json
import sys
from pathlib import Path

import pytest
from pi_hardware import CONTACTOR, Hardware

import pev_scada
from modbus_link.clock import Clock
from rtu_firmware.boards import open_board
from rtu_firmware.station_file import read_station


def main(report: Path, station: Path, *options: str) -> None:
    clock = Clock()
    hardware = Hardware(clock)
    hardware.install(pytest.MonkeyPatch())

    def write_report() -> None:
        header = hardware.header
        driven = header.gpio_function(CONTACTOR) == header.OUT
        report.write_text(json.dumps({"edges": hardware.ordered, "driven": driven}))

    atexit.register(write_report)  # which comes after what is registered later
    if "--forget" in options:
        open_board(read_station(station), clock).switch(True, clock.now())
        sys.exit(3)
    sys.argv = ["pev-scada", "rtu", str(station)]
    pev_scada.main()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
