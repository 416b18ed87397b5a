"""`pev-scada day`: run a scenario's days, write the report, print the figures."""

import time
from pathlib import Path
from tempfile import TemporaryFile

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from grid_sim.day.model import Day
from grid_sim.day.outcome import Outcome, outcome
from grid_sim.day.run import run_day
from grid_sim.day.scenario_file import read_scenario
from grid_sim.report.report import write_report
from modbus_link.errors import BadInput, Failed


def run_and_report(path: Path, folder: Path | None) -> None:
    """BadFile with every fault of the scenario, before anything runs; `folder` is by default named after
    the scenario, where the command was called."""
    scenario = read_scenario(path)
    folder = _made(folder or Path(path.stem))
    began = time.monotonic()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(scenario.name, total=1.0)
        day = run_day(scenario, lambda share: progress.update(task, completed=share))
    Console().print(figures_table(day))
    report = _written(day, folder)
    took_s = time.monotonic() - began
    print(f"{scenario.scans} scans of {len(scenario.stations)} stations in {took_s:.0f} s: {report}")


def _made(folder: Path) -> Path:
    """Before anything runs: a day may take hours, and would be lost."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise BadInput(f"{folder} can't be written: {error.strerror}; name another --out") from error


def _written(day: Day, folder: Path) -> Path:
    try:
        return write_report(day, folder)
    except OSError as error:
        raise Failed(f"{error.filename or folder} can't be written: {error.strerror}") from error


def figures_table(day: Day) -> Table:
    """The most important ones; the report has them all."""
    ways = {"with the rule": day.controlled} | (
        {"uncontrolled": day.uncontrolled} if day.uncontrolled else {}
    )
    outcomes = [outcome(day.scenario, day.price, run) for run in ways.values()]
    table = Table("", *ways, title=Text(day.scenario.name))
    for rows in zip(*(_figures(found) for found in outcomes), strict=True):
        table.add_row(rows[0][0], *(text for _, text in rows))
    return table


def _figures(found: Outcome) -> list[tuple[str, str]]:
    share = 100 * found.delivered_share
    loading = "unknown" if found.peak_loading is None else f"{100 * found.peak_loading:.0f} %"
    return [
        ("energy delivered", f"{found.delivered_kwh:.1f} of {found.requested_kwh:.1f} kWh, {share:.2f} %"),
        ("cars served", f"{found.cars_served} of {found.cars}"),
        ("highest charging power", f"{found.peak_charging_kw:.1f} kW"),
        (
            "over a power limit",
            f"{found.minutes_over_power_limit:.1f} min, {found.scans_over_power_limit} scans",
        ),
        ("lowest and highest voltage", f"{found.lowest_pu:.3f} and {found.highest_pu:.3f} pu"),
        (
            "below and above the band",
            f"{found.minutes_under_band:.1f} and {found.minutes_over_band:.1f} min",
        ),
        ("longest out of it at a time", f"{found.longest_out_of_band_s / 60:.1f} min"),
        ("beyond the rule's answer time", f"{found.minutes_out_beyond_answer:.1f} min"),
        ("most loaded line", loading),
        ("overloaded", f"{found.minutes_overloaded:.1f} min"),
        ("contactor switchings", f"{found.switchings}, {found.most_switchings} at one station"),
    ]
