"""The figures of all runs side by side, as a page shows them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from grid_sim.day.model import Day
from grid_sim.day.outcome import ROUNDING_W, SERVED_SHARE, Outcome
from grid_sim.report.numbers import in_words, number

BALANCE = 0.001
"""So far may the stations' meters be from the cars' batteries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    text: str
    bad: bool = False
    """Beyond a limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: str
    unit: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figure:
    name: str
    unit: str
    value: Callable[[Outcome], float | None]
    digits: int = 0
    bad: Callable[[Outcome], bool] = lambda outcome: False


def outcome_groups(day: Day, outcomes: Sequence[Outcome]) -> tuple[Group, ...]:
    return tuple(
        Group(name=name, rows=tuple(_row(figure, outcomes) for figure in figures))
        for name, figures in (
            ("Energy", tuple(_energy(day))),
            ("Power", tuple(_power(day))),
            ("Voltage", tuple(_voltage(day, outcomes[-1].answer_s))),
            ("Lines and contactors", tuple(_wear())),
        )
    )


def _row(figure: _Figure, outcomes: Sequence[Outcome]) -> Row:
    return Row(
        name=figure.name, unit=figure.unit, cells=tuple(_cell(figure, outcome) for outcome in outcomes)
    )


def _cell(figure: _Figure, outcome: Outcome) -> Cell:
    value = figure.value(outcome)
    text = "not known" if value is None else number(value, figure.digits)
    return Cell(text=text, bad=figure.bad(outcome))


def _energy(day: Day) -> Iterator[_Figure]:
    yield _Figure(name="asked for", unit="kWh", value=lambda o: o.requested_kwh, digits=1)
    yield _Figure(name="delivered", unit="kWh", value=lambda o: o.delivered_kwh, digits=1)
    yield _Figure(
        name="delivered, of what was asked", unit="%", value=lambda o: 100 * o.delivered_share, digits=1
    )
    yield _Figure(name="not delivered", unit="kWh", value=lambda o: o.undelivered_kwh, digits=1)
    yield _Figure(name="cars", unit="", value=lambda o: o.cars)
    yield _Figure(
        name=f"cars that got {100 * SERVED_SHARE:g} % or more", unit="", value=lambda o: o.cars_served
    )
    yield _Figure(
        name="cost of the energy", unit=day.scenario.site.currency, value=lambda o: o.cost, digits=2
    )
    yield _Figure(
        name="cost of each kWh delivered",
        unit=day.scenario.site.currency,
        value=lambda o: o.cost / o.delivered_kwh if o.delivered_kwh else None,
        digits=3,
    )
    yield _Figure(
        name="metered by stations, of what cars got",
        unit="%",
        value=lambda o: 100 * o.metered_share,
        digits=2,
        bad=lambda o: abs(o.metered_share - 1) > BALANCE,
    )


def _power(day: Day) -> Iterator[_Figure]:
    limit_kw = day.scenario.site.feeder.main.power_limit_w / 1000
    yield _Figure(
        name=f"highest charging power (y = {limit_kw:g} kW)",
        unit="kW",
        value=lambda o: o.peak_charging_kw,
        digits=1,
        bad=lambda o: o.peak_charging_kw > limit_kw + ROUNDING_W,
    )
    yield _minutes("over the limit of any circuit", lambda o: o.minutes_over_power_limit)
    yield _Figure(
        name="scans over the limit of any circuit",
        unit="",
        value=lambda o: o.scans_over_power_limit,
        bad=lambda o: o.scans_over_power_limit > 0,
    )
    yield _Figure(
        name="highest power from the source", unit="kW", value=lambda o: o.peak_supplied_kw, digits=1
    )


def _voltage(day: Day, answer_s: float) -> Iterator[_Figure]:
    low, high = day.scenario.site.feeder.main.voltage_band
    yield _minutes(f"below {low:g}", lambda o: o.minutes_under_band)
    yield _minutes(f"above {high:g}", lambda o: o.minutes_over_band)
    yield _minutes("longest stretch out of the band", lambda o: o.longest_out_of_band_s / 60)
    yield _minutes(
        f"out beyond the answer time of {in_words(answer_s)}", lambda o: o.minutes_out_beyond_answer
    )
    yield _Figure(
        name="lowest",
        unit="pu",
        value=lambda o: o.lowest_pu,
        digits=3,
        bad=lambda o: o.minutes_under_band > 0,
    )
    yield _Figure(
        name="highest",
        unit="pu",
        value=lambda o: o.highest_pu,
        digits=3,
        bad=lambda o: o.minutes_over_band > 0,
    )


def _wear() -> Iterator[_Figure]:
    yield _Figure(
        name="most loaded line",
        unit="%",
        value=lambda o: None if o.peak_loading is None else 100 * o.peak_loading,
        bad=lambda o: o.minutes_overloaded > 0,
    )
    yield _minutes("a line overloaded", lambda o: o.minutes_overloaded)
    yield _Figure(name="contactors switched", unit="times", value=lambda o: o.switchings)
    yield _Figure(name="at the busiest station", unit="times", value=lambda o: o.most_switchings)


def _minutes(name: str, value: Callable[[Outcome], float]) -> _Figure:
    return _Figure(name=name, unit="min", value=value, digits=1, bad=lambda o: value(o) > 0)
