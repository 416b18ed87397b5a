"""The 12 V bench of examples/pi.yaml as doubles, wired as a test wants it, and the installer at it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from gpio_header import Contactor, GpioHeader
from i2c_chips import Ina226Chip
from i2c_gauge import Cell, Max17048Chip
from i2c_wires import I2cWires
from processes import EXAMPLES

from modbus_link.clock import VirtualClock
from rtu_firmware.pi.gpio import Header
from rtu_firmware.pi.self_test.bench import Bench
from rtu_firmware.pi.self_test.hands_on import walk_on
from rtu_firmware.station_file import read_station

CONTACTOR, FEEDBACK, PLUG, STOP, GREEN, RED = 17, 27, 22, 23, 24, 25
PRESS_AFTER_S, PRESSED_S = 2.0, 0.7


class World:
    """All is right until a test changes it; wires go to ground (False) or are off (None)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.header = GpioHeader(self.clock.now)
        self.contactor = Contactor(self.header, CONTACTOR)
        self.voltage_v, self.load_a, self.leak_a, self.shunt_sign = 12.0, 0.5, 0.0, 1
        self.plugged = False
        self.press_at: float | None = None
        self.latches = False
        self.led_pins = {"green": GREEN, "red": RED}
        self.wires: dict[int, Callable[[], bool | None]] = {
            FEEDBACK: lambda: ground(not self.contactor.is_closed()),
            PLUG: lambda: ground(self.plugged),
            STOP: lambda: ground(not self.is_pressed),
        }
        for pin in self.wires:
            self.header.connect(pin, lambda pin=pin: self.wires[pin]())
        self.i2c = I2cWires(self.clock)
        self.i2c.install(monkeypatch)
        self.i2c.chips = {
            0x40: Ina226Chip(self, 0.01, self.clock.now),
            0x36: Max17048Chip(Cell(), self.clock.now),
        }

    @property
    def is_pressed(self) -> bool:
        if self.press_at is None:
            return False
        since_s = self.clock.now() - self.press_at
        return since_s >= 0 and (self.latches or since_s < PRESSED_S)

    @property
    def current_a(self) -> float:
        """What the power monitor's shunt carries."""
        flows = self.contactor.is_closed() and self.plugged
        return self.shunt_sign * ((self.load_a if flows else 0.0) + self.leak_a)

    def lit(self) -> set[str]:
        return {name for name, pin in self.led_pins.items() if self.header.level(pin)}


def ground(made: bool) -> bool | None:
    return False if made else None


class Installer:
    """Does what is asked, looks, and answers truly. `at_question` may break in before the n-th answer."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.told: list[str] = []
        self.told_under_power: list[str] = []
        self.questions: list[str] = []
        self.refuses: set[str] = set()
        self.at_question: Callable[[int], None] = lambda _n: None
        self._lit: list[set[str]] = []

    def tell(self, text: str) -> None:
        self.told.append(text)
        if self.world.contactor.coil_is_on:
            self.told_under_power.append(text)
        if "press the Stop button" in text:
            self.world.press_at = self.world.clock.now() + PRESS_AFTER_S

    def show(self, lines: str) -> None:
        self.told.append(lines)

    def agrees(self, question: str) -> bool:
        self.questions.append(question)
        self.at_question(len(self.questions))
        if any(part in question for part in self.refuses):
            return False
        world, (doing,) = self.world, [do for part, do in self._doing.items() if part in question]
        answer = doing()
        world.clock.advance(3.0)
        return answer

    @property
    def text(self) -> str:
        return "\n".join(self.told)

    @property
    def _doing(self) -> dict[str, Callable[[], bool]]:
        world = self.world
        return {
            "may the relay click": lambda: True,
            "The relay closes": lambda: True,
            "Did the relay click": lambda: bool(world.contactor.pulls) and not world.contactor.welded,
            "pulled in": lambda: world.contactor.coil_is_on,
            "let go": lambda: not world.contactor.coil_is_on,
            "green LED": lambda: self._sees({"green"}),
            "red LED": lambda: self._sees({"red"}),
            "the other one": lambda: self._lit[-2:] == [{"red"}, {"green"}],
            "plug out": lambda: self._plugs(False),
            "Plug the vehicle in": lambda: self._plugs(True),
            "battery connected": lambda: True,
            "gets power": lambda: True,
        }

    def _sees(self, colours: set[str]) -> bool:
        self._lit.append(self.world.lit())
        return self._lit[-1] == colours

    def _plugs(self, plugged: bool) -> bool:
        self.world.plugged = plugged
        return True


def walk(world: World, installer: Installer, file: str = "pi.yaml") -> int:
    """The exit code."""
    station = read_station(EXAMPLES / file)
    assert station.pi
    bench = Bench(station, station.pi, Header(world.header), installer, clock=world.clock)
    return walk_on(bench)
