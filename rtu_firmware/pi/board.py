"""The station's hardware on a Raspberry Pi: contactor, contacts, lamps, Stop button and sensors."""

import atexit
import logging

from modbus_link.clock import Clock
from modbus_link.errors import BadInput
from modbus_link.line_limit import LineLimit
from register_maps.vocabulary import ChargeState
from rtu_firmware.board import Board, Measurement
from rtu_firmware.pi.gpio import PinError, open_gpio
from rtu_firmware.pi.guard import Guard, Guarded, Watch
from rtu_firmware.pi.pins import Pins
from rtu_firmware.pi.sensing import Sample, Sensing
from rtu_firmware.pi.sensors import open_sensors
from rtu_firmware.station_file import StationFile

log = logging.getLogger(__name__)

GREEN = {ChargeState.PREPARING, ChargeState.CHARGING, ChargeState.SUSPENDED_EV}
RED = {ChargeState.SUSPENDED_EVSE, ChargeState.FINISHING}
SILENT_S = 2.0
"""A bus that hangs raises no error: what is older is a fault of the charging logic's, and needs a reason."""


class PiBoard:
    """`sensing` has the meter, and may have a gauge at the vehicle's battery. Nothing runs before `start`."""

    def __init__(self, pins: Pins, sensing: Sensing, clock: Clock) -> None:
        now = clock.now()
        self._pins, self.sensing = pins, sensing
        self.guard = Guard(pins.drive_contactor, pins.contacts(), now)
        self.watch = Watch(self.guard, pins, clock)
        self._plugged_at: float | None = None
        self._trouble = ""
        self._lines = LineLimit(log)
        self._lit: tuple[bool, bool] | None = None

    def start(self) -> None:
        """Returns with the first values, or without them after a second."""
        atexit.register(self.close)
        self.watch.start()
        self.sensing.start()

    def measure(self, now: float) -> Measurement:
        guarded = self.guard.tell()
        meter, gauge = self._samples(guarded, now)
        ages_from = [guarded.at, meter.at, *([gauge.at] if gauge else [])]
        troubles = [guarded.tripped, _trouble("meter", meter, now), _trouble("gauge", gauge, now)]
        trouble = "; ".join(filter(None, troubles))
        self._log_trouble(trouble)
        return Measurement(
            at=min(ages_from),
            vehicle_connected=guarded.contacts.vehicle_connected,
            contactor_closed=guarded.contacts.contactor_closed,
            voltage_v=meter.values.voltage_v,
            current_a=meter.values.current_a,
            power_w=meter.values.power_w,
            state_of_charge_pct=gauge.values.state_of_charge_pct if gauge else None,
            stop_pressed=guarded.stopped,
            tripped=bool(guarded.tripped),
            trouble=trouble,
        )

    def switch(self, closed: bool, now: float) -> None:
        self.guard.order(closed, now)

    def limit_power(self, power_w: float, now: float) -> None:
        """It can only switch."""

    def indicate(self, state: ChargeState, now: float) -> None:
        blinks_on = state is ChargeState.FAULTED and now % 1.0 < 0.5
        lit = (state in GREEN, state in RED or blinks_on)
        if lit != self._lit:
            self._light(lit)

    def close(self) -> None:
        atexit.unregister(self.close)
        self.guard.end()
        self.watch.close()
        self.sensing.close()
        self._light((False, False))

    def _samples(self, guarded: Guarded, now: float) -> tuple[Sample, Sample | None]:
        """The meter's, and the gauge's where there is a vehicle that it sits in."""
        meter, *gauges = self.sensing.samples
        if not guarded.contacts.vehicle_connected:
            self._plugged_at = None
            return meter, None
        if self._plugged_at is None:
            self._plugged_at = now
        return meter, _since(self._plugged_at, gauges[0]) if gauges else None

    def _light(self, lit: tuple[bool, bool]) -> None:
        green, red = lit
        try:
            self._pins.light(green=green, red=red)
            self._lit = lit
        except PinError as error:
            self.guard.trip(str(error))

    def _log_trouble(self, trouble: str) -> None:
        """Once, and not with every touch of a loose wire."""
        if trouble and trouble != self._trouble:
            self._lines.warning("board", trouble, trouble)
        elif self._trouble and not trouble:
            self._lines.info("board", "well", "pins and sensors are well again")
        self._trouble = trouble


def _trouble(name: str, sample: Sample | None, now: float) -> str:
    if sample is None or sample.trouble or now - sample.at <= SILENT_S:
        return sample.trouble if sample else ""
    return f"{name}: nothing new for {SILENT_S:g} s: does its bus hang?"


def _since(plugged_at: float, gauge: Sample) -> Sample:
    """A gauge has time to answer once its vehicle is there; until then its values are of the one before."""
    if gauge.at >= plugged_at:
        return gauge
    return Sample(at=plugged_at, trouble=gauge.trouble)


def open_pi_board(station: StationFile, clock: Clock) -> Board:
    """BadInput where this machine is no Pi, or lacks a library; contactor open from the first moment on."""
    assert station.pi is not None
    try:
        pins = Pins(station.pi, open_gpio())
        sensors = open_sensors(station.pi, station.nominal_voltage_v, clock)
        board = PiBoard(pins, Sensing([one for one in sensors if one], clock), clock)
    except PinError as error:
        raise BadInput(f"board: pi: {error}: does another program use it?") from error
    board.start()
    return board
