"""The battery's curve, and the time to full against a fine numeric integration."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtu_firmware.battery import EFFICIENCY, END_SHARE, KNEE_PCT, Battery

BATTERY = Battery(capacity_wh=24_000, max_power_w=3300)

charges = st.floats(0, 100)
limits = st.floats(1, 10_000)
LATE = Battery(capacity_wh=24_000, max_power_w=3300, knee_pct=95)
WITHOUT_TAPER = Battery(capacity_wh=24_000, max_power_w=3300, knee_pct=100)


def test_power_is_constant_up_to_the_knee_and_then_falls():
    assert BATTERY.accepted_power_w(0) == 3300
    assert BATTERY.accepted_power_w(KNEE_PCT) == pytest.approx(3300)
    assert BATTERY.accepted_power_w(90) == pytest.approx(3300 * (1 + END_SHARE) / 2, rel=0.001)
    assert BATTERY.accepted_power_w(99.999) == pytest.approx(3300 * END_SHARE, rel=0.001)


@pytest.mark.parametrize("full", [100, 100.1])
def test_a_full_battery_takes_nothing_and_is_full_now(full):
    assert BATTERY.accepted_power_w(full) == 0
    assert BATTERY.time_to_full_s(full, 3300) == 0
    assert BATTERY.time_to_full_s(full, 0) == 0


@given(charges, charges)
def test_a_fuller_battery_never_takes_more(one, other):
    low, high = sorted((one, other))
    assert BATTERY.accepted_power_w(low) >= BATTERY.accepted_power_w(high)


@pytest.mark.parametrize("limit_w", [3300, 10_000, 2000, 1300, 500, 3300 * END_SHARE, 100])
@pytest.mark.parametrize("charge_pct", [0, 5, 29, 79.9, 80, 85, 93, 95, 99, 99.9])
@pytest.mark.parametrize("battery", [BATTERY, LATE, WITHOUT_TAPER], ids=["normal", "late", "without"])
def test_time_to_full_is_the_integral_of_charge_over_power(battery, charge_pct, limit_w):
    assert battery.time_to_full_s(charge_pct, limit_w) == pytest.approx(
        _integrated_time_to_full_s(battery, charge_pct, limit_w), rel=1e-4
    )


@given(st.floats(0, 100, exclude_max=True))
def test_without_a_taper_the_power_is_constant_until_full(charge_pct):
    assert WITHOUT_TAPER.accepted_power_w(charge_pct) == 3300
    assert WITHOUT_TAPER.accepted_power_w(100) == 0


def _integrated_time_to_full_s(battery: Battery, charge_pct: float, limit_w: float) -> float:
    """Midpoint rule over the charge still missing."""
    parts = 5000
    slice_pct = (100 - charge_pct) / parts
    slice_wh = battery.capacity_wh * slice_pct / 100 / EFFICIENCY
    middles = (charge_pct + (index + 0.5) * slice_pct for index in range(parts))
    return sum(3600 * slice_wh / min(limit_w, battery.accepted_power_w(pct)) for pct in middles)


@pytest.mark.parametrize("limit_w", [0, -5])
def test_without_power_it_is_never_full(limit_w):
    assert BATTERY.time_to_full_s(50, limit_w) == math.inf


@given(charges, charges, limits)
def test_a_fuller_battery_is_never_full_later(one, other, limit_w):
    low, high = sorted((one, other))
    assert BATTERY.time_to_full_s(low, limit_w) >= BATTERY.time_to_full_s(high, limit_w) - 1e-6


@given(charges, limits, limits)
def test_more_power_never_takes_longer(charge_pct, one, other):
    low, high = sorted((one, other))
    assert BATTERY.time_to_full_s(charge_pct, low) >= BATTERY.time_to_full_s(charge_pct, high) - 1e-6


@given(st.floats(0, 99), limits)
def test_time_to_full_is_finite_and_positive(charge_pct, limit_w):
    assert 0 < BATTERY.time_to_full_s(charge_pct, limit_w) < math.inf


def test_the_socket_gives_what_is_stored_and_what_is_lost():
    whole_wh = BATTERY.capacity_wh / EFFICIENCY
    assert BATTERY.charged(0, whole_wh / 2) == pytest.approx(50)
    assert BATTERY.charged(20, whole_wh / 4) == pytest.approx(45)
    assert BATTERY.charged(90, whole_wh) == 100


@given(st.floats(0, 90), st.floats(2, 10))
def test_the_capacity_follows_from_energy_and_rise(charge_pct, risen_pct):
    energy_wh = BATTERY.capacity_wh * risen_pct / 100 / EFFICIENCY
    assert BATTERY.charged(charge_pct, energy_wh) == pytest.approx(charge_pct + risen_pct)
    assert Battery.capacity_from_charge_wh(energy_wh, risen_pct) == pytest.approx(24_000)
