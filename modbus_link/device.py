"""A device by its map: values by name on this side, words and bits on the other."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

from register_maps.blocks import plan_reads
from register_maps.codec import encode
from register_maps.points import Point, Table, Value
from register_maps.register_map import RegisterMap


class Transport(Protocol):
    """The two verbs of Modbus: what `ModbusClient` does over TCP, and a test may do in memory."""

    async def read(self, table: Table, address: int, count: int, unit_id: int) -> Sequence[int]: ...

    async def write(
        self, table: Table, address: int, words: Sequence[int], unit_id: int, *, single: bool = True
    ) -> None: ...


class Device:
    """Reads `names` (every readable point without them) in as few requests as the map allows."""

    def __init__(
        self, transport: Transport, device_map: RegisterMap, names: Iterable[str] | None = None
    ) -> None:
        self.map = device_map
        self._transport = transport
        self._blocks = plan_reads(device_map, names)

    async def read(self) -> dict[str, Value]:
        """Values by name, all or none; LinkError where the device does not give them."""
        values: dict[str, Value] = {}
        for block in self._blocks:
            words = await self._transport.read(block.table, block.address, block.count, self.map.unit_id)
            values |= block.decode(words)
        return values

    async def write(self, values: Mapping[str, Value]) -> None:
        """Write in the given order; points that stand next to each other go in one request."""
        for run in _runs([self.map.points[name] for name in values]):
            words = [word for point in run for word in encode(point, values[point.name])]
            await self._transport.write(
                run[0].table, run[0].address, words, self.map.unit_id, single=not self.map.force_fc16
            )


def _runs(points: Sequence[Point]) -> Iterable[list[Point]]:
    run = list(points[:1])
    for before, after in pairwise(points):
        if after.table is not before.table or after.address != before.end:
            yield run
            run = []
        run.append(after)
    if run:
        yield run
