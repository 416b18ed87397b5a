"""A Modbus TCP server for one register image: who may come in, and how many.

Over TLS where the listener has roles (Modbus/TCP Security), else in the clear.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

from modbus_link.access import NO_RIGHTS, Client
from modbus_link.connection import Connection
from modbus_link.errors import CannotListen, reason
from modbus_link.identity import Identity
from modbus_link.image import RegisterImage
from modbus_link.line_limit import LineLimit
from modbus_link.listen import Listen
from modbus_link.requests import respond
from modbus_link.tls import Tls

log = logging.getLogger(__name__)

MOST_ACCEPTED_AT_ONCE = 100


class ModbusServer:
    """Serves `image` from `start` to `stop`. Port 0 takes a free one; `port` then says which.

    `name` is what it calls itself to those who ask (function 43). ValueError where `listen` has roles,
    but there is no `tls` to tell them by.
    """

    def __init__(
        self, image: RegisterImage, listen: Listen, *, name: str = "", tls: Tls | None = None
    ) -> None:
        if listen.roles is not None and tls is None:
            raise ValueError("a server with roles needs certificates")
        self.image = image
        self.listen = listen
        self.host, self.port = listen.host, listen.port
        self.unit_id = image.map.unit_id
        self._tls = _tls_connections(tls) if tls and listen.roles is not None else None
        self._identity = Identity(image.map, name)
        self._roles = {role: entry.rights(image.map) for role, entry in (listen.roles or {}).items()}
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._lines = LineLimit(log)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def about(self) -> str:
        """For the log: where it listens, and for whom."""
        return f"{self}, {self.listen.about}"

    async def __aenter__(self) -> "ModbusServer":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, if it does not yet; CannotListen where the host and port can't be had."""
        if self._server is not None:
            return
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                self._connection, self.host, self.port, backlog=MOST_ACCEPTED_AT_ONCE
            )
        except (OSError, ValueError, OverflowError) as error:  # the latter: no host name, no port number
            why = reason(error)
            raise CannotListen(
                f"can't listen on {self}: {why[:1].lower()}{why[1:]}; choose another port or host"
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]
        self._sweep()

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is None:
            return
        server, self._server = self._server, None
        if self._sweeper:
            self._sweeper.cancel()
        server.close()
        for connection in list(self._connections):
            connection.abort()
        await server.wait_closed()
        while self._connections:
            await asyncio.sleep(0)

    def respond(self, pdu: bytes, client: Client) -> bytes:
        return respond(self.image, self._identity, pdu, client)

    def admit(self, connection: Connection) -> bool:
        client = connection.client
        if self._server is None:
            return False  # it came while the server was stopping
        if not self.listen.allows(client.host):
            self.refuse(connection, "its address is not one of those in `allow`")
            return False
        # Over TLS, nothing until the role is known.
        client.rights = NO_RIGHTS if self._tls else self.listen.rights(client.host)
        if len(self._connections) >= self.listen.max_connections and not self._make_room():
            self.refuse(connection, "too many connections (max_connections)")
            return False
        self._connections.add(connection)
        return True

    def left(self, connection: Connection) -> None:
        self._connections.discard(connection)

    def grant(self, connection: Connection) -> str:
        client = connection.client
        if not client.role:
            return f"the certificate of {client.subject!r} carries no role"
        if client.role not in self._roles:
            return f"{client.subject!r} has the role {client.role!r}, which has no rights here"
        client.rights = self.listen.rights(client.host, self._roles[client.role])
        return ""

    def refuse(self, connection: Connection, why: str) -> None:
        client = connection.client
        self._lines.warning(client.host, why.partition(":")[0], f"{client}: refused: {why}")

    def _connection(self) -> Connection:
        return self._tls(self) if self._tls else Connection(self)

    def _make_room(self) -> bool:
        """Drop who has been idle the longest, as the Messaging Guide V1.0b, 4.2.2, wants it, of the host
        that has the most connections: so a flood from one host pushes out its own alone. Of those, who has
        never asked goes first. And nothing does so to the master that steers."""
        hold = self.image.hold
        others = [c for c in self._connections if not (hold and hold.holder is c.client)]
        if not others:
            return False
        of_host = Counter(c.client.host for c in self._connections)
        longest = min(others, key=lambda c: (-of_host[c.client.host], c.has_asked, c.heard_at))
        self._drop(longest, "too many connections (max_connections), and it was idle the longest")
        return True

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        timeout_s = self.listen.idle_timeout_s
        for connection in list(self._connections):
            if loop.time() - connection.heard_at > timeout_s:
                self._drop(connection, f"idle for more than {timeout_s:g} s (idle_timeout_s)")
        self._sweeper = loop.call_later(min(timeout_s / 4, 10.0), self._sweep)

    def _drop(self, connection: Connection, why: str) -> None:
        self.left(connection)
        self._lines.warning("", "dropped", f"{connection.client}: dropped: {why}")
        connection.abort()


def _tls_connections(tls: Tls) -> Callable[[ModbusServer], Connection]:
    from modbus_link.secure import SecureConnection  # with the cryptography package: only where needed

    return lambda server: SecureConnection(server, tls.server)
