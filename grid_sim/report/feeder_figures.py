"""The figures of the day as given, and of the network: price, power, circuits, voltage, loading."""

from collections.abc import Iterable, Iterator

import numpy as np

from grid_sim.day.model import Bools, Floats
from grid_sim.day.outcome import circuit_power_w
from grid_sim.report.numbers import in_words, number
from grid_sim.report.picture import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE_BLUE,
    PALE_GREY,
    PALE_RED,
    PURPLE,
    SKY,
    Area,
    Axis,
    End,
    Layer,
    Limit,
    Line,
    Picture,
    Span,
)
from grid_sim.report.sides import Block, Frame, Side

_CIRCUIT_COLOURS = (BLACK, BLUE, ORANGE, GREEN, PURPLE, SKY)


def feeder_blocks(frame: Frame) -> Iterator[Block]:
    yield _price(frame)
    yield _plugged_in(frame)
    yield _power(frame)
    if len(frame.day.scenario.site.feeder.circuits) > 1:
        yield _circuits(frame)
    yield _voltage(frame)
    if not all(np.isnan(side.run.series.loading).all() for side in frame.sides):
        yield _loading(frame)


def drawn_text(frame: Frame) -> str:
    """What a point of a figure stands for, as the last sentence of a caption."""
    if frame.columns.each == 1:
        return ""
    return f" One point stands for {in_words(frame.columns.width_s)}."


def _price(frame: Frame) -> Block:
    day, site = frame.day, frame.day.scenario.site
    price, limit = day.price, site.rules.price_limit
    at_s, known = _held(day.scenario.at_s, price, frame.x.high)
    low, high = _range([known, np.array([0.0, limit])])
    above = _spans(price > limit, frame, PALE_RED, "above x")
    unknown = _spans(np.isnan(price), frame, PALE_GREY, "unknown")
    line = Line(x=at_s, y=known, colour=BLUE, label="price", steps=True, width=1.8)
    hours = float((price > limit).sum()) * day.scenario.scan_period_s / 3600
    caption = "The price never exceeds x."
    if hours:
        caption = f"The price is above x for {number(hours, 1)} hours, in which the rule lets nobody charge."
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
            Limit(at=limit, text=f"x = {limit:g} {site.currency}", end=_quiet(price)),
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
        y=Axis(low=0.0, high=max(1.0, 1.1 * most)),
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


def _power(frame: Frame) -> Block:
    around = frame.day.scenario.surroundings
    demand_kw = around.demand_w.sum(axis=1) / 1000
    solar_kw = around.solar_w.sum(axis=1) / 1000
    limit_kw = frame.day.scenario.site.feeder.main.power_limit_w / 1000
    charging = {side.key: side.run.series.charging_w.sum(axis=1) / 1000 for side in frame.sides}
    supplied = {side.key: side.run.series.supplied_w / 1000 for side in frame.sides}
    low, high = _range(
        [np.array([0.0, limit_kw]), demand_kw, solar_kw, *charging.values(), *supplied.values()]
    )
    given = [
        Line(x=frame.at_s, y=frame.columns.mean(kw), colour=colour, label=label, width=1.3)
        for kw, colour, label in ((demand_kw, GREY, "homes"), (solar_kw, ORANGE, "solar"))
        if kw.any()
    ]

    def picture(side: Side) -> Picture:
        kw = charging[side.key]
        return Picture(
            name=f"power_{side.key}",
            title=side.title,
            measure="power, kW",
            about=f"Charging power over the days, at most {number(kw.max(), 1)} kW, against the limit y of "
            f"{number(limit_kw, 1)} kW; what homes draw, roofs feed in and the source supplies.",
            x=frame.x,
            y=Axis(low=low, high=high),
            layers=(*_charging(frame, kw), *given, _supplied(frame, supplied[side.key]),
                    Limit(at=limit_kw, text=f"y = {limit_kw:g} kW", end=_quiet(kw))),
        )  # fmt: skip

    caption = (
        "Charging must stay under y; what the source supplies is charging, homes and losses less solar."
        + (
            f" One point is the mean of {in_words(frame.columns.width_s)}, for charging its highest, too."
            if frame.columns.each > 1
            else ""
        )
    )
    return Block(heading="Power", caption=caption, pictures=tuple(picture(side) for side in frame.sides))


def _charging(frame: Frame, kw: Floats) -> Iterator[Layer]:
    mean, most = frame.columns.mean(kw), frame.columns.most(kw)
    several = frame.columns.each > 1
    zero = np.zeros_like(mean)
    yield Area(x=frame.at_s, low=zero, high=mean, colour=PALE_BLUE, label="charging" * several)
    yield Line(x=frame.at_s, y=most, colour=BLUE, width=1.2, label="its highest" if several else "charging")


def _supplied(frame: Frame, kw: Floats) -> Line:
    return Line(
        x=frame.at_s, y=frame.columns.mean(kw), colour=BLACK, width=1.3, label="supplied", dashed=True
    )


def _circuits(frame: Frame) -> Block:
    """Of what each may carry, because their limits differ."""
    circuits = frame.day.scenario.site.feeder.circuits
    shares = {
        side.key: {
            name: frame.columns.most(watts) / circuits[name].power_limit_w * 100
            for name, watts in circuit_power_w(frame.day.scenario, side.run.series.charging_w).items()
        }
        for side in frame.sides
    }
    _, high = _range([np.array([0.0, 100.0]), *(y for of_side in shares.values() for y in of_side.values())])
    fullest = sorted(circuits, key=lambda name: -max(float(of[name].max()) for of in shares.values()))
    shown = [name for name in circuits if name in fullest[: len(_CIRCUIT_COLOURS)]]

    def picture(side: Side) -> Picture:
        lines = (
            Line(x=frame.at_s, y=shares[side.key][name], colour=colour, label=name, width=1.2)
            for name, colour in zip(shown, _CIRCUIT_COLOURS, strict=False)
        )
        return Picture(
            name=f"circuits_{side.key}",
            title=side.title,
            measure="charging, % of the circuit’s y",
            about=f"The charging power in the circuits {', '.join(shown)}, as a share of the limit of each.",
            x=frame.x,
            y=Axis(low=0.0, high=high),
            layers=(*lines, Limit(at=100.0, text="100 %", end=_quiet(shares[side.key][fullest[0]]))),
        )

    left_out = len(circuits) - len(shown)
    caption = "Each circuit has a limit of its own, and none may be over 100 %." + (
        f" {left_out} that are less full are left out." if left_out else ""
    )
    return Block(
        heading="Circuits",
        caption=caption + _highest_text(frame),
        pictures=tuple(picture(side) for side in frame.sides),
    )


def _highest_text(frame: Frame) -> str:
    if frame.columns.each == 1:
        return ""
    return f" One point is the highest in {in_words(frame.columns.width_s)}."


def _voltage(frame: Frame) -> Block:
    main = frame.day.scenario.site.feeder.main
    band_low, band_high = main.voltage_band
    extremes = {
        side.key: (frame.columns.least(side.run.series.low_pu), frame.columns.most(side.run.series.high_pu))
        for side in frame.sides
    }
    everything = np.concatenate(
        [[band_low, band_high], *(part for pair in extremes.values() for part in pair)]
    )
    low, high = float(np.nanmin(everything)), float(np.nanmax(everything))
    air = 0.13 * (high - low)

    def picture(side: Side) -> Picture:
        least, most = extremes[side.key]
        return Picture(
            name=f"voltage_{side.key}",
            title=side.title,
            measure=f"voltage, per unit of {main.nominal_voltage_v:g} V",
            about=f"The lowest and the highest voltage at any tap, from {least.min():.3f} to "
            f"{most.max():.3f}, against the band from {band_low:g} to {band_high:g}.",
            x=frame.x,
            y=Axis(low=low - air, high=high + air),
            layers=(
                _beyond(frame, least, np.fmax(least, band_low), "out of the band"),
                _beyond(frame, np.fmin(most, band_high), most),
                Line(x=frame.at_s, y=most, colour=ORANGE, label="highest", width=1.3),
                Line(x=frame.at_s, y=least, colour=BLUE, label="lowest", width=1.3),
                Limit(at=band_high, text=f"{band_high:g}", end=_quiet(most)),
                Limit(at=band_low, text=f"{band_low:g}", end=_quiet(-least), above=False),
            ),
        )  # fmt: skip

    caption = "At the worst tap and phase, homes and roofs included." + (
        f" One point is the lowest or the highest in {in_words(frame.columns.width_s)}."
        if frame.columns.each > 1
        else ""
    )
    return Block(heading="Voltage", caption=caption, pictures=tuple(picture(side) for side in frame.sides))


def _beyond(frame: Frame, low: Floats, high: Floats, label: str = "") -> Area:
    return Area(x=frame.at_s, low=low, high=high, colour=PALE_RED, label=label)


def _loading(frame: Frame) -> Block:
    percent = {side.key: frame.columns.most(side.run.series.loading) * 100 for side in frame.sides}
    _, high = _range([np.array([0.0, 100.0]), *percent.values()])

    def picture(side: Side) -> Picture:
        most = percent[side.key]
        return Picture(
            name=f"loading_{side.key}",
            title=side.title,
            measure="most loaded line, %",
            about=f"The loading of the most loaded line, at most {number(float(np.nanmax(most)), 0)} %.",
            x=frame.x,
            y=Axis(low=0.0, high=high),
            layers=(
                _beyond(frame, np.fmin(most, 100.0), most, "overloaded"),
                Line(x=frame.at_s, y=most, colour=BLUE, width=1.3),
                Limit(at=100.0, text="what it carries", end=_quiet(most)),
            ),
        )

    caption = "The line with the most current for what it carries, in its fullest phase." + _highest_text(
        frame
    )
    return Block(heading="Lines", caption=caption, pictures=tuple(picture(side) for side in frame.sides))


def _range(values: Iterable[Floats]) -> tuple[float, float]:
    """With some air above, and below where it goes under zero."""
    known = np.concatenate([part[~np.isnan(part)] for part in values])
    low, high = float(known.min()), float(known.max())
    air = 0.12 * (high - low)
    return (low - air / 2 if low < 0 else 0.0), high + air


def _quiet(values: Floats) -> End:
    """The end at which a limit's name covers less."""
    third = max(1, len(values) // 3)
    left, right = (np.fmax.reduce(part, initial=-np.inf) for part in (values[:third], values[-third:]))
    return "left" if left < right else "right"
