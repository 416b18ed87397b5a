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
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteMultipleCoilsRequest,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from modbus_link.client_link import Link, WrongUnit
from modbus_link.errors import BadReply, LinkDown, LinkTimeout, Refused, reason
from modbus_link.identity import IDENTIFICATION_REQUEST, identification_objects
from register_maps.blocks import Span
from register_maps.points import Table

log = logging.getLogger(__name__)

MOST_UNANSWERED = 2
"""Requests in a row without any reply, after which a connection is given up."""
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 0.4
"""Between two attempts to connect; low, so that a station that comes back is seen by the next scan."""
NO_TLS = "it may speak no TLS on this port, or not allow this address: its log says which"

_READS: dict[Table, type[ModbusPDU]] = {
    Table.COIL: ReadCoilsRequest,
    Table.DISCRETE_INPUT: ReadDiscreteInputsRequest,
    Table.HOLDING_REGISTER: ReadHoldingRegistersRequest,
    Table.INPUT_REGISTER: ReadInputRegistersRequest,
}


class ModbusClient:
    """One connection to one host and port; any number of unit ids may be asked over it.

    Calls are served one at a time, in their order. Use as an async context manager, or call
    `start` and `close`. With `tls` it speaks Modbus/TCP Security.
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
        self.host, self.port = host, port
        self.timeout_s = timeout_s
        self.min_interval_s = min_interval_s
        self._tls = tls
        self._turn = asyncio.Lock()
        self._link: Link | None = None
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
            self._keeper = None
        if self._link:
            link, self._link = self._link, None
            link.drop("closed")
            await link.lost
        self._why_down = "closed"

    async def read(self, table: Table, address: int, count: int, unit_id: int) -> Sequence[int]:
        """`count` words, or bits in a bit table."""
        (values,) = await self.read_all([Span(table=table, address=address, count=count)], unit_id)
        return values

    async def read_all(self, spans: Sequence[Span], unit_id: int) -> list[Sequence[int]]:
        """The words (or bits) of every span. The requests go out together: only for a device that takes
        as many at once."""
        pdus = [_read_pdu(span.table, span.address, span.count) for span in spans]
        replies = await self._request(pdus, unit_id, lambda n: f"read {spans[n]} of {self}")
        return [self._values(span, reply, unit_id) for span, reply in zip(spans, replies, strict=True)]

    async def write(
        self, table: Table, address: int, words: Sequence[int], unit_id: int, *, single: bool = True
    ) -> None:
        """Write words, or bits in a bit table. One of them goes by function 5 or 6, if `single` allows."""
        what = f"write {table} {address}+{len(words)} of {self}"
        if not table.is_writable:  # on the wire it would be the coil or the register of that address
            raise ValueError(f"{what}: this table can only be read")
        pdu = _pdu(_write_request(table, address, words, single=single))
        (reply,) = await self._request([pdu], unit_id, lambda _: what)
        # All four write replies echo the request's first four bytes after the function code.
        if reply[1:] != pdu[1:5]:
            raise BadReply(f"{what}: the reply does not repeat the request")

    async def identify(self, unit_id: int) -> dict[int, str]:
        """Its basic identification objects: 0 who made it, 1 the product's code, 2 its revision (function
        43/14). Refused where it doesn't say, which many devices don't."""
        (reply,) = await self._request([IDENTIFICATION_REQUEST], unit_id, lambda _: f"identify {self}")
        try:
            return identification_objects(reply)
        except IndexError as error:
            raise BadReply(f"identify {self}: the reply ends too early") from error

    def _values(self, span: Span, reply: bytes, unit_id: int) -> Sequence[int]:
        size = (span.count + 7) // 8 if span.table.holds_bits else 2 * span.count
        if len(reply) != 2 + size or reply[1] != size:
            raise BadReply(f"read {span} of {self}: {len(reply)} bytes, {size + 2} expected")
        if not span.table.holds_bits:
            return struct.unpack_from(f">{span.count}H", reply, 2)
        bits = int.from_bytes(reply[2:], "little")
        return [bits >> n & 1 for n in range(span.count)]

    async def _request(
        self, pdus: Sequence[bytes], unit_id: int, what: Callable[[int], str]
    ) -> Sequence[bytes]:
        async with self._turn:
            if self.min_interval_s:
                await asyncio.sleep(self._free_at - asyncio.get_running_loop().time())
            try:
                replies = await self._exchange(pdus, unit_id, what)
            finally:
                self._free_at = asyncio.get_running_loop().time() + self.min_interval_s
        for n, (pdu, reply) in enumerate(zip(pdus, replies, strict=True)):
            if reply[0] == pdu[0]:
                continue
            if len(reply) == 2 and reply[0] == pdu[0] | 0x80:
                raise Refused(what(n), reply[1])
            raise BadReply(f"{what(n)}: function {reply[0]:#04x} in the reply to {pdu[0]:#04x}")
        return replies

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


def _pdu(request: ModbusPDU) -> bytes:
    return bytes((request.function_code,)) + request.encode()


@lru_cache(maxsize=1000)
def _read_pdu(table: Table, address: int, count: int) -> bytes:
    """The same few requests, in every scan."""
    return _pdu(_READS[table](address=address, count=count))


def _write_request(table: Table, address: int, words: Sequence[int], *, single: bool) -> ModbusPDU:
    if table.holds_bits:
        bits = [bool(word) for word in words]
        if single and len(bits) == 1:
            return WriteSingleCoilRequest(address=address, bits=bits)
        return WriteMultipleCoilsRequest(address=address, bits=bits)
    if single and len(words) == 1:
        return WriteSingleRegisterRequest(address=address, registers=list(words))
    return WriteMultipleRegistersRequest(address=address, registers=list(words))
