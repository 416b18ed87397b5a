"""The board that a station's file names. There is no silent fall-back from one to another."""

from modbus_link.clock import Clock
from rtu_firmware.battery import Battery
from rtu_firmware.board import Board
from rtu_firmware.sim_board import ResistiveLine, SimBoard, Vehicle
from rtu_firmware.station_file import StationFile


def open_board(station: StationFile, clock: Clock) -> Board:
    """BadInput where this machine has no such board."""
    if station.board == "sim":
        return sim_board(station)
    from rtu_firmware.pi.board import open_pi_board

    return open_pi_board(station, clock)


def sim_board(station: StationFile) -> SimBoard:
    """The simulated board that a station file describes."""
    line = ResistiveLine(
        source_voltage_v=station.nominal_voltage_v, resistance_ohm=station.line.resistance_ohm
    )
    board = SimBoard(line, station.rated_power_w)
    if station.vehicle:
        battery = Battery(capacity_wh=station.vehicle.capacity_kwh * 1000, max_power_w=station.rated_power_w)
        board.plug_in(Vehicle(battery=battery, state_of_charge_pct=station.vehicle.state_of_charge))
    return board
