"""Cars by habit: when they come home, to work or by, and what they need; drawn by a seed.

Every station has draws of its own, so a larger share only adds cars, and an entry more changes none of the
others.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from fnmatch import fnmatchcase

import numpy as np

from grid_sim.day.calendar import Calendar
from grid_sim.day.model import Station, Visit
from grid_sim.day.scenario_schema import Habit, PublicCars, SpreadFile
from grid_sim.day.visits import battery_of, charge_before_pct
from rtu_firmware.battery import EFFICIENCY

SHORTEST_H = 0.25
"""Nobody plugs in for less."""
LEAST_KWH = 0.5

Stay = tuple[float, float]
"""From and to, in hours since the first midnight, by the clock on the wall."""


def visits_by_habit(
    cars: Habit, seed: Sequence[int], stations: Sequence[Station], calendar: Calendar
) -> list[Visit]:
    """`seed` is of this entry alone."""
    mine = _chosen_by_name(cars, stations)
    order = np.random.default_rng((*seed, 0)).permutation(len(mine))
    with_car = sorted(order[: int(cars.share * len(mine) + 0.5)])
    return [
        visit
        for index in with_car
        for visit in _visits(cars, np.random.default_rng((*seed, 1, index)), mine[index], calendar)
    ]


def source(cars: Habit) -> str:
    """For the report."""
    if isinstance(cars, PublicCars):
        when = (
            f"up to {cars.visits_per_day} cars a day at a station come between {cars.opens:g} and"
            f" {cars.closes:g} o'clock and stay {_text(cars.stays_h)} hours"
        )
    else:
        when = f"cars come at {_text(cars.arrives)} o'clock and leave at {_text(cars.leaves)}"
    return (
        f"Assumed, for lack of data: {when}; each needs {_text(cars.needs_kwh)} kWh at the socket, at most"
        f" what fits into its battery of {_text(cars.capacity_kwh)} kWh and into its stay, and takes"
        f" {cars.max_power_w / 1000:g} kW, less from {cars.taper_from_pct:g} % of charge on;"
        f" {100 * cars.share:g} % of {_whose(cars)} have such cars, and none is there at the start."
    )


def _whose(cars: Habit) -> str:
    return "the stations" if cars.stations is None else f"the stations {', '.join(cars.stations)}"


def _text(spread: SpreadFile) -> str:
    return f"{spread.mean:g} ± {spread.sd:g}" if spread.sd else f"{spread.mean:g}"


def _chosen_by_name(cars: Habit, stations: Sequence[Station]) -> list[Station]:
    if cars.stations is None:
        return list(stations)
    return [s for s in stations if any(fnmatchcase(s.name, pattern) for pattern in cars.stations)]


def _visits(cars: Habit, rng: np.random.Generator, station: Station, calendar: Calendar) -> Iterator[Visit]:
    midnights = list(calendar.midnights())
    times, needs = rng.spawn(2)  # so that more days change nothing in the first ones
    capacity_kwh = _draw(rng, cars.capacity_kwh, 1, math.inf)
    free_s = 0.0
    for from_h, to_h in _stays(cars, times, len(midnights)):
        needs_kwh = _draw(needs, cars.needs_kwh, LEAST_KWH, math.inf)
        arrives_s, leaves_s = (
            float(round(calendar.seconds(midnights[0] + timedelta(hours=hours)))) for hours in (from_h, to_h)
        )
        if not free_s <= arrives_s < min(leaves_s, calendar.end_s):
            continue  # who finds the station taken drives on
        free_s = leaves_s
        power_w = min(cars.max_power_w, station.rated_power_w)
        most_kwh = min(capacity_kwh / EFFICIENCY, power_w * (leaves_s - arrives_s) / 3.6e6)
        needs_wh = 1000 * min(needs_kwh, most_kwh)
        battery = battery_of(needs_wh, cars.max_power_w, 1000 * capacity_kwh, cars.taper_from_pct)
        yield Visit(
            station=station.name,
            arrives_s=arrives_s,
            leaves_s=min(leaves_s, calendar.end_s),
            needs_wh=needs_wh,
            battery=battery,
            state_of_charge_pct=charge_before_pct(needs_wh, battery),
        )


def _stays(cars: Habit, rng: np.random.Generator, days: int) -> list[Stay]:
    if isinstance(cars, PublicCars):
        return [stay for day in range(days) for stay in _passers_by(cars, rng, 24 * day)]
    nights = 24 if cars.leaves.mean <= cars.arrives.mean else 0
    drawn = [
        (24 * day + _draw(rng, cars.arrives, 0, 24), 24 * day + nights + _draw(rng, cars.leaves, 0, 24))
        for day in range(days)
    ]
    following = [arrives for arrives, _ in drawn[1:]] + [math.inf]
    return [(arrives, min(leaves, then)) for (arrives, leaves), then in zip(drawn, following, strict=True)]


def _passers_by(cars: PublicCars, rng: np.random.Generator, midnight_h: int) -> Iterator[Stay]:
    for arrives_h in sorted(rng.uniform(cars.opens, cars.closes - SHORTEST_H, cars.visits_per_day)):
        stays_h = _draw(rng, cars.stays_h, SHORTEST_H, cars.closes - arrives_h)
        yield midnight_h + arrives_h, midnight_h + arrives_h + stays_h


def _draw(rng: np.random.Generator, spread: SpreadFile, low: float, high: float) -> float:
    """What is too low or too high is moved to the edge."""
    return float(min(max(rng.normal(spread.mean, spread.sd), low), high))
