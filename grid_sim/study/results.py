"""A study's results as a table for programs, and as one for the terminal."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Column, Table

from grid_sim.day.outcome import Outcome
from grid_sim.study.hosting import Hosted, Setting, against
from grid_sim.study.model import Found, Study

DIGITS = 6
"""Behind the point: more than anybody can measure."""
_FIGURES = [*(field.name for field in fields(Outcome)), "undelivered_kwh", "delivered_share"]


def write_csv(study: Study, found: Sequence[Found], path: Path) -> None:
    """A row for each run, in the study's order. Nothing stands for what is not known."""
    figures = [f"{way}_{name}" for way in ("controlled", "uncontrolled") for name in ("against", *_FIGURES)]
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow([*study.varied, "cars", *figures])
        for values, one in zip(study.settings, found, strict=True):
            rows.writerow([*values, one.cars, *_controlled(one, study), *_uncontrolled(one, study)])


def _controlled(one: Found, study: Study) -> Iterator[Any]:
    yield " + ".join(against(one.controlled, one, study.served))
    yield from _row(one.controlled)


def _uncontrolled(one: Found, study: Study) -> Iterator[Any]:
    yield " + ".join(against(one.uncontrolled, one, study.served)) if one.compared else ""
    yield from _row(one.uncontrolled)


def _row(outcome: Outcome | None) -> list[Any]:
    return [_figure(outcome, name) for name in _FIGURES]


def _figure(outcome: Outcome | None, name: str) -> Any:
    value = getattr(outcome, name, None)
    return round(value, DIGITS) if isinstance(value, float) else value


def hosting_table(study: Study, settings: Sequence[Setting]) -> Table:
    # Folded: the path of a key is one long word, and half of it says nothing.
    columns = [Column(escape(head), overflow="fold") for head in heads(settings)]
    table = Table(*columns, title=escape(f"{study.name}: cars that are hosted"))
    for setting in settings:
        table.add_row(*map(escape, hosting_row(setting)))
    return table


def heads(settings: Sequence[Setting]) -> list[str]:
    return [*(path for path, _ in settings[0].values), "uncontrolled", "with the rule", "cars tried"]


def hosting_row(setting: Setting) -> list[str]:
    values = [str(value) for _, value in setting.values]
    tried = ", ".join(str(level.cars) for level in setting.levels)
    return [*values, hosted_text(setting.uncontrolled), hosted_text(setting.controlled), tried]


def hosted_text(hosted: Hosted | None) -> str:
    """With what stands against the next number that was tried."""
    if hosted is None:
        return "not tried"
    return f"{hosted} ({', '.join(hosted.against)})" if hosted.against else str(hosted)
