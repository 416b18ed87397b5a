"""The solver against hand calculation, and against what is known of the European feeder."""

import cmath
import math
from dataclasses import replace

import numpy as np
import pytest
from networks import (
    EUROPEAN_PHASE_V,
    busy_var,
    busy_w,
    european_lv,
    every_second,
    line,
    needs_european_lv,
    network_of,
)

from grid_sim.arrays import Floats
from grid_sim.network import power_flow
from grid_sim.network.model import PHASES, VECTOR_GROUPS, Network, Source, Tap, Transformer
from grid_sim.network.power_flow import Flow, NetworkError, PowerFlow

PHASE_V = 400 / math.sqrt(3)
CABLE = line("source", "end", r_ohm=0.1, max_current_a=100)
Z1 = complex(CABLE.r1_ohm, CABLE.x1_ohm)
Z0 = complex(CABLE.r0_ohm, CABLE.x0_ohm)
TURN = cmath.exp(2j * math.pi / 3)


def end(phases: str, name: str = "tap") -> Tap:
    return Tap(name=name, bus="end", phases=phases)


def solved(network: Network, loads_w: dict[Tap, float], q_var: float = 0.0) -> Flow:
    p_w = np.array(list(loads_w.values()))
    return PowerFlow(network, list(loads_w)).solve(p_w, np.full_like(p_w, q_var))


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("q_var", [0, 1500])
def test_a_load_on_one_phase_returns_by_the_neutral(phase: str, q_var: float) -> None:
    """Its loop is (2 z1 + z0) / 3; the neutral's drop moves the others by (z0 - z1) / 3."""
    watcher = end(PHASES, "watcher")
    flow = solved(network_of(CABLE), {end(phase): 6000.0, watcher: 0.0}, q_var=q_var)
    mine = PHASES.index(phase)
    voltage_v = flow.voltage_v[0, mine]
    total_var = q_var + q_var / 3  # the watcher's share
    current_a = complex(6000, -total_var) / voltage_v
    source_v = voltage_v + (2 * Z1 + Z0) / 3 * current_a
    if q_var == 0:
        assert abs(source_v) == pytest.approx(PHASE_V, rel=1e-6)
        next_v = source_v / TURN - (Z0 - Z1) / 3 * current_a
        assert flow.voltage_v[1, (mine + 1) % 3] == pytest.approx(abs(next_v), rel=1e-6)
        assert flow.loading == pytest.approx(abs(current_a) / 100, rel=1e-6)
        loss_w = abs(current_a) ** 2 * (2 * Z1 + Z0).real / 3
        assert flow.supplied_w == pytest.approx(6000 + loss_w, rel=1e-6)
    assert flow.voltage_v[1, mine] == voltage_v


def test_a_balanced_load_knows_no_neutral() -> None:
    flow = solved(network_of(CABLE), {end("abc"): 30_000.0})
    voltage_v = flow.voltage_v[0]
    assert voltage_v == pytest.approx(voltage_v[0])
    current_a = 10_000 / voltage_v[0]
    assert abs(voltage_v[0] + Z1 * current_a) == pytest.approx(PHASE_V, rel=1e-6)
    assert flow.loading == pytest.approx(current_a / 100, rel=1e-6)


def test_what_shares_a_bus_adds_up() -> None:
    several = solved(
        network_of(CABLE), {end("a", "1"): 2000.0, end("a", "2"): 3000.0, end("a", "3"): -1000.0}
    )
    one = solved(network_of(CABLE), {end("a"): 4000.0})
    assert several.voltage_v[:, 0] == pytest.approx(one.voltage_v[0, 0])
    assert several.supplied_w == pytest.approx(one.supplied_w)


def test_a_phase_that_is_not_used_has_no_voltage() -> None:
    flow = solved(network_of(CABLE), {end("b"): 0.0})
    assert np.isnan(flow.voltage_v[0]).tolist() == [True, False, True]


def test_what_is_fed_in_raises_the_voltage_and_loads_the_line() -> None:
    flow = solved(network_of(CABLE), {end("a"): -6000.0})
    assert flow.voltage_v[0, 0] > PHASE_V
    assert flow.loading > 0.2
    assert -6000 < flow.supplied_w < -5500


def test_nothing_is_said_of_the_loading_where_nobody_said_what_a_line_carries() -> None:
    assert math.isnan(solved(network_of(line("source", "end")), {end("a"): 5000.0}).loading)


@pytest.mark.parametrize("vector_group", VECTOR_GROUPS)
def test_a_transformer_feeds_a_neutral(vector_group: str) -> None:
    """Without load its voltage is the source's; a load on one phase makes that one sag."""
    transformer = Transformer(
        name="transformer",
        from_bus="source",
        to_bus="end",
        rated_va=100e3,
        from_voltage_v=10_000,
        to_voltage_v=400,
        short_circuit_pu=0.04,
        copper_loss_pu=0.01,
        no_load_loss_w=300,
        no_load_current_pu=0.005,
        vector_group=vector_group,
        clock=VECTOR_GROUPS[vector_group],
    )
    network = Network(
        source=Source(bus="source", voltage_pu=1.02),
        nominal_voltage_v={"source": 10_000, "end": 400},
        lines=(),
        transformers=(transformer,),
    )
    idle = solved(network, {end("abc"): 0.0})
    assert idle.voltage_v[0] == pytest.approx(1.02 * PHASE_V, rel=1e-3)
    assert idle.supplied_w == pytest.approx(300 * 1.02**2, rel=1e-2)
    loaded = solved(network, {end("a"): 100e3 / 3})
    assert loaded.voltage_v[0, 0] == pytest.approx(PHASE_V * (1.02 - 0.01), rel=3e-3)


def test_near_the_most_that_a_cable_carries_the_slower_method_finds_the_solution(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two wires of R: v² - v0 v + R P = 0, up to P = v0² / 4 R."""
    two_wires = replace(CABLE, r1_ohm=0.1, x1_ohm=0, r0_ohm=0.1, x0_ohm=0)
    power_flow_of_two = PowerFlow(network_of(two_wires), [end("a")])
    power_w = 0.999 * PHASE_V**2 / 0.4
    voltage_v = PHASE_V * (1 + math.sqrt(1 - 0.999)) / 2
    one, none = np.array([power_w]), np.zeros(1)
    assert power_flow_of_two.solve(one, none).voltage_v[0, 0] == pytest.approx(voltage_v, rel=1e-5)
    many = np.array([[0.0], [power_w]])
    assert power_flow_of_two.solve_each(many, 0 * many).voltage_v[1, 0, 0] == pytest.approx(
        voltage_v, rel=1e-5
    )
    monkeypatch.setattr(power_flow, "METHODS", power_flow.METHODS[:1])
    with pytest.raises(NetworkError):
        power_flow_of_two.solve(one, none)


def test_more_than_the_network_can_carry_is_said_so() -> None:
    too_much = PowerFlow(network_of(CABLE), [end("a")])
    with pytest.raises(NetworkError, match="1000000 W are more than the network can carry"):
        too_much.solve(np.array([1e6]), np.zeros(1))
    with pytest.raises(NetworkError, match="1000000 W are more than the network can carry"):
        too_much.solve_each(np.array([[1e3], [1e6], [2e3]]), np.zeros((3, 1)))
    assert too_much.solve(np.array([1e3]), np.zeros(1)).voltage_v[0, 0] < PHASE_V  # and goes on


def test_many_states_are_each_of_them_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(CABLE, line("end", "far", max_current_a=60))
    taps = [end("a"), end("abc"), Tap(name="far", bus="far", phases="b")]
    together = PowerFlow(network, taps)
    random = np.random.default_rng(1)
    p_w, q_var = random.uniform(-3000, 6000, (20, 3)), random.uniform(-500, 500, (20, 3))
    at_once = together.solve_each(p_w, q_var)
    monkeypatch.setattr(power_flow, "STATES_AT_ONCE", 7)
    in_chunks = together.solve_each(p_w, q_var)
    one_by_one = [together.solve(*state) for state in zip(p_w, q_var, strict=True)]
    assert _bytes(at_once) == _bytes(in_chunks)
    assert at_once.voltage_v.tobytes() == b"".join(flow.voltage_v.tobytes() for flow in one_by_one)
    assert at_once.loading.tolist() == [flow.loading for flow in one_by_one]
    assert at_once.supplied_w.tolist() == [flow.supplied_w for flow in one_by_one]


def test_no_states_and_no_taps_are_states_and_taps_too() -> None:
    assert PowerFlow(network_of(CABLE), [end("a")]).solve_each(*np.zeros((2, 0, 1))).voltage_v.shape == (
        0,
        1,
        3,
    )
    nothing = PowerFlow(network_of(CABLE), []).solve(np.zeros(0), np.zeros(0))
    assert nothing.voltage_v.shape == (0, 3)
    assert nothing.supplied_w == pytest.approx(0, abs=1e-3)


@needs_european_lv
@pytest.mark.parametrize(
    ("car_w", "lowest_pu", "loading", "supplied_kw"),
    [(0, 0.996, 0.33, 59), (3700, 0.952, 0.72, 170), (7400, 0.902, 1.15, 288)],
)
def test_the_european_feeder_is_as_it_is_known(
    car_w: float, lowest_pu: float, loading: float, supplied_kw: float
) -> None:
    """What pandapower's three-phase power flow says of it, at a source of 1.05 pu."""
    network = european_lv()
    flow = PowerFlow(network, [load.tap for load in network.loads]).solve(
        busy_w(network) + every_second(network, car_w), busy_var(network)
    )
    voltage_pu = flow.voltage_v / EUROPEAN_PHASE_V
    assert np.nanmin(voltage_pu) == pytest.approx(lowest_pu, abs=0.0005)
    if car_w == 0:
        assert np.nanmax(voltage_pu) == pytest.approx(1.068, abs=0.0005)
    assert flow.loading == pytest.approx(loading, abs=0.005)
    assert flow.supplied_w / 1000 == pytest.approx(supplied_kw, abs=0.5)


def _bytes(flow: Flow) -> tuple[bytes, ...]:
    arrays: tuple[Floats, ...] = (flow.voltage_v, flow.loading, flow.supplied_w)
    return tuple(array.tobytes() for array in arrays)
