"""What homes draw and roofs feed in, at every scan."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from grid_sim.arrays import Floats
from grid_sim.day.calendar import Calendar
from grid_sim.day.model import Surroundings
from grid_sim.day.scenario_schema import DemandFile, SolarFile
from grid_sim.network.model import Network
from register_maps.yaml_file import Faults


def note_surroundings(
    network: Network, data: Mapping[str, Any], solar: SolarFile | None, faults: Faults
) -> None:
    """`data`: the scenario as written."""
    if data.get("demand") is None and any(
        (ld.low_w, ld.low_var) != (ld.high_w, ld.high_var) for ld in network.loads
    ):
        faults.add(("demand",), "is missing, and the network's loads have a low and a high")
    if solar and solar.sunrise >= solar.sunset:
        faults.add(("solar", "sunset"), f"must be after sunrise, {solar.sunrise:g} o'clock")
    if solar and solar.first > len(network.loads):
        faults.add(("solar",), f"the network has no load for a roof: it has {len(network.loads)} loads")


def surroundings_sources(demand: DemandFile | None, solar: SolarFile | None) -> list[str]:
    """For the report."""
    found = []
    if demand:
        found.append(
            "Assumed: each load stands between its low and its high by one share of the hour, the same for"
            " all, so that all are at their highest at once."
        )
    if solar:
        found.append(
            f"Assumed: at {_each(solar.every)} a roof of {solar.peak_w / 1000:g} kW that feeds in"
            f" along a sine from {solar.sunrise:g} to {solar.sunset:g} o'clock, under a clear sky."
        )
    return found


def _each(every: int) -> str:
    return "every load" if every == 1 else f"one load of {every}"


def surroundings_of(
    network: Network, demand: DemandFile | None, solar: SolarFile | None, calendar: Calendar
) -> Surroundings:
    """At the network's own loads. Without a demand each draws its high, which is its low as well."""
    hours = calendar.hours()
    share = np.ones_like(hours) if demand is None else _share(demand, hours)
    loads = network.loads
    return Surroundings(
        taps=tuple(load.tap for load in loads),
        demand_w=_between([load.low_w for load in loads], [load.high_w for load in loads], share),
        demand_var=_between([load.low_var for load in loads], [load.high_var for load in loads], share),
        solar_w=np.zeros((len(hours), len(loads))) if solar is None else _solar_w(solar, hours, len(loads)),
    )


def _share(demand: DemandFile, hours: Floats) -> Floats:
    """Straight from one hour to the next, and from the last on to the first of the next day."""
    at, share = zip(*sorted(demand.share.items()), strict=True)
    found: Floats = np.interp(hours, at, share, period=24)
    return found


def _between(low: list[float], high: list[float], share: Floats) -> Floats:
    lows, highs = np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
    found: Floats = lows + share[:, np.newaxis] * (highs - lows)
    return found


def _solar_w(solar: SolarFile, hours: Floats, loads: int) -> Floats:
    day_share = (hours - solar.sunrise) / (solar.sunset - solar.sunrise)
    is_day = (day_share > 0) & (day_share < 1)
    sun_w = np.where(is_day, solar.peak_w * np.sin(np.pi * day_share), 0.0)
    has_roof = np.zeros(loads)
    has_roof[solar.first - 1 :: solar.every] = 1
    found: Floats = sun_w[:, np.newaxis] * has_roof
    return found
