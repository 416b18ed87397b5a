"""What the ADS1115 does at its registers, after its datasheet (SBAS444): a converter with four inputs."""

import math
from collections.abc import Callable, Sequence
from typing import ClassVar

from i2c_chips import Now, RegisterChip

Signal = Callable[[float], float]
"""Volts at an input, at a time."""


def steady(volts: float) -> Signal:
    return lambda _now: volts


def mains(effective_v: float, bias_v: float = 1.65, hertz: float = 50.0) -> Signal:
    """A transformer module: a sine about half the supply."""
    return lambda now: bias_v + math.sqrt(2) * effective_v * math.sin(2 * math.pi * hertz * now)


class Ads1115Chip(RegisterChip):
    """`inputs` may be replaced at any time. They can't leave the supply by more than 0.3 V."""

    CONVERSION, CONFIG, LOW, HIGH = range(4)
    RESET: ClassVar = {0: 0, 1: 0x8583, 2: 0x8000, 3: 0x7FFF}
    WRITABLE = frozenset((1, 2, 3))
    FULL_SCALE_V = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256)
    RATES = (8, 16, 32, 64, 128, 250, 475, 860)
    PAIRS = ((0, 1), (0, 3), (1, 3), (2, 3))
    IDLE, SINGLE_SHOT = 0x8000, 0x0100

    def __init__(self, inputs: Sequence[Signal], now: Now, supply_v: float = 3.3) -> None:
        self.inputs = list(inputs)
        self.supply_v = supply_v
        self._done_at = math.inf
        self._settings = 0
        super().__init__(now)

    def brown_out(self) -> None:
        super().brown_out()
        self._done_at = math.inf

    def wrote(self, register: int, word: int) -> None:
        self._convert()
        if register != self.CONFIG:
            super().wrote(register, word)
            return
        super().wrote(register, word & ~self.IDLE)
        if self._done_at < math.inf:
            return  # the new settings are for the next conversion
        if not word & self.SINGLE_SHOT or word & self.IDLE:
            self._begin(self.now())

    def fetch(self, register: int) -> int:
        self._convert()
        word = super().fetch(register)
        idle = register == self.CONFIG and self._done_at == math.inf
        return word | self.IDLE if idle else word

    def _begin(self, at: float) -> None:
        self._settings = self.registers[self.CONFIG]
        self._done_at = at + 1 / self.RATES[self._settings >> 5 & 7]

    def _convert(self) -> None:
        """All conversions that are done by now; those that nobody could have read are left out."""
        while self._done_at <= self.now():
            done_at = self._done_at
            period_s = 1 / self.RATES[self._settings >> 5 & 7]
            self.registers[self.CONVERSION] = self._code(done_at - period_s, done_at) & 0xFFFF
            self._done_at = math.inf
            if not self.registers[self.CONFIG] & self.SINGLE_SHOT:
                self._begin(max(done_at, self.now() - 3 * period_s))

    def _code(self, begin: float, end: float) -> int:
        """The mean over the conversion, cut off at full scale."""
        points = 8
        mean = sum(self._volts(begin + (n + 0.5) / points * (end - begin)) for n in range(points)) / points
        full_scale_v = self.FULL_SCALE_V[self._settings >> 9 & 7]
        return min(max(round(mean / full_scale_v * 0x8000), -0x8000), 0x7FFF)

    def _volts(self, at: float) -> float:
        mux = self._settings >> 12 & 7
        if mux >= 4:
            return self._input(mux - 4, at)
        plus, minus = self.PAIRS[mux]
        return self._input(plus, at) - self._input(minus, at)

    def _input(self, n: int, at: float) -> float:
        return min(max(self.inputs[n](at), -0.3), self.supply_v + 0.3)
