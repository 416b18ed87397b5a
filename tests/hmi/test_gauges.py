"""The rule's three conditions as gauges: what is filled, where the limits stand, what is said."""

import pytest
from master_values import CHARGING, view_of

from hmi.gauges import Gauge, gauges
from hmi.texts import load_texts
from register_maps.points import Value

TEXTS = load_texts()
PRICE, POWER, VOLTAGE = range(3)


def gauge(which: int, **site: Value) -> Gauge:
    return gauges(view_of(CHARGING, **site), TEXTS)[which]


@pytest.mark.parametrize(
    ("which", "site", "value", "verdict"),
    [
        (PRICE, {}, "0.12", "ok"),
        (PRICE, {"price": 0.2}, "0.20", "ok"),
        (PRICE, {"price": 0.2001}, "0.2001", "too dear"),
        (PRICE, {"price_known": False}, "–", "unknown"),
        (PRICE, {"price": -0.05}, "-0.05", "ok"),
        (POWER, {}, "3.30 kW", "ok"),
        (POWER, {"power": 5000}, "5.00 kW", "ok"),
        (POWER, {"power": 5010}, "5.01 kW", "too much"),
        (POWER, {"power": None}, "–", "unknown"),
        (VOLTAGE, {}, "107.3–108.1 V", "ok"),
        (VOLTAGE, {"lowest_voltage": 108.1}, "108.1 V", "ok"),
        (VOLTAGE, {"lowest_voltage": 104.5, "highest_voltage": 115.5}, "104.5–115.5 V", "ok"),
        (VOLTAGE, {"lowest_voltage": 104.4}, "104.4–108.1 V", "out"),
        (VOLTAGE, {"highest_voltage": 115.6}, "107.3–115.6 V", "out"),
        (VOLTAGE, {"lowest_voltage": None, "highest_voltage": None}, "–", "unknown"),
        (POWER, {"power_quality": "uncertain"}, "3.30 kW ?", "doubtful"),
        (POWER, {"power_quality": "bad"}, "3.30 kW ?", "partial"),
        (POWER, {"power_quality": "bad", "power": 5010}, "5.01 kW ?", "too much"),
        (POWER, {"power_quality": "bad", "power": None}, "–", "unknown"),
        (POWER, {"voltage_quality": "bad"}, "3.30 kW", "ok"),
        (VOLTAGE, {"voltage_quality": "uncertain"}, "107.3–108.1 V ?", "doubtful"),
        (VOLTAGE, {"voltage_quality": "bad"}, "107.3–108.1 V ?", "partial"),
        (VOLTAGE, {"voltage_quality": "bad", "lowest_voltage": 104.4}, "104.4–108.1 V ?", "out"),
    ],
)
def test_value_and_verdict(which: int, site: dict[str, Value], value: str, verdict: str) -> None:
    found = gauge(which, **site)
    assert (found.value, found.verdict) == (value, verdict)
    assert found.is_bad == (verdict != "ok")
    assert (found.span is None) == (verdict == "unknown")


def test_limits_and_what_the_operator_sets_by_them() -> None:
    price, power, voltage = gauges(view_of(CHARGING, power_limit=6000), TEXTS)
    assert (price.limit, price.sets) == ("limit 0.20 USD/kWh", "price_limit")
    assert (power.limit, power.sets) == ("limit 5.00 kW", "power_limit")  # the one in force
    assert (voltage.limit, voltage.sets) == ("104.5 to 115.5 V", "")
    assert price.label == "Price"
    assert not any(gauge.is_off for gauge in (price, power))
    assert [g.is_off for g in gauges(view_of(CHARGING, role="standby"), TEXTS)] == [True, True, False]


@pytest.mark.parametrize("price", [0.01, 0.12, 0.2, 0.5, 20.0])
@pytest.mark.parametrize("limit", [0.01, 0.2, 20.0])
def test_a_price_beyond_its_limit_is_filled_beyond_its_mark(price: float, limit: float) -> None:
    found = gauge(PRICE, price=price, price_limit=limit)
    assert found.span
    (mark,), (begin, end) = found.marks, found.span
    assert begin == 0
    assert 0 < end <= 1
    assert 0 < mark < 1
    assert (end > mark) == (price > limit)


@pytest.mark.parametrize("power_w", [0, 1, 4999, 5000, 5001, 50_000])
def test_power_beyond_its_limit_is_filled_beyond_its_mark(power_w: float) -> None:
    found = gauge(POWER, power=power_w)
    assert found.span
    (mark,) = found.marks
    assert 0 < mark < 1
    assert (found.span[1] > mark) == (power_w > 5000)
    assert found.span[1] <= 1


@pytest.mark.parametrize(
    ("lowest", "highest"), [(107.3, 108.1), (104.5, 115.5), (100.0, 108.0), (108.0, 130.0), (0.0, 500.0)]
)
def test_voltages_lie_between_the_marks_or_beyond_them(lowest: float, highest: float) -> None:
    found = gauge(VOLTAGE, lowest_voltage=lowest, highest_voltage=highest)
    assert found.span
    low, high = found.marks
    assert (low, high) == pytest.approx((0.25, 0.75))
    begin, end = found.span
    assert begin < end
    slack = 0.011  # one voltage alone must be seen, too
    assert (begin < low - slack) == (lowest < 104.5)
    assert (end > high + slack) == (highest > 115.5)


@pytest.mark.parametrize(
    "site",
    [
        {"price_limit": 0.0, "price": 0.0},
        {"price_limit": -20.0, "price": -20.0},
        {"power_limit_in_force": 0, "power": 0},
        {"power_limit_in_force": 0, "power": -100},
        {"voltage_low_limit": 110.0, "voltage_high_limit": 110.0},
        {"voltage_low_limit": 120.0, "voltage_high_limit": 100.0},
    ],
)
def test_limits_that_leave_no_room(site: dict[str, Value]) -> None:
    for found in gauges(view_of(CHARGING, **site), TEXTS):
        assert all(0 <= mark <= 1 for mark in found.marks)


def test_a_power_below_0_is_no_bar_that_begins_in_the_middle() -> None:
    assert gauge(POWER, power=-3300).span == (0, 0)
