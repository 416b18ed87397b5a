"""One TCP connection of a client's: what went out, and what came back for it."""

import asyncio
import socket
import struct
from collections.abc import Sequence

from modbus_link.errors import reason
from modbus_link.mbap import Adu, BadFrame, Framer, frame


class WrongUnit(Exception):
    """Another unit answered than was asked."""


class _Pending:
    """Requests that are out, and the replies that have come so far."""

    def __init__(self, first: int, unit_id: int, count: int) -> None:
        self.done: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()
        self._first, self._unit_id = first, unit_id
        self._replies: list[bytes | None] = [None] * count
        self._missing = count

    def expire(self) -> None:
        if not self.done.done():
            self.done.set_exception(TimeoutError())

    def take(self, adu: Adu) -> bool:
        """Whether it was the reply to one of these requests, and not to one that was given up."""
        index = adu.transaction_id - self._first
        if not 0 <= index < len(self._replies) or self._replies[index] is not None or self.done.done():
            return False
        if adu.unit_id != self._unit_id:
            self.done.set_exception(WrongUnit(f"unit {adu.unit_id} answered for unit {self._unit_id}"))
            return True
        self._replies[index] = adu.pdu
        self._missing -= 1
        if not self._missing:
            self.done.set_result([reply for reply in self._replies if reply is not None])
        return True


class Link(asyncio.Protocol):
    """One TCP connection; `lost` resolves to the reason when it is gone."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[str] = loop.create_future()
        self.has_answered = False
        self.unanswered = 0  # requests in a row
        self._framer = Framer()
        self._pending: _Pending | None = None
        self._transport: asyncio.Transport | None = None
        self._reason = "closed by the other side"
        self._is_over_tls = False

    async def exchange(
        self, first: int, unit_id: int, pdus: Sequence[bytes], timeout_s: float
    ) -> list[bytes]:
        """The replies to `pdus`, which go out together with transaction ids from `first` on."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionError(self._why_lost())
        self._pending = _Pending(first, unit_id, len(pdus))
        timer = asyncio.get_running_loop().call_later(timeout_s, self._pending.expire)
        self._transport.write(b"".join(frame(first + n, unit_id, pdu) for n, pdu in enumerate(pdus)))
        try:
            return await self._pending.done
        finally:
            timer.cancel()
            self._pending = None

    def drop(self, reason: str) -> None:
        if not self.lost.done() and self._transport:
            self._reason = reason
            # With a reset: what has not reached the device by now must not reach it minutes later.
            sock = self._transport.get_extra_info("socket")
            if sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._is_over_tls = transport.get_extra_info("ssl_object") is not None
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        self.unanswered = 0
        try:
            for adu in self._framer.feed(data):
                if self._pending and self._pending.take(adu):
                    self.has_answered = True
        except BadFrame as error:
            self.drop(f"not Modbus TCP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(exc, OSError) and exc.strerror:
            self._reason = reason(exc)
        why = self._why_lost()
        if self._pending and not self._pending.done.done():
            self._pending.done.set_exception(ConnectionError(why))
        if not self.lost.done():
            self.lost.set_result(why)

    def _why_lost(self) -> str:
        if self.has_answered:
            return self._reason
        hint = "have refused this side's certificate or role" if self._is_over_tls else "speak only TLS there"
        return f"{self._reason}; it may {hint}, or not allow this address: its log says which"
