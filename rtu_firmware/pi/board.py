"""The station's hardware on a Raspberry Pi: contactor, contacts, lamps, Stop button and sensors."""

from modbus_link.clock import Clock
from rtu_firmware.board import Board
from rtu_firmware.station_file import StationFile


def open_pi_board(station: StationFile, clock: Clock) -> Board:
    """BadInput where this machine is no Pi, or lacks a library; contactor open from the first moment on."""
    raise NotImplementedError
