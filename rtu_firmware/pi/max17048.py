"""The fuel gauge MAX17048, after its datasheet 19-6171."""

from rtu_firmware.pi.chip import Chip
from rtu_firmware.pi.sensing import Sensed

CELL_VOLTAGE, STATE_OF_CHARGE, VERSION, STATUS = 0x02, 0x04, 0x08, 0x1A
MAX17048, PRODUCTION = 0x0010, 0x000F
WAS_RESET = 0x0100
FIRST_ESTIMATE_S = 1.0
"""After power-up."""
CELL_LSB_V = 78.125e-6
CELL_BAND_V = (2.5, 5.0)
"""What it can measure."""
MOST_PCT = 105.0
"""It estimates a little above full."""


def cell_v(word: int) -> float:
    return word * CELL_LSB_V


def state_of_charge_pct(word: int) -> float:
    return word / 256


class Max17048Gauge:
    def __init__(self, chip: Chip) -> None:
        self.name = chip.name
        self._chip = chip
        self._was_reset = False
        self._valid_from = 0.0

    async def read(self) -> Sensed:
        version = self._chip.read_flags(VERSION)
        if version & ~PRODUCTION != MAX17048:
            raise self._chip.fault(f"another chip is there: it says {version:04X}")
        self._note_reset()
        if self._chip.clock.now() < self._valid_from:
            raise self._chip.fault("was powered up just now: estimates in a second")
        return Sensed(state_of_charge_pct=self._estimate_pct())

    def close(self) -> None:
        self._chip.close()

    def _note_reset(self) -> None:
        """It is told to forget it, so that the next one shows; if it doesn't, it is used all the same."""
        status = self._chip.read_flags(STATUS)
        was_reset, self._was_reset = self._was_reset, bool(status & WAS_RESET)
        if self._was_reset and not was_reset:
            self._valid_from = self._chip.clock.now() + FIRST_ESTIMATE_S
        if self._was_reset:
            self._chip.write(STATUS, status & ~WAS_RESET)

    def _estimate_pct(self) -> float:
        cell = cell_v(self._chip.read(CELL_VOLTAGE))
        if not CELL_BAND_V[0] <= cell <= CELL_BAND_V[1]:
            raise self._chip.fault(f"no cell has {cell:.2f} V: check its wires")
        percent = state_of_charge_pct(self._chip.read(STATE_OF_CHARGE))
        if percent > MOST_PCT:
            raise self._chip.fault(f"no battery has {percent:.0f} %")
        return min(percent, 100.0)
