"""The power monitor INA226, after its datasheet SBOS547."""

from rtu_firmware.pi.chip import Chip, signed

CONFIGURATION, BUS_VOLTAGE, POWER, CURRENT, CALIBRATION, MASK = 0x00, 0x02, 0x03, 0x04, 0x05, 0x06
MAKER_ID, DIE_ID = 0xFE, 0xFF
TEXAS_INSTRUMENTS, INA226, REVISION = 0x5449, 0x2260, 0x000F
SETTINGS = 0x4527
"""Shunt and bus by turns for ever, 1.1 ms each, the mean of 16."""
CONVERSION_S = 16 * 2 * 1.1e-3
READY, OVERFLOW = 0x0008, 0x0004
BUS_LSB_V = 1.25e-3
MOST_BUS = 0x7FFF
POWER_LSBS = 25
"""Of the power in watts, for each of the current in amperes."""


def calibration(shunt_ohm: float, max_current_a: float) -> int:
    """So that the current register is full at `max_current_a`; less fine where its 15 bits don't suffice."""
    return min(round(0.00512 / (max_current_a / 2**15 * shunt_ohm)), 0x7FFF)


def current_lsb_a(calibration: int, shunt_ohm: float) -> float:
    """What the calibration, a whole number, makes of it."""
    return 0.00512 / (calibration * shunt_ohm)


class Ina226Registers:
    conversion_s = CONVERSION_S

    def __init__(self, shunt_ohm: float, max_current_a: float) -> None:
        word = calibration(shunt_ohm, max_current_a)
        self._current_lsb_a = current_lsb_a(word, shunt_ohm)
        # Writing the configuration begins a new conversion, so that none is left with an old calibration.
        self.settings = {CALIBRATION: word, CONFIGURATION: SETTINGS}

    def identify(self, chip: Chip) -> None:
        maker, die = chip.read_flags(MAKER_ID), chip.read_flags(DIE_ID)
        if (maker, die & ~REVISION) != (TEXAS_INSTRUMENTS, INA226):
            raise chip.fault(f"another chip is there: it says {maker:04X} {die:04X}")

    def discard(self, chip: Chip) -> None:
        """Writing the configuration has done it."""

    def has_new_values(self, chip: Chip) -> bool:
        flags = chip.read_flags(MASK)
        if flags & OVERFLOW:
            raise chip.fault("its arithmetic overflows: an overload")
        return bool(flags & READY)

    def values(self, chip: Chip) -> tuple[float, float, float]:
        bus = chip.read_flags(BUS_VOLTAGE)
        if bus > MOST_BUS:
            raise chip.fault("its voltage can't be: check SDA and its supply")
        current_a = signed(chip.read(CURRENT)) * self._current_lsb_a
        return bus * BUS_LSB_V, current_a, chip.read(POWER) * POWER_LSBS * self._current_lsb_a
