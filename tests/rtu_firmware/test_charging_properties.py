"""Whatever happens, in whatever order: the contactor is closed only while every requirement holds."""

import math
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from station_bench import RATINGS, Bench

ALWAYS = settings(max_examples=100, deadline=None)
TIMEOUT_S = 10.0

LAPSES_S = st.sampled_from([0.1, 0.1, 0.1, 0.5, 1.0, 3.0, 6.0, 11.0])

# What may happen to the world: some of it breaks things, some of it mends them.
WORLD = st.one_of(
    st.just({}),
    st.just({}),
    st.fixed_dictionaries({"vehicle_connected": st.booleans()}),
    st.fixed_dictionaries(
        {"voltage_v": st.sampled_from([None, math.nan, -1.0, 0.0, 90.0, 100.0, 125.0, 130.0])}
    ),
    st.fixed_dictionaries(
        {"power_w": st.sampled_from([None, math.nan, math.inf, -500.0, 0.0, 3000.0, 9000.0])}
    ),
    st.fixed_dictionaries(
        {"state_of_charge_pct": st.sampled_from([None, -1.0, 0.0, 50.0, 99.9, 100.0, 101.0])}
    ),
)
ORDERS = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"charge_enable": st.booleans()}),
    st.fixed_dictionaries({"power_limit_w": st.sampled_from([0.0, 1299.0, 1300.0, 2000.0, 9999.0])}),
    st.fixed_dictionaries({"stop": st.booleans(), "start": st.booleans()}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    elapsed_s: float
    world: dict[str, Any]
    orders: dict[str, Any]
    master_is_alive: bool
    contactor: bool | None
    age_s: float


MOMENTS = st.lists(
    st.builds(
        Moment,
        elapsed_s=LAPSES_S,
        world=WORLD,
        orders=ORDERS,
        master_is_alive=st.sampled_from([True, True, True, False]),
        contactor=st.sampled_from([None] * 8 + [True, False]),
        age_s=st.sampled_from([0.0] * 8 + [1.0, 5.0]),
    ),
    max_size=40,
)


class Witness:
    """Keeps, by itself, what the requirements need to know of the past."""

    def __init__(self, bench: Bench) -> None:
        self.begin, self.heard_at, self.heartbeat = bench.now, -math.inf, bench.orders.heartbeat
        self.stopped = self.full = False

    def see(self, bench: Bench, stop: bool, start: bool) -> None:
        seen = bench.measurement()
        if bench.orders.heartbeat != self.heartbeat:
            self.heartbeat, self.heard_at = bench.orders.heartbeat, bench.now
        self.stopped = seen.vehicle_connected and (stop or (self.stopped and not start))
        charge = seen.state_of_charge_pct
        is_true = bench.age_s <= 2 and _is_in(seen.voltage_v, 0, 220) and _is_in(seen.power_w, -165, 4950)
        self.full = seen.vehicle_connected and (self.full or (is_true and _is_in(charge, 99.95, 100)))

    def offered_w(self, bench: Bench) -> float:
        """By the master or, in its silence, by the failsafe."""
        if bench.now - self.heard_at <= TIMEOUT_S:
            return bench.orders.power_limit_w if bench.orders.charge_enable else 0.0
        if bench.now - max(self.begin, self.heard_at) <= TIMEOUT_S:
            return 0.0
        return bench.orders.failsafe_power_limit_w


def _is_in(value: float | None, low: float, high: float) -> bool:
    return value is not None and low <= value <= high


def live(bench: Bench, moment: Moment) -> None:
    bench.master_is_alive, bench.contactor = moment.master_is_alive, moment.contactor
    bench.broken, bench.age_s = bench.broken | moment.world, moment.age_s
    bench.step(moment.elapsed_s, **moment.orders)


def play(bench: Bench, moments: list[Moment]) -> None:
    """Live through the moments and hold every requirement against each decision."""
    witness = Witness(bench)
    for moment in moments:
        was_told_open = not bench.is_closed
        live(bench, moment)
        witness.see(bench, moment.orders.get("stop", False), moment.orders.get("start", False))
        if not bench.is_closed:
            assert bench.decision.power_limit_w == 0
            continue
        seen = bench.broken
        assert seen.get("vehicle_connected", True)
        assert _is_in(seen.get("voltage_v", 110.0), 93.5, 126.5)
        assert _is_in(seen.get("power_w", 0.0), -165, 4950)
        assert seen.get("state_of_charge_pct") is None or _is_in(seen["state_of_charge_pct"], 0, 99.95)
        assert bench.age_s <= 2
        assert not (was_told_open and moment.contactor), "closed on contacts that have not let go"
        assert bench.state.fault == "none"
        assert not witness.stopped
        assert not witness.full
        assert RATINGS.minimum_power_w <= bench.decision.power_limit_w <= witness.offered_w(bench)
        assert bench.decision.power_limit_w <= RATINGS.rated_power_w


@ALWAYS
@given(MOMENTS, st.sampled_from([0.0, 1000.0, 1500.0]))
def test_it_is_closed_only_while_every_requirement_holds(moments, failsafe_w):
    play(Bench(charge_enable=True, power_limit_w=3300.0, failsafe_power_limit_w=failsafe_w), moments)


def test_the_witness_sees_a_closed_contactor():
    quiet = Moment(elapsed_s=0.1, world={}, orders={}, master_is_alive=True, contactor=None, age_s=0.0)
    bench = Bench(charge_enable=True, power_limit_w=3300.0)
    play(bench, [quiet] * 5)
    assert bench.is_closed


@ALWAYS
@given(MOMENTS, st.lists(LAPSES_S, min_size=1, max_size=10))
def test_after_a_silence_longer_than_the_timeout_it_is_open(moments, lapses_s):
    bench = Bench(charge_enable=True, power_limit_w=3300.0)
    play(bench, moments)
    bench.master_is_alive = False
    assert not bench.step(TIMEOUT_S + 0.1, charge_enable=True).close_contactor
    for elapsed_s in lapses_s:
        assert not bench.step(elapsed_s, charge_enable=True, power_limit_w=3300.0).close_contactor


@ALWAYS
@given(MOMENTS)
def test_a_contactor_that_failed_stays_open_while_its_vehicle_is_there(moments):
    bench = Bench(charge_enable=True, power_limit_w=3300.0)
    failed = False
    for moment in moments:
        live(bench, moment)
        failed = bench.broken.get("vehicle_connected", True) and (failed or "contactor" in bench.state.fault)
        assert not (failed and bench.is_closed)


@ALWAYS
@given(
    st.lists(st.tuples(st.sampled_from([0.1, 1.0, 4.0]), st.sampled_from([85.0, 110.0, 110.0, 130.0]))),
    st.sampled_from([2.0, 10.0]),
)
def test_voltage_never_makes_it_chatter(steps, reclose_delay_s):
    bench = Bench(replace(RATINGS, reclose_delay_s=reclose_delay_s), charge_enable=True, power_limit_w=3300.0)
    opened_at = -math.inf
    for elapsed_s, voltage_v in steps:
        bench.broken = {"voltage_v": voltage_v}
        was_closed = bench.is_closed
        is_closed = bench.step(elapsed_s).close_contactor
        if was_closed and not is_closed:
            opened_at = bench.now
        if is_closed and not was_closed:
            assert bench.now - opened_at >= reclose_delay_s


@ALWAYS
@given(
    st.fixed_dictionaries(
        {
            name: st.none() | st.floats()
            for name in ("voltage_v", "current_a", "power_w", "state_of_charge_pct", "battery_capacity_wh")
        }
    )
)
def test_no_measurement_breaks_the_logic(values):
    bench = Bench(charge_enable=True, power_limit_w=3300.0)
    bench.broken = values
    for _ in range(3):
        decision = bench.step()
        if decision.close_contactor:
            assert _is_in(values["voltage_v"], 93.5, 126.5)
            assert _is_in(values["power_w"], -165, 4950)
            assert decision.time_to_full_s is None or decision.time_to_full_s >= 0
    assert math.isfinite(bench.state.total_energy_wh)
