"""The figures of the cars: state of charge, who was limited and why, energy."""

from collections.abc import Iterator, Sequence

import numpy as np

from grid_sim.arrays import Codes, Floats
from grid_sim.day.model import Run
from grid_sim.report.numbers import number
from grid_sim.report.picture import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    Area,
    Axis,
    Bars,
    Kind,
    Layer,
    Line,
    Picture,
    Tick,
    Tiles,
)
from grid_sim.report.reasons import CODES, KINDS, states
from grid_sim.report.sides import Block, Frame, Side
from register_maps.vocabulary import LimitReason

MOST_LINES = 10
"""Of cars in one figure; more are tiles."""
MOST_BARS = 60
_LINE_COLOURS = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, BLACK, GREY)
_CHARGE_EDGES_PCT = (20, 40, 60, 80, 95)
_CHARGE_KINDS = tuple(
    Kind(code=code, colour=colour, label=label)
    for code, (colour, label) in enumerate(
        (
            ("#DCE9F4", "0–20"),
            ("#B3D1E8", "20–40"),
            ("#7FB4DA", "40–60"),
            ("#4290C6", "60–80"),
            ("#1560A8", "80–95"),
            ("#08265C", "95–100"),
        )
    )
)
_NO_CAR = 254
"""A code without a kind: white."""


def car_blocks(frame: Frame) -> Iterator[Block]:
    if not frame.day.scenario.visits:
        return
    yield _reasons(frame)
    yield _state_of_charge(frame)
    yield _energy(frame)


def _visited(frame: Frame) -> list[int]:
    visited = {visit.station for visit in frame.day.scenario.visits}
    return [i for i, station in enumerate(frame.day.scenario.stations) if station.name in visited]


def _left_out_text(frame: Frame) -> str:
    left_out = len(frame.day.scenario.stations) - len(_visited(frame))
    return f" Stations where no car came ({left_out}) are left out." if left_out else ""


def _rows(frame: Frame) -> Axis:
    """The stations that had cars, from the top; named as far as there is room."""
    names = [frame.day.scenario.stations[i].name for i in _visited(frame)]
    every = -(-len(names) // 20)
    ticks = tuple(Tick(at=row, label=names[row]) for row in range(0, len(names), every))
    return Axis(low=len(names) - 0.5, high=-0.5, ticks=ticks)


def _tiles_height(rows: int) -> int:
    return min(400, max(60, 18 * rows))


def _reasons(frame: Frame) -> Block:
    visited = _visited(frame)
    codes = {
        side.key: frame.columns.longest(states(side.run)[:, visited]).T.astype(np.uint8)
        for side in frame.sides
    }
    occurring = set(np.unique(np.concatenate(list(codes.values()), axis=1)).tolist())
    kinds = tuple(kind for kind in KINDS if kind.code in occurring)

    def picture(side: Side) -> Picture:
        return Picture(
            name=f"reasons_{side.key}",
            title=side.title,
            measure="what each station does, or why not",
            about="A row for each station, coloured by what it did or why it did not charge: "
            + ", ".join(kind.label for kind in kinds) + ".",
            x=frame.x,
            y=_rows(frame),
            layers=(Tiles(codes=codes[side.key], kinds=kinds),),
            plot_height=_tiles_height(len(visited)),
        )  # fmt: skip

    return Block(
        heading="Who was limited, when and why",
        caption=f"{_kept_text(frame)}{_left_out_text(frame)}"
        + frame.drawn("One tile is what held longest in {}."),
        pictures=tuple(picture(side) for side in frame.sides),
    )


def _kept_text(frame: Frame) -> str:
    """How long cars charged and waited under the rule, by reason."""
    found = states(frame.day.controlled)
    hours = frame.day.scenario.scan_period_s / 3600
    silent = {CODES[LimitReason.NO_VEHICLE], CODES[LimitReason.FULL]}
    times = [
        (kind.label, float((found == kind.code).sum()) * hours) for kind in KINDS if kind.code not in silent
    ]
    named = [f"{label} {number(time_h, 1 if time_h < 100 else 0)} h" for label, time_h in times if time_h > 0]
    return f"With the rule, cars that were not done spent, added up: {', '.join(named)}." if named else ""


def _state_of_charge(frame: Frame) -> Block:
    visited = _visited(frame)
    means = {
        side.key: frame.columns.mean(side.run.series.state_of_charge_pct[:, visited]) for side in frame.sides
    }
    as_lines = len(visited) <= MOST_LINES
    names = [frame.day.scenario.stations[i].name for i in visited]

    def picture(side: Side) -> Picture:
        charge = means[side.key]
        layers: tuple[Layer, ...] = (Tiles(codes=_charge_codes(charge), kinds=_CHARGE_KINDS),)
        if as_lines:
            layers = tuple(_charge_lines(frame.at_s, charge, names))
        return Picture(
            name=f"state_of_charge_{side.key}",
            title=side.title,
            measure="state of charge, %",
            about="The state of charge of the car at each station over the days.",
            x=frame.x,
            y=Axis(low=0.0, high=105.0) if as_lines else _rows(frame),
            layers=layers,
            plot_height=190 if as_lines else _tiles_height(len(visited)),
        )

    shape, part = ("line", "point") if as_lines else ("row", "tile")
    caption = f"A {shape} for each station, while a car stands there."
    caption += frame.drawn(f"One {part} is the mean of {{}}.")
    return Block(
        heading="State of charge", caption=caption, pictures=tuple(picture(side) for side in frame.sides)
    )


def _charge_codes(charge_pct: Floats) -> Codes:
    """(rows, columns)"""
    classes = np.digitize(charge_pct, _CHARGE_EDGES_PCT)
    return np.where(np.isnan(charge_pct), _NO_CAR, classes).astype(np.uint8).T


def _charge_lines(at_s: Floats, charge_pct: Floats, names: Sequence[str]) -> Iterator[Line]:
    for index, name in enumerate(names):
        yield Line(
            x=at_s,
            y=charge_pct[:, index],
            colour=_LINE_COLOURS[index % len(_LINE_COLOURS)],
            dashed=index >= len(_LINE_COLOURS),
            label=name,
        )


def _energy(frame: Frame) -> Block:
    visits = frame.day.scenario.visits
    needs_kwh = np.array([visit.needs_wh for visit in visits]) / 1000
    order = np.argsort(-needs_kwh, kind="stable")
    got_kwh = {side.key: _delivered_kwh(side.run)[order] for side in frame.sides}
    most = max(float(needs_kwh.max()), *(float(kwh.max()) for kwh in got_kwh.values()), 0.1)

    def picture(side: Side) -> Picture:
        got = got_kwh[side.key]
        return Picture(
            name=f"energy_{side.key}",
            title=side.title,
            measure="energy per car, kWh",
            about=f"What each of {len(visits)} cars asked for and got; {got.sum():.1f} of "
            f"{needs_kwh.sum():.1f} kWh in all.",
            x=_cars_axis([visits[i].station for i in order]),
            y=Axis(low=0.0, high=1.1 * most),
            layers=(
                _heights(needs_kwh[order], "#C9C9C9", "asked for, not delivered"),
                _heights(got, BLUE, "delivered"),
            ),
            plot_height=170,
        )

    caption = "Each car’s bar is as high as what it asked for, and blue as far as it got it."
    return Block(heading="Energy by car", caption=caption, pictures=tuple(picture(s) for s in frame.sides))


def _delivered_kwh(run: Run) -> Floats:
    return np.array([charged.delivered_wh for charged in run.charged]) / 1000


def _cars_axis(stations: Sequence[str]) -> Axis:
    few = len(stations) <= 8
    return Axis(
        low=-0.6,
        high=len(stations) - 0.4,
        ticks=tuple(Tick(at=at, label=name) for at, name in enumerate(stations)) if few else (),
        label="" if few else "cars, by what they asked for",
    )


def _heights(kwh: Floats, colour: str, label: str) -> Layer:
    if len(kwh) <= MOST_BARS:
        return Bars(heights=kwh, colour=colour, label=label)
    edges = np.arange(len(kwh) + 1, dtype=np.float64) - 0.5
    return Area(
        x=edges,
        low=np.zeros(len(edges)),
        high=np.append(kwh, kwh[-1]),
        colour=colour,
        label=label,
        steps=True,
    )
