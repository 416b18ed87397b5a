"""A simulated board: a vehicle with its battery, a contactor with feedback, the line it hangs on.

It ships with the product, because a master can be tried out and taught with it. Faults are staged by
setting `faults`.
"""

import math
from dataclasses import dataclass
from typing import Protocol

from register_maps.vocabulary import ChargeState
from rtu_firmware.battery import Battery
from rtu_firmware.board import Measurement

CONTACTOR_TIME_S = 0.05
"""From the order until the contacts and the feedback have moved."""


@dataclass(slots=True, kw_only=True)
class Vehicle:
    battery: Battery
    state_of_charge_pct: float


class Line(Protocol):
    """What stands upstream of the station."""

    def voltage_v(self, power_w: float) -> float:
        """The voltage at the station while it draws `power_w`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ResistiveLine:
    """A stiff source behind one resistance."""

    source_voltage_v: float
    resistance_ohm: float

    def voltage_v(self, power_w: float) -> float:
        """Of the two solutions of V = source - R·P/V the upper one; at most what the line can carry."""
        half = self.source_voltage_v / 2
        return half + math.sqrt(max(0.0, half**2 - self.resistance_ohm * power_w))


@dataclass(slots=True, kw_only=True)
class StagedFaults:
    welded: bool = False
    """The contactor does not open any more."""
    stuck_open: bool = False
    """The contactor does not close any more."""
    sensor_dead: bool = False
    """Voltage, current and power can't be read."""
    frozen: bool = False
    """The sensors give the last values for ever, with the time at which they were true."""


class SimBoard:
    def __init__(self, line: Line, rated_power_w: float, vehicle: Vehicle | None = None) -> None:
        self.line = line
        self.vehicle = vehicle
        self.faults = StagedFaults()
        self._rated_power_w = rated_power_w
        self._power_limit_w = 0.0
        self._closed = False
        self._ordered = False
        self._moves_at = 0.0
        self._advanced_to: float | None = None
        self._measured_at: float | None = None
        self._flowed_wh = 0.0
        self._last: Measurement | None = None
        self.switchings = 0
        """How often the contacts have moved."""

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def is_moving(self) -> bool:
        """The contactor has an order that it has not followed yet."""
        return self._closed != self._ordered

    @property
    def power_w(self) -> float:
        """What the vehicle draws now."""
        if not self._closed or self.vehicle is None:
            return 0.0
        accepted = self.vehicle.battery.accepted_power_w(self.vehicle.state_of_charge_pct)
        return min(accepted, self._power_limit_w, self._rated_power_w)

    def measure(self, now: float) -> Measurement:
        """Power is the mean since the last measurement, as meters tell it: then no energy goes uncounted."""
        self.advance(now)
        if self.faults.frozen and self._last is not None:
            return self._last
        power_w = self._mean_power_w(now)
        voltage_v = self.line.voltage_v(power_w)
        dead, car = self.faults.sensor_dead, self.vehicle
        self._last = Measurement(
            at=now,
            vehicle_connected=car is not None,
            contactor_closed=self._closed,
            voltage_v=None if dead else voltage_v,
            current_a=None if dead else power_w / voltage_v if voltage_v else 0.0,
            power_w=None if dead else power_w,
            state_of_charge_pct=car.state_of_charge_pct if car else None,
            battery_capacity_wh=car.battery.capacity_wh if car else None,
        )
        return self._last

    def switch(self, closed: bool, now: float) -> None:
        self.advance(now)
        if closed != self._ordered:
            self._ordered, self._moves_at = closed, now + CONTACTOR_TIME_S

    def limit_power(self, power_w: float, now: float) -> None:
        self.advance(now)
        self._power_limit_w = power_w

    def indicate(self, state: ChargeState, now: float) -> None:
        """It has no lamps: the screen shows it."""

    def close(self) -> None:
        self._ordered = self._closed = False

    def plug_in(self, vehicle: Vehicle) -> None:
        self.vehicle = vehicle

    def unplug(self) -> None:
        self.vehicle = None

    def advance(self, now: float) -> None:
        """Let the time since the last call pass: charge first, then move the contacts."""
        elapsed_s = 0.0 if self._advanced_to is None else now - self._advanced_to
        if self.vehicle:
            battery, charge_pct = self.vehicle.battery, self.vehicle.state_of_charge_pct
            energy_wh = min(self.power_w * elapsed_s / 3600, battery.room_wh(charge_pct))
            self.vehicle.state_of_charge_pct = battery.charged(charge_pct, energy_wh)
            self._flowed_wh += energy_wh
        self._advanced_to = now
        if self.is_moving and now >= self._moves_at:
            blocked = self.faults.stuck_open if self._ordered else self.faults.welded
            if not blocked:
                self._closed = self._ordered
                self.switchings += 1

    def _mean_power_w(self, now: float) -> float:
        """What flows now, where there is no time to take a mean of, or the contacts have moved in it."""
        elapsed_s = 0.0 if self._measured_at is None else now - self._measured_at
        same = self._last is not None and self._last.contactor_closed and self._closed
        mean_w = self._flowed_wh * 3600 / elapsed_s if same and elapsed_s > 0 else self.power_w
        self._measured_at, self._flowed_wh = now, 0.0
        return mean_w
