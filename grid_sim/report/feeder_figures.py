"""The figures of the network: power, circuits, voltage, loading."""

from collections.abc import Iterator

import numpy as np

from grid_sim.arrays import Floats
from grid_sim.day.outcome import circuit_power_w
from grid_sim.report.numbers import number
from grid_sim.report.picture import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE_BLUE,
    PALE_RED,
    PURPLE,
    SKY,
    Area,
    Axis,
    Layer,
    Limit,
    Line,
    Picture,
)
from grid_sim.report.sides import Block, Frame, Side, quiet_end, range_of

_CIRCUIT_COLOURS = (BLACK, BLUE, ORANGE, GREEN, PURPLE, SKY)


def feeder_blocks(frame: Frame) -> Iterator[Block]:
    yield _power(frame)
    if len(frame.day.scenario.site.feeder.circuits) > 1:
        yield _circuits(frame)
    yield _voltage(frame)
    if not all(np.isnan(side.run.series.loading).all() for side in frame.sides):
        yield _loading(frame)


def _power(frame: Frame) -> Block:
    around = frame.day.scenario.surroundings
    demand_kw = around.demand_w.sum(axis=1) / 1000
    solar_kw = around.solar_w.sum(axis=1) / 1000
    limit_kw = frame.day.scenario.site.feeder.main.power_limit_w / 1000
    charging = {side.key: side.run.series.charging_w.sum(axis=1) / 1000 for side in frame.sides}
    supplied = {side.key: side.run.series.supplied_w / 1000 for side in frame.sides}
    low, high = range_of(
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
                    Limit(at=limit_kw, text=f"y = {limit_kw:g} kW", end=quiet_end(kw))),
        )  # fmt: skip

    caption = (
        f"Charging must stay under y; what the source supplies is {_parts_text(demand_kw, solar_kw)}."
        + frame.drawn("One point is the mean of {}, for charging its highest, too.")
    )
    return Block(heading="Power", caption=caption, pictures=tuple(picture(side) for side in frame.sides))


def _parts_text(demand_kw: Floats, solar_kw: Floats) -> str:
    drawn = "charging, homes and losses" if demand_kw.any() else "charging and losses"
    return f"{drawn} less solar" if solar_kw.any() else drawn


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
    _, high = range_of(
        [np.array([0.0, 100.0]), *(y for of_side in shares.values() for y in of_side.values())]
    )
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
            layers=(*lines, Limit(at=100.0, text="100 %", end=quiet_end(shares[side.key][fullest[0]]))),
        )

    left_out = len(circuits) - len(shown)
    caption = "Each circuit has a limit of its own, and none may be over 100 %." + (
        f" {left_out} that are less full are left out." if left_out else ""
    )
    return Block(
        heading="Circuits",
        caption=caption + frame.drawn("One point is the highest in {}."),
        pictures=tuple(picture(side) for side in frame.sides),
    )


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
                Limit(at=band_high, text=f"{band_high:g}", end=quiet_end(most)),
                Limit(at=band_low, text=f"{band_low:g}", end=quiet_end(-least), above=False),
            ),
        )  # fmt: skip

    caption = "At the worst tap and phase, homes and roofs included." + frame.drawn(
        "One point is the lowest or the highest in {}."
    )
    return Block(heading="Voltage", caption=caption, pictures=tuple(picture(side) for side in frame.sides))


def _beyond(frame: Frame, low: Floats, high: Floats, label: str = "") -> Area:
    return Area(x=frame.at_s, low=low, high=high, colour=PALE_RED, label=label)


def _loading(frame: Frame) -> Block:
    percent = {side.key: frame.columns.most(side.run.series.loading) * 100 for side in frame.sides}
    _, high = range_of([np.array([0.0, 100.0]), *percent.values()])

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
                Limit(at=100.0, text="what it carries", end=quiet_end(most)),
            ),
        )

    caption = "The line with the most current for what it carries, in its fullest phase." + frame.drawn(
        "One point is the highest in {}."
    )
    return Block(heading="Lines", caption=caption, pictures=tuple(picture(side) for side in frame.sides))
