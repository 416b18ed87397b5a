"""The demo's evening: what happens to the site, and when.

Two plug-in hybrids come home at half past three. The cable carries one of them at a time, so they take
turns. At five the price rises above the limit; at six the network operator gives way and both may charge.
A driver stops and goes on; the neighbours cook, and the voltage sags; in the end both cars are full.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from grid_sim.network.radial import RadialLine
from register_maps.points import Value

START = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
SPEED = 180
"""Seconds of the site in a second of the demo: the evening takes two minutes."""
LONGEST = timedelta(hours=10)
"""Where the story ends even if a car is not full by then."""

SOURCE_VOLTAGE_V = 110.0
NEIGHBOURS = "neighbours"
SEGMENTS = (
    RadialLine(to=NEIGHBOURS, r_ohm=0.03, x_ohm=0.01),
    RadialLine(to="RTS1", from_bus=NEIGHBOURS, r_ohm=0.01, x_ohm=0.003),
    RadialLine(to="RTS2", from_bus="RTS1", r_ohm=0.02, x_ohm=0.006),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """At `after` from the start, somebody writes `values` to the device of that name."""

    after: timedelta
    text: str
    device: str
    values: Mapping[str, Value]


def _at(hour: int, minute: int) -> timedelta:
    return START.replace(hour=hour, minute=minute) - START


BEATS = (
    Beat(
        after=_at(15, 30),
        text="the network operator allows 5 kW",
        device="master",
        values={"power_limit": 5000},
    ),
    Beat(
        after=_at(18, 4),
        text="the network operator allows 7 kW",
        device="master",
        values={"power_limit": 7000},
    ),
    Beat(
        after=_at(18, 12),
        text="the driver at RTS1 presses Stop",
        device="RTS1",
        values={"stop_request": True},
    ),
    Beat(
        after=_at(18, 22),
        text="the driver at RTS1 presses Start",
        device="RTS1",
        values={"start_request": True},
    ),
)


def background_w(after: timedelta) -> float:
    """What the neighbours draw: 2 kW, a little up and down, and 11 kW while they cook at half past six."""
    hours = after / timedelta(hours=1)
    wobble_w = 250 * math.sin(7.1 * hours) + 150 * math.sin(31.0 * hours + 1)
    cooking_w = 9000 * _bump(hours, _at(18, 32) / timedelta(hours=1), _at(18, 57) / timedelta(hours=1))
    return 2000 + wobble_w + cooking_w


def _bump(x: float, start: float, end: float) -> float:
    """0 before `start` and after `end`, 1 between, with smooth edges of three minutes."""
    edge = 0.05
    return 1 / ((1 + math.exp(-(x - start) / edge * 4)) * (1 + math.exp((x - end) / edge * 4)))
