"""Log lines that whoever connects can cause: so many, and then a count, or he could fill the disk."""

import logging
import time
from collections import OrderedDict

BURST = 5
EVERY_S = 10.0
MOST_KEYS = 1000


class LineLimit:
    """At most `BURST` lines for each key in `EVERY_S`; the next one tells how many were left out."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def warning(self, key: str, text: str) -> None:
        now = time.monotonic()
        since, count = self._counts.pop(key, (now, 0))
        left_out = 0
        if now - since >= EVERY_S:
            left_out, since, count = max(0, count - BURST), now, 0
        self._counts[key] = since, count + 1
        if len(self._counts) > MOST_KEYS:
            self._counts.popitem(last=False)
        if count < BURST:
            more = f" (and {left_out} more lines like this left out)" if left_out else ""
            self._log.warning("%s%s", text, more)
