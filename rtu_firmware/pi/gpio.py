"""The pins, by RPi.GPIO: the one file that knows it.

rpi-lgpio gives the same import on newer kernels and on a Pi 5.
"""

import contextlib
import getpass
import os
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any, Literal, Protocol

from modbus_link.errors import BadInput

Pull = Literal["up", "down"]
IN_MEMORY = "/dev/shm"
"""Can be written where the SD card is full or read-only, too."""


class PinError(OSError):
    """A pin that can't be set up, driven or read; the text says which, and why."""


class Gpio(Protocol):
    """Pins by their GPIO numbers. True is high. Every call raises PinError where it fails."""

    def output(self, pin: int, level: bool) -> None:
        """Make it an output that has `level` from its first moment on."""
        ...

    def input(self, pin: int, pull: Pull) -> None: ...

    def write(self, pin: int, level: bool) -> None: ...

    def read(self, pin: int) -> bool: ...


class Header:
    """The pins of a Raspberry Pi by `library`, which is RPi.GPIO.

    They are never given back, for that makes them inputs. When the process has ended, RPi.GPIO leaves an
    output as it was, even after a kill; with rpi-lgpio the kernel may make it an input without a pull.
    So what a pin switches has to be off where nothing drives it.
    """

    def __init__(self, library: Any) -> None:
        self._library = library
        library.setwarnings(False)
        library.setmode(library.BCM)
        library.gpio_function(2)  # RPi.GPIO finds out only here that it may not

    def output(self, pin: int, level: bool) -> None:
        with _named(pin):
            self._library.setup(pin, self._library.OUT, initial=level)

    def input(self, pin: int, pull: Pull) -> None:
        pulls = {"up": self._library.PUD_UP, "down": self._library.PUD_DOWN}
        with _named(pin):
            self._library.setup(pin, self._library.IN, pull_up_down=pulls[pull])

    def write(self, pin: int, level: bool) -> None:
        with _named(pin):
            self._library.output(pin, level)

    def read(self, pin: int) -> bool:
        with _named(pin):
            return bool(self._library.input(pin))


def open_gpio() -> Gpio:
    """The header of this Raspberry Pi; BadInput where this is none, or where its library is missing."""
    try:
        library = _import_library()
    except ImportError as error:
        raise BadInput(
            f"board: pi needs RPi.GPIO ({error}): install with the extra `pi` (rpi-lgpio), or with"
            " `pi-old-kernel`"
        ) from error
    except Exception as error:  # each library has its own
        raise BadInput(
            f"board: pi: RPi.GPIO does not run on this machine ({error}); board: sim does"
        ) from error
    try:
        return Header(library)
    except Exception as error:
        raise BadInput(
            f"board: pi: can't get at the pins ({error}): add the user to the group gpio, with"
            f" `sudo usermod -aG gpio {_user()}`, and log in anew; on a Pi 5 it takes the extra `pi`"
        ) from error


def _import_library() -> Any:
    with _folder_for_lgpio():
        import RPi.GPIO  # type: ignore[import-untyped]
    return RPi.GPIO


@contextlib.contextmanager
def _folder_for_lgpio() -> Iterator[None]:
    """lgpio, when it is imported, goes to a folder and leaves a pipe there; a service may have none that it
    could write to, and its files' names count from where it was. A card that nobody can write to must not
    keep a contactor from being opened."""
    here = os.getcwd()
    with TemporaryDirectory(dir=IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None) as folder:
        os.environ.setdefault("LG_WD", folder)
        try:
            yield
        finally:
            os.chdir(here)


@contextlib.contextmanager
def _named(pin: int) -> Iterator[None]:
    """RPi.GPIO raises RuntimeError and ValueError, and lgpio an error that is neither."""
    try:
        yield
    except Exception as error:
        raise PinError(f"GPIO {pin}: {error}") from error


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "USER"
