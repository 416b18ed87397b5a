"""The I²C bus, by smbus2: the one file that knows it. Its errors get names here."""

from typing import Protocol


class Bus(Protocol):
    """Registers of 16 bits, most significant byte first, as all our chips have them.

    Every call raises SensorError, which says what is wrong with `what` (such as "INA226 at 0x40").
    """

    def read_word(self, address: int, register: int, what: str) -> int: ...

    def write_word(self, address: int, register: int, word: int, what: str) -> None: ...

    def close(self) -> None: ...


def open_bus(number: int) -> Bus:
    """/dev/i2c-`number`; it is opened at the first call, and again after it was lost."""
    raise NotImplementedError
