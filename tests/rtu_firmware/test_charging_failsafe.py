"""The master's heartbeat, and what the station does without it."""

import pytest
from station_bench import TICK_S, Bench, charging_bench

from register_maps.vocabulary import LimitReason as Reason

GOOD_ORDERS = {"charge_enable": True, "power_limit_w": 3300.0}


@pytest.mark.parametrize("heartbeat", [0, 4711])
def test_after_power_up_a_permission_without_a_heartbeat_closes_nothing(heartbeat):
    bench = Bench(heartbeat=heartbeat, **GOOD_ORDERS)
    bench.master_is_alive = False
    for _ in range(300):
        assert not bench.step().close_contactor


def test_after_power_up_the_failsafe_waits_for_its_timeout():
    bench = Bench()
    bench.master_is_alive = False
    assert not bench.run(9.9).failsafe_active
    assert bench.seconds_until(lambda: bench.decision.failsafe_active) <= 2 * TICK_S


def test_the_same_heartbeat_written_again_is_none():
    bench = charging_bench()
    bench.master_is_alive = False
    count = bench.orders.heartbeat
    for _ in range(105):
        bench.step(heartbeat=count, **GOOD_ORDERS)
    assert bench.decision.failsafe_active
    assert not bench.is_closed


@pytest.mark.parametrize("change", [1, -1, 30_000])
def test_any_change_of_the_count_is_a_heartbeat(change):
    bench = charging_bench()
    bench.master_is_alive = False
    bench.run(9)
    bench.step(heartbeat=bench.orders.heartbeat + change)
    assert bench.run(9).close_contactor


@pytest.mark.parametrize("timeout_s", [1.0, 10.0, 60.0])
def test_silence_opens_after_the_timeout(timeout_s):
    bench = charging_bench(failsafe_timeout_s=timeout_s)
    bench.master_is_alive = False
    silence_s = bench.seconds_until(lambda: not bench.is_closed, within_s=100)
    assert timeout_s - TICK_S < silence_s <= timeout_s + 2 * TICK_S
    assert bench.decision.failsafe_active
    assert bench.decision.reason is Reason.FAILSAFE
    assert bench.decision.state == "suspended_evse"
    assert not bench.run(100).close_contactor


@pytest.mark.parametrize(("failsafe_w", "charges"), [(1300.0, True), (2000.0, True), (1299.0, False)])
@pytest.mark.parametrize("charge_enable", [True, False])
def test_in_failsafe_its_own_limit_counts_and_no_permission(failsafe_w, charges, charge_enable):
    bench = Bench(charge_enable=charge_enable, power_limit_w=3300.0, failsafe_power_limit_w=failsafe_w)
    bench.run(2)
    bench.master_is_alive = False
    bench.run(15)
    assert bench.is_closed is charges
    assert bench.decision.power_limit_w == (failsafe_w if charges else 0)
    assert bench.decision.failsafe_active
    assert bench.decision.reason is (Reason.NONE if charges else Reason.FAILSAFE)


def test_a_failsafe_limit_above_the_rated_power_is_the_rated_power():
    bench = Bench(failsafe_power_limit_w=9999.0)
    bench.master_is_alive = False
    assert bench.run(15).power_limit_w == 3300


def test_the_last_limit_is_never_kept():
    bench = charging_bench(failsafe_power_limit_w=1500.0)
    bench.master_is_alive = False
    assert bench.run(15).power_limit_w == 1500


@pytest.mark.parametrize("broken", [{"voltage_v": 90.0}, {"voltage_v": None}, {"vehicle_connected": False}])
def test_in_failsafe_every_other_requirement_holds(broken):
    bench = Bench(failsafe_power_limit_w=2000.0)
    bench.master_is_alive = False
    assert bench.run(15).close_contactor
    bench.broken = broken
    assert not bench.step().close_contactor


def test_a_stop_holds_through_the_failsafe():
    bench = charging_bench(failsafe_power_limit_w=2000.0)
    bench.step(stop=True)
    bench.master_is_alive = False
    assert not bench.run(30).close_contactor
    assert bench.decision.reason is Reason.USER_STOP


def test_a_master_that_is_back_must_permit_anew():
    bench = charging_bench(failsafe_power_limit_w=2000.0)
    bench.master_is_alive = False
    bench.run(15, charge_enable=False)
    assert bench.is_closed
    bench.master_is_alive = True
    decision = bench.step()
    assert not decision.failsafe_active
    assert not decision.close_contactor
    assert decision.reason is Reason.NONE
    assert bench.run(bench.ratings.minimum_open_s + TICK_S, charge_enable=True).close_contactor
    assert bench.decision.power_limit_w == 3300
