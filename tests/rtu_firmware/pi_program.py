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

STATION = """
name: RTS1
board: pi
listen: {host: 127.0.0.1, port: %d}
rated_power_w: 60
minimum_power_w: 60
nominal_voltage_v: 12
failsafe: {timeout_s: 1, power_limit_w: 60, spread_s: 0}
pi:
  contactor: {pin: 17, closes_on: high}
  feedback: {pin: 27, closed_is: low}
  plug: {pin: 22, present_is: low}
  stop_button: {pin: 23, pressed_is: high}
  leds: {green: 24, red: 25}
  meter: {chip: ina226, shunt_ohm: 0.01, max_current_a: 8}
  battery: {gauge: max17048}
"""
"""It charges by itself, as no master is heard."""


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
