"""The runs that a report compares, and the blocks of figures in which it does."""

from dataclasses import dataclass

from grid_sim.day.model import Day, Floats, Run
from grid_sim.report.columns import Columns, columns
from grid_sim.report.local_time import time_axis
from grid_sim.report.picture import Axis, Picture


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


def frame(day: Day) -> Frame:
    scenario = day.scenario
    return Frame(
        day=day,
        sides=sides(day),
        columns=columns(scenario.scans, scenario.scan_period_s),
        x=time_axis(scenario.start, scenario.scans * scenario.scan_period_s),
    )


def sides(day: Day) -> tuple[Side, ...]:
    controlled = Side(key="controlled", title="With the rule", run=day.controlled)
    if day.uncontrolled is None:
        return (controlled,)
    return (Side(key="uncontrolled", title="Without control", run=day.uncontrolled), controlled)
