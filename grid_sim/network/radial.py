"""A small radial network as a person writes it: one source, and lines that branch away from it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, MinLen
from pydantic import Field, with_config

from grid_sim.network.model import PHASES, Line, Load, Network, Source, Tap
from register_maps.yaml_file import STRICT_KEYS, Faults, Place, Real, unknown

SOURCE = "source"
NEUTRAL_AS_THICK = 4
"""Zero-sequence over positive-sequence impedance of a cable whose neutral is a fourth such conductor."""
ASSUMED_NEUTRAL = "The neutral of lines of which nothing is said is as thick as a phase: r0 = 4 r, x0 = 4 x."

Name = Annotated[str, MinLen(1)]
Positive = Annotated[Real, Gt(0)]
NotNegative = Annotated[Real, Ge(0)]


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class RadialLine:
    """Per conductor; in a network of two wires, of both together."""

    to: Name
    from_bus: Annotated[Name, Field(alias="from")] = SOURCE
    r_ohm: Positive
    x_ohm: NotNegative = 0.0
    r0_ohm: Positive | None = None
    x0_ohm: NotNegative | None = None
    max_current_a: Positive | None = None

    def two_wire(self) -> Line:
        return self._line(self.r_ohm, self.x_ohm)

    def four_wire(self) -> Line:
        r0_ohm = NEUTRAL_AS_THICK * self.r_ohm if self.r0_ohm is None else self.r0_ohm
        x0_ohm = NEUTRAL_AS_THICK * self.x_ohm if self.x0_ohm is None else self.x0_ohm
        return self._line(r0_ohm, x0_ohm)

    def _line(self, r0_ohm: float, x0_ohm: float) -> Line:
        return Line(
            name=self.to,
            from_bus=self.from_bus,
            to_bus=self.to,
            r1_ohm=self.r_ohm,
            x1_ohm=self.x_ohm,
            r0_ohm=r0_ohm,
            x0_ohm=x0_ohm,
            max_current_a=self.max_current_a,
        )


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class RadialLoad:
    name: Name
    bus: Name
    phases: Literal["a", "b", "c", "abc"] | None = None
    """None: all that there are."""
    low_w: Real
    high_w: Real
    low_var: Real = 0.0
    high_var: Real = 0.0

    def load(self, phases: str) -> Load:
        return Load(
            tap=Tap(name=self.name, bus=self.bus, phases=self.phases or phases),
            low_w=self.low_w,
            low_var=self.low_var,
            high_w=self.high_w,
            high_var=self.high_var,
        )


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class RadialNetwork:
    kind: Literal["radial"] = "radial"
    phases: Literal[1, 3] = 3
    source_voltage_v: Positive
    """Line to line; of two wires, between them."""
    lines: Annotated[tuple[RadialLine, ...], MinLen(1)]
    loads: tuple[RadialLoad, ...] = ()

    def network(self) -> Network:
        is_two_wire = self.phases == 1
        phases = "a" if is_two_wire else PHASES
        lines = [line.two_wire() if is_two_wire else line.four_wire() for line in self.lines]
        buses = [SOURCE, *(line.to_bus for line in lines)]
        nominal_v = self.source_voltage_v * (math.sqrt(3) if is_two_wire else 1)
        is_assumed = any(line.r0_ohm is None or line.x0_ohm is None for line in self.lines)
        return Network(
            source=Source(bus=SOURCE),
            nominal_voltage_v=dict.fromkeys(buses, nominal_v),
            lines=tuple(lines),
            loads=tuple(load.load(phases) for load in self.loads),
            phases=phases,
            assumptions=(ASSUMED_NEUTRAL,) if is_assumed and not is_two_wire else (),
        )


def note_radial_faults(data: Mapping[str, Any], faults: Faults, place: Place) -> None:
    """What the schema can't see: how lines and loads hang together. `data` as written, faults and all."""
    lines, loads = _mappings(data.get("lines")), _mappings(data.get("loads"))
    _note_lines(lines, faults, (*place, "lines"))
    _note_loads(loads, {SOURCE, *(str(line.get("to")) for line in lines)}, faults, (*place, "loads"))
    if data.get("phases") == 1:
        _note_third_wires(lines, loads, faults, place)


def _note_lines(lines: list[dict[str, Any]], faults: Faults, place: Place) -> None:
    before: dict[str, str] = {}
    for index, line in enumerate(lines):
        if "to" not in line:
            continue
        bus = str(line["to"])
        if bus == SOURCE:
            faults.add((*place, index, "to"), "the source can't be at the end of a line")
        elif bus in before:
            faults.add((*place, index, "to"), f"a line leads to {bus!r} already; the network is radial")
        before.setdefault(bus, str(line.get("from", SOURCE)))
    for index, line in enumerate(lines):
        bus = str(line.get("from", SOURCE))
        if bus not in {SOURCE, *before}:
            faults.add((*place, index, "from"), unknown("bus", bus, [SOURCE, *before]))
        elif _is_loop(str(line.get("to")), before):
            faults.add((*place, index), f"no way leads from {bus!r} to the source: the lines go round")


def _is_loop(bus: str, before: Mapping[str, str]) -> bool:
    seen = set[str]()
    while bus in before and bus != SOURCE:
        if bus in seen:
            return True
        seen.add(bus)
        bus = before[bus]
    return False


def _note_loads(loads: list[dict[str, Any]], buses: set[str], faults: Faults, place: Place) -> None:
    names = set[str]()
    for index, load in enumerate(loads):
        name, bus = str(load.get("name")), str(load.get("bus"))
        if "name" in load and name in names:
            faults.add((*place, index, "name"), f"there is another load {name!r}")
        if "bus" in load and bus not in buses:
            faults.add((*place, index, "bus"), unknown("bus", bus, sorted(buses)))
        names.add(name)


def _note_third_wires(
    lines: list[dict[str, Any]], loads: list[dict[str, Any]], faults: Faults, place: Place
) -> None:
    for index, line in enumerate(lines):
        for key in sorted({"r0_ohm", "x0_ohm"} & line.keys()):
            faults.add((*place, "lines", index, key), "two wires have no neutral besides; leave it out")
    for index, load in enumerate(loads):
        if load.get("phases", "a") != "a":
            faults.add((*place, "loads", index, "phases"), "must be a: the network is of two wires")


def _mappings(data: object) -> list[dict[str, Any]]:
    """The items as written; {} for one that is none, so that the others keep their index."""
    return [item if isinstance(item, dict) else {} for item in data] if isinstance(data, list) else []
