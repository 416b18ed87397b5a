"""A register map: everything that one kind of device says and hears, from one YAML file.

The single source of truth: servers, the master's decoding, screens, simulators, documents and tests
all come from it, and nothing else knows an address.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import with_config

from register_maps.points import ByteOrder, Point, Table
from register_maps.yaml_file import STRICT_KEYS, Faults, Place, read_yaml, unknown

DEVICES = Path(__file__).parent / "devices"


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Points that repeat: number n (from 1) of `name` stands n - 1 strides further in every table.

    Its points are named `{name}_{n}_{point}` once `RegisterMap.expanded` says how many there are.
    """

    name: str = ""
    stride: Mapping[Table, int]
    max_count: int
    points: Mapping[str, Any]


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterMap:
    """Map-wide facts and the points by name.

    `min_interval_ms` is the least pause that the device wants between two requests; `force_fc16` says
    that it takes single registers by function 16 only.
    """

    name: str
    version: int
    about: str
    source: str
    byte_order: ByteOrder = ByteOrder.ABCD
    max_span: int = 125
    gaps_readable: bool = False
    unit_id: int = 1
    min_interval_ms: int = 0
    force_fc16: bool = False
    points: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, Any] = field(default_factory=dict)

    def expanded(self, **counts: int) -> "RegisterMap":
        """With `counts[group]` repetitions of each group as points of its own."""
        points = dict(self.points)
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
            (self.min_interval_ms < 0, "min_interval_ms can't be negative"),
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
    if not points and not groups:
        faults.add(("points",), "a map needs at least one point")
    _note_overlaps(points.values(), faults)
    faults.raise_if_any()
    return replace(header, points=points, groups=groups)


def _read_points(data: object, header: RegisterMap, faults: Faults, place: Place) -> dict[str, Point]:
    points: dict[str, Point] = {}
    for name, entry in data.items() if isinstance(data, dict) else ():
        at = (*place, str(name))
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
        points = _read_points(group.points, header, faults, (*at, "points"))
        for point in points.values():
            _note_stride(group, point, points.values(), faults, (*at, "stride"))
        _note_overlaps(points.values(), faults)
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


def _note_overlaps(points: Iterable[Point], faults: Faults) -> None:
    ordered = sorted(points, key=lambda p: (p.table, p.address))
    for before, after in pairwise(ordered):
        if before.table is after.table and after.address < before.end:
            faults.add(
                ("points", after.name),
                f"stands on {after.table} {after.address}, which {before.name!r} takes already",
            )
