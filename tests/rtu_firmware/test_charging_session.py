"""What is remembered while a vehicle is plugged in: the stop, the full battery, energy and times."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest
from station_bench import RATINGS, Bench, charging_bench

from register_maps.vocabulary import LimitReason as Reason
from rtu_firmware.battery import EFFICIENCY, Battery
from rtu_firmware.charging import state_of_charge_pct
from rtu_firmware.model import CountedBattery, Session


def session_of(bench: Bench) -> Session:
    assert bench.state.session is not None
    return bench.state.session


def unplug(bench: Bench) -> None:
    bench.broken = {"vehicle_connected": False}
    bench.step()
    bench.broken = {}


def test_a_stop_is_kept_until_the_start():
    bench = charging_bench()
    bench.step(stop=True)
    assert not bench.run(60, charge_enable=True).close_contactor
    assert bench.decision.reason is Reason.USER_STOP
    assert bench.step(start=True).close_contactor
    assert bench.run(5).close_contactor


def test_a_stop_is_kept_when_the_permission_goes_and_comes():
    bench = charging_bench()
    bench.step(stop=True)
    bench.run(5, charge_enable=False)
    assert not bench.run(5, charge_enable=True).close_contactor


def test_a_stop_ends_with_the_vehicle():
    bench = charging_bench()
    bench.step(stop=True)
    unplug(bench)
    assert bench.run(bench.ratings.minimum_open_s).close_contactor


def test_whoever_flips_the_permission_does_not_flip_the_contactor():
    bench = charging_bench()
    closings = 0
    for n in range(600):
        before = bench.is_closed
        closings += bench.step(charge_enable=n % 2 == 0).close_contactor and not before
    assert 20 < closings <= 60 / bench.ratings.minimum_open_s


def test_a_stop_without_a_vehicle_does_not_bind_the_next_one():
    bench = Bench(charge_enable=True, power_limit_w=3300.0)
    bench.broken = {"vehicle_connected": False}
    bench.step(stop=True)
    bench.broken = {}
    assert bench.step().close_contactor


def test_a_full_battery_is_kept_open_until_it_is_unplugged():
    bench = charging_bench()
    bench.broken = {"state_of_charge_pct": 100.0}
    assert not bench.step().close_contactor
    bench.broken = {"state_of_charge_pct": 97.0}  # it discharges, or the gauge corrects itself
    assert not bench.run(60, charge_enable=True, start=True).close_contactor
    assert bench.decision.reason is Reason.FULL
    unplug(bench)
    assert bench.step().close_contactor


def test_an_impossible_charge_is_a_fault_and_not_a_full_battery():
    bench = charging_bench()
    bench.broken = {"state_of_charge_pct": 250.0}
    bench.step()
    bench.broken = {}
    bench.run(20)
    assert not session_of(bench).full
    assert bench.is_closed


def test_energy_and_time_are_counted_while_charging():
    bench = charging_bench()
    before, total_wh = session_of(bench), bench.state.total_energy_wh
    bench.run(360)
    after = session_of(bench)
    assert after.energy_wh - before.energy_wh == pytest.approx(330, rel=1e-6)
    assert after.charging_time_s - before.charging_time_s == pytest.approx(360)
    assert bench.state.total_energy_wh - total_wh == pytest.approx(330, rel=1e-6)
    bench.step(stop=True)
    bench.step()
    stopped = session_of(bench)
    bench.run(60)
    assert session_of(bench) == stopped


def test_a_new_vehicle_is_a_new_session():
    bench = charging_bench()
    bench.run(60)
    total_wh = bench.state.total_energy_wh
    unplug(bench)
    assert bench.state.session is None
    bench.step(charge_enable=False)
    assert (session_of(bench).energy_wh, session_of(bench).charging_time_s) == (0, 0)
    assert bench.state.total_energy_wh == total_wh > 0


@pytest.mark.parametrize(
    "broken", [{"power_w": float("inf")}, {"power_w": float("nan")}, {"power_w": 1e9}, {"power_w": -100.0}]
)
def test_a_power_that_is_none_is_not_counted(broken):
    bench = charging_bench()
    before_wh = bench.state.total_energy_wh
    bench.broken = broken
    bench.run(10)
    assert bench.state.total_energy_wh == before_wh


def test_a_frozen_measurement_is_not_counted():
    bench = charging_bench()
    bench.broken = {"at": bench.now, "power_w": 3300.0, "contactor_closed": True}
    bench.run(60)
    assert session_of(bench).charging_time_s < 5
    assert bench.state.total_energy_wh < 5


def test_time_to_full_is_the_battery_s_at_the_limit_in_force():
    bench = charging_bench()
    battery = Battery(capacity_wh=24_000, max_power_w=3300)
    assert bench.decision.time_to_full_s == pytest.approx(battery.time_to_full_s(50, 3300))
    bench.step(power_limit_w=1300.0)
    assert bench.decision.time_to_full_s == pytest.approx(battery.time_to_full_s(50, 1300))
    assert bench.step(charge_enable=False).time_to_full_s is None


def test_the_capacity_is_estimated_where_the_vehicle_does_not_tell_it():
    bench = Bench(charge_enable=True, power_limit_w=3300.0)
    battery, charge_pct = Battery(capacity_wh=30_000, max_power_w=3300), 40.0
    while charge_pct < 44.0:
        bench.broken = {"battery_capacity_wh": None, "state_of_charge_pct": charge_pct}
        charge_pct = battery.charged(charge_pct, bench.measurement().power_w / 3600)
        shown_s = bench.step(elapsed_s=1.0).time_to_full_s
        if charge_pct < 41.9:
            assert shown_s is None, "too little has been charged to tell"
    assert session_of(bench).energy_wh == pytest.approx(30_000 * 0.04 / EFFICIENCY, rel=0.01)
    assert shown_s == pytest.approx(battery.time_to_full_s(charge_pct, 3300), rel=0.01)


COUNTED = replace(RATINGS, counted_battery=CountedBattery(capacity_wh=10_000, first_state_of_charge_pct=20.0))


def counting_bench(charge: Mapping[str, object] = MappingProxyType({"state_of_charge_pct": None})) -> Bench:
    """Charges a vehicle that doesn't tell its charge."""
    bench = Bench(COUNTED, charge_enable=True, power_limit_w=3300.0)
    bench.broken = {"battery_capacity_wh": None, **charge}
    bench.run(2)
    assert bench.is_closed
    return bench


def test_without_a_gauge_the_charge_is_counted_from_the_energy():
    bench = counting_bench()
    bench.run(60)
    battery, energy_wh = Battery(capacity_wh=10_000, max_power_w=3300), session_of(bench).energy_wh
    assert energy_wh == pytest.approx(3300 * 62 / 3600, rel=0.01)
    charge_pct = state_of_charge_pct(bench.state, bench.measurement())
    assert charge_pct == pytest.approx(battery.charged(20, energy_wh))
    assert bench.decision.time_to_full_s == pytest.approx(battery.time_to_full_s(charge_pct, 3300))


def test_what_somebody_enters_is_counted_on_from():
    bench = counting_bench()
    bench.step(entered_state_of_charge_pct=70.0)
    bench.run(60, entered_state_of_charge_pct=None)
    assert session_of(bench).entered_pct == 70.0
    assert session_of(bench).counted_pct == pytest.approx(
        70 + 100 * 3300 / 60 * EFFICIENCY / 10_000, rel=1e-3
    )


def test_a_battery_that_is_full_by_the_count_is_full():
    bench = counting_bench()
    bench.step(entered_state_of_charge_pct=99.9)
    bench.run(10, entered_state_of_charge_pct=None)
    assert session_of(bench).full
    assert bench.decision.reason is Reason.FULL
    bench.step(entered_state_of_charge_pct=40.0)
    assert not session_of(bench).full


def test_the_next_vehicle_is_counted_anew():
    bench = counting_bench()
    bench.run(60)
    bench.broken["vehicle_connected"] = False
    bench.step()
    assert state_of_charge_pct(bench.state, bench.measurement()) is None
    bench.broken["vehicle_connected"] = True
    bench.step()
    assert session_of(bench).counted_pct == pytest.approx(20)


def test_what_a_gauge_says_counts_before_the_count():
    bench = counting_bench({"state_of_charge_pct": 55.0})
    bench.step(entered_state_of_charge_pct=99.99)
    assert state_of_charge_pct(bench.state, bench.measurement()) == 55
    assert not session_of(bench).full
