"""Reads a journal while its master writes it, or when there is none: `pev-scada events`."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from modbus_link.errors import BadInput

FOLLOW_S = 0.5
PAGE = 500
"""Rows that are read at once."""
_AGO = re.compile(r"(\d+)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FIELDS = ("id", "time", "kind", "source", "text", "code", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events; None stands for all."""

    since: datetime | None = None
    source: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event of the journal."""

    id: int
    time: datetime
    kind: str
    source: str
    text: str
    code: str
    value: str

    def as_line(self, width: int = 0) -> str:
        local = self.time.astimezone()
        return f"{local:%Y-%m-%d %H:%M:%S}  {self.kind:8}  {self.source:{width}}  {self.text}"

    def as_json(self) -> str:
        values = {name: getattr(self, name) for name in _FIELDS}
        return json.dumps(values | {"time": self.time.isoformat(timespec="milliseconds")}, ensure_ascii=False)


def since(text: str, now: datetime) -> datetime:
    """Of "1h" (or s, m, d, w), a date, or a date and time, in this machine's time zone unless it names one;
    BadInput for anything else."""
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError) as error:
        raise BadInput(
            f"--since {text!r} is no time; for example 1h, 30m, 7d, 2026-11-23 or 2026-11-23T08:00"
        ) from error


def read_entries(path: Path, wanted: Wanted, after: int = 0) -> Iterator[Entry]:
    """Those with an id above `after`, the oldest first; BadInput where the file can't be read. It is open for
    a page at a time: the log beside it grows as long as somebody reads, and he may take his time."""
    if not path.exists():
        raise BadInput(f"there is no journal {path}: its master has not been started, or keeps it elsewhere")
    page = _read_page(path, wanted, after)
    while page:
        yield from page
        page = _read_page(path, wanted, page[-1].id) if len(page) == PAGE else []


def _read_page(path: Path, wanted: Wanted, after: int) -> list[Entry]:
    try:
        with closing(sqlite3.connect(_uri(path), uri=True)) as db:
            return [_entry(row) for row in db.execute(*_query(wanted, after))]
    except sqlite3.Error as error:
        is_closed = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CANTOPEN
        hint = "; copy it, with its -wal, to a folder that you may write to" if is_closed else ""
        raise BadInput(f"{path} can't be read: {error}{hint}") from error


def _entry(row: tuple[Any, ...]) -> Entry:
    values = dict(zip(_FIELDS, row, strict=True))
    return Entry(**values | {"time": datetime.fromtimestamp(values["time"], UTC)})


def _uri(path: Path) -> str:
    """Read-only. A file that nobody has open is not touched at all, so that what belongs to the master's user
    is not made anew by another."""
    is_open = path.with_name(path.name + "-wal").exists()
    return f"{path.absolute().as_uri()}?{'mode=ro' if is_open else 'immutable=1'}"


def _query(wanted: Wanted, after: int) -> tuple[str, list[object]]:
    where: list[tuple[str, object]] = [("id > ?", after)]
    if wanted.since:
        where.append(("time >= ?", wanted.since.timestamp()))
    if wanted.source:
        where.append(("source = ?", wanted.source))
    if wanted.kind:
        where.append(("kind = ?", wanted.kind))
    conditions = " AND ".join(condition for condition, _ in where)
    query = f"SELECT {', '.join(_FIELDS)} FROM events WHERE {conditions} ORDER BY id LIMIT {PAGE}"
    return query, [value for _, value in where]


async def print_entries(path: Path, wanted: Wanted, *, as_json: bool, follow: bool) -> None:
    """What there is; with `follow`, what comes, until cancelled."""
    last, width = 0, 8
    while True:
        for entry in read_entries(path, wanted, last):
            last, width = entry.id, max(width, len(entry.source))
            print(entry.as_json() if as_json else entry.as_line(width), flush=follow)
        if not follow:
            return
        await asyncio.sleep(FOLLOW_S)
