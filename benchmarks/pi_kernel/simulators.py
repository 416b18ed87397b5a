"""The kernel's own simulators: a header of pins (gpio-sim), I²C chips (i2c-stub), and its record of the pins.

Only for the virtual machine: it loads modules and writes to /sys.
"""

import os
import re
import subprocess
import time
from pathlib import Path

from smbus2 import SMBus

FOLDER = Path(os.environ["PEV_FOLDER"])
PINS = 54
"""As many as a BCM2835 has; rpi-lgpio allows no more."""
REVISION = "a02082"
"""A Pi 3 Model B, for rpi-lgpio, which asks the device tree; there is none here."""
WITHIN_S = 5.0
TRACING = Path("/sys/kernel/tracing")
WRITTEN = re.compile(r"(\d+\.\d+): gpio_value: (\d+) set ([01])")


class Header:
    """The pins from outside: what is wired to them pulls them, and what the firmware drives can be seen.

    The kernel pulls a pin up itself when the firmware asks for a pull-up; what is wired has to pull again
    after that.
    """

    def __init__(self) -> None:
        device = Path("/sys/kernel/config/gpio-sim/pi")
        bank = device / "bank0"
        bank.mkdir(parents=True)
        (bank / "num_lines").write_text(str(PINS))
        (bank / "label").write_text("pinctrl-bcm2835")
        (device / "live").write_text("1")
        self._lines = Path("/sys/devices/platform", _read(device / "dev_name"), _read(bank / "chip_name"))
        os.environ["RPI_LGPIO_REVISION"] = REVISION

    def level(self, pin: int) -> bool:
        return _read(self._lines / f"sim_gpio{pin}" / "value") == "1"

    def pull(self, pin: int, high: bool) -> None:
        wanted, pull = "pull-up" if high else "pull-down", self._lines / f"sim_gpio{pin}" / "pull"
        if _read(pull) != wanted:
            pull.write_text(wanted)


class Record:
    """What was driven to the pins, as the kernel's tracepoints have it: not one change is missed."""

    def __init__(self) -> None:
        (chip,) = (path for path in Path("/sys/class/gpio").iterdir() if path.name.startswith("gpiochip"))
        self._first = int(_read(chip / "base"))
        (TRACING / "trace_clock").write_text("mono")
        (TRACING / "events/gpio/gpio_value/filter").write_text("get == 0")
        (TRACING / "events/gpio/gpio_value/enable").write_text("1")

    def driven(self, pin: int, since: float = 0.0) -> list[tuple[float, bool]]:
        """When, by time.monotonic(), and whether high."""
        found = WRITTEN.findall((TRACING / "trace").read_text())
        return [
            (float(at), level == "1")
            for at, line, level in found
            if int(line) == self._first + pin and float(at) >= since
        ]


class Chips:
    """I²C chips of 256 registers of 16 bits that keep what is written to them. Their bus goes with them."""

    def __init__(self, *addresses: int) -> None:
        self.plug_in(*addresses)

    def plug_in(self, *addresses: int) -> None:
        _busybox("insmod", FOLDER / "i2c-stub.ko", "chip_addr=" + ",".join(map(hex, addresses)))
        self._taken: set[int] = set()
        (device,) = Path("/sys/bus/i2c/devices").glob("i2c-*")
        self.number, self._device = int(device.name.removeprefix("i2c-")), device
        self._bus = SMBus(self.number, force=True)  # a driver that has a chip does not keep us from it

    def unplug(self) -> None:
        """OSError if somebody still has the bus open after `WITHIN_S`."""
        self._bus.close()
        deadline = time.monotonic() + WITHIN_S
        while True:
            try:
                return _busybox("rmmod", "i2c-stub")
            except OSError:
                if time.monotonic() > deadline:
                    raise

    def read(self, address: int, register: int) -> int:
        """Most significant byte first on the wire, as with our chips; SMBus has it the other way round."""
        return _swapped(self._bus.read_word_data(address, register))

    def write(self, address: int, register: int, word: int) -> None:
        self._bus.write_word_data(address, register, _swapped(word))

    def take(self, *addresses: int) -> None:
        """By a driver of the kernel's; everybody else is told that they are busy."""
        for address in {*addresses} - self._taken:
            (self._device / "new_device").write_text(f"dummy {address:#x}")
            self._taken.add(address)

    def give_back(self) -> None:
        for address in self._taken:
            (self._device / "delete_device").write_text(f"{address:#x}")
        self._taken.clear()


def _swapped(word: int) -> int:
    return word >> 8 | (word & 0xFF) << 8


def _read(path: Path) -> str:
    return path.read_text().strip()


def _busybox(*args: object) -> None:
    done = subprocess.run([FOLDER / "busybox", *map(str, args)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip())
