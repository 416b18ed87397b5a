"""A Modbus TCP server for one register image."""

import asyncio
import logging
import socket

from modbus_link.errors import CannotListen, ExceptionCode, reason
from modbus_link.image import RegisterImage
from modbus_link.mbap import Adu, BadFrame, Framer, frame
from modbus_link.requests import respond

log = logging.getLogger(__name__)

THIS_DEVICE = (0, 255)
"""Unit ids that mean "whoever listens here" (Messaging Guide V1.0b, 4.4.2.2)."""


class ModbusServer:
    """Serves `image` from `start` to `stop`. Port 0 takes a free one; `port` then says which."""

    def __init__(self, image: RegisterImage, host: str, port: int) -> None:
        self.image = image
        self.host, self.port = host, port
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

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
                lambda: _Connection(self.image, self._connections), self.host, self.port, backlog=512
            )
        except (OSError, ValueError, OverflowError) as error:  # the latter: no host name, no port number
            why = reason(error)
            raise CannotListen(
                f"can't listen on {self}: {why[:1].lower()}{why[1:]}; choose another port or host"
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for connection in list(self._connections):
            connection.close()
        await server.wait_closed()
        while self._connections:
            await asyncio.sleep(0)


class _Connection(asyncio.Protocol):
    """One client. Its requests are answered in order, each with its own transaction id."""

    def __init__(self, image: RegisterImage, connections: set["_Connection"]) -> None:
        self._image = image
        self._units = (*THIS_DEVICE, image.map.unit_id)
        self._connections = connections
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self._peer = ""

    def close(self) -> None:
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)
        host, port, *_ = transport.get_extra_info("peername") or ("?", 0)
        self._peer = f"{host}:{port}"
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        replies: list[bytes] = []
        broken: BadFrame | None = None
        try:
            replies.extend(self._reply(adu) for adu in self._framer.feed(data))
        except BadFrame as error:
            broken = error
        if replies:
            self._transport.write(b"".join(replies))
        if broken:
            log.warning("%s: closed, because it does not speak Modbus TCP: %s", self._peer, broken)
            self._transport.close()

    def _reply(self, adu: Adu) -> bytes:
        if adu.unit_id not in self._units:
            code = ExceptionCode.GATEWAY_TARGET_FAILED_TO_RESPOND
            return frame(adu.transaction_id, adu.unit_id, bytes((adu.pdu[0] | 0x80, code)))
        pdu = respond(self._image, adu.pdu, self._peer)
        return frame(adu.transaction_id, adu.unit_id, pdu)

    # A client that asks but does not read must not fill our memory: stop listening to it meanwhile.
    def pause_writing(self) -> None:
        if self._transport:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport:
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
