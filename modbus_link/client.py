"""A Modbus TCP client that a scan loop can trust.

It keeps its one connection by itself (reconnecting with jitter, at most a few seconds apart), never
repeats a request, checks that the reply is the request's, and fails what is pending the moment the
link breaks. So a call returns the truth or raises a `LinkError`, within `timeout_s`.
"""

import asyncio
import contextlib
import logging
import random
import socket
from collections.abc import Sequence

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadCoilsResponse,
    ReadDiscreteInputsRequest,
    WriteMultipleCoilsRequest,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from modbus_link.errors import BadReply, LinkDown, LinkTimeout, Refused
from modbus_link.mbap import Adu, BadFrame, Framer, frame
from register_maps.points import Table

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
"""Between two attempts to connect; low, so that a station that comes back is seen soon."""

_READS: dict[Table, type[ModbusPDU]] = {
    Table.COIL: ReadCoilsRequest,
    Table.DISCRETE_INPUT: ReadDiscreteInputsRequest,
    Table.HOLDING_REGISTER: ReadHoldingRegistersRequest,
    Table.INPUT_REGISTER: ReadInputRegistersRequest,
}


class ModbusClient:
    """One connection to one host and port; any number of unit ids may be asked over it.

    Requests go out one at a time, in the order of the calls. Use as an async context manager, or call
    `start` and `close`.
    """

    def __init__(self, host: str, port: int, *, timeout_s: float = 1.0, min_interval_s: float = 0.0) -> None:
        self.host, self.port = host, port
        self.timeout_s = timeout_s
        self.min_interval_s = min_interval_s
        self._turn = asyncio.Lock()
        self._link: _Link | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._transaction_id = 0
        self._free_at = 0.0
        self._why_down = "not started"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    async def __aenter__(self) -> "ModbusClient":
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def connected(self) -> bool:
        return self._link is not None

    def start(self) -> None:
        """Begin to connect, in the background."""
        self._why_down = "not connected yet"
        self._keeper = asyncio.create_task(self._keep_connected(), name=f"connection to {self}")

    async def close(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if self._link:
            link = self._link
            link.drop("closed")
            await link.lost

    async def read(self, table: Table, address: int, count: int, unit_id: int) -> Sequence[int]:
        """`count` words, or bits in a bit table."""
        what = f"read {table} {address}+{count} of {self}"
        reply = await self._request(_READS[table](address=address, count=count), unit_id, what)
        response: ModbusPDU
        if table.holds_bits:
            response, size = ReadCoilsResponse(), (count + 7) // 8
        else:
            response, size = ReadHoldingRegistersResponse(), 2 * count
        if len(reply) != 2 + size or reply[1] != size:
            raise BadReply(f"{what}: {len(reply)} bytes, {size + 2} expected")
        response.decode(reply[1:])
        return response.bits[:count] if table.holds_bits else response.registers

    async def write(
        self, table: Table, address: int, words: Sequence[int], unit_id: int, *, single: bool = True
    ) -> None:
        """Write words, or bits in a bit table. One of them goes by function 5 or 6, if `single` allows."""
        what = f"write {table} {address}+{len(words)} of {self}"
        request = _write_request(table, address, words, single=single)
        reply = await self._request(request, unit_id, what)
        # All four write replies echo the request's first four bytes after the function code.
        if reply[1:] != request.encode()[:4]:
            raise BadReply(f"{what}: the reply does not repeat the request")

    async def _request(self, request: ModbusPDU, unit_id: int, what: str) -> bytes:
        pdu = bytes((request.function_code,)) + request.encode()
        async with self._turn:
            await self._pace()
            reply = await self._exchange(pdu, unit_id, what)
        if len(reply) == 2 and reply[0] == request.function_code | 0x80:
            raise Refused(what, reply[1])
        if reply[0] != request.function_code:
            raise BadReply(f"{what}: function {reply[0]:#04x} in the reply to {request.function_code:#04x}")
        return reply

    async def _exchange(self, pdu: bytes, unit_id: int, what: str) -> bytes:
        link = self._link
        if link is None:
            raise LinkDown(f"{what}: {self._why_down}")
        self._transaction_id = self._transaction_id % 0xFFFF + 1
        try:
            async with asyncio.timeout(self.timeout_s):
                return await link.exchange(self._transaction_id, unit_id, pdu)
        except TimeoutError as error:
            # A late reply could be taken for a fresh one, and a half-open connection never comes
            # back: begin again on a new one.
            link.drop("no reply in time")
            raise LinkTimeout(f"{what}: no reply within {self.timeout_s:g} s") from error
        except ConnectionError as error:
            raise LinkDown(f"{what}: {error}") from error

    async def _pace(self) -> None:
        if self.min_interval_s:
            loop = asyncio.get_running_loop()
            await asyncio.sleep(max(0.0, self._free_at - loop.time()))
            self._free_at = loop.time() + self.min_interval_s

    async def _keep_connected(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            link = await self._connect()
            if link is not None:
                self._link = link
                self._why_down = await asyncio.shield(link.lost)
                self._link = None
                log.info("%s: connection lost: %s", self, self._why_down)
                if link.has_answered:
                    pause = FIRST_PAUSE_S
            await asyncio.sleep(random.uniform(pause / 2, pause))
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _connect(self) -> "_Link | None":
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.timeout_s):
                _, link = await loop.create_connection(_Link, self.host, self.port)
        except TimeoutError:
            reason = f"no connection within {self.timeout_s:g} s"
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            log.info("%s: connected", self)
            return link
        if reason != self._why_down:
            log.warning("%s: can't connect: %s", self, reason)
        self._why_down = reason
        return None


class _Link(asyncio.Protocol):
    """One TCP connection; `lost` resolves to the reason when it is gone."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[str] = loop.create_future()
        self.has_answered = False
        self._framer = Framer()
        self._pending: tuple[int, int, asyncio.Future[bytes]] | None = None
        self._transport: asyncio.Transport | None = None
        self._reason = "closed by the other side"

    async def exchange(self, transaction_id: int, unit_id: int, pdu: bytes) -> bytes:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionError(self._reason)
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._pending = (transaction_id, unit_id, reply)
        self._transport.write(frame(transaction_id, unit_id, pdu))
        try:
            return await reply
        finally:
            self._pending = None

    def drop(self, reason: str) -> None:
        if not self.lost.done() and self._transport:
            self._reason = reason
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        try:
            for adu in self._framer.feed(data):
                self._take(adu)
        except BadFrame as error:
            self.drop(f"not Modbus TCP: {error}")

    def _take(self, adu: Adu) -> None:
        if self._pending is None or adu.transaction_id != self._pending[0]:
            return  # the reply to a request that was given up
        _, unit_id, reply = self._pending
        if reply.done():
            return
        self.has_answered = True
        if adu.unit_id != unit_id:
            reply.set_exception(ConnectionError(f"unit {adu.unit_id} answered for unit {unit_id}"))
        else:
            reply.set_result(adu.pdu)

    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(exc, OSError) and exc.strerror:
            self._reason = exc.strerror
        if self._pending and not self._pending[2].done():
            self._pending[2].set_exception(ConnectionError(self._reason))
        if not self.lost.done():
            self.lost.set_result(self._reason)


def _write_request(table: Table, address: int, words: Sequence[int], *, single: bool) -> ModbusPDU:
    if table.holds_bits:
        bits = [bool(word) for word in words]
        if single and len(bits) == 1:
            return WriteSingleCoilRequest(address=address, bits=bits)
        return WriteMultipleCoilsRequest(address=address, bits=bits)
    if single and len(words) == 1:
        return WriteSingleRegisterRequest(address=address, registers=list(words))
    return WriteMultipleRegistersRequest(address=address, registers=list(words))
