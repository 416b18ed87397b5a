"""The station as the specification wants it: what each request must be answered, and what it may change.

Written from MODBUS Application Protocol V1.1b3, the Messaging Guide V1.0b and docs/registers/pev_rtu.md;
it shares nothing with what it judges, and knows just as much of the station as its answers depend on.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import NamedTuple

FUNCTION, ADDRESS, VALUE, BUSY, NO_SUCH_UNIT = 1, 2, 3, 6, 0x0B
MINIMUM_W, RATED_W = 1300, 3300
THIS_UNIT = (0, 1, 255)
SIZES = {1: 3, 2: 7, 3: 14, 4: 70}
"""What the map declares for each read function, all of it from address 0 on."""
NOTHING_ENTERED = 0xFFFF
WRITES = (5, 6, 15, 16, 22, 23)
POINTS = {0: 2, 2: 1, 3: 1, 4: 2, 6: 2, 8: 2, 10: 1, 11: 2, 13: 1}
"""Holding registers: where a point begins, and how many it has."""
IDENTITY = {
    0x00: b"pev-scada",
    0x01: b"pev_rtu",
    0x02: version("pev-scada").encode(),
    0x04: b"One charging station, as its RTU serves it",
    0x05: b"pev_rtu 1",
    0x06: b"RTS1",
    0x80: b"pev_rtu",
    0x81: b"1",
}
LAST_OF_CATEGORY = {1: 0x02, 2: 0x7F, 3: 0xFF}


class Due(NamedTuple):
    """A reply that is due: `begin`, then `measured` bytes that nobody can foretell. `code` is 0, or the
    exception's."""

    begin: bytes
    measured: int
    code: int

    @property
    def size(self) -> int:
        return len(self.begin) + self.measured


class Refused(Exception):
    def __init__(self, code: int) -> None:
        self.code = code


@dataclass(eq=False, slots=True, kw_only=True)
class Asker:
    """One connection."""

    may_write: bool
    is_gone: bool = False
    term: int = 0


class Stream:
    """What comes over one connection; `is_bad` from the first header on that can't be one."""

    def __init__(self, station: "StrictStation", asker: Asker) -> None:
        self._station = station
        self.asker = asker
        self._rest = b""
        self.is_bad = False

    def feed(self, data: bytes) -> list[Due]:
        data = self._rest + data
        dues: list[Due] = []
        while len(data) >= 7 and not self.is_bad:
            transaction, protocol, length = struct.unpack(">HHH", data[:6])
            if protocol != 0 or length < 2 or length > 254:
                self.is_bad = True
            elif len(data) < 6 + length:
                break
            else:
                dues.append(self._due(transaction, data[6], data[7 : 6 + length]))
                data = data[6 + length :]
        self._rest = data
        return dues

    def _due(self, transaction: int, unit: int, pdu: bytes) -> Due:
        function, measured, code = pdu[0], 0, 0
        try:
            if unit not in THIS_UNIT:
                raise Refused(NO_SUCH_UNIT)
            body, measured = self._station.answer(function, pdu[1:], self.asker)
        except Refused as refused:
            function, body, code = function | 0x80, bytes([refused.code]), refused.code
        head = struct.pack(">HHHBB", transaction, 0, 2 + len(body) + measured, unit, function)
        return Due(head + body, measured, code)


@dataclass(slots=True, kw_only=True)
class StrictStation:
    """`charge_enable` is the only coil that keeps its value; `words` are the holding registers.

    `was_permitted` once the contactor may have closed, by what was written.
    """

    charge_enable: bool = False
    words: list[int] = field(default_factory=lambda: [0] * 13 + [NOTHING_ENTERED])
    holder: Asker | None = None
    was_permitted: bool = False

    def answer(self, function: int, data: bytes, asker: Asker) -> tuple[bytes, int]:
        """The reply after its function code: what is known, and the number of bytes that follow it."""
        if function in SIZES:
            return self._read(function, data)
        if function in WRITES and asker.may_write:
            return self._write(function, data, asker), 0
        if function == 8:
            return _echo(data), 0
        if function == 43:
            return _identify(data), 0
        raise Refused(FUNCTION)

    def trip_failsafe(self) -> None:
        """The permission has to be given anew."""
        self.charge_enable = False
        self.words[0:2] = [0, 0]

    def _read(self, function: int, data: bytes) -> tuple[bytes, int]:
        address, count = _unpack(">HH", data)
        holds_bits = function < 3
        _require(1 <= count <= (2000 if holds_bits else 125), VALUE)
        _require(
            address + count <= SIZES[function] or (function == 4 and _is_of_a_peer(address, count)), ADDRESS
        )
        size = (count + 7) // 8 if holds_bits else 2 * count
        if function == 1:
            return bytes([size, self.charge_enable and address == 0]), 0
        if function == 3:
            return bytes([size]) + _packed(self.words[address : address + count]), 0
        return bytes([size]), size

    def _write(self, function: int, data: bytes, asker: Asker) -> bytes:
        match function:
            case 5:
                address, value = _unpack(">HH", data)
                _require(value in (0x0000, 0xFF00), VALUE)
                self._set_coils(address, 1, value == 0xFF00, asker)
            case 6:
                address, value = _unpack(">HH", data)
                self._set_words(address, [value], asker)
            case 15:
                address, count, size = _unpack(">HHB", data[:5])
                _require(1 <= count <= 1968 and size == (count + 7) // 8 == len(data) - 5, VALUE)
                self._set_coils(address, count, bool(data[5] & 1), asker)
            case 16:
                address, count, size = _unpack(">HHB", data[:5])
                _require(1 <= count <= 123 and size == 2 * count == len(data) - 5, VALUE)
                self._set_words(address, _unpack(f">{count}H", data[5:]), asker)
            case 22:
                address, keep, put = _unpack(">HHH", data)
                _require(address < SIZES[3], ADDRESS)
                self._set_words(address, [self.words[address] & keep | put & ~keep], asker)
            case 23:
                return self._read_and_write(data, asker)
        return data if function in (5, 6, 22) else data[:4]

    def _read_and_write(self, data: bytes, asker: Asker) -> bytes:
        address, count, written, width, size = _unpack(">HHHHB", data[:9])
        _require(1 <= count <= 125 and 1 <= width <= 121 and size == 2 * width == len(data) - 9, VALUE)
        _require(address + count <= SIZES[3], ADDRESS)
        self._set_words(written, _unpack(f">{width}H", data[9:]), asker)
        return bytes([2 * count]) + _packed(self.words[address : address + count])

    def _set_coils(self, address: int, count: int, first: bool, asker: Asker) -> None:
        _require(address + count <= SIZES[1], ADDRESS)
        if address == 0:
            self._claim(asker, asker.term)
            self.charge_enable = first
            self._note_permission()

    def _set_words(self, address: int, words: Sequence[int], asker: Asker) -> None:
        begin, end = address, address + len(words)
        written = list(self.words)
        written[begin:end] = words
        while begin < end:
            _require(begin in POINTS, ADDRESS)
            begin += POINTS[begin]
        _require(begin == end, ADDRESS)
        _require(_are_possible(written), VALUE)
        term = written[11] << 16 | written[12]
        if address <= 12:  # the state of charge may be entered by anyone
            self._claim(asker, term if address <= 11 < address + len(words) else asker.term)
        self.words = written
        self._note_permission()

    def _claim(self, asker: Asker, term: int) -> None:
        highest = self.words[11] << 16 | self.words[12]
        _require(highest <= term <= highest + 1_000_000, BUSY)
        is_next = term > highest > 0
        _require(self.holder in (None, asker) or self.holder.is_gone or is_next, BUSY)
        self.holder, asker.term = asker, term

    def _note_permission(self) -> None:
        limit_w, failsafe_w = self.words[0] << 16 | self.words[1], self.words[8] << 16 | self.words[9]
        self.was_permitted |= failsafe_w >= MINIMUM_W or (self.charge_enable and limit_w >= MINIMUM_W)


def _are_possible(words: Sequence[int]) -> bool:
    """All of them, because what was there before was possible."""
    *_head, reason, price, price_limit, failsafe_w, timeout_s, _, charge = struct.unpack(
        ">IHHiiIHIH", _packed(words)
    )
    none = -(2**31)
    return (
        reason <= 11
        and all(value == none or abs(value) <= 2_000_000_000 for value in (price, price_limit))
        and (failsafe_w == 0 or MINIMUM_W <= failsafe_w <= RATED_W)
        and 1 <= timeout_s <= 3600
        and charge == NOTHING_ENTERED  # it is measured there
    )


def _is_of_a_peer(address: int, count: int) -> bool:
    """Eight blocks from 100 on, of 18 registers with a gap of two behind each."""
    block, first = divmod(address - 100, 20)
    return 0 <= block < 8 and first + count <= 18


def _echo(data: bytes) -> bytes:
    _require(len(data) >= 2, VALUE)
    _require(data[:2] == b"\0\0", FUNCTION)
    _require(len(data) % 2 == 0, VALUE)
    return data


def _identify(data: bytes) -> bytes:
    _require(data != b"", VALUE)
    _require(data[0] == 14, FUNCTION)
    _, code, wanted = _unpack("BBB", data)
    _require(1 <= code <= 4, VALUE)
    if code == 4:
        _require(wanted in IDENTITY, ADDRESS)
        told = [wanted]
    else:
        last = LAST_OF_CATEGORY[code]
        first = wanted if wanted in IDENTITY and wanted <= last else 0
        told = [number for number in IDENTITY if first <= number <= last]
    objects = b"".join(bytes([n, len(IDENTITY[n])]) + IDENTITY[n] for n in told)
    return bytes([14, code, 0x83, 0, 0, len(told)]) + objects


def _require(holds: bool, code: int) -> None:
    if not holds:
        raise Refused(code)


def _unpack(layout: str, data: bytes) -> tuple[int, ...]:
    _require(len(data) == struct.calcsize(layout), VALUE)
    return struct.unpack(layout, data)


def _packed(words: Sequence[int]) -> bytes:
    return struct.pack(f">{len(words)}H", *words)
