"""What the MAX17048 does at its registers, after its datasheet (19-6171): a fuel gauge at a lithium cell."""

from dataclasses import dataclass
from typing import ClassVar

from i2c_chips import Now, RegisterChip


@dataclass(slots=True)
class Cell:
    voltage_v: float = 3.9
    state_of_charge_pct: float = 50.0


class Max17048Chip(RegisterChip):
    """Its first estimate comes a second after power-up. STATUS bits are cleared by writing them as 0."""

    VCELL, SOC, MODE, VERSION, CONFIG, STATUS, COMMAND = 0x02, 0x04, 0x06, 0x08, 0x0C, 0x1A, 0xFE
    RESET: ClassVar = {
        0x02: 0, 0x04: 0, 0x06: 0, 0x08: 0x0012, 0x0A: 0x8030, 0x0C: 0x971C,
        0x14: 0x00FF, 0x16: 0, 0x18: 0x9600, 0x1A: 0x0100, 0xFE: 0xFFFF,
    }  # fmt: skip
    WRITABLE = frozenset((0x06, 0x0A, 0x0C, 0x14, 0x18, 0x1A, 0xFE))
    RESET_COMMAND = 0x5400
    FIRST_ESTIMATE_S = 1.0

    def __init__(self, cell: Cell, now: Now) -> None:
        self.cell = cell
        self._powered_at = 0.0
        super().__init__(now)

    def brown_out(self) -> None:
        super().brown_out()
        self._powered_at = self.now()

    def wrote(self, register: int, word: int) -> None:
        if register == self.COMMAND:
            if word == self.RESET_COMMAND:
                self.brown_out()
        elif register == self.STATUS:
            self.registers[register] &= word
        else:
            super().wrote(register, word)

    def fetch(self, register: int) -> int:
        if self.now() - self._powered_at >= self.FIRST_ESTIMATE_S:
            steps = int(self.cell.voltage_v / 1.25e-3 + 1e-6)
            self.registers[self.VCELL] = min(steps << 4, 0xFFFF)
            self.registers[self.SOC] = min(int(self.cell.state_of_charge_pct * 256), 0xFFFF)
        return super().fetch(register)
