"""A CSV file with a line of headings, read row by row; every bad cell is told with its file and line."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class Table:
    """The rows of a file, and what is wrong with it; a file that can't be used has no rows."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self.faults: list[str] = []
        self.rows: list[Row] = []
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                reader = csv.DictReader(file)
                missing = [column for column in columns if column not in (reader.fieldnames or ())]
                if missing:
                    self.faults.append(f"{path}:1: has no column {', '.join(missing)}")
                    return
                self.rows = [Row(table=self, line=reader.line_num, cells=cells) for cells in reader]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            self.faults.append(f"{path} can't be read: {error}")
            return
        if not self.rows:
            self.faults.append(f"{path} has no row below its headings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    table: Table
    line: int
    cells: dict[str, str | None]

    def note(self, message: str) -> None:
        self.table.faults.append(f"{self.table.path}:{self.line}: {message}")

    def text(self, column: str) -> str:
        """'' where the cell is empty, and that noted."""
        text = (self.cells[column] or "").strip()
        if not text:
            self.note(f"{column} is empty")
        return text

    def number(self, column: str, least: float = -math.inf) -> float:
        """At least `least`; NaN where the cell holds no such number, and that noted."""
        text = self.text(column)
        try:
            number = float(text)
        except ValueError:
            if text:
                self.note(f"{column} must be a number (got {text!r})")
            return math.nan
        if not (math.isfinite(number) and number >= least):
            limit = f" of at least {least:g}" if math.isfinite(least) else ""
            self.note(f"{column} must be a number{limit} (got {text!r})")
            return math.nan
        return number

    def positive(self, column: str) -> float:
        number = self.number(column, least=0)
        if number == 0:
            self.note(f"{column} must be above 0")
        return number
