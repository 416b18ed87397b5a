"""A day's report: one page that stands by itself, its figures and its series beside it."""

from pathlib import Path

from grid_sim.day.model import Day


def write_report(day: Day, folder: Path) -> Path:
    """Into `folder`, which is made: `report.html`, `figures/*.svg`, `series.csv`, `stations_*.csv`,
    `cars.csv`, `outcome.json`. Returns the page's path. The same day gives the same bytes."""
    raise NotImplementedError
