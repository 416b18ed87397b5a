"""What a service tells systemd: that it is ready, and that it lives.

The protocol of sd_notify(3): datagrams to the socket that $NOTIFY_SOCKET names. Without it, nothing is told.
"""

import os
import socket
import time

_EVERY_S = 0.5
"""Often enough for a watchdog of some seconds, and rare enough to cost nothing."""

_TURNS = 4


class Notify:
    """`alive` may be called in every turn of a control loop, of which one takes `turn_s`."""

    def __init__(self, turn_s: float) -> None:
        name = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + name[1:] if name.startswith("@") else name
        self._ready = False
        # A watchdog must let some turns pass, however slowly a site is scanned.
        given = os.environ.get("WATCHDOG_USEC", "")
        allowed_us, needed_us = int(given) if given.isdecimal() else 0, round(_TURNS * turn_s * 1e6)
        self._longer = f"\nWATCHDOG_USEC={needed_us}" if 0 < allowed_us < needed_us else ""
        self._told_at = -_EVERY_S

    def alive(self) -> None:
        """The control loop has made a turn; the first time, the service is ready."""
        if not self._address:
            return
        now = time.monotonic()
        if self._ready and now - self._told_at < _EVERY_S:
            return
        self._tell("WATCHDOG=1" if self._ready else f"READY=1\nWATCHDOG=1{self._longer}")
        self._ready, self._told_at = True, now

    def _tell(self, text: str) -> None:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as to:
                to.sendto(text.encode(), self._address)
        except OSError:
            return  # a supervisor that is gone or busy, or no file to be had, must not stop the station
