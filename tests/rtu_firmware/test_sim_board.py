"""The simulated board's physics, its contactor, and the faults that can be staged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtu_firmware.battery import EFFICIENCY, Battery
from rtu_firmware.board import Measurement
from rtu_firmware.sim_board import CONTACTOR_TIME_S, ResistiveLine, SimBoard, Vehicle

LINE = ResistiveLine(source_voltage_v=110, resistance_ohm=0.05)
T0 = 500.0


def sim_board(state_of_charge_pct: float = 50.0) -> SimBoard:
    battery = Battery(capacity_wh=24_000, max_power_w=3300)
    return SimBoard(LINE, 3300, Vehicle(battery=battery, state_of_charge_pct=state_of_charge_pct))


def closed_board(state_of_charge_pct: float = 50.0, limit_w: float = 3300.0) -> SimBoard:
    """Closed, and measured, at T0."""
    board = sim_board(state_of_charge_pct)
    board.limit_power(limit_w, T0 - 1)
    board.switch(True, T0 - 1)
    assert board.measure(T0).contactor_closed
    return board


def charge_of(seen: Measurement) -> float:
    assert seen.state_of_charge_pct is not None
    return seen.state_of_charge_pct


@given(st.floats(0, 5000), st.floats(0, 0.5))
def test_the_line_drops_what_its_current_makes_it_drop(power_w, resistance_ohm):
    line = ResistiveLine(source_voltage_v=110, resistance_ohm=resistance_ohm)
    voltage_v = line.voltage_v(power_w)
    assert 55 <= voltage_v <= 110
    if resistance_ohm * power_w < 110**2 / 4:
        assert voltage_v == pytest.approx(110 - resistance_ohm * power_w / voltage_v)


def test_beyond_what_the_line_can_carry_half_the_voltage_is_left():
    assert ResistiveLine(source_voltage_v=110, resistance_ohm=1).voltage_v(50_000) == 55


def test_it_begins_open_and_draws_nothing():
    seen = sim_board().measure(T0)
    assert not seen.contactor_closed
    assert (seen.voltage_v, seen.current_a, seen.power_w) == (110, 0, 0)
    assert seen.at == T0


def test_without_a_vehicle_it_knows_no_battery():
    seen = SimBoard(LINE, 3300).measure(T0)
    assert not seen.vehicle_connected
    assert seen.state_of_charge_pct is None
    assert seen.battery_capacity_wh is None


def test_the_contactor_follows_its_order_after_its_time():
    board = sim_board()
    board.limit_power(3300, T0)
    board.switch(True, T0)
    assert not board.measure(T0 + 0.9 * CONTACTOR_TIME_S).contactor_closed
    board.switch(True, T0 + 0.9 * CONTACTOR_TIME_S)  # the same order again does not start anew
    assert board.measure(T0 + CONTACTOR_TIME_S).contactor_closed
    board.switch(False, T0 + 1)
    assert board.measure(T0 + 1).contactor_closed
    assert not board.measure(T0 + 1 + CONTACTOR_TIME_S).contactor_closed


def test_an_order_taken_back_in_time_moves_nothing():
    board = sim_board()
    board.switch(True, T0)
    board.switch(False, T0 + CONTACTOR_TIME_S / 2)
    assert not board.measure(T0 + 1).contactor_closed


def test_voltage_current_and_power_belong_together():
    seen = closed_board().measure(T0 + 1)
    assert seen.power_w == 3300
    assert seen.voltage_v == pytest.approx(LINE.voltage_v(3300))
    assert seen.voltage_v * seen.current_a == pytest.approx(3300)


@pytest.mark.parametrize(
    ("charge_pct", "limit_w", "power_w"),
    [(50, 3300, 3300), (50, 2000, 2000), (50, 9999, 3300), (50, 0, 0), (90, 1000, 1000), (100, 3300, 0)],
)
def test_it_draws_the_least_of_limit_rating_and_battery(charge_pct, limit_w, power_w):
    assert closed_board(charge_pct, limit_w).power_w == power_w


def test_energy_goes_into_the_battery():
    board = closed_board(charge_pct := 50.0)
    for second in range(1, 601):
        seen = board.measure(T0 + second)
    risen_pct = 100 * EFFICIENCY * 3300 / 6 / 24_000
    assert charge_of(seen) == pytest.approx(charge_pct + risen_pct)
    assert seen.battery_capacity_wh == 24_000


def test_an_open_contactor_charges_nothing():
    board = sim_board()
    board.limit_power(3300, T0)
    assert charge_of(board.measure(T0 + 3600)) == 50


def test_unplugging_ends_the_power():
    board = closed_board()
    board.unplug()
    seen = board.measure(T0 + 1)
    assert not seen.vehicle_connected
    assert seen.power_w == 0
    assert seen.contactor_closed


def test_another_vehicle_can_be_plugged_in():
    board = SimBoard(LINE, 3300)
    board.plug_in(Vehicle(battery=Battery(capacity_wh=1000, max_power_w=2000), state_of_charge_pct=7))
    seen = board.measure(T0)
    assert seen.vehicle_connected
    assert (seen.state_of_charge_pct, seen.battery_capacity_wh) == (7, 1000)


def test_closing_the_board_opens_the_contactor():
    board = closed_board()
    board.close()
    assert board.power_w == 0
    seen = board.measure(T0 + 1)
    assert not seen.contactor_closed
    assert seen.power_w == 0


def test_welded_contacts_do_not_open():
    board = closed_board()
    board.faults.welded = True
    board.switch(False, T0)
    assert board.measure(T0 + 10).contactor_closed
    board.faults.welded = False
    assert not board.measure(T0 + 11).contactor_closed


def test_a_stuck_contactor_does_not_close():
    board = sim_board()
    board.faults.stuck_open = True
    board.switch(True, T0)
    assert not board.measure(T0 + 10).contactor_closed
    board.faults.stuck_open = False
    assert board.measure(T0 + 11).contactor_closed


def test_dead_sensors_give_no_value_and_the_vehicle_goes_on_charging():
    board = closed_board()
    board.faults.sensor_dead = True
    seen = board.measure(T0 + 60)
    assert (seen.voltage_v, seen.current_a, seen.power_w) == (None, None, None)
    assert seen.contactor_closed
    assert charge_of(seen) > 50


def test_frozen_sensors_repeat_the_last_values_with_their_time():
    board = closed_board()
    board.faults.frozen = True
    last = board.measure(T0 + 1)
    board.switch(False, T0 + 1)
    assert board.measure(T0 + 100) == last
    assert last.at == T0
    board.faults.frozen = False
    thawed = board.measure(T0 + 101)
    assert not thawed.contactor_closed
    assert thawed.at == T0 + 101
