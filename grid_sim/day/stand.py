"""One station of a scenario: a real RTU on a simulated board, and the cars that come to it."""

import math
from dataclasses import dataclass

from grid_sim.day.model import Charged, Station, Visit
from master_scada.model import Circuit
from modbus_link.clock import Clock
from modbus_link.listen import Listen
from register_maps.register_map import load_map
from register_maps.vocabulary import LimitReason
from rtu_firmware.rtu import Rtu
from rtu_firmware.sim_board import SimBoard, Vehicle
from rtu_firmware.station_file import Failsafe, StationFile

FAILSAFE_SCANS = 4
"""A station waits for its master for so many scan periods, and for ten seconds at least."""
LEAST_FAILSAFE_S = 10


@dataclass(slots=True)
class SolvedLine:
    """The voltage at a station as the network was last solved: the `Line` of its board."""

    volts: float

    def voltage_v(self, power_w: float) -> float:
        return self.volts


class Stand:
    def __init__(self, station: Station, circuit: Circuit, scan_period_s: float, clock: Clock) -> None:
        self.line = SolvedLine(circuit.nominal_voltage_v)
        self.board = SimBoard(self.line, station.rated_power_w)
        self.rtu = Rtu(_file(station, circuit, scan_period_s), self.board, clock)
        self.visit: Visit | None = None

    def arrive(self, visit: Visit) -> None:
        self.visit = visit
        self.board.plug_in(Vehicle(battery=visit.battery, state_of_charge_pct=visit.state_of_charge_pct))
        self.rtu.step()

    def leave(self) -> Charged:
        self.rtu.step()  # what has flowed since it last measured counts, too
        assert self.visit is not None
        result = charged(self.visit, self.state_of_charge_pct)
        self.visit = None
        self.board.unplug()
        self.rtu.step()
        return result

    @property
    def state_of_charge_pct(self) -> float:
        """NaN without a car."""
        vehicle = self.board.vehicle
        return vehicle.state_of_charge_pct if vehicle else math.nan

    @property
    def metered_wh(self) -> float:
        """Ever, by the station's register."""
        value = self.rtu.image["total_energy"]
        return float(value) if isinstance(value, int | float) else 0.0


def charged(visit: Visit, state_of_charge_pct: float) -> Charged:
    room_wh = visit.battery.room_wh
    delivered_wh = room_wh(visit.state_of_charge_pct) - room_wh(state_of_charge_pct)
    return Charged(visit=visit, delivered_wh=delivered_wh, state_of_charge_pct=state_of_charge_pct)


def reason_codes() -> dict[LimitReason, int]:
    """As the registers number them."""
    values = load_map("pev_rtu").points["limit_reason"].values
    return {LimitReason(name): code for code, name in values.items()}


def _file(station: Station, circuit: Circuit, scan_period_s: float) -> StationFile:
    return StationFile(
        name=station.name,
        board="sim",
        listen=Listen(port=0),
        rated_power_w=station.rated_power_w,
        minimum_power_w=station.minimum_power_w,
        nominal_voltage_v=circuit.nominal_voltage_v,
        failsafe=Failsafe(timeout_s=max(LEAST_FAILSAFE_S, round(FAILSAFE_SCANS * scan_period_s))),
    )
