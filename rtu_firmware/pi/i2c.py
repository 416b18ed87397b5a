"""The I²C bus, by smbus2: the one file that knows it. Its errors get names here."""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from modbus_link.errors import BadInput
from rtu_firmware.pi.sensing import SensorError

if TYPE_CHECKING:
    from smbus2 import SMBus

_NOBODY = "no device: check its wires and address pins"
_DENIED = "permission denied: add the user to group i2c"
_HANGS = "the bus hangs: is SDA or SCL held low?"
_DISTURBED = "transfer disturbed: check wires and pull-ups"
_GONE = "the bus has gone: is its driver loaded?"
TROUBLES = {
    errno.ENOENT: "no such bus: enable I²C with raspi-config",
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    # Nobody acknowledges: EREMOTEIO by the Pi's own adapters, ENXIO by i2c-gpio.
    errno.EREMOTEIO: _NOBODY,
    errno.ENXIO: _NOBODY,
    errno.ETIMEDOUT: _HANGS,
    errno.EBUSY: "busy: remove the dtoverlay that drives it",
    # Arbitration lost; a clock stretched too long, or too few bytes.
    errno.EAGAIN: _DISTURBED,
    errno.EIO: _DISTURBED,
    errno.ENODEV: _GONE,
    errno.EBADF: _GONE,
}
"""What is wrong and what to do about it; short, because with the chip before it, it must fit a register."""


class Bus(Protocol):
    """Registers of 16 bits, most significant byte first, as all our chips have them.

    Every call raises SensorError, which says what is wrong with `what` (such as "INA226 at 0x40").
    """

    def read_word(self, address: int, register: int, what: str) -> int: ...

    def write_word(self, address: int, register: int, word: int, what: str) -> None: ...

    def close(self) -> None: ...


def open_bus(number: int) -> Bus:
    """/dev/i2c-`number`; it is opened at the first call, and again after it was lost. BadInput without
    smbus2."""
    try:
        from smbus2 import SMBus
    except ImportError as error:
        raise BadInput("sensors on I²C need smbus2: install pev-scada[pi]") from error
    return SmBus(number, SMBus)


class SmBus:
    """By SMBus word calls, which send the least significant byte first: the bytes are swapped here."""

    def __init__(self, number: int, new_file: Callable[[], "SMBus"]) -> None:
        self._number = number
        self._new_file = new_file
        self._file: SMBus | None = None

    def read_word(self, address: int, register: int, what: str) -> int:
        with self._opened(what) as file:
            return _swapped(file.read_word_data(address, register))

    def write_word(self, address: int, register: int, word: int, what: str) -> None:
        with self._opened(what) as file:
            file.write_word_data(address, register, _swapped(word))

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()

    @contextlib.contextmanager
    def _opened(self, what: str) -> Iterator["SMBus"]:
        """After any failure the next call begins with a new file: the old one may be dead."""
        try:
            if self._file is None:
                self._file = self._new_file()
                self._file.open(self._number)
            yield self._file
        except OSError as error:
            self.close()
            why = TROUBLES.get(error.errno or 0) or os.strerror(error.errno or errno.EIO)
            raise SensorError(f"{what}: {why} (/dev/i2c-{self._number})") from error


def _swapped(word: int) -> int:
    return word >> 8 | (word & 0xFF) << 8
