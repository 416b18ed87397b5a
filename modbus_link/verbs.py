"""What every Modbus client asks, whatever the line: requests as bytes, replies checked and taken apart."""

import asyncio
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Self

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

from modbus_link.errors import BadReply, Refused
from modbus_link.identity import IDENTIFICATION_REQUEST, identification_objects
from register_maps.blocks import Span
from register_maps.points import Table

_READS: dict[Table, type[ModbusPDU]] = {
    Table.COIL: ReadCoilsRequest,
    Table.DISCRETE_INPUT: ReadDiscreteInputsRequest,
    Table.HOLDING_REGISTER: ReadHoldingRegistersRequest,
    Table.INPUT_REGISTER: ReadInputRegistersRequest,
}


class Verbs(ABC):
    """Calls are served one at a time, in their order. Each returns the truth or raises a `LinkError`."""

    answers_at_once = False

    def __init__(self, *, timeout_s: float, min_interval_s: float) -> None:
        self.timeout_s = timeout_s
        self.min_interval_s = min_interval_s
        self._turn = asyncio.Lock()
        self._free_at = 0.0

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    async def _exchange(
        self, pdus: Sequence[bytes], unit_id: int, what: Callable[[int], str]
    ) -> Sequence[bytes]:
        """The replies, in the order of `pdus`; `what(n)` is for errors. A LinkError within `timeout_s`."""

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
