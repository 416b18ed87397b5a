"""The days' local time: what the clocks there show, across the hours in which they are put on or back."""

from datetime import datetime

from grid_sim.day.model import Scenario
from grid_sim.report.picture import Axis, Tick

MOST_TICKS = 9
_STEPS_MIN = (15, 30, 60, 120, 180, 360, 720)
_LONG_S = 2 * 86400
"""Longer than that, the axis shows dates only."""


def date_text(when: datetime) -> str:
    return f"{when.day} {when:%b}"


def span_text(scenario: Scenario) -> str:
    return f"{_moment_text(scenario.start)} to {_moment_text(scenario.time(_span_s(scenario)))}"


def _moment_text(when: datetime) -> str:
    return f"{when:%A}, {when.day} {when:%B %Y}, {when:%H:%M}"


def time_axis(scenario: Scenario) -> Axis:
    return Axis(low=0.0, high=_span_s(scenario), ticks=_ticks(scenario))


def _span_s(scenario: Scenario) -> float:
    return scenario.scans * scenario.scan_period_s


def _ticks(scenario: Scenario) -> tuple[Tick, ...]:
    quarters = _quarters(scenario)
    if _span_s(scenario) > _LONG_S:
        midnights = [Tick(at=at, label=date_text(when)) for at, when in quarters if _minute(when) == 0]
        return tuple(midnights[:: -(-len(midnights) // MOST_TICKS)])
    for step in _STEPS_MIN:
        found = [(at, when) for at, when in quarters if _minute(when) % step == 0]
        if len(found) <= MOST_TICKS:
            break
    return tuple(Tick(at=at, label=_label(when, first=index == 0)) for index, (at, when) in enumerate(found))


def _quarters(scenario: Scenario) -> list[tuple[float, datetime]]:
    """Each quarter of an hour, in seconds since the start and on the local clock."""
    first_s = -scenario.start.timestamp() % 900
    count = int((_span_s(scenario) - first_s) // 900) + 1
    return [(at, scenario.time(at)) for at in (first_s + 900 * n for n in range(count))]


def _minute(when: datetime) -> int:
    return 60 * when.hour + when.minute


def _label(when: datetime, *, first: bool) -> str:
    return f"{when:%H:%M}\n{date_text(when)}" if first or _minute(when) == 0 else f"{when:%H:%M}"
