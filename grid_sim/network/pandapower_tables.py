"""What pandapower's tables hold, as our values. What can't be represented is a fault, never left out."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from grid_sim.network.model import PHASES, VECTOR_GROUPS, Line, Load, Network, Source, Tap, Transformer
from grid_sim.network.parts import bus_pairs, parts
from grid_sim.network.radial import ASSUMED_NEUTRAL, NEUTRAL_AS_THICK

Row = Mapping[str, Any]
UNDERSTOOD = {"bus", "line", "trafo", "ext_grid", "load", "asymmetric_load"}
ASSUMED_GROUP = "A transformer of which no vector group is said is taken for a Dyn."
ASSUMED_ZERO = "A transformer's zero-sequence impedance is taken to be that of its positive sequence."
NOT_MAGNETISED = "A transformer's magnetising path in the zero sequence is left out."


class PandapowerTables:
    """`faults` are those that were found while the network was made."""

    def __init__(self, net: Any) -> None:
        self._net = net
        self.faults: list[str] = []
        self._assumptions: set[str] = set()
        self._bus = self._buses()

    def network(self) -> Network | None:
        """None without a source, or with elements that can't be represented: they may hold it together."""
        self._note_not_understood()
        if self.faults:
            return None
        sources = list(self._rows("ext_grid"))
        if len(sources) != 1:
            self.faults.append(f"has {len(sources)} ext_grid in service; there must be one")
            return None
        source = Source(bus=self._bus[sources[0]["bus"]], voltage_pu=float(sources[0]["vm_pu"]))
        lines = [self._line(row) for row in self._branches("line", "from_bus", "to_bus")]
        transformers = [self._transformer(row) for row in self._branches("trafo", "hv_bus", "lv_bus")]
        part_of = parts([(source.bus, source.bus), *bus_pairs(lines), *bus_pairs(transformers)])
        fed = {bus for bus, part in part_of.items() if part == part_of[source.bus]}
        volts = {self._bus[row["index"]]: row["vn_kv"] * 1000.0 for row in self._rows("bus")}
        return Network(
            source=source,
            nominal_voltage_v={bus: volts[bus] for bus in volts if bus in fed},
            lines=tuple(line for line in lines if line.from_bus in fed),
            transformers=tuple(each for each in transformers if each.from_bus in fed),
            loads=tuple(self._loads(fed)),
            assumptions=tuple(sorted(self._assumptions)),
        )

    def _rows(self, table: str) -> Iterator[Row]:
        """Of what is in service."""
        for index, row in zip(self._net[table].index, self._net[table].to_dict("records"), strict=True):
            if row["in_service"]:
                yield {**row, "index": index, "label": f"{table} {index}"}

    def _buses(self) -> dict[int, str]:
        """The name of each that is in service; those that a closed switch joins have that of the first."""
        closed = [row for row in self._switches("b") if row["closed"]]
        for row in closed:
            if _number(row, "z_ohm"):
                self.faults.append(f"has a switch of {row['z_ohm']} ohm, which can't be represented")
        numbers = [row["index"] for row in self._rows("bus")]
        same = [(number, number) for number in numbers]
        joined = [(row["bus"], row["element"]) for row in closed]
        part_of = parts([*same, *(pair for pair in joined if {*pair} <= {*numbers})])
        first: dict[int, str] = {}
        return {number: first.setdefault(part_of[number], str(number)) for number in numbers}

    def _switches(self, kind: str) -> list[Row]:
        return [row for row in self._net.switch.to_dict("records") if row["et"] == kind]

    def _branches(self, table: str, one_end: str, other_end: str) -> Iterator[Row]:
        """Of those that lead from somewhere to somewhere, with the names of their ends."""
        cut = {row["element"] for row in self._switches(table[0]) if not row["closed"]}
        for row in self._rows(table):
            one, other = self._bus.get(row[one_end]), self._bus.get(row[other_end])
            if row["index"] not in cut and one is not None and other is not None and one != other:
                yield {**row, "from": one, "to": other}

    def _note_not_understood(self) -> None:
        for name, table in self._net.items():
            is_element = not name.startswith(("_", "res_")) and "in_service" in getattr(table, "columns", ())
            if is_element and name not in UNDERSTOOD and table.in_service.any():
                self.faults.append(f"has {int(table.in_service.sum())} {name}, which can't be represented")

    def _line(self, row: Row) -> Line:
        km, parallel = _number(row, "length_km"), _number(row, "parallel", 1)
        r1, x1, c1 = (_number(row, key) for key in ("r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km"))
        r0 = _number(row, "r0_ohm_per_km", math.nan)
        x0 = _number(row, "x0_ohm_per_km", math.nan)
        if math.isnan(r0) or math.isnan(x0):
            self._assumptions.add(ASSUMED_NEUTRAL)
            r0, x0 = NEUTRAL_AS_THICK * r1, NEUTRAL_AS_THICK * x1
        if km * (r1 + abs(x1)) == 0 or _number(row, "g_us_per_km"):
            self.faults.append(f"{row['label']} has no impedance, or a leakage, which can't be represented")
        max_ka = _number(row, "max_i_ka", math.nan) * _number(row, "df", 1) * parallel
        return Line(
            name=row["label"],
            from_bus=row["from"],
            to_bus=row["to"],
            r1_ohm=r1 * km / parallel,
            x1_ohm=x1 * km / parallel,
            r0_ohm=r0 * km / parallel,
            x0_ohm=x0 * km / parallel,
            c1_f=c1 * 1e-9 * km * parallel,
            c0_f=_number(row, "c0_nf_per_km", c1) * 1e-9 * km * parallel,
            max_current_a=None if math.isnan(max_ka) else max_ka * 1000,
        )

    def _transformer(self, row: Row) -> Transformer:
        group, clock = self._vector_group(row)
        high_v, low_v = (row[f"vn_{side}_kv"] * 1000 * self._tap_ratio(row, side) for side in ("hv", "lv"))
        parallel = _number(row, "parallel", 1)
        for key in ("vk", "vkr"):
            if _number(row, f"{key}0_percent", math.nan) != row[f"{key}_percent"]:
                self._assumptions.add(ASSUMED_ZERO)
        if _number(row, "mag0_percent"):
            self._assumptions.add(NOT_MAGNETISED)
        return Transformer(
            name=row["label"],
            from_bus=row["from"],
            to_bus=row["to"],
            rated_va=row["sn_mva"] * 1e6 * parallel,
            from_voltage_v=high_v,
            to_voltage_v=low_v,
            short_circuit_pu=row["vk_percent"] / 100,
            copper_loss_pu=row["vkr_percent"] / 100,
            no_load_loss_w=_number(row, "pfe_kw") * 1000 * parallel,
            no_load_current_pu=_number(row, "i0_percent") / 100,
            vector_group=group,
            clock=clock,
        )

    def _vector_group(self, row: Row) -> tuple[str, int]:
        said = row.get("vector_group")
        if not isinstance(said, str) or not said:
            self._assumptions.add(ASSUMED_GROUP)
            said = "Dyn"
        found = re.fullmatch(r"([A-Za-z]+)(\d*)", said)
        group = found[1] if found else ""
        usual = VECTOR_GROUPS.get(group, 0)
        clock = int(found[2] or usual) if found else 0
        if group not in VECTOR_GROUPS or (clock - usual) % 2:
            groups = ", ".join(VECTOR_GROUPS)
            self.faults.append(f"{row['label']} is a {said}; known, with a clock that fits: {groups}")
        return group, clock % 12

    def _tap_ratio(self, row: Row, side: str) -> float:
        """By which its tap changer raises the voltage that a side is made for."""
        steps = _number(row, "tap_pos") - _number(row, "tap_neutral")
        if row.get("tap_side") != side or math.isnan(_number(row, "tap_pos", math.nan)) or steps == 0:
            return 1.0
        is_plain = row.get("tap_changer_type") in ("Ratio", "Symmetrical")
        if not is_plain or _number(row, "tap_step_degree") or _number(row, "tap_dependency_table"):
            self.faults.append(
                f"{row['label']} has a tap changer that can't be represented, {steps:g} steps off"
            )
        return 1 + steps * _number(row, "tap_step_percent") / 100

    def _loads(self, fed: set[str]) -> Iterator[Load]:
        for row in self._rows("load"):
            yield self._load(row, PHASES, fed, _number(row, "p_mw"), _number(row, "q_mvar"))
        for row in self._rows("asymmetric_load"):
            used = [p for p in PHASES if _number(row, f"p_{p}_mw") or _number(row, f"q_{p}_mvar")]
            for p in used or "a":
                yield self._load(
                    row, p, fed, _number(row, f"p_{p}_mw"), _number(row, f"q_{p}_mvar"), len(used)
                )

    def _load(self, row: Row, phases: str, fed: set[str], mw: float, mvar: float, of: int = 1) -> Load:
        bus = self._bus.get(row["bus"], "")
        if bus not in fed:
            self.faults.append(
                f"{row['label']} hangs on nothing: no way leads from bus {row['bus']} to the source"
            )
        if row.get("type") == "delta" or any(
            _number(row, key) for key in row if str(key).startswith("const_")
        ):
            self.faults.append(
                f"{row['label']} is no constant power to the neutral, which can't be represented"
            )
        scaling = 1e6 * _number(row, "scaling", 1)
        power_w, var = mw * scaling, mvar * scaling
        name = f"{row['label']} {phases}" if of > 1 else row["label"]
        tap = Tap(name=name, bus=bus, phases=phases)
        return Load(tap=tap, low_w=power_w, high_w=power_w, low_var=var, high_var=var)


def _number(row: Row, key: str, default: float = 0.0) -> float:
    """`default` where the table has no such column, or nothing in it."""
    value = row.get(key)
    try:
        number = math.nan if value is None else float(value)
    except (TypeError, ValueError):  # pandas' own "not available"
        number = math.nan
    return default if math.isnan(number) else number
