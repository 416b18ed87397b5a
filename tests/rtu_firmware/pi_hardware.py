"""What is wired to a Pi on a bench, all of it doubles: a header, two chips on the I²C bus, a contactor, a
plug and a Stop button. The firmware runs over it as it is shipped."""

import sys
from dataclasses import dataclass

import pytest
from gpio_header import Contact, Contactor, GpioHeader
from i2c_chips import Ina226Chip
from i2c_gauge import Cell, Max17048Chip
from i2c_wires import I2cWires

from modbus_link.clock import Clock
from modbus_link.listen import Listen
from rtu_firmware.pi.wiring import Contactor as ContactorWiring
from rtu_firmware.pi.wiring import Feedback, Gauge, Ina226, Leds, PiWiring, Plug, StopButton
from rtu_firmware.station_file import Failsafe, StationFile

CONTACTOR, FEEDBACK, PLUG, STOP, GREEN, RED = 17, 27, 22, 23, 24, 25
METER, GAUGE = 0x40, 0x36
SUPPLY_V, LINE_OHM, DRAWS_A = 12.0, 0.05, 4.0


def station_file(**changes: object) -> StationFile:
    wiring = PiWiring(
        contactor=ContactorWiring(pin=CONTACTOR, closes_on="high"),
        feedback=Feedback(pin=FEEDBACK, closed_is="low"),
        plug=Plug(pin=PLUG, present_is="low"),
        stop_button=StopButton(pin=STOP, pressed_is="high"),
        leds=Leds(green=GREEN, red=RED),
        meter=Ina226(chip="ina226", address=METER, shunt_ohm=0.01, max_current_a=8.0),
        battery=Gauge(gauge="max17048", address=GAUGE),
    )
    settings = {
        "name": "RTS1",
        "board": "pi",
        "listen": Listen(port=0),
        "rated_power_w": 60,
        "minimum_power_w": 60,
        "nominal_voltage_v": SUPPLY_V,
        "failsafe": Failsafe(timeout_s=10),
        "pi": wiring,
    }
    return StationFile(**(settings | changes))


@dataclass
class Network:
    """What the power monitor is wired to: a supply, a thin cable, and the vehicle behind the contactor."""

    contactor: Contactor
    plug: Contact
    source_v: float = SUPPLY_V

    @property
    def current_a(self) -> float:
        return DRAWS_A if self.contactor.is_closed() and self.plug.is_made else 0.0

    @property
    def voltage_v(self) -> float:
        return self.source_v - LINE_OHM * self.current_a


class Hardware:
    """All that is not firmware. Its Stop button breaks its circuit to ground."""

    def __init__(self, clock: Clock) -> None:
        self.header = GpioHeader(clock.now)
        self.contactor = Contactor(self.header, CONTACTOR)
        self.plug = Contact(now=clock.now, is_made=True)
        self.stop = Contact(now=clock.now, is_made=True, bounce_s=0.01)
        self.header.connect(FEEDBACK, self.contactor.feedback)
        self.header.connect(PLUG, self.plug.wire)
        self.header.connect(STOP, self.stop.wire)
        self.network = Network(self.contactor, self.plug)
        self.cell = Cell(state_of_charge_pct=40.0)
        self.wires = I2cWires(clock)
        self.meter = Ina226Chip(self.network, 0.01, clock.now)
        self.gauge = Max17048Chip(self.cell, clock.now)
        self.wires.chips = {METER: self.meter, GAUGE: self.gauge}

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The firmware's `import RPi.GPIO` and its smbus2 meet this."""
        package = type(sys)("RPi")
        package.GPIO = self.header
        monkeypatch.setitem(sys.modules, "RPi", package)
        monkeypatch.setitem(sys.modules, "RPi.GPIO", self.header)
        self.wires.install(monkeypatch)

    def press_stop(self, pressed: bool = True) -> None:
        self.stop.make(not pressed)

    def brown_out(self) -> None:
        """The voltage dips: the coil drops out and the chips forget what they were told."""
        self.network.source_v = 7.0
        self.contactor.dip(lasting=True)
        for chip in self.wires.chips.values():
            chip.brown_out()

    def recover(self) -> None:
        self.network.source_v = SUPPLY_V
        self.contactor.dip(lasting=False)

    @property
    def ordered(self) -> list[bool]:
        """The edges that the coil has seen."""
        return self.header.edges_of(CONTACTOR)

    @property
    def opened_at(self) -> float:
        """When the coil was last switched off."""
        return max(e.at for e in self.header.edges if e.pin == CONTACTOR and not e.level)

    @property
    def lamps(self) -> tuple[bool, bool]:
        return self.header.level(GREEN), self.header.level(RED)
