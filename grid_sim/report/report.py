"""A day's report: one page that stands by itself, its figures and its series beside it."""

from pathlib import Path

from grid_sim.day.model import Day
from grid_sim.day.outcome import outcome
from grid_sim.report.car_figures import car_blocks
from grid_sim.report.drawing import svg_of
from grid_sim.report.feeder_figures import feeder_blocks
from grid_sim.report.given_figures import given_blocks
from grid_sim.report.page import page_of
from grid_sim.report.series_files import write_outcome, write_series
from grid_sim.report.sides import frame, sides


def write_report(day: Day, folder: Path) -> Path:
    """Into `folder`, which is made: `report.html`, `figures/*.svg`, `series.csv`, `stations_*.csv`,
    `cars.csv`, `events.csv`, `outcome.json`. Returns the page's path. The same day gives the same bytes."""
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    outcomes = {side.key: outcome(day.scenario, day.price, side.run) for side in sides(day)}
    shared = frame(day)
    blocks = [*given_blocks(shared), *feeder_blocks(shared), *car_blocks(shared)]
    drawn = {picture.name: svg_of(picture) for block in blocks for picture in block.pictures}
    for name, svg in drawn.items():
        (figures / f"{name}.svg").write_text(svg, encoding="utf-8")
    write_series(day, folder)
    write_outcome(day, outcomes, folder)
    page = folder / "report.html"
    page.write_text(page_of(day, outcomes, blocks, drawn), encoding="utf-8")
    return page
