"""The server's end of one connection: bytes in, replies out, in order."""

import asyncio
import socket
from typing import Protocol

from modbus_link.access import Client
from modbus_link.errors import ExceptionCode
from modbus_link.mbap import Adu, BadFrame, Framer, frame
from modbus_link.requests import exception

TAKEN_AT_ONCE = 512
"""Bytes: how much a connection may have waiting here, and so how much work it can make before the others
get their turn. Some forty requests, or two of the longest."""
MOST_UNSENT = 16 * 1024
"""Bytes of replies that a client has not taken yet, before it is no longer listened to."""
THIS_DEVICE = (0, 255)
"""Unit ids that mean "whoever listens here" (Messaging Guide V1.0b, 4.4.2.2)."""


class Server(Protocol):
    """What a connection needs of its server."""

    unit_id: int

    def respond(self, pdu: bytes, client: Client) -> bytes: ...

    def admit(self, connection: "Connection") -> bool:
        """Whether it may stay; if so, it counts from now on, and another may have to make room."""
        ...

    def refuse(self, connection: "Connection", why: str) -> None:
        """Say so in the log. What stands before a colon is the kind of reason."""
        ...

    def left(self, connection: "Connection") -> None: ...


class Connection(asyncio.BufferedProtocol):
    """One client. Its requests are answered in order, each with its own transaction id.

    `heard_at`, in the event loop's seconds, is when its last whole request came, if `has_asked`, or else
    when it connected: bytes that lead to no request don't count.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._units = (*THIS_DEVICE, server.unit_id)
        self._framer = Framer()
        self._loop = asyncio.get_running_loop()
        self._buffer = memoryview(bytearray(TAKEN_AT_ONCE))
        self._transport: asyncio.Transport | None = None
        self.client = Client(host="?")
        self.heard_at = self._loop.time()
        self.has_asked = False
        self._is_over = self._is_deaf = False

    def abort(self) -> None:
        self._is_over = True
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._use(transport)
        host, port, *_ = transport.get_extra_info("peername") or ("?", 0)
        self.client.host, self.client.port = host, port
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if not self._server.admit(self):
            transport.abort()

    def _use(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        transport.set_write_buffer_limits(high=MOST_UNSENT)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.take(bytes(self._buffer[:nbytes]))

    def take(self, data: bytes) -> None:
        if self._transport is None or self._is_over:
            return  # TLS may still have something that came with what broke it
        replies: list[bytes] = []
        why = ""
        try:
            for adu in self._framer.feed(data):
                replies.append(self._reply(adu))
        except BadFrame as error:
            self._is_over, why = True, str(error)
        if replies:
            self.heard_at, self.has_asked = self._loop.time(), True
            self._transport.write(b"".join(replies))
        if self._is_over:
            self._server.refuse(self, f"it does not speak Modbus TCP: {why}")
            self._transport.close()

    def _reply(self, adu: Adu) -> bytes:
        if adu.unit_id not in self._units:
            pdu = exception(adu.pdu[0], ExceptionCode.GATEWAY_TARGET_FAILED_TO_RESPOND)
        else:
            pdu = self._server.respond(adu.pdu, self.client)
        return frame(adu.transaction_id, adu.unit_id, pdu)

    # A client that asks but does not read must not fill our memory: stop listening to it meanwhile.
    def pause_writing(self) -> None:
        self._is_deaf = True
        if self._transport:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._is_deaf = False
        if self._transport:
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.client.connected = False
        self._server.left(self)
