"""What a study's figures show; the report draws them."""

from collections.abc import Iterator, Sequence

import numpy as np

from grid_sim.report.picture import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    Area,
    Axis,
    Line,
    Picture,
    Tick,
)
from grid_sim.study.hosting import Hosted, Setting

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY)
"""As many settings have a line; more could not be told apart."""
MOST_LETTERS = 40
"""Of all names along an axis; longer ones would run into each other."""
BAR = 0.38
"""As wide as the way from one setting to the next is 1."""


def pictures(settings: Sequence[Setting]) -> tuple[Picture, ...]:
    cars = {level.cars for setting in settings for level in setting.levels}
    return (_hosting(settings), *([_delivered(settings)] if len(cars) > 1 else []))


def _hosting(settings: Sequence[Setting]) -> Picture:
    ruled = _bars([setting.controlled for setting in settings], 0.0, BLUE, "with the rule")
    free = _bars([setting.uncontrolled for setting in settings], -BAR, GREY, "uncontrolled")
    most = max(setting.levels[-1].cars for setting in settings)
    names = [Tick(at=index, label=name) for index, name in enumerate(_names(settings))]
    return Picture(
        name="hosting",
        title="Cars that are hosted",
        measure="stations with a car",
        about="Two bars for each setting: how many cars it hosts uncontrolled, and with the rule.",
        x=Axis(low=-0.6, high=len(settings) - 0.4, ticks=tuple(names), label=_label(settings)),
        y=Axis(low=0, high=1.05 * max(1, most)),
        layers=(free, ruled),
    )


def _bars(hosted: Sequence[Hosted | None], offset: float, colour: str, label: str) -> Area:
    """Rectangles with gaps between them."""
    edges = [(index + offset, index + offset + BAR, np.nan) for index in range(len(hosted))]
    heights = np.repeat([float(one.cars) if one else 0.0 for one in hosted], 3)
    return Area(
        x=np.array(edges).ravel(), low=np.zeros_like(heights), high=heights, colour=colour, label=label
    )


def _delivered(settings: Sequence[Setting]) -> Picture:
    """Solid as far as the cars are hosted."""
    cars = [level.cars for setting in settings for level in setting.levels]
    # The end of the path: there is room for no more beside what tells the lines apart.
    key = _label(settings).rpartition(".")[2]
    names = [f"{key} {name}" for name in _names(settings)]
    each = zip(settings, names, COLOURS, strict=False)
    lines = [line for one in each for line in _lines(*one)]
    least = min((float(np.nanmin(line.y)) for line in lines if not np.isnan(line.y).all()), default=0.0)
    return Picture(
        name="delivered",
        title="Energy that the cars get with the rule",
        measure="% of what they ask for",
        about="A line for each setting over the number of cars, dashed where they are not hosted.",
        x=Axis(low=min(cars), high=max(cars), label="stations with a car"),
        y=Axis(low=min(90.0, 10 * np.floor(least / 10)), high=101),
        layers=tuple(lines),
    )


def _lines(setting: Setting, name: str, colour: str) -> Iterator[Line]:
    cars = np.array([float(level.cars) for level in setting.levels])
    shares = np.array([_percent(level.controlled.delivered_share) for level in setting.levels])
    hosted = np.where(cars <= setting.controlled.cars, shares, np.nan)
    yield Line(x=cars, y=shares, colour=colour, dashed=True)
    yield Line(x=cars, y=hosted, colour=colour, width=2.5, label=name)


def _percent(share: float | None) -> float:
    return np.nan if share is None else 100 * share


def _names(settings: Sequence[Setting]) -> list[str]:
    """The values, where they are short and of one thing; else the numbers of the table's rows."""
    if _is_short(settings):
        return [str(setting.values[0][1]) for setting in settings]
    return [str(index + 1) for index in range(len(settings))]


def _label(settings: Sequence[Setting]) -> str:
    return settings[0].values[0][0] if _is_short(settings) else "setting"


def _is_short(settings: Sequence[Setting]) -> bool:
    values = [setting.values for setting in settings]
    return len(values[0]) == 1 and sum(len(str(value)) for ((_, value),) in values) <= MOST_LETTERS
