"""One master at a time: whoever writes a device's exclusive points holds them."""

import logging
from collections.abc import Callable

from modbus_link.access import Client

log = logging.getLogger(__name__)

MOST_TERMS_AT_ONCE, MOST_TERMS_WHEN_FREE = 1_000_000, 1_000_000_000
"""So that nobody can use them all up at once, and so shut every master out. A device that was restarted is
free, and has to catch up with the site's."""


class Hold:
    """Held by the client that wrote last, until it has been silent for `timeout_s()`.

    A master that comes back must not have to wait for its own shadow. So the same somebody goes on at once
    over a new connection if the old one is gone, and after half the time if nobody has told us so: the
    failsafe has not tripped by then.

    `term` fences off a master that has been replaced: who has not written at least the highest term that
    was ever written may not write, however long the holder is silent. Where there are terms, a higher one
    takes over at once: its master has found out that nobody steers, here or at most other stations. `now`
    is in seconds, monotonic.
    """

    def __init__(self, now: Callable[[], float], timeout_s: Callable[[], float], *, term: int = 0) -> None:
        self._now = now
        self._timeout_s = timeout_s
        self.holder: Client | None = None
        self.term = term
        self._heard_at = 0.0

    def why_not(self, client: Client, term: int | None = None) -> str:
        """Why `client` may not write now; "" if it may, and then it holds from now on. `term` is the one
        that it writes with this request, if it does."""
        holder, now = self.holder, self._now()
        own_term = client.term if term is None else term
        if own_term < self.term:
            return f"its term {own_term} is older than {self.term}"
        is_free = holder is None or now - self._heard_at >= self._timeout_s() / 2
        if own_term > self.term + (MOST_TERMS_WHEN_FREE if is_free else MOST_TERMS_AT_ONCE):
            return f"term {own_term} is too far from {self.term}"
        if holder not in (None, client) and now - self._heard_at < self._patience_s(holder, client, own_term):
            return f"{holder} holds the device"
        if holder is None or not holder.is_same_as(client) or own_term > self.term:
            log.info("%s holds this device now%s", client, f", in term {own_term}" if own_term else "")
        self.holder, self._heard_at = client, now
        self.term = client.term = own_term
        return ""

    def _patience_s(self, holder: Client, client: Client, term: int) -> float:
        """How long `holder` may be silent before `client` may take its place."""
        is_next_master = term > self.term > 0
        if is_next_master or (holder.is_same_as(client) and not holder.connected):
            return 0.0
        return self._timeout_s() / 2 if holder.is_same_as(client) or term else self._timeout_s()
