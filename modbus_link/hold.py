"""One master at a time: whoever writes a device's exclusive points holds them."""

import logging
from collections.abc import Callable

from modbus_link.access import Client

log = logging.getLogger(__name__)


class Hold:
    """Held by the client that wrote last, until it has been silent for `timeout_s()`.

    A master that comes back must not have to wait for its own shadow. So the same somebody goes on at once
    over a new connection if the old one is gone, and after half the time if nobody has told us so: the
    failsafe has not tripped by then. `now` is in seconds, monotonic.
    """

    def __init__(self, now: Callable[[], float], timeout_s: Callable[[], float]) -> None:
        self._now = now
        self._timeout_s = timeout_s
        self.holder: Client | None = None
        self._heard_at = 0.0

    def claim(self, client: Client) -> bool:
        """Whether `client` may write now; if so, it holds from now on."""
        holder, now = self.holder, self._now()
        if holder not in (None, client) and now - self._heard_at < self._patience_s(holder, client):
            return False
        if holder is None or not holder.is_same_as(client):
            log.info("%s holds this device now", client)
        self.holder, self._heard_at = client, now
        return True

    def _patience_s(self, holder: Client, client: Client) -> float:
        """How long `holder` may be silent before `client` may take its place."""
        if not holder.is_same_as(client):
            return self._timeout_s()
        return self._timeout_s() / 2 if holder.connected else 0.0
