"""What is wired to the header: a contactor, a vehicle, a driver's hand, and an INA226 and a MAX17048.

The kernel's simulated chips keep what is written to them; here the numbers get their meaning. The INA226's
are those of its data sheet: 1.25 mV and 2.5 µV for each bit, and a current that follows from the calibration.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from simulators import Chips, Header

CONTACTOR, FEEDBACK, PLUG, STOP, GREEN, RED = 17, 27, 22, 23, 24, 25
METER, GAUGE = 0x40, 0x36
PERIOD_S = 0.02
PICK_UP_S = 0.03
"""What the contactor takes to follow its coil."""
VOLTAGE_V = 12.4
SHUNT_OHM = 0.01

CONFIGURATION, SHUNT, BUS, POWER, CURRENT, CALIBRATION, MASK = range(7)
MAKER, DIE = 0xFE, 0xFF
RESET, AS_DELIVERED = 0x8000, 0x4127
CONVERTED = 0x0008
VCELL, CHARGE, VERSION, STATUS = 0x02, 0x04, 0x08, 0x1A


@dataclass(slots=True, kw_only=True)
class Scene:
    """What is so, as far as the station does not decide it."""

    plugged: bool = False
    stop_pressed: bool = False
    welded: bool = False
    voltage_v: float = VOLTAGE_V
    vehicle_a: float = 4.0
    state_of_charge_pct: float = 41.5


class World(threading.Thread):
    """Goes on by itself. Change `scene`; see `closed`."""

    def __init__(self, header: Header, chips: Chips) -> None:
        super().__init__(name="world", daemon=True)
        self.scene, self.closed = Scene(), False
        self._header, self._chips = header, chips
        self._bus = threading.Lock()
        self._coil_since, self._coil = 0.0, False

    def run(self) -> None:
        self.power_up_chips()
        while True:
            self._move_contactor(time.monotonic())
            self._hold_contacts()
            with self._bus:
                self._measure()
            time.sleep(PERIOD_S)

    def power_up_chips(self) -> None:
        """As a brown-out leaves them: the meter knows of no shunt."""
        for register, word in {
            CONFIGURATION: AS_DELIVERED,
            CALIBRATION: 0,
            MAKER: 0x5449,
            DIE: 0x2260,
        }.items():
            self._chips.write(METER, register, word)
        for register, word in {VCELL: 0xC000, VERSION: 0x0012, STATUS: 0}.items():
            self._chips.write(GAUGE, register, word)

    @contextlib.contextmanager
    def bus_unplugged(self) -> Iterator[None]:
        """Waits till nobody has it open, which a driver at each chip brings about."""
        with self._bus:
            self._chips.take(METER, GAUGE)
            self._chips.unplug()
            yield
            self._chips.plug_in(METER, GAUGE)
            self.power_up_chips()

    @property
    def meter_is_set_up(self) -> bool:
        return self._chips.read(METER, CALIBRATION) != 0

    def _move_contactor(self, now: float) -> None:
        coil = self._header.level(CONTACTOR)
        if coil != self._coil:
            self._coil, self._coil_since = coil, now
        if now - self._coil_since >= PICK_UP_S:
            self.closed = self._coil
        self.closed = self.closed or self.scene.welded

    def _hold_contacts(self) -> None:
        """All of them go to ground."""
        self._header.pull(FEEDBACK, not self.closed)
        self._header.pull(PLUG, not self.scene.plugged)
        self._header.pull(STOP, not self.scene.stop_pressed)

    def _measure(self) -> None:
        scene, chips = self.scene, self._chips
        if chips.read(METER, CONFIGURATION) & RESET:
            self.power_up_chips()
        current_a = scene.vehicle_a if self.closed and scene.plugged else 0.0
        shunt, bus = round(current_a * SHUNT_OHM / 2.5e-6), round(scene.voltage_v / 1.25e-3)
        current = shunt * chips.read(METER, CALIBRATION) // 2048
        for register, word in {
            SHUNT: shunt,
            BUS: bus,
            CURRENT: current,
            POWER: current * bus // 20_000,
        }.items():
            chips.write(METER, register, word)
        chips.write(METER, MASK, CONVERTED)
        chips.write(GAUGE, CHARGE, round(scene.state_of_charge_pct * 256))
