"""What the power monitors do at their registers, after their datasheets; written without a look at the
drivers. INA226: SBOS547. INA219: SBOS448."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

Now = Callable[[], float]


@dataclass(slots=True)
class Circuit:
    """What a power monitor is wired to."""

    voltage_v: float = 0.0
    current_a: float = 0.0


class RegisterChip:
    """16-bit registers behind a pointer, most significant byte first. They are lost with the supply."""

    RESET: ClassVar[Mapping[int, int]] = {}
    WRITABLE: ClassVar[frozenset[int]] = frozenset()

    def __init__(self, now: Now) -> None:
        self.now = now
        self.powered = True
        self.registers: dict[int, int] = {}
        self._pointer = 0
        self.brown_out()

    def brown_out(self) -> None:
        """The supply dips: everything as after power-up."""
        self.registers = dict(self.RESET)
        self._pointer = 0

    def write(self, data: bytes) -> None:
        if data:
            self._pointer = data[0]
        if len(data) == 3 and self._pointer in self.WRITABLE:
            self.wrote(self._pointer, int.from_bytes(data[1:], "big"))

    def read(self, count: int) -> bytes:
        return self.fetch(self._pointer).to_bytes(2, "big")[:count].ljust(count, b"\xff")

    def wrote(self, register: int, word: int) -> None:
        self.registers[register] = word

    def fetch(self, register: int) -> int:
        return self.registers.get(register, 0)


class StrangeChip(RegisterChip):
    """Another kind of chip at the address: every register reads `word`, and what is written is gone."""

    def __init__(self, word: int) -> None:
        super().__init__(lambda: 0.0)
        self.word = word

    def fetch(self, register: int) -> int:
        return self.word


class PowerMonitor(RegisterChip):
    """What both have in common: mode bits in register 0, a shunt, conversions that take their time."""

    CONFIG, SHUNT, BUS, POWER, CURRENT, CALIBRATION = range(6)
    SHUNT_LSB_V: ClassVar[float]

    def __init__(self, circuit: Circuit, shunt_ohm: float, now: Now) -> None:
        self.circuit = circuit
        self.shunt_ohm = shunt_ohm
        self._ready_at = math.inf
        super().__init__(now)

    def brown_out(self) -> None:
        super().brown_out()
        self._ready_at = self.now() + self.conversion_s

    @property
    def conversion_s(self) -> float:
        raise NotImplementedError

    @property
    def _mode(self) -> int:
        return self.registers[self.CONFIG] & 0b111

    def wrote(self, register: int, word: int) -> None:
        self._convert()
        if register == self.CONFIG and word & 0x8000:
            self.brown_out()
            return
        mode = self._mode
        super().wrote(register, word)
        if register == self.CONFIG:
            self.restart(self._mode != mode)

    def restart(self, in_new_mode: bool) -> None:
        """What converts begins anew; nothing does in power-down."""
        self._ready_at = math.inf if self._mode in (0, 4) else self.now() + self.conversion_s

    def fetch(self, register: int) -> int:
        self._convert()
        return super().fetch(register)

    def _convert(self) -> None:
        late_s = self.now() - self._ready_at
        if late_s < 0:
            return
        continuous = self._mode > 4
        self._ready_at += (
            math.inf if not continuous else (late_s // self.conversion_s + 1) * self.conversion_s
        )
        self.converted(_within(self.circuit.current_a * self.shunt_ohm / self.SHUNT_LSB_V, 16))

    def converted(self, shunt: int) -> None:
        raise NotImplementedError

    def calculate(self, shunt: int, bus: int, shunt_divisor: int, bus_divisor: int) -> bool:
        """Current and power as the chip's arithmetic cuts them off; whether they overflow."""
        current = int(shunt * self.registers[self.CALIBRATION] / shunt_divisor)
        power = abs(current) * bus // bus_divisor
        self.registers[self.CURRENT] = current & 0xFFFF
        self.registers[self.POWER] = power & 0xFFFF
        return not -0x8000 <= current <= 0x7FFF or power > 0xFFFF


class Ina226Chip(PowerMonitor):
    """Datasheet: registers table 2; calculation equations 3 and 4; averages and times tables 3 to 5."""

    MASK, ALERT, MAKER, DIE = 0x06, 0x07, 0xFE, 0xFF
    CVRF, OVF = 0x0008, 0x0004
    RESET: ClassVar = {0: 0x4127, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0, 0xFE: 0x5449, 0xFF: 0x2260}
    WRITABLE = frozenset((0, 5, 6, 7))
    SHUNT_LSB_V, BUS_LSB_V = 2.5e-6, 1.25e-3
    AVERAGES = (1, 4, 16, 64, 128, 256, 512, 1024)
    TIMES_S = (140e-6, 204e-6, 332e-6, 588e-6, 1.1e-3, 2.116e-3, 4.156e-3, 8.244e-3)

    @property
    def conversion_s(self) -> float:
        config = self.registers[self.CONFIG]
        once = self.TIMES_S[config >> 6 & 7] + self.TIMES_S[config >> 3 & 7]
        return self.AVERAGES[config >> 9 & 7] * once

    def restart(self, in_new_mode: bool) -> None:
        super().restart(in_new_mode)
        if self._mode not in (0, 4):
            self.registers[self.MASK] &= ~self.CVRF

    def wrote(self, register: int, word: int) -> None:
        if register == self.CALIBRATION:
            word &= 0x7FFF
        super().wrote(register, word)

    def fetch(self, register: int) -> int:
        word = super().fetch(register)
        if register == self.MASK:
            self.registers[self.MASK] &= ~self.CVRF
        return word

    def converted(self, shunt: int) -> None:
        bus = min(max(int(self.circuit.voltage_v / self.BUS_LSB_V + 1e-6), 0), 0x7FFF)
        self.registers |= {self.SHUNT: shunt & 0xFFFF, self.BUS: bus}
        overflows = self.calculate(shunt, bus, 2048, 20_000)
        flags = self.registers[self.MASK] & ~self.OVF
        self.registers[self.MASK] = flags | self.CVRF | (self.OVF if overflows else 0)


class Ina219Chip(PowerMonitor):
    """Datasheet: registers table 4; gain table 5; ADC settings table 6; equations 4 and 5."""

    CNVR, OVF = 0x0002, 0x0001
    RESET: ClassVar = {0: 0x399F, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0}
    WRITABLE = frozenset((0, 5))
    SHUNT_LSB_V, BUS_LSB_V = 10e-6, 4e-3
    TIMES_S = (84e-6, 148e-6, 276e-6, 532e-6)
    AVERAGED_TIMES_S = (532e-6, 1.06e-3, 2.13e-3, 4.26e-3, 8.51e-3, 17.02e-3, 34.05e-3, 68.10e-3)

    @property
    def conversion_s(self) -> float:
        config = self.registers[self.CONFIG]
        return self._time_s(config >> 7 & 15) + self._time_s(config >> 3 & 15)

    def _time_s(self, setting: int) -> float:
        return self.AVERAGED_TIMES_S[setting & 7] if setting & 8 else self.TIMES_S[setting & 3]

    def restart(self, in_new_mode: bool) -> None:
        super().restart(in_new_mode)
        if in_new_mode and self._mode not in (0, 4):
            self.registers[self.BUS] &= ~self.CNVR

    def wrote(self, register: int, word: int) -> None:
        if register == self.CALIBRATION:
            word &= 0xFFFE
        super().wrote(register, word)

    def fetch(self, register: int) -> int:
        word = super().fetch(register)
        if register == self.POWER:
            self.registers[self.BUS] &= ~self.CNVR
        return word

    def converted(self, shunt: int) -> None:
        config = self.registers[self.CONFIG]
        most = 4000 << (config >> 11 & 3)
        shunt = min(max(shunt, -most), most)
        bus = min(
            max(int(self.circuit.voltage_v / self.BUS_LSB_V + 1e-6), 0), 8000 if config & 0x2000 else 4000
        )
        self.registers[self.SHUNT] = shunt & 0xFFFF
        overflows = self.calculate(shunt, bus, 4096, 5000)
        self.registers[self.BUS] = bus << 3 | self.CNVR | (self.OVF if overflows else 0)


def _within(value: float, bits: int) -> int:
    most = 1 << (bits - 1)
    return min(max(round(value), -most), most - 1)
