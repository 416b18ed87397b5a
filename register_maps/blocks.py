"""Which requests read a set of points: as few as the device allows."""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from register_maps.codec import unpacking
from register_maps.points import Point, Table, Value
from register_maps.register_map import RegisterMap

MAX_BITS = 2000
"""Most bits that one request may read (MODBUS Application Protocol V1.1b3, 6.1)."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """What one request reads: `count` addresses of `table` from `address` on."""

    table: Table
    address: int
    count: int

    def __str__(self) -> str:
        return f"{self.table} {self.address}+{self.count}"


@dataclass(frozen=True, kw_only=True)
class Block(Span):
    """A span, and the points that lie in it."""

    points: tuple[Point, ...]

    def decode(self, words: Sequence[int]) -> dict[str, Value]:
        """Each point's value; `words` holds `count` words, or bits in a bit table."""
        return self._decode(words)

    @cached_property
    def _decode(self) -> Callable[[Sequence[int]], dict[str, Value]]:
        if self.table.holds_bits:
            places = [(p.name, p.address - self.address) for p in self.points]
            return lambda bits: {name: bool(bits[place]) for name, place in places}
        return self._registers_decoder()

    def _registers_decoder(self) -> Callable[[Sequence[int]], dict[str, Value]]:
        """All words are taken apart at once."""
        layout, steps, reached = ">", [], self.address
        for point in self.points:
            own_layout, finish = unpacking(point)
            layout += f"{2 * (point.address - reached)}x{own_layout}"
            steps.append((point.name, finish))
            reached = point.end
        pack = struct.Struct(f">{reached - self.address}H").pack
        unpack = struct.Struct(layout).unpack

        def decode(words: Sequence[int]) -> dict[str, Value]:
            raws = unpack(pack(*words))
            return {name: finish(raw) for (name, finish), raw in zip(steps, raws, strict=True)}

        return decode


def plan_reads(device: RegisterMap, names: Iterable[str] | None = None) -> list[Block]:
    """Blocks that read these points (all readable ones without `names`), each value whole.

    A block reaches over points that nobody asked for, because they can be read; over addresses that no
    point declares only where the map says that gaps are readable.
    """
    readable = [p for p in device.points.values() if p.is_readable]
    asked = {p.name for p in readable} if names is None else set(names)
    blocks: list[Block] = []
    for table, group in groupby(sorted(readable, key=lambda p: (p.table, p.address)), key=lambda p: p.table):
        span = MAX_BITS if table.holds_bits else device.max_span
        runs = _runs(list(group), asked, span, device.gaps_readable)
        blocks.extend(_block(run) for run in runs if run)
    return blocks


def _runs(points: list[Point], asked: set[str], span: int, gaps_readable: bool) -> Iterable[list[Point]]:
    run: list[Point] = []
    reached = 0  # everything from the run's start to here can be read in one request
    for point in points:
        if point.address > reached and not gaps_readable:
            yield run
            run = []
        reached = point.end
        if point.name not in asked:
            continue
        if run and point.end - run[0].address > span:
            yield run
            run = []
        run.append(point)
    yield run


def _block(run: list[Point]) -> Block:
    start = run[0].address
    return Block(table=run[0].table, address=start, count=run[-1].end - start, points=tuple(run))
