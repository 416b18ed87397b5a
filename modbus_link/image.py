"""A device's registers in memory: what a server serves and a program reads and sets by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from modbus_link.errors import ExceptionCode
from register_maps.codec import EncodeError, decode, encode
from register_maps.points import Point, Table, Value
from register_maps.register_map import RegisterMap


class Refusal(Exception):
    """Raised by the image, or by a write hook, to answer a request with an exception code."""

    def __init__(self, code: ExceptionCode) -> None:
        self.code = code
        super().__init__(code.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What a client wants written: whole points by name, and the client's address."""

    values: Mapping[str, Value]
    peer: str


class RegisterImage:
    """The tables of one map, holding each point's last value.

    `on_read` is called before a client reads, so that values which age can be made fresh. `on_write`
    gets every write of a client before it takes effect and may raise `Refusal`; `on_written` follows
    once it has. All of it happens in one step of the event loop, so a value is never seen half changed.
    """

    def __init__(self, device_map: RegisterMap) -> None:
        self.map = device_map
        self.on_read: Callable[[], None] | None = None
        self.on_write: Callable[[Write], None] | None = None
        self.on_written: Callable[[Write], None] | None = None
        self._points = device_map.points
        self._last: dict[str, Value] = {}
        self._words: dict[Table, list[int]] = {}
        self._readable: dict[Table, bytearray] = {}
        self._at: dict[tuple[Table, int], Point] = {}
        for table in Table:
            points = [p for p in self._points.values() if p.table is table]
            size = max((p.end for p in points), default=0)
            self._words[table] = [0] * size
            self._readable[table] = bytearray(size)
            for point in points:
                self._at[table, point.address] = point
                self._readable[table][point.address : point.end] = bytes([point.is_readable]) * point.width

    def __getitem__(self, name: str) -> Value:
        point = self._points[name]
        return decode(point, self._words[point.table][point.address : point.end])

    def update(self, values: Mapping[str, Value]) -> None:
        """Set points by name; EncodeError, and nothing changed, if a value does not fit its point."""
        last = self._last
        changed = {n: v for n, v in values.items() if n not in last or last[n] != v}  # encoding costs most
        encoded = [(p := self._points[name], encode(p, value)) for name, value in changed.items()]
        for point, words in encoded:
            self._words[point.table][point.address : point.end] = words
        last |= changed

    def publish(self, values: Mapping[str, Value]) -> None:
        """`update` for measured values: one that its point can't hold is no value."""
        try:
            self.update(values)
        except EncodeError:
            for name, value in values.items():
                try:
                    self.update({name: value})
                except EncodeError:
                    self.update({name: None})

    def read(self, table: Table, address: int, count: int) -> list[int]:
        """For a client; Refusal where any of the addresses is no readable point's."""
        if self.on_read:
            self.on_read()
        readable = self._readable[table]
        end = address + count
        if end > len(readable) or readable.find(0, address, end) != -1:
            raise Refusal(ExceptionCode.ILLEGAL_DATA_ADDRESS)
        return self._words[table][address:end]

    def write(self, table: Table, address: int, words: Sequence[int], peer: str) -> None:
        """For a client; takes effect whole or, with a Refusal, not at all."""
        points = self._points_written(table, address, address + len(words))
        values = {p.name: self._accepted(p, words[p.address - address : p.end - address]) for p in points}
        write = Write(values=values, peer=peer)
        if self.on_write:
            self.on_write(write)
        self._words[table][address : address + len(words)] = words
        for name in values:
            self._last.pop(name, None)
        if self.on_written:
            self.on_written(write)

    def _points_written(self, table: Table, address: int, end: int) -> list[Point]:
        """The writable points that fill address…end exactly: half a value can't be written."""
        points: list[Point] = []
        while address < end:
            point = self._at.get((table, address))
            if point is None or not point.is_writable or point.end > end:
                raise Refusal(ExceptionCode.ILLEGAL_DATA_ADDRESS)
            points.append(point)
            address = point.end
        return points

    def _accepted(self, point: Point, words: Sequence[int]) -> Value:
        value = decode(point, words)
        is_declared_none = point.nan is not None and encode(point, None) == list(words)
        if value is None and not is_declared_none:
            raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)
        return value
