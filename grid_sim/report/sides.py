"""The runs that a report compares, and the blocks of figures in which it does."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from grid_sim.arrays import Floats
from grid_sim.day.model import Day, Run
from grid_sim.report.columns import Columns, columns
from grid_sim.report.local_time import time_axis
from grid_sim.report.numbers import in_words
from grid_sim.report.picture import Axis, End, Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    key: str
    title: str
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Pictures that belong together: one for each side, with the same axes, or one for both."""

    heading: str
    caption: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all figures over time share."""

    day: Day
    sides: tuple[Side, ...]
    columns: Columns
    x: Axis

    @property
    def at_s(self) -> Floats:
        return self.columns.at_s

    def drawn(self, sentence: str) -> str:
        """The last sentence of a caption, where what is drawn stands for several scans: for how long, in
        place of {}."""
        return " " + sentence.format(in_words(self.columns.width_s)) if self.columns.each > 1 else ""


def frame(day: Day) -> Frame:
    scenario = day.scenario
    return Frame(
        day=day,
        sides=sides(day),
        columns=columns(scenario.scans, scenario.scan_period_s),
        x=time_axis(scenario),
    )


def sides(day: Day) -> tuple[Side, ...]:
    controlled = Side(key="controlled", title="With the rule", run=day.controlled)
    if day.uncontrolled is None:
        return (controlled,)
    return (Side(key="uncontrolled", title="Without control", run=day.uncontrolled), controlled)


def range_of(values: Iterable[Floats]) -> tuple[float, float]:
    """With some air above, and below where it goes under zero."""
    known = np.concatenate([part[~np.isnan(part)] for part in values])
    low, high = float(known.min()), float(known.max())
    air = 0.12 * (high - low)
    return (low - air / 2 if low < 0 else 0.0), high + air


def quiet_end(values: Floats) -> End:
    """The end at which a limit's name covers less."""
    third = max(1, len(values) // 3)
    left, right = (np.fmax.reduce(part, initial=-np.inf) for part in (values[:third], values[-third:]))
    return "left" if left < right else "right"
