"""A device by its map: values by name on this side, words and bits on the other."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from modbus_link.errors import Refused, WrongDevice
from register_maps.blocks import Span, plan_reads
from register_maps.codec import EncodeError, encoder
from register_maps.points import Point, Table, Value
from register_maps.register_map import RegisterMap, map_names

Encoder = Callable[[Value], Sequence[int]]
MAX_WRITTEN = {Table.COIL: 0x7B0, Table.HOLDING_REGISTER: 0x7B}
"""Most bits or words that one request may write (MODBUS Application Protocol V1.1b3, 6.11 and 6.12)."""


class Transport(Protocol):
    """The verbs of Modbus: what `ModbusClient` does over TCP, and a test may do in memory."""

    async def read_all(self, spans: Sequence[Span], unit_id: int) -> list[Sequence[int]]: ...

    async def write(
        self, table: Table, address: int, words: Sequence[int], unit_id: int, *, single: bool = True
    ) -> None: ...

    async def identify(self, unit_id: int) -> dict[int, str]: ...


class Device:
    """Reads `names` (every readable point without them) in as few requests as the map allows."""

    def __init__(
        self, transport: Transport, device_map: RegisterMap, names: Iterable[str] | None = None
    ) -> None:
        self.map = device_map
        self._transport = transport
        blocks, size = plan_reads(device_map, names), device_map.max_transactions
        self._encoders: dict[str, Encoder] = {}
        self._runs: dict[tuple[str, ...], list[_Run]] = {}
        self._batches = [blocks[n : n + size] for n in range(0, len(blocks), size)]

    async def read(self) -> dict[str, Value]:
        """Values by name, all or none; LinkError where the device does not give them."""
        values: dict[str, Value] = {}
        for blocks in self._batches:
            replies = await self._transport.read_all(blocks, self.map.unit_id)
            for block, words in zip(blocks, replies, strict=True):
                values |= block.decode(words)
        return values

    async def write(self, values: Mapping[str, Value]) -> None:
        """Write in the given order; points that stand next to each other go in one request.

        EncodeError for a point that can only be read, and then nothing is written, or for a value that
        does not fit its point.
        """
        names = tuple(values)
        if names not in self._runs:
            self._runs[names] = self._plan_writes(names)
        for run in self._runs[names]:
            words = [word for name, encode in run.encoders for word in encode(values[name])]
            single = run.table.holds_bits or not self.map.force_fc16
            await self._transport.write(run.table, run.address, words, self.map.unit_id, single=single)

    async def require_map(self) -> None:
        """WrongDevice if it says that it serves another of our maps, whose registers would be misread."""
        try:
            product = (await self._transport.identify(self.map.unit_id)).get(1, "")
        except Refused:
            return  # another make's need not say
        if product != self.map.name and product in map_names():
            raise WrongDevice(f"{self._transport} serves {product}, not {self.map.name}", product)

    def takes(self, name: str, value: Value) -> bool:
        """Whether the device has such a point to write, and it can hold the value."""
        point = self.map.points.get(name)
        if point is None or not point.is_writable:
            return False
        try:
            self._encoder(point)(value)
        except EncodeError:
            return False
        return True

    def _encoder(self, point: Point) -> Encoder:
        if point.name not in self._encoders:
            self._encoders[point.name] = encoder(point)
        return self._encoders[point.name]

    def _plan_writes(self, names: Iterable[str]) -> list["_Run"]:
        points = [self.map.points[name] for name in names]
        for point in points:
            if not point.is_writable:
                raise EncodeError(f"{point.name} can only be read")
        return [
            _Run(run[0].table, run[0].address, [(point.name, self._encoder(point)) for point in run])
            for run in _runs(points)
        ]


@dataclass(frozen=True, slots=True)
class _Run:
    """Points that stand next to each other, written in one request."""

    table: Table
    address: int
    encoders: list[tuple[str, Encoder]]


def _runs(points: Sequence[Point]) -> Iterable[list[Point]]:
    run = list(points[:1])
    for before, after in pairwise(points):
        adjacent = after.table is before.table and after.address == before.end
        if not adjacent or after.end - run[0].address > MAX_WRITTEN[after.table]:
            yield run
            run = []
        run.append(after)
    if run:
        yield run
