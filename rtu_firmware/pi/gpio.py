"""The pins, by RPi.GPIO: the one file that knows it.

rpi-lgpio gives the same import on newer kernels and on a Pi 5.
"""

from typing import Literal, Protocol

from modbus_link.errors import BadInput

Pull = Literal["up", "down"]


class Gpio(Protocol):
    """Pins by their GPIO numbers. True is high."""

    def output(self, pin: int, level: bool) -> None:
        """Make it an output that has `level` from its first moment on."""
        ...

    def input(self, pin: int, pull: Pull) -> None: ...

    def write(self, pin: int, level: bool) -> None: ...

    def read(self, pin: int) -> bool: ...


def open_gpio() -> Gpio:
    """The header of this Raspberry Pi; BadInput where this is none, or where its library is missing."""
    raise BadInput("board: pi is not there yet")
