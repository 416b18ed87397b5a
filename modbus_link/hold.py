"""One master at a time: whoever writes a device's exclusive points holds them."""

from collections.abc import Callable

from modbus_link.access import Client


class Hold:
    """Held by the client that wrote last, until it has been silent for `timeout_s()`.

    A holder that comes back over a new connection, its old one being gone, goes on holding: a master
    that is restarted must not have to wait for its own shadow. `now` is in seconds, monotonic.
    """

    def __init__(self, now: Callable[[], float], timeout_s: Callable[[], float]) -> None:
        self._now = now
        self._timeout_s = timeout_s
        self.holder: Client | None = None
        self._heard_at = 0.0

    def claim(self, client: Client) -> bool:
        """Whether `client` may write now; if so, it holds from now on."""
        holder, now = self.holder, self._now()
        if holder is not None and holder is not client:
            returns = not holder.connected and holder.is_same_as(client)
            silent = now - self._heard_at > self._timeout_s()
            if not (returns or silent):
                return False
        self.holder, self._heard_at = client, now
        return True
