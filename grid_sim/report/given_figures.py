"""The figures of the day as given: its price, and the cars that come."""

from collections.abc import Iterator

import numpy as np

from grid_sim.arrays import Bools, Floats
from grid_sim.report.numbers import in_words, number
from grid_sim.report.picture import (
    BLUE,
    PALE_BLUE,
    PALE_GREY,
    PALE_RED,
    Area,
    Axis,
    Limit,
    Line,
    Picture,
    Span,
    Tick,
)
from grid_sim.report.sides import Block, Frame, quiet_end, range_of


def given_blocks(frame: Frame) -> Iterator[Block]:
    yield _price(frame)
    yield _plugged_in(frame)


def _price(frame: Frame) -> Block:
    day, site = frame.day, frame.day.scenario.site
    price, limit = day.price, site.rules.price_limit
    at_s, known = _held(day.scenario.at_s, price, frame.x.high)
    low, high = range_of([known, np.array([0.0, limit])])
    above = _spans(price > limit, frame, PALE_RED, "above x")
    unknown = _spans(np.isnan(price), frame, PALE_GREY, "unknown")
    line = Line(x=at_s, y=known, colour=BLUE, label="price", steps=True, width=1.8)
    dear_s = float((price > limit).sum()) * day.scenario.scan_period_s
    caption = "The price never exceeds x."
    if dear_s:
        caption = f"The price is above x for {in_words(dear_s)}, in which the rule lets nobody charge."
    if np.isnan(price).any():
        caption += " Where it is unknown, nobody charges either."
    picture = Picture(
        name="price",
        title="As given",
        measure=f"{site.currency} per kWh",
        about=f"The price over the days, against the limit x of {number(limit, 4)} {site.currency} per kWh.",
        x=frame.x,
        y=Axis(low=low, high=high),
        layers=(
            line,
            *above,
            *unknown,
            Limit(at=limit, text=f"x = {limit:g} {site.currency}", end=quiet_end(price)),
        ),
        plot_height=150,
    )
    return Block(heading="Price", caption=caption, pictures=(picture,))


def _held(at_s: Floats, values: Floats, end_s: float) -> tuple[Floats, Floats]:
    """Only where the value changes, and where the days end."""
    changes = np.flatnonzero(np.append(True, ~_same(values[1:], values[:-1])))
    return np.append(at_s[changes], end_s), np.append(values[changes], values[-1])


def _same(one: Floats, other: Floats) -> Bools:
    same: Bools = (one == other) | (np.isnan(one) & np.isnan(other))
    return same


def _spans(holds: Bools, frame: Frame, colour: str, label: str) -> Iterator[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], holds, [False])).astype(np.int8)))
    period_s = frame.day.scenario.scan_period_s
    for index, (begin, end) in enumerate(edges.reshape(-1, 2) * period_s):
        yield Span(begin=float(begin), end=float(end), colour=colour, label="" if index else label)


def _plugged_in(frame: Frame) -> Block:
    scenario = frame.day.scenario
    changes = sorted(
        change
        for visit in scenario.visits
        for change in ((max(0.0, visit.arrives_s), 1), (min(frame.x.high, visit.leaves_s), -1))
    )
    at_s = np.array([0.0, *(at for at, _ in changes), frame.x.high])
    cars = np.array([0.0, *np.cumsum([step for _, step in changes], dtype=np.float64)])
    cars = np.append(cars, cars[-1])
    zero = np.zeros_like(cars)
    most = float(cars.max())
    picture = Picture(
        name="plugged_in",
        title="As given",
        measure="cars plugged in",
        about=f"How many cars are plugged in over the days; at most {most:.0f}.",
        x=frame.x,
        y=Axis(low=0.0, high=max(1.0, 1.1 * most), ticks=_whole(most)),
        layers=(
            Area(x=at_s, low=zero, high=cars, colour=PALE_BLUE, label="cars", steps=True),
            Line(x=at_s, y=cars, colour=BLUE, steps=True),
        ),
        plot_height=150,
    )
    caption = (
        f"{len(scenario.visits)} visits to {len(scenario.stations)} stations; at most {most:.0f} at a time."
    )
    return Block(heading="Cars", caption=caption, pictures=(picture,))


def _whole(most: float) -> tuple[Tick, ...] | None:
    """Cars come whole, which round numbers see to where there are many."""
    few = range(int(most) + 1) if most <= 5 else ()
    return tuple(Tick(at=cars, label=str(cars)) for cars in few) or None
