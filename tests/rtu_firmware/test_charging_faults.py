"""Faults, their codes, how they clear, and the waiting before the contactor closes again."""

import pytest
from station_bench import TICK_S, Bench, charging_bench

from register_maps.vocabulary import FaultCode as Fault
from register_maps.vocabulary import LimitReason as Reason
from rtu_firmware.charging import FAULT_CLEARED_S


def test_a_contactor_that_does_not_open_is_welded():
    bench = charging_bench()
    bench.contactor = True
    bench.broken = {"power_w": 0.0}
    bench.step(charge_enable=False)
    assert bench.state.fault is Fault.NONE
    within_s = bench.seconds_until(lambda: bench.state.fault is not Fault.NONE)
    assert within_s <= bench.ratings.contactor_time_s + 2 * TICK_S
    assert bench.state.fault is Fault.CONTACTOR_WELDED
    assert not bench.run(60, charge_enable=True).close_contactor


def test_power_through_an_open_contactor_is_a_weld():
    bench = Bench()
    bench.run(1)
    bench.broken = {"power_w": 400.0}
    bench.step()
    assert bench.state.fault is Fault.CONTACTOR_WELDED


def test_a_contactor_welded_at_power_up_is_found():
    bench = Bench(charge_enable=False)
    bench.contactor = True
    bench.run(1)
    assert bench.state.fault is Fault.CONTACTOR_WELDED


def test_contacts_that_have_not_let_go_are_not_closed_on():
    bench = Bench(charge_enable=True, power_limit_w=3300.0)
    bench.contactor = True
    assert not bench.run(0.3).close_contactor
    assert bench.state.fault is Fault.NONE
    assert not bench.run(1).close_contactor
    assert bench.state.fault is Fault.CONTACTOR_WELDED


def test_a_weld_is_told_while_no_vehicle_is_there():
    bench = Bench()
    bench.contactor, bench.broken = True, {"vehicle_connected": False}
    bench.run(30)
    assert bench.state.fault is Fault.CONTACTOR_WELDED
    assert bench.decision.state == "faulted"


def test_a_contactor_that_does_not_close_is_a_fault():
    bench = Bench(charge_enable=True, power_limit_w=3300.0)
    bench.contactor = False
    assert bench.step().close_contactor
    within_s = bench.seconds_until(lambda: bench.state.fault is not Fault.NONE)
    assert within_s <= bench.ratings.contactor_time_s + 2 * TICK_S
    assert bench.state.fault is Fault.CONTACTOR_NOT_CLOSED
    assert not bench.is_closed


def test_a_contactor_may_take_its_time():
    bench = Bench(charge_enable=True, power_limit_w=3300.0)
    bench.contactor = False
    bench.run(0.4)
    bench.contactor = None
    assert bench.run(5).close_contactor
    assert bench.state.fault is Fault.NONE


def test_a_contactor_that_falls_off_is_ordered_open_at_once_and_the_third_time_for_good():
    bench = charging_bench()
    for _ in range(2):
        bench.contactor = False
        assert not bench.step().close_contactor
        bench.contactor = None
        assert bench.seconds_until(lambda: bench.is_closed) >= bench.ratings.reclose_delay_s
        assert bench.state.fault is Fault.NONE
        bench.run(1)
    bench.contactor = False
    assert not bench.step().close_contactor
    bench.contactor = None
    assert not bench.run(60).close_contactor
    assert bench.state.fault is Fault.CONTACTOR_NOT_CLOSED


@pytest.mark.parametrize("by_itself", ["stop_pressed", "tripped"])
def test_what_the_board_has_opened_itself_has_not_fallen_off(by_itself: str):
    bench = charging_bench()
    for _ in range(4):
        bench.contactor, bench.broken = False, {by_itself: True}
        assert not bench.step().close_contactor
        bench.contactor, bench.broken = None, {}
        bench.step(start=True)
        assert bench.state.fault is (Fault.HARDWARE_FAILED if by_itself == "tripped" else Fault.NONE)
        assert bench.seconds_until(lambda: bench.is_closed) < 16
        assert bench.state.fault is Fault.NONE
        bench.run(1)


def failed_contactor(*, welded: bool) -> Bench:
    """It failed once and moves again."""
    bench = charging_bench() if welded else Bench(charge_enable=True, power_limit_w=3300.0)
    bench.contactor = welded
    bench.run(2, charge_enable=not welded)
    bench.contactor = None
    bench.run(30, charge_enable=True)
    return bench


@pytest.mark.parametrize("welded", [True, False])
def test_a_contactor_that_failed_is_not_tried_again_on_the_same_vehicle(welded):
    bench = failed_contactor(welded=welded)
    code = Fault.CONTACTOR_WELDED if welded else Fault.CONTACTOR_NOT_CLOSED
    assert bench.state.fault is code
    bench.run(300, start=True)
    assert bench.state.fault is code
    bench.broken = {"vehicle_connected": False}
    bench.run(FAULT_CLEARED_S + 1)
    assert bench.state.fault is Fault.NONE
    bench.broken = {}
    assert bench.seconds_until(lambda: bench.is_closed) <= bench.ratings.reclose_delay_s + 2 * TICK_S


@pytest.mark.parametrize("welded", [True, False])
@pytest.mark.parametrize("other", [{"voltage_v": None}, {"voltage_v": 500.0}, {"at": 0.0}])
def test_another_fault_does_not_wipe_out_the_contactor_s(welded, other):
    bench = failed_contactor(welded=welded)
    bench.broken = other
    bench.run(3)
    bench.broken = {}
    assert not bench.run(120).close_contactor
    assert "contactor" in bench.state.fault


def test_a_stuck_contactor_that_then_conducts_is_told_as_welded():
    bench = failed_contactor(welded=False)
    bench.contactor = True
    bench.step()
    assert bench.state.fault is Fault.CONTACTOR_WELDED


FAULTS = {
    "no voltage": ({"voltage_v": None}, Fault.SENSOR_FAILED),
    "no power": ({"power_w": None}, Fault.SENSOR_FAILED),
    "stale": ({"at": 900.0}, Fault.SENSOR_FAILED),
    "stale, with a closed contact": (
        {"at": 900.0, "contactor_closed": True, "power_w": 3300.0},
        Fault.SENSOR_FAILED,
    ),
    "dated ahead": ({"at": 1e9}, Fault.SENSOR_FAILED),
    "no time": ({"at": float("nan")}, Fault.SENSOR_FAILED),
    "voltage": ({"voltage_v": -3.0}, Fault.IMPLAUSIBLE_VALUE),
    "power": ({"power_w": 1e9}, Fault.IMPLAUSIBLE_VALUE),
    "charge": ({"state_of_charge_pct": 101.0}, Fault.IMPLAUSIBLE_VALUE),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_sensor_s_fault_clears_after_a_while_and_then_the_delay_runs(name):
    bench = charging_bench()
    broken, code = FAULTS[name]
    bench.broken = broken
    for _ in range(100):
        assert not bench.step().close_contactor
        assert bench.state.fault is code
    bench.broken = {}
    cleared_s = bench.seconds_until(lambda: bench.state.fault is Fault.NONE)
    assert FAULT_CLEARED_S - TICK_S < cleared_s <= FAULT_CLEARED_S + 2 * TICK_S
    assert bench.decision.reason is Reason.FAULT, "it still waits because of the fault"
    reclosed_s = bench.seconds_until(lambda: bench.is_closed)
    assert bench.ratings.reclose_delay_s - 2 * TICK_S < reclosed_s
    assert reclosed_s <= bench.ratings.reclose_delay_s + 2 * TICK_S


def test_a_flickering_sensor_never_closes():
    bench = charging_bench()
    for _ in range(30):
        bench.broken = {"voltage_v": None}
        bench.step()
        bench.broken = {}
        assert not bench.run(4).close_contactor


@pytest.mark.parametrize("voltage_v", [93.0, 127.0, 0.0])
def test_an_emergency_voltage_closes_again_only_after_the_delay(voltage_v):
    bench = charging_bench()
    bench.broken = {"voltage_v": voltage_v}
    assert not bench.step().close_contactor
    assert bench.state.fault is Fault.NONE
    bench.run(30)
    bench.broken = {}
    reclosed_s = bench.seconds_until(lambda: bench.is_closed)
    assert bench.ratings.reclose_delay_s - TICK_S < reclosed_s <= bench.ratings.reclose_delay_s + 2 * TICK_S
    assert bench.decision.reason is Reason.NONE


def test_the_delay_begins_anew_with_every_emergency_voltage():
    bench = charging_bench()
    for _ in range(10):
        bench.broken = {"voltage_v": 90.0}
        bench.step()
        bench.broken = {}
        assert bench.run(9).reason is Reason.VOLTAGE
        assert not bench.is_closed
