"""A register map: everything that one kind of device says and hears, from one YAML file.

The single source of truth: servers, the master's decoding, screens, simulators, documents and tests
all come from it, and nothing else knows an address.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import accumulate, combinations, groupby, product
from pathlib import Path
from typing import Any

from pydantic import with_config

from register_maps.points import ByteOrder, Point, Table
from register_maps.yaml_file import STRICT_KEYS, Faults, Place, Whole, read_yaml, unknown

DEVICES = Path(__file__).parent / "devices"


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Points that repeat: number n (from 1) of `name` stands n - 1 strides further in every table.

    Its points are named `{name}_{n}_{point}` once `RegisterMap.expanded` says how many there are.
    """

    name: str = ""
    stride: Mapping[Table, Whole]
    max_count: Whole
    points: Mapping[str, Any]


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterMap:
    """Map-wide facts and the points by name.

    `max_transactions` is how many requests the device takes before it has answered the first;
    `min_interval_ms` is the least pause that the device wants between two requests; `force_fc16` says
    that it takes single registers by function 16 only.
    """

    name: str
    version: Whole
    about: str
    source: str
    byte_order: ByteOrder = ByteOrder.ABCD
    max_span: Whole = 125
    gaps_readable: bool = False
    unit_id: Whole = 1
    max_transactions: Whole = 1
    min_interval_ms: Whole = 0
    force_fc16: bool = False
    points: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, Any] = field(default_factory=dict)

    def expanded(self, **counts: int) -> "RegisterMap":
        """With `counts[group]` repetitions of each group as points of its own; ValueError for too many."""
        points = dict(self.points)
        for name, count in counts.items():
            if count > self.groups[name].max_count:
                raise ValueError(
                    f"{self.name} has room for {self.groups[name].max_count} {name}, not {count}"
                )
        for group in self.groups.values():
            for n in range(1, counts.get(group.name, 0) + 1):
                for point in group.points.values():
                    name = f"{group.name}_{n}_{point.name}"
                    points[name] = replace(
                        point, name=name, address=point.address + (n - 1) * group.stride[point.table]
                    )
        return replace(self, points=points, groups={})

    def faults(self) -> list[str]:
        rules = [
            (not 1 <= self.max_span <= 125, f"max_span {self.max_span} is outside 1…125"),
            (not 0 <= self.unit_id <= 255, f"unit_id {self.unit_id} is outside 0…255"),
            (
                not 1 <= self.max_transactions <= 16,
                f"max_transactions {self.max_transactions} is outside 1…16",
            ),
            (self.min_interval_ms < 0, "min_interval_ms can't be negative"),
            (
                self.max_transactions > 1 and self.min_interval_ms > 0,
                "a pause between requests (min_interval_ms) leaves no room for several at once"
                " (max_transactions)",
            ),
        ]
        return [text for broken, text in rules if broken]


def map_names() -> list[str]:
    """The maps that ship with the project."""
    return sorted(path.stem for path in DEVICES.glob("*.yaml"))


def load_map(name: str, *, base: Path = Path()) -> RegisterMap:
    """The map of that name, or in that .yaml file (from `base` on); BadFile, or LookupError for a name."""
    if name.endswith((".yaml", ".yml")):
        return read_map(base / name)
    if name not in map_names():
        raise LookupError(unknown("map", name, map_names()))
    return _shipped(name)


@cache  # frozen, and slow to read on a small machine
def _shipped(name: str) -> RegisterMap:
    return read_map(DEVICES / f"{name}.yaml")


def read_map(path: Path) -> RegisterMap:
    data = read_yaml(path)
    faults = Faults(path)
    found = faults.parse(RegisterMap, data)
    header = found or RegisterMap(name="", version=0, about="", source="")
    for text in header.faults():
        faults.add((), text)
    points = _read_points(data.get("points"), header, faults, ("points",))
    groups = _read_groups(data.get("groups", {}), header, faults)
    if not data.get("points") and not data.get("groups"):
        faults.add(("points",), "a map needs at least one point")
    _note_overlaps(points.values(), faults, ("points",))
    _note_collisions(groups.values(), points.values(), faults)
    faults.raise_if_any()
    return replace(header, points=points, groups=groups)


def _read_points(data: object, header: RegisterMap, faults: Faults, place: Place) -> dict[str, Point]:
    points: dict[str, Point] = {}
    for name, entry in data.items() if isinstance(data, dict) else ():
        at = (*place, str(name))
        if isinstance(entry, dict) and "name" in entry:
            faults.add((*at, "name"), "a point's name is the key that it stands under")
        if not str(name).isidentifier():
            faults.add(at, "a point's name is made of letters, digits and _, and starts with a letter")
        point = faults.parse(Point, entry, at)
        if point is None:
            continue
        for text in point.faults():
            faults.add(at, text)
        if point.width > header.max_span:
            faults.add(at, f"takes {point.width} words, more than max_span {header.max_span} reads at once")
        points[name] = replace(point, name=str(name), byte_order=point.byte_order or header.byte_order)
    return points


def _read_groups(data: object, header: RegisterMap, faults: Faults) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    for name, entry in data.items() if isinstance(data, dict) else ():
        at = ("groups", str(name))
        group = faults.parse(Group, entry, at)
        if group is None:
            continue
        if group.max_count < 1:
            faults.add((*at, "max_count"), f"must be at least 1 (got {group.max_count})")
        points = _read_points(group.points, header, faults, (*at, "points"))
        for point in points.values():
            _note_stride(group, point, points.values(), faults, (*at, "stride"))
        _note_overlaps(points.values(), faults, (*at, "points"))
        groups[name] = replace(group, name=str(name), points=points)
    return groups


def _note_stride(group: Group, point: Point, points: Iterable[Point], faults: Faults, place: Place) -> None:
    stride = group.stride.get(point.table)
    if stride is None:
        faults.add(place, f"is missing for table {point.table}, where point {point.name!r} stands")
        return
    start = min(p.address for p in points if p.table is point.table)
    if point.end - start > stride:
        faults.add(place, f"{stride} of table {point.table} is too small for point {point.name!r}")
    if point.end + (group.max_count - 1) * stride > 65536:
        faults.add(place, f"max_count {group.max_count} takes point {point.name!r} past address 65535")


def _note_overlaps(points: Iterable[Point], faults: Faults, place: Place) -> None:
    ordered = sorted(points, key=lambda p: (p.table, p.address))
    for table, group in groupby(ordered, key=lambda p: p.table):
        row = list(group)
        # Against the furthest so far and not the last one: a wide point may cover several.
        furthest = accumulate(row, _further)
        for before, point in zip(furthest, row[1:], strict=False):
            if point.address < before.end:
                faults.add((*place, point.name), _taken(table, point.address, repr(before.name)))


def _further(one: Point, other: Point) -> Point:
    return max(one, other, key=lambda p: p.end)


def _note_collisions(groups: Collection[Group], points: Collection[Point], faults: Faults) -> None:
    """Where a group's repetitions stand on plain points or reach into another group."""
    for group in groups:
        for own, other in product(group.points.values(), points):
            number = _first_on(other, group, own)
            if number:
                message = _taken(other.table, other.address, repr(other.name))
                faults.add(("groups", group.name, "points", own.name), f"number {number} {message}")
    for before, after in combinations(groups, 2):
        for table in Table:
            mine, its = _area(before, table), _area(after, table)
            if max(mine.start, its.start) < min(mine.stop, its.stop):
                message = _taken(table, max(mine.start, its.start), f"group {before.name!r}")
                faults.add(("groups", after.name), message)


def _first_on(other: Point, group: Group, own: Point) -> int | None:
    """The first number of `group` whose point `own` stands on `other`."""
    stride = group.stride.get(own.table, 0)
    if own.table is not other.table or stride < 1:
        return None
    strides = max(0, (other.address - own.end) // stride + 1)  # until it ends behind other's first address
    begins = own.address + strides * stride
    return strides + 1 if strides < group.max_count and begins < other.end else None


def _area(group: Group, table: Table) -> range:
    """From the first address that the group may take in `table` to the last."""
    points = [p for p in group.points.values() if p.table is table]
    if not points:
        return range(0)
    reach = (group.max_count - 1) * group.stride.get(table, 0)
    return range(min(p.address for p in points), max(p.end for p in points) + reach)


def _taken(table: Table, address: int, by: str) -> str:
    return f"stands on {table} {address}, which {by} takes already"
