"""Small radial networks from a scenario's file."""

import contextlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_sim.network.model import Network, Tap
from grid_sim.network.network_file import read_network
from grid_sim.network.power_flow import PowerFlow
from grid_sim.network.radial import ASSUMED_NEUTRAL
from register_maps.yaml_file import BadFile, Faults, read_yaml

EXAMPLES = Path(__file__).parents[2] / "examples"


def read(data: object, path: Path = Path("scenario.yaml")) -> Network:
    faults = Faults(path)
    network = read_network(data, path, faults, ("network",))
    faults.raise_if_any()
    assert network
    return network


def radial(*lines: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"kind": "radial", "source_voltage_v": 400, "lines": list(lines), **keys}


def test_the_bench_of_the_examples_is_two_wires() -> None:
    path = EXAMPLES / "day_bench.yaml"
    network = read(read_yaml(path)["network"], path)
    assert network.phases == "a"
    assert [line.name for line in network.lines] == ["neighbours", "RTS1", "RTS2"]
    assert network.lines[1].from_bus == "neighbours"
    assert all((line.r1_ohm, line.x1_ohm) == (line.r0_ohm, line.x0_ohm) for line in network.lines)
    assert network.nominal_voltage_v["RTS2"] == pytest.approx(110 * math.sqrt(3))
    (load,) = network.loads
    assert (load.tap, load.low_w, load.high_w) == (
        Tap(name="neighbours", bus="neighbours", phases="a"),
        1000,
        8000,
    )
    flow = PowerFlow(network, [load.tap]).solve(np.array([8000.0]), np.zeros(1))
    current_a = 8000 / flow.voltage_v[0, 0]
    source_v = math.hypot(flow.voltage_v[0, 0] + 0.04 * current_a, 0.013 * current_a)
    assert source_v == pytest.approx(110, rel=1e-6)
    assert flow.supplied_w == pytest.approx(8000 + 0.04 * current_a**2, rel=1e-6)
    assert flow.loading == pytest.approx(current_a / 110, rel=1e-6)
    assert ASSUMED_NEUTRAL not in network.assumptions


def test_the_car_park_of_the_examples_has_a_neutral_as_thick_as_a_phase() -> None:
    path = EXAMPLES / "day_car_park.yaml"
    network = read(read_yaml(path)["network"], path)
    assert network.phases == "abc"
    assert network.nominal_voltage_v == {"source": 208, "garage": 208}
    (line,) = network.lines
    assert (line.from_bus, line.r1_ohm, line.r0_ohm, line.x0_ohm) == ("source", 0.01, 0.04, 0.02)
    assert ASSUMED_NEUTRAL in network.assumptions
    tap = Tap(name="RTS1", bus="garage", phases="b")
    flow = PowerFlow(network, [tap]).solve(np.array([6600.0]), np.zeros(1))
    voltage_v, current_a = flow.voltage_v[0, 1], 6600 / flow.voltage_v[0, 1]
    # There and back by conductors of the same thickness.
    assert math.hypot(voltage_v + 0.02 * current_a, 0.01 * current_a) == pytest.approx(
        208 / math.sqrt(3), rel=1e-6
    )


def test_what_is_said_of_the_neutral_counts() -> None:
    network = read(radial({"to": "A", "r_ohm": 0.1, "r0_ohm": 0.5, "x0_ohm": 0.2}))
    assert (network.lines[0].r0_ohm, network.lines[0].x0_ohm) == (0.5, 0.2)
    assert ASSUMED_NEUTRAL not in network.assumptions


A, B = {"to": "A", "r_ohm": 0.1}, {"to": "B", "from": "A", "r_ohm": 0.1}
LOAD = {"name": "home", "bus": "A", "low_w": 100, "high_w": 2000}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (radial(), "network.lines: "),
        (radial(A, A), "network.lines[1].to: a line leads to 'A' already; the network is radial"),
        (radial(A, {**B, "from": "C"}), "network.lines[1].from: there is no bus 'C'; known: source, A, B"),
        (radial({**A, "to": "source"}), "network.lines[0].to: the source can't be at the end of a line"),
        (radial({**A, "from": "B"}, B), "network.lines[0]: no way leads from 'B' to the source"),
        (radial({**A, "from": "A"}), "network.lines[0]: no way leads from 'A' to the source"),
        (radial({**A, "r_ohm": 0}), "network.lines[0].r_ohm: must be greater than 0"),
        (radial({**A, "ohm": 1}), "network.lines[0].ohm: unknown key"),
        (radial({"r_ohm": 1}), "network.lines[0].to: is missing"),
        (radial(A, loads=[{**LOAD, "bus": "C"}]), "network.loads[0].bus: there is no bus 'C'; known: "),
        (radial(A, loads=[LOAD, LOAD]), "network.loads[1].name: there is another load 'home'"),
        (radial(A, loads=[{**LOAD, "phases": "ab"}]), "network.loads[0].phases: "),
        (radial(A, loads=[{**LOAD, "phases": "b"}], phases=1), "network.loads[0].phases: must be a"),
        (radial({**A, "r0_ohm": 1}, phases=1), "network.lines[0].r0_ohm: two wires have no neutral"),
        (radial(A, phases=2), "network.phases: "),
        (radial(A, source_voltage_v=0), "network.source_voltage_v: must be greater than 0"),
        (radial(A, source_voltage_v=None, loads=3), "network.loads: "),
        ({"kind": "radial", "lines": "A"}, "network.source_voltage_v: is missing"),
    ],
)
def test_a_fault_has_its_place(data: dict[str, Any], message: str) -> None:
    with pytest.raises(BadFile) as caught:
        read(data)
    assert message in str(caught.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadFile) as caught:
        read(radial(A, {**A, "r_ohm": -1}, {**B, "from": "C"}, loads=[{**LOAD, "bus": "D"}], phases=1))
    assert len(str(caught.value).splitlines()) == 4


words = st.sampled_from(["A", "B", "source", 1, None, [], {}])
keys = st.sampled_from(["to", "from", "r_ohm", "r0_ohm", "name", "bus", "phases", "low_w", "high_w"])
items = st.lists(st.one_of(words, st.dictionaries(keys, words)), max_size=3)


@settings(deadline=None)
@given(st.one_of(words, items), st.one_of(words, items), words)
def test_whatever_can_be_written_is_a_fault_at_worst(lines: object, loads: object, phases: object) -> None:
    data = {"kind": "radial", "source_voltage_v": 230, "lines": lines, "loads": loads, "phases": phases}
    with contextlib.suppress(BadFile):
        read(data)
