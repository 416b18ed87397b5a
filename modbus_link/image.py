"""A device's registers in memory: what a server serves and a program reads and sets by name."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from modbus_link.access import Client
from modbus_link.errors import ExceptionCode
from modbus_link.hold import Hold
from modbus_link.writes import Write
from register_maps.codec import EncodeError, decoder, encoder
from register_maps.points import Point, Table, Value
from register_maps.register_map import RegisterMap
from register_maps.vocabulary import MASTER_TERM

_UNSET = object()


class Refusal(Exception):
    """Raised by the image, or by a write hook, to answer a request with an exception code. `why` is for the
    log, where it is more than the client's mistake."""

    def __init__(self, code: ExceptionCode, why: str = "") -> None:
        self.code = code
        self.why = why
        super().__init__(why or code.name)


def not_allowed(what: str) -> Refusal:
    """To who may not, it is as if the function did not exist (MODBUS/TCP Security Protocol)."""
    return Refusal(ExceptionCode.ILLEGAL_FUNCTION, f"may not {what}")


class RegisterImage:
    """The tables of one map, holding each point's last value.

    `on_read` is called before a client reads from a table, for values that are made only then: those that
    age, or that cost much. `image[name]` does not call it.
    `on_write` gets every write of a client before it takes effect and may raise `Refusal`; `on_written`
    follows once it has. `on_refused` tells of a client that wanted to write and may not, and why. All of it
    happens in one step of the event loop, so a value is never seen half changed. With a `hold`, the map's
    exclusive points take writes from one client at a time.
    """

    def __init__(self, device_map: RegisterMap) -> None:
        self.map = device_map
        self.on_read: Callable[[Table], None] | None = None
        self.on_write: Callable[[Write], None] | None = None
        self.on_written: Callable[[Write], None] | None = None
        self.on_refused: Callable[[Client, str], None] | None = None
        self.hold: Hold | None = None
        self._last: dict[str, Value] = {}  # as `update` was given it: before rounding
        self._values: dict[str, Value] = {}  # as the words say it, of those that were asked for
        self._words: dict[Table, list[int]] = {}
        self._readable: dict[Table, bytearray] = {}
        self._names: dict[Table, list[str]] = {}
        self._slots: dict[str, _Slot] = {}
        for table in Table:
            points = [p for p in device_map.points.values() if p.table is table]
            size = max((p.end for p in points), default=0)
            words = self._words[table] = [0] * size
            readable = self._readable[table] = bytearray(size)
            names = self._names[table] = [""] * size
            for p in points:
                readable[p.address : p.end] = bytes([p.is_readable]) * p.width
                names[p.address : p.end] = [p.name] * p.width
                self._slots[p.name] = _Slot(p, words, p.address, p.end, decoder(p), encoder(p))
        self._written: dict[tuple[Table, int, int], dict[str, _Slot]] = {}  # masters write the same again
        self._writable = {
            (slot.point.table, slot.start): slot for slot in self._slots.values() if slot.point.is_writable
        }

    def __getitem__(self, name: str) -> Value:
        if name not in self._values:
            slot = self._slots[name]
            self._values[name] = slot.decode(slot.words[slot.start : slot.end])
        return self._values[name]

    def update(self, values: Mapping[str, Value]) -> None:
        """Set points by name; EncodeError, and nothing changed, if a value does not fit its point."""
        last, slots = self._last, self._slots
        changed = {n: v for n, v in values.items() if last.get(n, _UNSET) != v}  # encoding costs most
        encoded = [(slots[name], slots[name].encode(value)) for name, value in changed.items()]
        for slot, words in encoded:
            slot.words[slot.start : slot.end] = words
            self._values.pop(slot.point.name, None)
        last |= changed

    def publish(self, values: Mapping[str, Value]) -> None:
        """`update` for measured values: one that its point can't hold is no value, or, where the point has
        no way to say so, the value that it had."""
        try:
            self.update(values)
        except EncodeError:
            for name, value in values.items():
                try:
                    self.update({name: value})
                except EncodeError:
                    with contextlib.suppress(EncodeError):
                        self.update({name: None})

    def read(self, table: Table, address: int, count: int, client: Client) -> list[int]:
        """For a client; Refusal where any of the addresses is no readable point's."""
        if self.on_read:
            self.on_read(table)
        readable = self._readable[table]
        end = address + count
        if end > len(readable) or readable.find(0, address, end) != -1:
            raise Refusal(ExceptionCode.ILLEGAL_DATA_ADDRESS)
        if client.rights.read is not None and not client.rights.may_read(self._names[table][address:end]):
            raise not_allowed(f"read {table} {address}+{count}")
        return self._words[table][address:end]

    def write(self, table: Table, address: int, words: Sequence[int], client: Client) -> None:
        """For a client; takes effect whole or, with a Refusal, not at all."""
        slots = self._slots_written(table, address, address + len(words))
        names = slots.keys()
        if not client.rights.may_write(names):
            raise not_allowed(f"write {', '.join(names)}")
        values = {n: s.accepted(words[s.start - address : s.end - address]) for n, s in slots.items()}
        write = Write(values=values, old={name: self[name] for name in names}, client=client)
        if self.on_write:
            self.on_write(write)
        if self.hold and any(slot.point.exclusive for slot in slots.values()):
            term = values.get(MASTER_TERM)
            why = self.hold.why_not(client, term if isinstance(term, int) else None)
            if why:
                raise Refusal(ExceptionCode.SERVER_DEVICE_BUSY, f"may not write {', '.join(names)}: {why}")
        self._words[table][address : address + len(words)] = words
        for name in values:
            self._last.pop(name, None)
        self._values |= values
        if self.on_written:
            self.on_written(write)

    def _slots_written(self, table: Table, address: int, end: int) -> dict[str, "_Slot"]:
        """By name, the writable points that fill address…end exactly: half a value can't be written."""
        place = (table, address, end)
        if place not in self._written:
            slots: dict[str, _Slot] = {}
            while address < end:
                slot = self._writable.get((table, address))
                if slot is None or slot.end > end:
                    raise Refusal(ExceptionCode.ILLEGAL_DATA_ADDRESS)
                slots[slot.point.name] = slot
                address = slot.end
            self._written[place] = slots
        return self._written[place]


@dataclass(frozen=True, slots=True)
class _Slot:
    """A point, ready to be read and set: its place in the table that holds it, and its codec."""

    point: Point
    words: list[int]
    start: int
    end: int
    decode: Callable[[Sequence[int]], Value]
    encode: Callable[[Value], Sequence[int]]

    def accepted(self, words: Sequence[int]) -> Value:
        """The value that a client wants to write; Refusal where it is none."""
        value = self.decode(words)
        if value is None and (self.point.nan is None or list(self.encode(None)) != list(words)):
            raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)
        return value
