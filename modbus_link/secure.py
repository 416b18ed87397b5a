"""The server's end of one TLS connection: first the handshake and the role, then as in the clear."""

import asyncio
import datetime
import ssl
from typing import Protocol

from modbus_link.certificates import holder
from modbus_link.connection import Connection, Server
from modbus_link.errors import BadInput
from modbus_link.tls import HANDSHAKE_S, why_refused


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class SecureServer(Server, Protocol):
    """What it needs of its server beyond that."""

    def grant(self, connection: Connection) -> str:
        """Give the client the rights of its role; "", or why it can't be."""
        ...


class SecureConnection(Connection):
    def __init__(self, server: SecureServer, context: ssl.SSLContext) -> None:
        super().__init__(server)
        self._secure_server = server
        self._context = context
        self._handshake: asyncio.Task[None] | None = None
        self._early: bytes | None = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert isinstance(transport, asyncio.Transport)
        if not transport.is_closing():
            transport.pause_reading()
            self._handshake = self._loop.create_task(self._shake_hands(transport))

    async def _shake_hands(self, transport: asyncio.Transport) -> None:
        try:
            secured = await self._loop.start_tls(
                transport,
                self,
                self._context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_S,
            )
        except OSError as error:  # as every error of ssl is
            if not self._is_over:  # by our own doing
                self._secure_server.refuse(self, why_refused(error))
            self.connection_lost(error)
            return
        tls = secured.get_extra_info("ssl_object") if secured else None
        if secured is None or tls is None or tls.version() is None:  # lost, which asyncio takes for an end
            self.connection_lost(None)
            return
        self._use(secured)
        why = self._know(tls.getpeercert(binary_form=True))
        if why:
            self._secure_server.refuse(self, why)
            self.abort()
            return
        early, self._early = self._early, None
        if early:
            self.take(early)

    def _know(self, der: bytes) -> str:
        """Who it is, and what he may; "", or why nothing."""
        try:
            found = holder(der)
        except BadInput as error:
            return str(error)
        # Who goes on with a session of TLS 1.2 is not asked for his certificate again.
        if found.until < now():
            return "its certificate has expired"
        self.client.subject, self.client.role = found.subject, found.role
        return self._secure_server.grant(self)

    def buffer_updated(self, nbytes: int) -> None:
        if self._early is not None:  # sent along with the end of the handshake, before the role is known
            self._early += bytes(self._buffer[:nbytes])
            return
        super().buffer_updated(nbytes)
        if nbytes == len(self._buffer) and self._transport:
            # There may be more. asyncio would come with it once in this turn of the loop for every segment
            # that has arrived since the buffer was last empty: ever more, from who floods.
            self._transport.pause_reading()
            self._loop.call_soon(self._listen_again)

    def _listen_again(self) -> None:
        if self._transport and not self._is_deaf:
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.abort()  # a TLS transport counts as open until it is told
