"""Log lines that whoever connects can cause: so many, and then a count, or he could fill the disk."""

import logging
import time
from collections import OrderedDict

MOST_OF_A_KIND = 5
MOST_OF_A_HOST = 20
MOST_OF_ALL = 200
EVERY_S = 10.0
MOST_KEYS = 1000


class LineLimit:
    """In `EVERY_S` at most so many lines of all hosts, of one host, and of one kind from one host; the next
    of its kind that is written tells how many were left out."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._counts: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def warning(self, host: str, kind: str, text: str, *, exc_info: bool = False) -> None:
        now = time.monotonic()
        written, left_out = self._counted((host, kind), MOST_OF_A_KIND, now)
        # In this order, so that only what would be written uses up the room for more.
        written = written and self._counted((host, ""), MOST_OF_A_HOST, now)[0]
        if written and self._counted(("all hosts", ""), MOST_OF_ALL, now)[0]:
            more = f" (and {left_out} more lines like this left out)" if left_out else ""
            self._log.warning("%s%s", text, more, exc_info=exc_info)

    def _counted(self, key: tuple[str, str], most: int, now: float) -> tuple[bool, int]:
        """Whether one more may be written, and how many were not in the time before."""
        since, count = self._counts.pop(key, (now, 0))
        left_out = 0
        if now - since >= EVERY_S:
            left_out, since, count = max(0, count - most), now, 0
        self._counts[key] = since, count + 1
        if len(self._counts) > MOST_KEYS:
            self._counts.popitem(last=False)
        return count < most, left_out
