"""What opens the contactor even where the control loop hangs: the Stop button, and the loop's own silence.

A thread reads the contacts. Only what stops every thread of the process stops it, too: for that there is
systemd's watchdog.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from modbus_link.clock import Clock
from rtu_firmware.pi.gpio import PinError
from rtu_firmware.pi.pins import Contacts, Pins

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.02
SAMPLES = 3
"""So many equal ones in a row count: contacts bounce for some milliseconds."""
SILENCE_S = 1.0
"""An order to stay closed holds no longer; the control loop repeats it ten times as often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """What the contacts said at `at`, without their bouncing, and what the guard has made of it."""

    at: float
    contacts: Contacts
    stopped: bool = False
    tripped: str = ""
    """Why it has opened by itself."""


class Guard:
    """Stands between the orders and the contactor's pin; each call may come from any thread.

    `drive` sets the pin, which is open to begin with. What has opened the contactor keeps it open until an
    order to open comes from somebody who has been told.
    """

    def __init__(self, drive: Callable[[bool], None], contacts: Contacts, now: float) -> None:
        self._drive = drive
        self._lock = threading.Lock()
        self._steady = {name: _Steady(sample) for name, sample in asdict(contacts).items()}
        self._seen = Guarded(at=now, contacts=contacts, stopped=contacts.stop_pressed)
        self._told = False
        self._closed: bool | None = False
        """What the pin was last set to; None where that has failed."""
        self._ordered_at = now
        self._ended = False

    def order(self, closed: bool, now: float) -> None:
        """From the control loop, in each of its steps."""
        with self._lock:
            self._ordered_at = now
            if not closed and self._told and not self._ended:
                self._seen = replace(self._seen, stopped=self._seen.contacts.stop_pressed, tripped="")
            self._set(closed)

    def look(self, contacts: Contacts, now: float) -> None:
        """From the thread: what the contacts say."""
        with self._lock:
            settled = Contacts(**{n: self._steady[n].after(sample) for n, sample in asdict(contacts).items()})
            self._seen = replace(self._seen, at=now, contacts=settled)
            if settled.stop_pressed and not self._seen.stopped:
                self._seen, self._told = replace(self._seen, stopped=True), False
            if self._closed and now - self._ordered_at > SILENCE_S:
                self._trip(f"opened: no order for {SILENCE_S:g} s")
            self._set(bool(self._closed))

    def trip(self, why: str) -> None:
        """Open by itself, because of `why`."""
        with self._lock:
            self._trip(why)
            self._set(False)

    def tell(self) -> Guarded:
        """To the control loop."""
        with self._lock:
            self._told = True
            return self._seen

    def end(self, why: str = "") -> None:
        """Open for good; `why` if that is a fault."""
        with self._lock:
            self._ended = True
            if why:
                self._trip(why)
            self._closed = None  # whatever was last seen, it is driven open
            self._set(False)

    def _trip(self, why: str) -> None:
        if not self._seen.tripped:
            self._seen, self._told = replace(self._seen, tripped=why), False

    def _set(self, closed: bool) -> None:
        """The pin, if it is to change; what can't be closed is opened, and what can't be opened, or is closed
        all the same, is tried again: another program may have driven the pin."""
        closed = closed and not (self._ended or self._seen.stopped or self._seen.tripped)
        defies = not closed and self._seen.contacts.contactor_closed
        if closed is self._closed and not defies:
            return
        try:
            self._drive(closed)
            self._closed = closed
        except PinError as error:
            self._closed = None
            self._trip(str(error))


class _Steady:
    """A contact that has changed when `SAMPLES` in a row say so."""

    def __init__(self, level: bool) -> None:
        self._level = level
        self._others = 0

    def after(self, sample: bool) -> bool:
        self._others = 0 if sample is self._level else self._others + 1
        if self._others == SAMPLES:
            self._level, self._others = sample, 0
        return self._level


class Watch(threading.Thread):
    """Shows the guard the contacts until `close`. Where it fails, the contactor is open for good."""

    def __init__(self, guard: Guard, pins: Pins, clock: Clock) -> None:
        super().__init__(name="guard", daemon=True)
        self._guard, self._pins, self._clock = guard, pins, clock
        self._closing = threading.Event()

    def run(self) -> None:
        try:
            while not self._closing.is_set():
                self.look()
                time.sleep(
                    LOOK_EVERY_S
                )  # to wait for the event instead would cost twice as much, at each look
            self._guard.end()
        except Exception as error:
            # Logging comes last, for it may have to wait.
            self._guard.end(f"nobody watches the Stop button: {error!r}")
            log.exception("nobody watches the Stop button any more: the contactor stays open")

    def close(self) -> None:
        self._closing.set()
        if self.is_alive():
            self.join(SILENCE_S)

    def look(self) -> None:
        try:
            contacts = self._pins.contacts()
        except PinError as error:
            self._guard.trip(str(error))
        else:
            self._guard.look(contacts, self._clock.now())
