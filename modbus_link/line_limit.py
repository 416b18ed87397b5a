"""Log lines that whoever connects can cause: so many, and then a count, or he could fill the disk."""

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass

EVERY_S = 10.0
MOST_OF_A_KIND = 5
MOST_OF_A_HOST = 20
MOST_OF_ALL = 200
MOST_KEYS = 1000


@dataclass(slots=True)
class _Window:
    since: float
    written: int = 0
    left_out: int = 0


class LineLimit:
    """In `EVERY_S` at most so many lines of all hosts, of one host, and of one kind from one host; the next
    of its kind that is written tells how many were left out."""

    def __init__(
        self, log: logging.Logger, *, of_a_kind: int = MOST_OF_A_KIND, of_a_host: int = MOST_OF_A_HOST
    ) -> None:
        self._log = log
        self._of_a_kind, self._of_a_host = of_a_kind, of_a_host
        self._windows: OrderedDict[tuple[str, ...], _Window] = OrderedDict()

    def warning(self, host: str, kind: str, text: str, *, exc_info: bool = False) -> None:
        self._say(logging.WARNING, host, kind, text, exc_info=exc_info)

    def info(self, host: str, kind: str, text: str) -> bool:
        """Whether it was written."""
        return self._say(logging.INFO, host, kind, text, exc_info=False)

    def _say(self, level: int, host: str, kind: str, text: str, *, exc_info: bool) -> bool:
        left_out = self.admit(host, kind)
        if left_out is None:
            return False
        more = f" (and {left_out} more lines like this left out)" if left_out else ""
        self._log.log(level, "%s%s", text, more, exc_info=exc_info)
        return True

    def admit(self, host: str, kind: str) -> int | None:
        """Counts one more: how many were left out before it, None if it is left out itself."""
        now = time.monotonic()
        of_kind = self._window((host, kind), now)
        limits = [
            (of_kind, self._of_a_kind),
            (self._window((host,), now), self._of_a_host),
            (self._window((), now), MOST_OF_ALL),
        ]
        if any(window.written >= most for window, most in limits):
            of_kind.left_out += 1
            return None
        for window, _ in limits:
            window.written += 1
        left_out, of_kind.left_out = of_kind.left_out, 0
        return left_out

    def _window(self, key: tuple[str, ...], now: float) -> _Window:
        window = self._windows.pop(key, None) or _Window(now)
        if now - window.since >= EVERY_S:
            window.since, window.written = now, 0
        self._windows[key] = window
        if len(self._windows) > MOST_KEYS:
            self._windows.popitem(last=False)
        return window
