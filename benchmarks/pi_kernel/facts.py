"""What rpi-lgpio and smbus2 do on a real kernel, where the tests' doubles have to do the same."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from simulators import Chips, Header, Record
from steps import AS_NOBODY, Steps

RELAY, BUTTON, FREE = 17, 23, 5
METER, NOBODY = 0x40, 0x41
BOUNCE_MS = 20
PREPARED = "import RPi.GPIO as GPIO; GPIO.setmode(GPIO.BCM); "


def main() -> int:
    steps, header = Steps(), Header()
    record, chips = Record(), Chips(METER)
    imports(steps)
    pins(steps, header, record)
    edges(steps, header)
    ends(steps, header)
    bus(steps, chips)
    return steps.exit_code


def imports(steps: Steps) -> None:
    done = child("import RPi.GPIO", RPI_LGPIO_REVISION=None)
    steps.check("no Pi: the import raises RuntimeError", "RuntimeError: This module can only" in done.stderr)
    done = child("import RPi.GPIO", "/")
    steps.check(
        "the import wants to write to its folder", "FileNotFoundError: [Errno 2]" in done.stderr, ".lgd-nfy"
    )
    done = child("import RPi.GPIO", "/", LG_WD="/run")
    steps.check("or to the one that LG_WD names", done.returncode == 0)
    child_s = float(
        child(
            "import time; began = time.monotonic(); import RPi.GPIO; print(time.monotonic() - began)"
        ).stdout
    )
    steps.check("the import takes", child_s > 0, f"{child_s:.2f} s")
    done = child(PREPARED, "/run/nobody", AS_NOBODY)
    steps.check("no permission: lgpio.error", "lgpio.error: 'can not open gpiochip'" in done.stderr)


def pins(steps: Steps, header: Header, record: Record) -> None:
    import lgpio
    from RPi import GPIO

    GPIO.setmode(GPIO.BCM)
    GPIO.setup(RELAY, GPIO.OUT, initial=GPIO.LOW)
    steps.check(
        "an output has its level from the first moment on",
        [level for _, level in record.driven(RELAY)] == [False],
    )
    GPIO.output(RELAY, GPIO.HIGH)
    steps.check("and follows", header.level(RELAY))
    GPIO.setup(RELAY, GPIO.OUT, initial=GPIO.LOW)
    steps.check("setup once more does not change its level", header.level(RELAY))
    busy = child(f"{PREPARED} GPIO.setup({RELAY}, GPIO.OUT, initial=0)")
    steps.check(
        "another process does not get it", "lgpio.error: 'GPIO busy'" in busy.stderr and header.level(RELAY)
    )
    steps.check(
        "lgpio.error is no RuntimeError and no OSError",
        lgpio.error.__mro__[1:] == (Exception, BaseException, object),
    )
    GPIO.setup(BUTTON, GPIO.IN, pull_up_down=GPIO.PUD_UP)
    steps.check("an input is pulled up", GPIO.input(BUTTON) == 1)
    header.pull(BUTTON, False)
    steps.check("and pulled down by what is wired to it", GPIO.input(BUTTON) == 0)
    steps.check(
        "an input that was not set up", raises(RuntimeError, lambda: GPIO.input(FREE)), "RuntimeError"
    )
    steps.check("output to an input", raises(RuntimeError, lambda: GPIO.output(BUTTON, 1)), "RuntimeError")
    GPIO.cleanup(RELAY)
    steps.check("cleanup lets go of it: its own pull decides", not header.level(RELAY))
    GPIO.cleanup(RELAY)
    steps.check("cleanup a second time is allowed", True)
    GPIO.cleanup()
    steps.check(
        "after cleanup of all, nothing works",
        raises(RuntimeError, lambda: GPIO.input(BUTTON)),
        "RuntimeError",
    )


def edges(steps: Steps, header: Header) -> None:
    from RPi import GPIO

    told: list[float] = []
    for edge, name in ((GPIO.FALLING, "FALLING"), (GPIO.BOTH, "BOTH")):
        GPIO.setmode(GPIO.BCM)
        header.pull(BUTTON, True)
        GPIO.setup(BUTTON, GPIO.IN, pull_up_down=GPIO.PUD_UP)
        GPIO.add_event_detect(
            BUTTON, edge, callback=lambda _: told.append(time.monotonic()), bouncetime=BOUNCE_MS
        )
        at = levels(header, told, False)
        steps.check(
            f"{name}: told after the bouncetime",
            len(told) == 1 and told[0] - at >= BOUNCE_MS / 1000,
            in_ms(at, told),
        )
        levels(header, told, True)
        at = levels(header, told, *[False, True] * 4, False)
        steps.check(f"{name}: one that bounces is told once, when it rests", len(told) == 1, in_ms(at, told))
        levels(header, told, True)
        at = levels(header, told, False, True)
        missed = "is told all the same" if edge == GPIO.FALLING else "is not told"
        steps.check(
            f"{name}: a shorter pulse {missed}", bool(told) == (edge == GPIO.FALLING), in_ms(at, told)
        )
        GPIO.cleanup()


def levels(header: Header, told: list[float], *high: bool) -> float:
    """One after the other; `told` has what came of them, and the return value is when the last one began."""
    told.clear()
    for level in high:
        began = time.monotonic()
        header.pull(BUTTON, level)
        time.sleep(0.002)
    time.sleep(0.3)
    return began


def ends(steps: Steps, header: Header) -> None:
    """What gpio-sim does with a pin that is let go of is not what every Pi does."""
    driving = f"{PREPARED} import os, time; GPIO.setup({RELAY}, GPIO.OUT, initial=1); "
    for how in ("os._exit(0)", "1/0", "os.kill(os.getpid(), 15)", "os.kill(os.getpid(), 9)"):
        child(driving + how)
        steps.check(f"the kernel lets go of a pin after {how}", not header.level(RELAY))
    header.pull(RELAY, True)
    child(driving + "os.kill(os.getpid(), 9)")
    steps.check("and then what is wired to it decides", header.level(RELAY))
    header.pull(RELAY, False)


def bus(steps: Steps, chips: Chips) -> None:
    from smbus2 import SMBus, i2c_msg

    with SMBus(chips.number) as bus:
        chips.write(METER, 2, 0x1234)
        steps.check("words are read with their bytes swapped", bus.read_word_data(METER, 2) == 0x3412)
        steps.check(
            "nobody at the address", number(lambda: bus.read_word_data(NOBODY, 2)) == errno.ENODEV, "ENODEV"
        )
        raw = number(lambda: bus.i2c_rdwr(i2c_msg.write(METER, [2]), i2c_msg.read(METER, 2)))
        steps.check("i2c-stub takes no raw messages", raw == errno.EOPNOTSUPP, "EOPNOTSUPP")
        bus.read_word_data(METER, 2)
        chips.take(METER)
        steps.check(
            "the chip is a driver's",
            number(lambda: ask_anew(chips.number)) == errno.EBUSY,
            "EBUSY",
        )
        steps.check("who has spoken to it before goes on", bus.read_word_data(METER, 2) == 0x3412)
        chips.give_back()
        steps.check("it can't be unplugged while the bus is open", raises(OSError, chips.unplug))
    denied = child(f"import smbus2; smbus2.SMBus({chips.number})", before=AS_NOBODY)
    steps.check("no permission", "PermissionError: [Errno 13]" in denied.stderr, "EACCES")
    chips.unplug()
    steps.check("no such bus", number(lambda: SMBus(chips.number)) == errno.ENOENT, "ENOENT")


def ask_anew(number: int) -> None:
    from smbus2 import SMBus

    with SMBus(number) as bus:
        bus.read_word_data(METER, 2)


def child(
    code: str, folder: str = "/run", before: Sequence[str] = (), **changed: str | None
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in {**os.environ, **changed}.items() if value is not None}
    return subprocess.run(
        [*before, sys.executable, "-c", code],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def raises(error: type[Exception], call: Callable[[], object]) -> bool:
    try:
        call()
    except error:
        return True
    return False


def number(call: Callable[[], object]) -> int | None:
    try:
        call()
    except OSError as error:
        return error.errno
    return None


def in_ms(began: float, at: list[float]) -> str:
    return ", ".join(f"{(when - began) * 1000:.0f} ms" for when in at)


if __name__ == "__main__":
    sys.exit(main())
