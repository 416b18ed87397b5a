"""A network without its joints is the same network."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import busy_var, busy_w, european_lv, every_second, line, needs_european_lv, network_of

from grid_sim.arrays import Floats
from grid_sim.network.joints import without_joints
from grid_sim.network.model import PHASES, Line, Network, Tap
from grid_sim.network.power_flow import Flow, PowerFlow

AMPERES = st.one_of(st.none(), st.floats(20, 400))
OHMS = st.floats(1e-4, 0.02)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """A tree of up to 25 lines, a few of them charged, and sometimes lines that close a ring."""
    lines: list[Line] = []
    for number in range(1, draw(st.integers(1, 25)) + 1):
        lines.append(_line(draw, draw(st.integers(max(0, number - 3), number - 1)), number))
    for _ in range(draw(st.integers(0, 2))):
        ends = draw(st.lists(st.integers(0, len(lines)), min_size=2, max_size=2, unique=True).map(sorted))
        lines.append(_line(draw, *ends))
    return network_of(*lines)


def _line(draw: st.DrawFn, from_bus: int, to_bus: int) -> Line:
    made = line(str(from_bus), str(to_bus), draw(OHMS), draw(AMPERES))
    return replace(made, c1_f=1e-6, c0_f=1e-6) if draw(st.integers(0, 9)) == 0 else made


@settings(max_examples=100, deadline=None)
@given(networks(), st.data())
def test_no_voltage_and_no_loading_changes(network: Network, data: st.DataObject) -> None:
    buses = st.sampled_from(sorted(network.nominal_voltage_v))
    places = data.draw(st.lists(st.tuples(buses, st.sampled_from([*PHASES, PHASES])), max_size=5))
    taps = [Tap(name=str(i), bus=bus, phases=phases) for i, (bus, phases) in enumerate(places)]
    powers = st.lists(st.floats(-4000, 8000), min_size=len(taps), max_size=len(taps))
    p_w, q_var = np.array(data.draw(powers)), np.array(data.draw(powers)) / 4
    assert_same(network, taps, p_w, q_var)


@needs_european_lv
def test_the_european_feeder_becomes_eight_times_smaller() -> None:
    network = european_lv()
    taps = [load.tap for load in network.loads]
    assert len(without_joints(network, {tap.bus for tap in taps}).nominal_voltage_v) < 907 / 8
    assert_same(network, taps, busy_w(network) + every_second(network, 7400), busy_var(network))


def assert_same(network: Network, taps: list[Tap], p_w: Floats, q_var: Floats) -> None:
    """As with something that draws nothing at every bus, so that each of them has to be there."""
    everywhere = [Tap(name=bus, bus=bus, phases=PHASES) for bus in network.nominal_voltage_v]
    none = np.zeros(len(everywhere))
    whole = PowerFlow(network, [*taps, *everywhere]).solve(
        np.concatenate([p_w, none]), np.concatenate([q_var, none])
    )
    reduced = PowerFlow(network, taps).solve(p_w, q_var)
    expected = Flow(
        voltage_v=whole.voltage_v[: len(taps)], loading=whole.loading, supplied_w=whole.supplied_w
    )
    assert reduced.voltage_v == pytest.approx(expected.voltage_v, rel=1e-9, nan_ok=True)
    assert reduced.loading == pytest.approx(expected.loading, rel=1e-9, abs=1e-9, nan_ok=True)
    assert reduced.supplied_w == pytest.approx(expected.supplied_w, rel=1e-9, abs=1e-3)


def ends(lines: Iterable[Line]) -> set[tuple[str, str]]:
    return {(each.from_bus, each.to_bus) for each in lines}


def test_lines_in_series_add_up_and_carry_what_the_weakest_carries() -> None:
    network = network_of(
        line("s", "1", 0.01, 100), line("2", "1", 0.02, None), line("2", "3", 0.04, 60), line("1", "dead")
    )
    (one,) = without_joints(network, {"3"}).lines
    assert {one.from_bus, one.to_bus} == {"s", "3"}
    assert (one.r1_ohm, one.x1_ohm) == pytest.approx((0.07, 0.035))
    assert (one.r0_ohm, one.x0_ohm) == pytest.approx((0.28, 0.14))
    assert one.max_current_a == 60


def test_what_matters_stays() -> None:
    """A bus where something hangs or a line branches, and both ends of a line that is charged."""
    charged = replace(line("b", "c"), c1_f=1e-6)
    network = network_of(line("s", "a"), line("a", "b"), charged, line("b", "d"), line("d", "e"))
    assert ends(without_joints(network, {"a", "e"}).lines) == {("s", "a"), ("a", "b"), ("b", "c"), ("b", "e")}


def test_a_ring_that_ends_nowhere_is_left_alone() -> None:
    ring = network_of(line("s", "a"), line("a", "b"), line("a", "b"))
    assert len(without_joints(ring, {"a"}).lines) == 3
