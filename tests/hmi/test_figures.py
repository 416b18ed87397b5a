"""Values as a person reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmi import figures
from hmi.figures import NO_VALUE

PRICES = [
    (0.20, "0.20"),
    (0.2001, "0.2001"),
    (0.201, "0.201"),
    (0.1999, "0.1999"),
    (0.0, "0.00"),
    (1, "1.00"),
    (12.5, "12.50"),
    (-0.05, "-0.05"),
    (-0.0001, "-0.0001"),
    (-20.0, "-20.00"),
    (10.0, "10.00"),
    (100.0, "100.00"),
]


@pytest.mark.parametrize(("value", "text"), PRICES)
def test_a_price(value: float, text: str) -> None:
    assert figures.price(value) == text


@given(st.integers(-200_000, 200_000), st.integers(-200_000, 200_000))
def test_two_prices_that_differ_look_different(one: int, other: int) -> None:
    """All that the register can hold: else a screen says that 0.20 is above 0.20."""
    texts = figures.price(round(one * 0.0001, 4)), figures.price(round(other * 0.0001, 4))
    assert (texts[0] == texts[1]) == (one == other)
    assert float(texts[0]) == pytest.approx(one * 0.0001)


def test_one_ten_thousandth_is_told_apart() -> None:
    texts = [figures.price(round(raw * 0.0001, 4)) for raw in range(-5_000, 5_000)]
    assert len(set(texts)) == len(texts)


POWERS = [
    (0, "0 W"),
    (1, "1 W"),
    (999, "999 W"),
    (999.4, "999 W"),
    (999.5, "1.00 kW"),
    (1000, "1.00 kW"),
    (3300, "3.30 kW"),
    (11_040, "11.04 kW"),
    (-5, "-5 W"),
    (-999.4, "-999 W"),
    (-999.5, "-1.00 kW"),
    (-3300, "-3.30 kW"),
]


@pytest.mark.parametrize(("value", "text"), POWERS)
def test_power_and_energy_change_their_unit_at_a_thousand(value: float, text: str) -> None:
    assert figures.power(value) == text
    assert figures.energy(value) == f"{text}h"


@pytest.mark.parametrize(("watts", "text"), [(0, "0.00 kW"), (999.4, "1.00 kW"), (-50, "-0.05 kW")])
def test_kilowatts_always(watts: float, text: str) -> None:
    assert figures.kilowatts(watts) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0.0 V"), (110, "110.0 V"), (108.54, "108.5 V"), (6553.4, "6553.4 V")]
)
def test_voltage(value: float, text: str) -> None:
    assert figures.voltage(value) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0 %"), (28.9, "28 %"), (29.0, "29 %"), (100, "100 %")])
def test_percent(value: float, text: str) -> None:
    assert figures.percent(value) == text
    assert figures.percent(value, estimated=True) == f"≈ {text}"


def test_every_percent_that_the_register_can_hold_is_rounded_down() -> None:
    """So 100 is never shown before it is, whatever the register's value is as a float."""
    for raw in range(1001):
        for value in (raw / 10, raw * 0.1):
            assert figures.percent(value) == f"{raw // 10} %"


@pytest.mark.parametrize(
    "figure",
    [
        figures.price,
        figures.power,
        figures.energy,
        figures.kilowatts,
        figures.voltage,
        figures.percent,
    ],
)
def test_no_value_is_a_dash(figure) -> None:
    assert figure(None) == NO_VALUE == "–"
