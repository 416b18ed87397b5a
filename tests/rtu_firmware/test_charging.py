"""When the contactor closes and when it opens: a row for each requirement of the design."""

import math
from dataclasses import replace

import pytest
from station_bench import RATINGS, Bench, charging_bench

from register_maps.vocabulary import ChargeState as State
from register_maps.vocabulary import LimitReason as Reason

GOOD_ORDERS = {"charge_enable": True, "power_limit_w": 3300.0}


def test_it_closes_when_every_requirement_is_met():
    decision = Bench(**GOOD_ORDERS).step()
    assert decision.close_contactor
    assert (decision.state, decision.reason) == (State.PREPARING, Reason.NONE)
    assert decision.power_limit_w == 3300


MISSING_ORDERS = {
    "permission": ({"charge_enable": False}, State.SUSPENDED_EVSE, Reason.NONE),
    "a limit of at least the minimum": ({"power_limit_w": 1299.0}, State.SUSPENDED_EVSE, Reason.NONE),
    "any limit": ({"power_limit_w": 0.0}, State.SUSPENDED_EVSE, Reason.NONE),
    "no stop": ({"stop": True}, State.FINISHING, Reason.USER_STOP),
    "no stop, in spite of a start": ({"stop": True, "start": True}, State.FINISHING, Reason.USER_STOP),
}

FAULT = (State.FAULTED, Reason.FAULT)
MISSING_IN_THE_WORLD = {
    "a vehicle": ({"vehicle_connected": False}, State.AVAILABLE, Reason.NO_VEHICLE),
    "not full": ({"state_of_charge_pct": 99.95}, State.FINISHING, Reason.FULL),
    "enough voltage": ({"voltage_v": 93.4}, State.SUSPENDED_EVSE, Reason.VOLTAGE),
    "not too much voltage": ({"voltage_v": 126.6}, State.SUSPENDED_EVSE, Reason.VOLTAGE),
    "any voltage": ({"voltage_v": 0.0}, State.SUSPENDED_EVSE, Reason.VOLTAGE),
    "a voltage sensor": ({"voltage_v": None}, *FAULT),
    "a power sensor": ({"power_w": None}, *FAULT),
    "a voltage that is a number": ({"voltage_v": math.nan}, *FAULT),
    "a power that is a number": ({"power_w": math.nan}, *FAULT),
    "a finite power": ({"power_w": math.inf}, *FAULT),
    "a positive voltage": ({"voltage_v": -0.1}, *FAULT),
    "a possible voltage": ({"voltage_v": 220.1}, *FAULT),
    "a power that a vehicle can draw": ({"power_w": 4951.0}, *FAULT),
    "a power that a vehicle can give": ({"power_w": -166.0}, *FAULT),
    "a charge of at most 100 %": ({"state_of_charge_pct": 100.1}, *FAULT),
    "a charge of at least 0 %": ({"state_of_charge_pct": -0.1}, *FAULT),
}


@pytest.mark.parametrize("missing", MISSING_ORDERS)
def test_it_opens_at_once_and_stays_open_for_orders_without(missing):
    orders, state, reason = MISSING_ORDERS[missing]
    for bench in (charging_bench(), Bench(**GOOD_ORDERS)):
        decision = bench.step(**orders)
        assert not decision.close_contactor
        assert (decision.state, decision.reason, decision.power_limit_w) == (state, reason, 0)
        assert not bench.run(20).close_contactor


@pytest.mark.parametrize("missing", MISSING_IN_THE_WORLD)
def test_it_opens_at_once_and_stays_open_in_a_world_without(missing):
    broken, state, reason = MISSING_IN_THE_WORLD[missing]
    for bench in (charging_bench(), Bench(**GOOD_ORDERS)):
        bench.broken = broken
        decision = bench.step()
        assert not decision.close_contactor
        assert (decision.state, decision.reason, decision.power_limit_w) == (state, reason, 0)
        assert not bench.run(20).close_contactor


@pytest.mark.parametrize("age_s", [2.05, 3600, -2.05])
def test_it_opens_for_a_measurement_that_is_not_of_now(age_s):
    bench = charging_bench()
    bench.age_s = age_s
    decision = bench.step()
    assert not decision.close_contactor
    assert (decision.state, decision.reason) == FAULT


@pytest.mark.parametrize("voltage_v", [93.6, 126.4])
def test_just_inside_the_emergency_band_it_closes(voltage_v):
    bench = Bench(**GOOD_ORDERS)
    bench.broken = {"voltage_v": voltage_v}
    assert bench.step().close_contactor


def test_an_emergency_voltage_opens_even_without_a_reclose_delay():
    bench = Bench(replace(RATINGS, reclose_delay_s=0.0), **GOOD_ORDERS)
    assert bench.run(1).close_contactor
    bench.broken = {"voltage_v": 90.0}
    assert not bench.step().close_contactor


def test_the_charge_may_be_unknown():
    bench = Bench(**GOOD_ORDERS)
    bench.broken = {"state_of_charge_pct": None, "battery_capacity_wh": None}
    assert bench.run(5).close_contactor
    assert bench.decision.time_to_full_s is None


def test_the_limit_is_at_most_the_rated_power_and_changes_at_once():
    bench = charging_bench()
    assert bench.step(power_limit_w=9999.0).power_limit_w == 3300
    assert bench.step(power_limit_w=1300.0).power_limit_w == 1300
    assert bench.is_closed


def test_states_have_the_names_of_ocpp():
    bench = Bench(power_limit_w=3300.0)
    bench.broken = {"vehicle_connected": False}
    assert bench.step().state == "available"
    bench.broken = {}
    assert bench.step().state == "suspended_evse"
    assert bench.step(charge_enable=True).state == "preparing"
    assert bench.step().state == "charging"
    bench.broken = {"power_w": 5.0}
    assert bench.step().state == "suspended_ev"
    assert bench.step(stop=True).state == "finishing"
    bench.broken = {"voltage_v": None}
    assert bench.step().state == "faulted"


def test_a_fault_is_told_without_a_vehicle_too():
    bench = Bench()
    bench.broken = {"vehicle_connected": False, "voltage_v": None}
    decision = bench.step()
    assert (decision.state, decision.reason) == FAULT
