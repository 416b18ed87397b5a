"""What a self-test works with: the pins, the sensors, the installer, and the wiring as far as it is known."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, Protocol

from modbus_link.clock import Clock
from rtu_firmware.pi.gpio import Gpio
from rtu_firmware.pi.i2c import Bus, open_bus
from rtu_firmware.pi.pins import Pins
from rtu_firmware.pi.self_test.known_chips import find_chips
from rtu_firmware.pi.sensing import Sensed, Sensor, SensorError
from rtu_firmware.pi.sensors import open_sensors
from rtu_firmware.pi.wiring import Level, PiWiring
from rtu_firmware.station_file import StationFile

LOOK_EVERY_S = 0.005
READ_EVERY_S, READ_WITHIN_S = 0.2, 2.0
"""A chip that has just got its power needs some time."""
ContactName = Literal["feedback", "plug", "stop_button"]
ACTIVE_KEY: dict[ContactName, str] = {
    "feedback": "closed_is",
    "plug": "present_is",
    "stop_button": "pressed_is",
}


class Installer(Protocol):
    """Who stands at the bench."""

    def tell(self, text: str) -> None: ...

    def show(self, lines: str) -> None:
        """As they are, to be copied."""
        ...

    def agrees(self, question: str) -> bool: ...


class Outcome(StrEnum):
    PASSED = "in order"
    FAILED = "wrong"
    SKIPPED = "not tested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one step has seen, and what to do about it where that is not in order."""

    what: str
    outcome: Outcome
    seen: str
    remedy: str = ""


class Bench:
    """The contactor is open from here on. `wiring` begins as in the station's file; a step corrects what it
    has found to be otherwise."""

    def __init__(
        self,
        station: StationFile,
        wiring: PiWiring,
        gpio: Gpio,
        installer: Installer,
        *,
        clock: Clock,
        bus: Callable[[int], Bus] = open_bus,
    ) -> None:
        self.station, self.gpio, self.installer, self.clock = station, gpio, installer, clock
        self._new_bus = bus
        self._set_up(wiring)

    def _set_up(self, wiring: PiWiring) -> None:
        self.wiring = wiring
        self._pins = Pins(wiring, self.gpio)
        nominal_v = self.station.nominal_voltage_v
        self.meter, self.gauge = open_sensors(wiring, nominal_v, self.clock, self._new_bus)

    def rewire(self, wiring: PiWiring) -> None:
        """As it was found to be."""
        self.close()
        self._set_up(wiring)

    def close(self) -> None:
        for sensor in filter(None, (self.meter, self.gauge)):
            sensor.close()

    def chips(self) -> dict[int, str]:
        """Those on the bus, wherever they are."""
        with closing(self._new_bus(self.wiring.i2c_bus)) as bus:
            return find_chips(bus)

    def order(self, *, closed: bool) -> None:
        self._pins.drive_contactor(closed)

    def pin(self, contact: ContactName) -> int:
        pin: int = getattr(self.wiring, contact).pin
        return pin

    def level(self, contact: ContactName) -> Level:
        return "high" if self.gpio.read(self.pin(contact)) else "low"

    def is_active(self, contact: ContactName) -> bool:
        """Closed, plugged in, or pressed."""
        return self.level(contact) == active_level(self.wiring, contact)

    @property
    def no_power_w(self) -> float:
        """What may be measured where none flows, as the charging logic has it."""
        return self.station.ratings.noise_w

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep_until(self.clock.now() + seconds)

    async def wait_for(self, condition: Callable[[], bool], within_s: float) -> float | None:
        """How long it took, None where it has not come."""
        began = self.clock.now()
        while not condition():
            if self.clock.now() - began > within_s:
                return None
            await self.sleep(LOOK_EVERY_S)
        return self.clock.now() - began

    async def read(self, sensor: Sensor) -> Sensed:
        """SensorError where it gives nothing for some time."""
        until = self.clock.now() + READ_WITHIN_S
        while True:
            try:
                return await sensor.read()
            except SensorError:
                if self.clock.now() >= until:
                    raise
            await self.sleep(READ_EVERY_S)


def active_level(wiring: PiWiring, name: ContactName) -> Level:
    """The one that means closed, plugged in, or pressed."""
    level: Level = getattr(getattr(wiring, name), ACTIVE_KEY[name])
    return level


def turned(wiring: PiWiring, name: ContactName) -> PiWiring:
    """With this contact read the other way round."""
    level = other(active_level(wiring, name))
    changes = {name: replace(getattr(wiring, name), **{ACTIVE_KEY[name]: level})}
    return replace(wiring, **changes)


def other(level: Level) -> Level:
    return "low" if level == "high" else "high"
