"""The power monitor INA219, after its datasheet SBOS448. It can't be asked what it is."""

from rtu_firmware.pi.chip import Chip, signed

CONFIGURATION, BUS_VOLTAGE, POWER, CURRENT, CALIBRATION = 0x00, 0x02, 0x03, 0x04, 0x05
WIDE_BUS = 0x2000
NARROW_BUS_V = 16.0
SHUNT_RANGES_V = (0.04, 0.08, 0.16, 0.32)
ROUNDING = 1 + 1e-9
"""0.1 ohm by 1.6 A are a little more than 0.16 V in binary."""
SETTINGS = 0x06EF
"""Shunt and bus by turns for ever, the mean of 32 each; bus and shunt ranges come on top."""
CONVERSION_S = 2 * 17.02e-3
READY, OVERFLOW = 0x0002, 0x0001
BUS_LSB_V = 4e-3
MOST_BUS = 8000
POWER_LSBS = 20
"""Of the power in watts, for each of the current in amperes."""


def configuration(shunt_ohm: float, max_current_a: float, highest_voltage_v: float) -> int:
    """The narrowest ranges that hold them."""
    drop_v = shunt_ohm * max_current_a
    gain = next((n for n, most_v in enumerate(SHUNT_RANGES_V) if drop_v <= most_v * ROUNDING), 3)
    return SETTINGS | gain << 11 | (WIDE_BUS if highest_voltage_v > NARROW_BUS_V else 0)


def calibration(shunt_ohm: float, max_current_a: float) -> int:
    """So that the current register is full at `max_current_a`; bit 0 can't be set."""
    return min(round(0.04096 / (max_current_a / 2**15 * shunt_ohm)), 0xFFFF) & 0xFFFE


def current_lsb_a(calibration: int, shunt_ohm: float) -> float:
    """What the calibration, a whole number, makes of it."""
    return 0.04096 / (calibration * shunt_ohm)


class Ina219Registers:
    conversion_s = CONVERSION_S

    def __init__(self, shunt_ohm: float, max_current_a: float, highest_voltage_v: float) -> None:
        word = calibration(shunt_ohm, max_current_a)
        self._current_lsb_a = current_lsb_a(word, shunt_ohm)
        config = configuration(shunt_ohm, max_current_a, highest_voltage_v)
        self.settings = {CALIBRATION: word, CONFIGURATION: config}

    def identify(self, chip: Chip) -> None:
        """It has no register for that; settings that it doesn't keep tell another chip."""

    def discard(self, chip: Chip) -> None:
        """It may have converted without a calibration. Reading the power says that it is old."""
        chip.read(POWER)

    def has_new_values(self, chip: Chip) -> bool:
        flags = chip.read_flags(BUS_VOLTAGE)
        if flags & OVERFLOW:
            raise chip.fault("its arithmetic overflows: an overload")
        return bool(flags & READY)

    def values(self, chip: Chip) -> tuple[float, float, float]:
        bus = chip.read_flags(BUS_VOLTAGE) >> 3
        if bus > MOST_BUS:
            raise chip.fault("its voltage can't be: check SDA and its supply")
        current_a = signed(chip.read(CURRENT)) * self._current_lsb_a
        return bus * BUS_LSB_V, current_a, chip.read(POWER) * POWER_LSBS * self._current_lsb_a
