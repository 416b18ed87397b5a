"""A network from a folder of CSV tables, as the IEEE European low-voltage test feeder comes.

lines.csv            what leads where, per kilometre
transformer.csv      one or several, and the source on their high-voltage side
loads_off_peak.csv   the customers at a quiet hour
loads_on_peak.csv    the same customers, in the same order, at a busy one
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from math import isclose, isnan
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import with_config

from grid_sim.network.model import VECTOR_GROUPS, Line, Load, Network, Source, Tap, Transformer
from grid_sim.network.parts import bus_pairs, parts
from grid_sim.network.table import Row, Table
from register_maps.yaml_file import STRICT_KEYS, Faults, Place, Real

SourcePu = Annotated[Real, Ge(0.5), Le(1.5)]
LOAD_COLUMNS = ("bus", "phase", "p_kw", "q_kvar")
LINE_COLUMNS = (
    *("from_bus", "to_bus", "length_km", "r_ohm_per_km", "x_ohm_per_km", "r0_ohm_per_km", "x0_ohm_per_km"),
    *("c_nf_per_km", "c0_nf_per_km", "max_i_ka"),
)
TRANSFORMER_COLUMNS = (
    *("hv_bus", "lv_bus", "sn_mva", "vn_hv_kv", "vn_lv_kv", "vk_percent", "vkr_percent"),
    *("vk0_percent", "vkr0_percent", "vector_group", "ext_grid_bus", "ext_grid_vm_pu"),
)


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class CsvNetwork:
    kind: Literal["csv"]
    path: str
    source_pu: SourcePu | None = None
    """In place of what transformer.csv says."""

    def load(self, base: Path, faults: Faults, place: Place) -> Network | None:
        """The network; None, and every reason noted, if the folder can't be used."""
        folder = _Folder(base / self.path)
        network = folder.network(self.source_pu)
        for message in folder.faults():
            faults.add((*place, "path"), message)
        return None if folder.faults() else network


class _Folder:
    def __init__(self, path: Path) -> None:
        self._lines = Table(path / "lines.csv", LINE_COLUMNS)
        self._transformers = Table(path / "transformer.csv", TRANSFORMER_COLUMNS)
        self._low = Table(path / "loads_off_peak.csv", LOAD_COLUMNS)
        self._high = Table(path / "loads_on_peak.csv", LOAD_COLUMNS)

    def faults(self) -> list[str]:
        tables = (self._lines, self._transformers, self._low, self._high)
        return list(dict.fromkeys(fault for table in tables for fault in table.faults))

    def network(self, source_pu: float | None) -> Network | None:
        lines = [_line(row) for row in self._lines.rows]
        transformers = [_transformer(row) for row in self._transformers.rows]
        source = self._source()
        loads = self._loads()
        if not lines or source is None:
            return None
        self._note_islands(lines, transformers, source)
        nominal_voltage_v = self._nominal_voltages(lines, transformers)
        self._note_loads_nowhere(nominal_voltage_v)
        assumptions = [text for row in self._transformers.rows for text in _assumptions(row, source_pu)]
        return Network(
            source=source if source_pu is None else replace(source, voltage_pu=source_pu),
            nominal_voltage_v=nominal_voltage_v,
            lines=tuple(lines),
            transformers=tuple(transformers),
            loads=loads,
            assumptions=tuple(dict.fromkeys(assumptions)),
        )

    def _source(self) -> Source | None:
        sources = [_source(row) for row in self._transformers.rows]
        for row, source in zip(self._transformers.rows, sources, strict=True):
            if source != sources[0]:
                row.note("names another source than the first row; there can be but one")
        return sources[0] if sources else None

    def _note_islands(self, lines: list[Line], transformers: list[Transformer], source: Source) -> None:
        part_of = parts([*bus_pairs(lines), *bus_pairs(transformers)])
        if source.bus not in part_of:
            self._transformers.rows[0].note(f"ext_grid_bus: no transformer and no line is at {source.bus!r}")
            return
        told = {part_of[source.bus]}
        rows = [*self._lines.rows, *self._transformers.rows]
        branches: list[Line | Transformer] = [*lines, *transformers]
        for row, each in zip(rows, branches, strict=True):
            if part_of[each.from_bus] not in told:
                told.add(part_of[each.from_bus])
                row.note(f"hangs on nothing: no way leads from bus {each.from_bus!r} to the source")

    def _nominal_voltages(self, lines: list[Line], transformers: list[Transformer]) -> dict[str, float]:
        """A transformer's sides have theirs, and what hangs on one by lines has the same."""
        sides = [(bus, bus) for pair in bus_pairs(transformers) for bus in pair]
        part_of = parts([*sides, *bus_pairs(lines)])
        volts_of: dict[int, float] = {}
        for row, each in zip(self._transformers.rows, transformers, strict=True):
            for bus, volts in ((each.from_bus, each.from_voltage_v), (each.to_bus, each.to_voltage_v)):
                if not isnan(volts) and volts_of.setdefault(part_of[bus], volts) != volts:
                    row.note(f"bus {bus!r} is at {volts_of[part_of[bus]]:g} V already, not at {volts:g} V")
        return {bus: volts_of[part] for bus, part in part_of.items() if part in volts_of}

    def _loads(self) -> tuple[Load, ...]:
        low, high = ([_load(row) for row in table.rows] for table in (self._low, self._high))
        if low and high and len(low) != len(high):
            self._high.rows[-1].note(f"the last of {len(high)} loads; off peak there are {len(low)}")
        for row, quiet, busy in zip(self._high.rows, low, high, strict=False):
            if quiet.tap != busy.tap:
                row.note("is another bus or phase than in the same row of the off-peak loads")
        return tuple(
            replace(quiet, high_w=busy.high_w, high_var=busy.high_var)
            for quiet, busy in zip(low, high, strict=False)
        )

    def _note_loads_nowhere(self, buses: Collection[str]) -> None:
        for row in (*self._low.rows, *self._high.rows):
            if (bus := row.cells["bus"]) and bus not in buses:
                row.note(f"there is no bus {bus!r} in {self._lines.path.name}")


def _line(row: Row) -> Line:
    km = row.positive("length_km")
    from_bus, to_bus = row.text("from_bus"), row.text("to_bus")
    if from_bus == to_bus:
        row.note(f"begins and ends at bus {from_bus!r}")
    return Line(
        name=f"line {row.line - 1}",
        from_bus=from_bus,
        to_bus=to_bus,
        r1_ohm=row.positive("r_ohm_per_km") * km,
        x1_ohm=row.number("x_ohm_per_km", least=0) * km,
        r0_ohm=row.positive("r0_ohm_per_km") * km,
        x0_ohm=row.number("x0_ohm_per_km", least=0) * km,
        c1_f=row.number("c_nf_per_km", least=0) * 1e-9 * km,
        c0_f=row.number("c0_nf_per_km", least=0) * 1e-9 * km,
        max_current_a=row.positive("max_i_ka") * 1000,
    )


def _transformer(row: Row) -> Transformer:
    group = row.text("vector_group")
    if group not in VECTOR_GROUPS:
        row.note(f"vector_group must be one of {', '.join(VECTOR_GROUPS)} (got {group!r})")
    return Transformer(
        name=f"transformer {row.line - 1}",
        from_bus=row.text("hv_bus"),
        to_bus=row.text("lv_bus"),
        rated_va=row.positive("sn_mva") * 1e6,
        from_voltage_v=row.positive("vn_hv_kv") * 1000,
        to_voltage_v=row.positive("vn_lv_kv") * 1000,
        short_circuit_pu=row.positive("vk_percent") / 100,
        copper_loss_pu=row.number("vkr_percent", least=0) / 100,
        vector_group=group,
        clock=VECTOR_GROUPS.get(group, 0),
    )


def _source(row: Row) -> Source:
    return Source(bus=row.text("ext_grid_bus"), voltage_pu=row.positive("ext_grid_vm_pu"))


def _load(row: Row) -> Load:
    """Of one snapshot, as if the other were the same."""
    bus, phases = row.text("bus"), row.text("phase")
    if phases not in ("a", "b", "c", "abc"):
        row.note(f"phase must be a, b, c or abc (got {phases!r})")
    power_w, var = row.number("p_kw") * 1000, row.number("q_kvar") * 1000
    tap = Tap(name=f"load {row.line - 1}", bus=bus, phases=phases)
    return Load(tap=tap, low_w=power_w, high_w=power_w, low_var=var, high_var=var)


def _assumptions(row: Row, source_pu: float | None) -> Iterator[str]:
    said_pu = row.number("ext_grid_vm_pu")
    if source_pu is not None and not isclose(source_pu, said_pu, abs_tol=1e-6):
        yield f"The source stands at {source_pu:g} pu; the feeder's table says {said_pu:g}."
    for column, of_zero in (("vk_percent", "vk0_percent"), ("vkr_percent", "vkr0_percent")):
        if row.number(column) != row.number(of_zero):
            yield f"The transformer's {of_zero} is taken to be its {column}, {row.number(column):g}."
