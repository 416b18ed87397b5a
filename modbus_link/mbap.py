"""The Modbus TCP header (MBAP): transaction id, protocol id 0, length, unit id; then the PDU.

MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3. A segment may hold any number of
frames, and a frame may come in any number of segments.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER = struct.Struct(">HHHB")
MAX_PDU = 253


class BadFrame(ValueError):
    """What came is no Modbus TCP; nothing after it can be trusted, so the connection has to go."""


@dataclass(frozen=True, slots=True)
class Adu:
    transaction_id: int
    unit_id: int
    pdu: bytes


def frame(transaction_id: int, unit_id: int, pdu: bytes) -> bytes:
    return _HEADER.pack(transaction_id, 0, len(pdu) + 1, unit_id) + pdu


class Framer:
    """Cuts the bytes of one connection into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Adu]:
        """The frames that `data` completes; BadFrame once the header can't be one. To be used up, before
        it is fed again."""
        data, self._rest = self._rest + data, b""
        start, size = 0, len(data)
        while size - start >= _HEADER.size:
            transaction_id, protocol_id, length, unit_id = _HEADER.unpack_from(data, start)
            if protocol_id != 0 or not 2 <= length <= MAX_PDU + 1:
                raise BadFrame(f"protocol id {protocol_id}, length {length}")
            end = start + _HEADER.size - 1 + length
            if end > size:
                break
            yield Adu(transaction_id, unit_id, data[start + _HEADER.size : end])
            start = end
        self._rest = data[start:]
