"""The journal: what happened, in an SQLite file that a power cut doesn't harm and that doesn't grow for ever.

One thread writes, so that a scan never waits for the disk. What can't be written waits in memory, the
newest of it; `trouble` says why. SQLite's write-ahead log with `synchronous=FULL` has every transaction on
the disk, whole, before the next.
"""

import contextlib
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

log = logging.getLogger(__name__)

MOST_WAITING = 10_000
"""Rows in memory while the disk takes none; the oldest go first."""
RETRY_S = 5.0
CLOSE_S = 3.0
FULL_AT = 0.9
"""Of the file's pages. From there on the oldest rows make room."""
MOST_AT_ONCE = 100
"""Rows in one transaction; twice as many make room for them, so that what has to fit is never much."""
_WAL_BYTES = 4_000_000
_HEAD = b"SQLite format 3\0"
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  time REAL NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, text TEXT NOT NULL,
  code TEXT NOT NULL, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS alarms (
  code TEXT NOT NULL, scope TEXT NOT NULL, source TEXT NOT NULL, text TEXT NOT NULL, since REAL NOT NULL,
  active INTEGER NOT NULL, acknowledged INTEGER NOT NULL, shelved_until REAL, shelved_left_s REAL,
  out_of_service INTEGER NOT NULL);
"""


class NoJournal(OSError):
    """Somebody else's file: it is neither renamed nor added to."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.name} is no journal; name another file in journal.path")


class Row(NamedTuple):
    """One event. `time` in seconds since 1970, UTC; `code` is an alarm's or a point's, `value` what it
    became."""

    time: float
    kind: str
    source: str
    text: str
    code: str = ""
    value: str = ""


class KeptAlarm(NamedTuple):
    """What a master that starts again has to know of an alarm. `shelved_until` in seconds since 1970."""

    code: str
    scope: str
    source: str
    text: str
    since: float
    active: bool
    acknowledged: bool
    shelved_until: float | None
    shelved_left_s: float | None
    out_of_service: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFile:
    """Where it is kept, and how large it may become."""

    path: Path
    max_mb: float = 64.0

    def of_standby(self) -> "JournalFile":
        """A file takes one writer, and both masters of a site may run on one machine."""
        return replace(self, path=self.path.with_stem(f"{self.path.stem}-standby"))


class Journal:
    """`open` and `close` it; in between `add` never waits."""

    def __init__(
        self, file: JournalFile, *, retry_s: float = RETRY_S, most_waiting: int = MOST_WAITING
    ) -> None:
        self.trouble = ""
        self.open_alarms: list[KeptAlarm] = []
        """What they were like when the last program ended, as far as it can be read."""
        self._file = file
        self._retry_s, self._most_waiting = retry_s, most_waiting
        self._rows: deque[Row] = deque()
        self._alarms: list[KeptAlarm] | None = None
        self._kept: list[KeptAlarm] = []
        self._lost = 0
        self._ending = self._is_writing = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"journal {file.path}", daemon=True)
        self._db: sqlite3.Connection | None = None

    def open(self) -> None:
        try:
            self.open_alarms = self._kept = _read_alarms(self._opened())
        except (sqlite3.Error, OSError) as error:
            self._note_trouble(error)
        self._thread.start()

    @property
    def is_behind(self) -> bool:
        """Something waits to be written."""
        with self._wake:
            return bool(self._rows) or self._alarms is not None or self._is_writing

    def add(self, rows: Iterable[Row], alarms: Sequence[KeptAlarm] | None = None) -> None:
        """Write these soon, in one transaction; `alarms`, if given, stand for all that was kept before."""
        with self._wake:
            self._queue(rows)
            if alarms is not None:
                self._alarms = self._kept = list(alarms)
            self._wake.notify()

    def close(self) -> None:
        """Write what waits, if the disk takes it soon."""
        with self._wake:
            self._ending = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _queue(self, rows: Iterable[Row]) -> None:
        self._rows.extend(rows)
        while len(self._rows) > self._most_waiting:
            self._rows.popleft()
            self._lost += 1

    def _run(self) -> None:
        """In the writer's thread."""
        self._look_for_damage()
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._rows or self._alarms is not None or self._ending)
                rows = [self._rows.popleft() for _ in range(min(len(self._rows), MOST_AT_ONCE))]
                alarms, lost = self._alarms, self._lost
                self._alarms, self._lost = None, 0
                self._is_writing = True
            written = self._try_to_write(rows, alarms, lost)
            with self._wake:
                self._is_writing = False
                if not written:
                    self._take_back(rows, alarms, lost)
                    self._wake.wait_for(lambda: self._ending, self._retry_s)
                if self._ending and not (written and self._rows):
                    break
        self._close_file()

    def _look_for_damage(self) -> None:
        """Once, and here, because it reads the whole file: who only adds to it might never notice."""
        try:
            (found,) = self._opened().execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                self.add([self._set_aside(found)], self._kept)
        except (sqlite3.Error, OSError):
            return  # whoever writes will see

    def _take_back(self, rows: list[Row], alarms: list[KeptAlarm] | None, lost: int) -> None:
        self._rows.extendleft(reversed(rows))
        self._queue(())
        self._lost += lost
        self._alarms = alarms if self._alarms is None else self._alarms

    def _try_to_write(self, rows: list[Row], alarms: list[KeptAlarm] | None, lost: int) -> bool:
        try:
            try:
                self._write(rows, alarms, lost)
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:
                    raise
                rows.insert(0, self._set_aside(str(error)))
                self._write(rows, self._kept, lost)
        except (sqlite3.Error, OSError) as error:
            self._note_trouble(error)
            self._close_file()
            return False
        except Exception as error:
            # It is the rows', not the disk's: it would be the same the next time, and stop all others.
            self._note_trouble(error)
            with self._wake:
                self._lost += lost + len(rows)
            return True
        if self.trouble:
            log.info("%s: is written again", self._file.path)
        self.trouble = ""
        return True

    def _write(self, rows: list[Row], alarms: list[KeptAlarm] | None, lost: int) -> None:
        db = self._opened()
        if lost:
            text = f"journal: {lost} events before this one were lost, because they could not be written"
            rows = [Row(_now(), "state", "site", text, "", str(lost)), *rows]
        with _transaction(db):
            self._make_room(db)
            db.executemany(_insert("events (time, kind, source, text, code, value)", 6), map(_storable, rows))
            if alarms is not None:
                db.execute("DELETE FROM alarms")
                db.executemany(_insert("alarms", len(KeptAlarm._fields)), map(_storable, alarms))

    def _make_room(self, db: sqlite3.Connection) -> None:
        used = _pragma(db, "page_count") - _pragma(db, "freelist_count")
        if used > FULL_AT * _pragma(db, "max_page_count"):
            oldest = "SELECT id FROM events ORDER BY id LIMIT ?"
            db.execute(f"DELETE FROM events WHERE id IN ({oldest})", (2 * MOST_AT_ONCE,))

    def _opened(self) -> sqlite3.Connection:
        """The file, made new where there is none: somebody may have moved it away."""
        if self._db is not None and self._file.path.exists():
            return self._db
        self._close_file()
        path = self._file.path
        if not path.parent.exists():
            raise FileNotFoundError(f"there is no folder {path.parent}")
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            if file.read(len(_HEAD)) not in (_HEAD, b""):
                raise NoJournal(path)
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            if tables and "events" not in tables:
                raise NoJournal(path)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute(f"PRAGMA journal_size_limit={_WAL_BYTES}")
            pages = int(self._file.max_mb * 1_000_000) // _pragma(db, "page_size")
            db.execute(f"PRAGMA max_page_count={pages}")
            db.executescript(_SCHEMA)
        except (sqlite3.Error, OSError):
            db.close()
            raise
        self._db = db
        return db

    def _close_file(self) -> None:
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def _set_aside(self, damage: str) -> Row:
        """A damaged file is kept: perhaps somebody can still read it."""
        self._close_file()
        path, now = self._file.path, datetime.now(UTC)
        aside = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%S.%f}Z")
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
        why = damage.splitlines()[-1]
        text = f"journal: it was damaged ({why}) and begins anew; the old one is {aside.name}"
        log.error("%s: %s", path, text)
        return Row(now.timestamp(), "state", "site", text)

    def _note_trouble(self, error: Exception) -> None:
        why = str(error)
        if why != self.trouble:
            log.error("%s: events can't be written: %s", self._file.path, why)
        self.trouble = why


def _read_alarms(db: sqlite3.Connection) -> list[KeptAlarm]:
    rows = db.execute(f"SELECT {', '.join(KeptAlarm._fields)} FROM alarms")
    return [KeptAlarm(*row) for row in rows]


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _insert(table: str, columns: int) -> str:
    return f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"


def _storable(row: tuple[object, ...]) -> tuple[object, ...]:
    """The name of a file, in a reason, need not be UTF-8; SQLite's text is."""
    return tuple(v.encode(errors="replace").decode() if isinstance(v, str) else v for v in row)


def _pragma(db: sqlite3.Connection, name: str) -> int:
    (value,) = db.execute(f"PRAGMA {name}").fetchone()
    return int(value)


def _now() -> float:
    return datetime.now(UTC).timestamp()
