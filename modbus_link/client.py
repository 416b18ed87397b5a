"""A Modbus TCP client that a scan loop can trust.

It keeps its one connection by itself (reconnecting with jitter, at most half a second apart), never
repeats a request, checks that the reply is the request's, and fails what is pending the moment the
link breaks. So a call returns the truth or raises a `LinkError`, within `timeout_s`.
"""

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import Callable, Sequence

from modbus_link.client_link import Link, WrongUnit
from modbus_link.errors import BadReply, LinkDown, LinkTimeout, reason
from modbus_link.verbs import Verbs

log = logging.getLogger(__name__)

MOST_UNANSWERED = 2
"""Requests in a row without any reply, after which a connection is given up."""
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 0.4
"""Between two attempts to connect; low, so that a station that comes back is seen by the next scan."""
NO_TLS = "it may speak no TLS on this port, or not allow this address: its log says which"


class ModbusClient(Verbs):
    """One connection to one host and port; any number of unit ids may be asked over it.

    Use as an async context manager, or call `start` and `close`. With `tls` it speaks Modbus/TCP Security.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        timeout_s: float = 1.0,
        min_interval_s: float = 0.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(timeout_s=timeout_s, min_interval_s=min_interval_s)
        self.host, self.port = host, port
        self._tls = tls
        self._link: Link | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._transaction_id = 0
        self._why_down = "not started"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def connected(self) -> bool:
        return self._link is not None

    def start(self) -> None:
        """Begin to connect, in the background."""
        self._why_down = "not connected yet"
        self._keeper = asyncio.create_task(self._keep_connected(), name=f"connection to {self}")

    def abandon(self) -> None:
        """`close`, without waiting until it is done."""
        if self._keeper:
            self._keeper.cancel()
        if self._link:
            self._link.drop("closed")

    async def close(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        if self._link:
            link, self._link = self._link, None
            link.drop("closed")
            await link.lost
        self._why_down = "closed"

    async def _exchange(
        self, pdus: Sequence[bytes], unit_id: int, what: Callable[[int], str]
    ) -> Sequence[bytes]:
        link = self._link
        if link is None:
            raise LinkDown(f"no connection to {self}: {self._why_down}")
        first = self._transaction_id + 1 if self._transaction_id + len(pdus) <= 0xFFFF else 1
        self._transaction_id = first + len(pdus) - 1
        try:
            return await link.exchange(first, unit_id, pdus, self.timeout_s)
        except TimeoutError as error:
            # Behind a gateway one dead unit must not cost the others their connection. But one on which
            # nothing comes at all may be half open, and would never come back by itself.
            link.unanswered += 1
            if link.unanswered >= MOST_UNANSWERED:
                link.drop("no reply in time")
            raise LinkTimeout(f"{what(0)}: no reply within {self.timeout_s:g} s") from error
        except WrongUnit as error:
            raise BadReply(f"{what(0)}: {error}") from error
        except ConnectionError as error:
            raise LinkDown(f"{what(0)}: {error}") from error

    async def _keep_connected(self) -> None:
        pause, rebuff = FIRST_PAUSE_S, ""
        while True:
            link = await self._connect()
            if link is not None:
                self._link = link
                if not rebuff:
                    log.info("%s: connected", self)
                self._why_down = await asyncio.shield(link.lost)
                self._link = None
                if self._why_down != rebuff:  # who is turned away again and again tells it once
                    log.info("%s: connection lost: %s", self, self._why_down)
                rebuff = "" if link.has_answered else self._why_down
                if link.has_answered:
                    pause = FIRST_PAUSE_S
            await asyncio.sleep(random.uniform(pause / 2, pause))
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _connect(self) -> "Link | None":
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.timeout_s):
                _, link = await loop.create_connection(Link, self.host, self.port, ssl=self._tls)
        except TimeoutError:
            why = f"no connection within {self.timeout_s:g} s"
        except (OSError, ValueError, OverflowError) as error:  # the latter: no host name, no port number
            why = reason(error)
            if self._tls and isinstance(error, ConnectionResetError):
                why = f"{why or 'closed by the other side'} during the TLS handshake: {NO_TLS}"
        else:
            return link
        if why != self._why_down:
            log.debug("%s: can't connect: %s", self, why)  # every call says so, to whom it matters
        self._why_down = why
        return None
