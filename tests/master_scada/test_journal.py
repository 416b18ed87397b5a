"""The journal keeps what happened, whatever happens to it."""

import contextlib
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from processes import wait_until

from master_scada.alarm_catalogue import catalogue
from master_scada.alarms import Alarm, number_of
from master_scada.conditions import Sources
from master_scada.journal import Journal, JournalFile, KeptAlarm, Row
from master_scada.journal_reader import Entry, Wanted, read_entries, since
from master_scada.kept_alarms import kept, restored
from modbus_link.errors import BadInput
from register_maps.vocabulary import AlarmCode

WRITER = Path(__file__).with_name("journal_writer.py")
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
ALARM = KeptAlarm("rtu_silent", "station", "A", "No reading.", 1e9, True, False, None, None, False)


def row(text: str, *, minutes: int = 0, kind: str = "state", source: str = "site") -> Row:
    return Row((NOW + timedelta(minutes=minutes)).timestamp(), kind, source, text)


@contextlib.contextmanager
def writing(path: Path, *, max_mb: float = 64) -> Iterator[Journal]:
    journal = Journal(JournalFile(path=path, max_mb=max_mb), retry_s=0.05)
    journal.open()
    try:
        yield journal
    finally:
        journal.close()


def entries(path: Path, **wanted: object) -> list[Entry]:
    return list(read_entries(path, Wanted(**wanted)))  # type: ignore[arg-type]


def test_what_is_written_can_be_read_at_once_and_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "site.journal"
    with writing(path) as journal:
        journal.add([row("one"), Row(NOW.timestamp(), "alarm", "A", "two", "rtu_silent", "normal")])
        wait_until(lambda: not journal.is_behind)
        assert [entry.text for entry in entries(path)] == ["one", "two"]
    first, second = entries(path)
    assert (first.time, first.kind, first.source, first.code) == (NOW, "state", "site", "")
    assert (second.code, second.value) == ("rtu_silent", "normal")
    assert [file.name for file in tmp_path.iterdir()] == ["site.journal"]  # reading leaves nothing behind


def test_what_is_wanted_of_it(tmp_path: Path) -> None:
    path = tmp_path / "site.journal"
    with writing(path) as journal:
        journal.add([row("a"), row("b", minutes=30, source="A"), row("c", minutes=60, kind="alarm")])
    assert [e.text for e in entries(path, since=NOW + timedelta(minutes=30))] == ["b", "c"]
    assert [e.text for e in entries(path, source="A")] == ["b"]
    assert [e.text for e in entries(path, kind="alarm")] == ["c"]
    assert [e.text for e in read_entries(path, Wanted(), after=2)] == ["c"]


def test_times_as_people_write_them() -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    for text, ago in (("90s", timedelta(seconds=90)), ("1h", timedelta(hours=1)), ("7 d", timedelta(days=7))):
        assert since(text, now) == now - ago
    assert since("2026-11-23T08:00+00:00", now) == NOW
    assert since("2026-11-23", now) == datetime(2026, 11, 23).astimezone()
    for text in ("", "1", "1y", "yesterday", "99999999999999w", "2026-13-01"):
        with pytest.raises(BadInput, match="for example 1h"):
            since(text, now)


def test_it_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "site.journal"
    with writing(path, max_mb=0.5) as journal:
        for number in range(60):
            journal.add([row(f"{number} {n} {'x' * 200}") for n in range(90)])
            wait_until(lambda: not journal.is_behind)
            assert not journal.trouble
    assert path.stat().st_size <= 500_000
    left = entries(path)
    assert left[-1].id == 60 * 90
    assert [entry.id for entry in left] == list(range(left[0].id, 60 * 90 + 1))
    assert len(left) > 1000


def test_a_crowd_of_events_at_once_fits_too(tmp_path: Path) -> None:
    path = tmp_path / "site.journal"
    with writing(path, max_mb=0.5) as journal:
        journal.add(row(f"{n} {'x' * 200}") for n in range(8000))
        wait_until(lambda: not journal.is_behind)
    assert entries(path)[-1].id == 8000


def test_a_program_that_is_killed_leaves_whole_transactions(tmp_path: Path) -> None:
    path = tmp_path / "site.journal"
    before = 0
    for _ in range(6):
        with subprocess.Popen([sys.executable, WRITER, path, "kill"], stdout=subprocess.PIPE) as program:
            assert program.stdout
            assert program.stdout.readline() == b"begun\n"
            time.sleep(random.uniform(0.01, 0.15))
            program.kill()
        with contextlib.closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            counts = db.execute("SELECT COUNT(*) FROM events").fetchone()
        assert counts[0] % 3 == 0
        assert counts[0] >= before
        before = counts[0]
    assert before > 0
    assert [entry.id for entry in entries(path)] == list(range(1, before + 1))


def test_without_room_it_waits_and_goes_on_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "site.journal"
    done = subprocess.run(
        [sys.executable, WRITER, path, "limit"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("trouble: ")
    assert done.stdout.endswith("over\n")
    codes = [entry.code for entry in entries(path)]
    note = next(entry for entry in entries(path) if "were lost" in entry.text)
    assert note.text == "journal: 33 events before this one were lost, because they could not be written"
    assert note.value == "33"
    assert codes == ["1"] * 3 + [""] + [str(n) for n in range(13, 23) for _ in range(3)]


@pytest.mark.parametrize("damage", [b"SQLite format 3\0 and no more" * 300, b""])
def test_a_damaged_file_is_set_aside_and_an_empty_one_begun(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "site.journal"
    path.write_bytes(damage)
    with writing(path) as journal:
        assert bool(journal.trouble) == bool(damage)
        journal.add([row("one")], [ALARM])
        wait_until(lambda: not journal.is_behind)
        assert not journal.trouble
    told = [entry.text for entry in entries(path)]
    kept_files = [file for file in tmp_path.iterdir() if ".damaged-" in file.name]
    if damage:
        assert [file.read_bytes() for file in kept_files] == [damage]
        assert told[0].startswith("journal: it was damaged (file is not a database) and begins anew; the old")
        assert kept_files[0].name in told[0]
    assert told[-1] == "one"
    with writing(path) as journal:
        assert journal.open_alarms == [ALARM]


def test_damage_inside_a_file_loses_no_alarm_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "site.journal"
    with writing(path) as journal:
        journal.add([row("x" * 500) for _ in range(400)], [ALARM])
    with path.open("r+b") as file:
        file.seek(4096 * 4)
        file.write(b"\xff" * (path.stat().st_size - 4096 * 5))
    with writing(path) as journal:
        assert journal.open_alarms == [ALARM]
        journal.add([row("y" * 500) for _ in range(50)])
        wait_until(lambda: not journal.is_behind)
    told = [entry.text for entry in entries(path)]
    assert told.count("y" * 500) == 50
    assert sum("damaged" in text for text in told) == 1
    assert len(list(tmp_path.glob("*.damaged-*"))) == 1
    with writing(path) as journal:
        assert journal.open_alarms == [ALARM]


def test_a_file_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    key, foreign = tmp_path / "precious.key", tmp_path / "addresses.db"
    key.write_bytes(b"-----BEGIN PRIVATE KEY-----\n")
    with contextlib.closing(sqlite3.connect(foreign)) as db:
        db.execute("CREATE TABLE people (name TEXT)")
    before = {path: path.read_bytes() for path in (key, foreign)}
    for path in before:
        with writing(path) as journal:
            journal.add([row("one")])
            assert journal.trouble == f"{path.name} is no journal; name another file in journal.path"
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_text_that_is_not_utf_8_is_written_too(tmp_path: Path) -> None:
    path = tmp_path / "site.journal"
    with writing(path) as journal:
        journal.add([row("the old one is s\udcffte.journal")], [ALARM._replace(text="in s\udcffte")])
        journal.add([row("two")])
    assert [entry.text for entry in entries(path)] == ["the old one is s?te.journal", "two"]


def test_a_row_that_can_t_be_written_stops_no_other(tmp_path: Path) -> None:
    path = tmp_path / "site.journal"
    with writing(path) as journal:
        journal.add([row("one")._replace(time=1 << 70)])
        wait_until(lambda: not journal.is_behind)
        assert "too large" in journal.trouble
        journal.add([row("two")])
        wait_until(lambda: not journal.is_behind)
        assert not journal.trouble
    lost, two = entries(path)
    assert (lost.value, two.text) == ("1", "two")


def test_who_reads_slowly_holds_nothing_up(tmp_path: Path) -> None:
    path = tmp_path / "site.journal"
    with writing(path) as journal:
        journal.add(row(str(n)) for n in range(1200))
        wait_until(lambda: not journal.is_behind)
        reading = read_entries(path, Wanted())
        assert next(reading).text == "0"
        journal.add([row("1200")])
        wait_until(lambda: not journal.is_behind)
        with contextlib.closing(sqlite3.connect(path)) as db:
            is_held_up, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert not is_held_up
        assert [entry.text for entry in reading] == [str(n) for n in range(1, 1201)]


def test_a_file_that_is_moved_away_is_begun_anew(tmp_path: Path) -> None:
    path, away = tmp_path / "site.journal", tmp_path / "old.journal"
    with writing(path) as journal:
        journal.add([row("one")])
        wait_until(lambda: not journal.is_behind)
        path.rename(away)
        journal.add([row("two")])
    assert [entry.text for entry in entries(path)] == ["two"]


def test_a_folder_that_is_not_there_is_trouble_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "site.journal"
    with writing(path) as journal:
        assert journal.trouble == f"there is no folder {path.parent}"
        journal.add([row("one")])
        path.parent.mkdir()
        wait_until(lambda: not journal.is_behind)
        assert not journal.trouble
    assert [entry.text for entry in entries(path)] == ["one"]


def test_what_can_t_be_read_is_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no journal"):
        entries(tmp_path / "site.journal")
    (tmp_path / "site.journal").write_bytes(b"no database" * 100)
    with pytest.raises(BadInput, match="can't be read: file is not a database"):
        entries(tmp_path / "site.journal")


def test_a_copy_that_nothing_can_be_made_beside_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "site.journal"
    with writing(path) as journal:
        journal.add([row("one")])
    path.with_name("site.journal-wal").mkdir()
    with pytest.raises(BadInput, match="copy it, with its -wal, to a folder that you may write to"):
        entries(path)


SOURCES = Sources(["A", "B"], ["feeder"])


def saved(**more: object) -> KeptAlarm:
    alarm = Alarm(
        number=number_of(AlarmCode.RTU_SILENT, 1),
        rule=catalogue()[AlarmCode.RTU_SILENT],
        text="No reading.",
        since_utc=1e9,
        active=True,
        **more,  # type: ignore[arg-type]
    )
    (row,) = kept([alarm], SOURCES, now=100, time_utc=2e9)
    return row


def test_alarms_survive_a_restart(tmp_path: Path) -> None:
    with writing(tmp_path / "site.journal") as journal:
        journal.add([], [saved(acknowledged=True), saved(shelved_until=700), saved(out_of_service=True)])
    with writing(tmp_path / "site.journal") as journal:
        rows = journal.open_alarms
    for row, state in zip(rows, ("active_acknowledged", "shelved", "out_of_service"), strict=True):
        # B came into the site file before A: numbers change, names don't.
        (back,) = restored([row], Sources(["B", "A"], ["feeder"]), catalogue(), 5, 2e9 + 60).values()
        assert (back.number, back.state) == (number_of(AlarmCode.RTU_SILENT, 2), state)
        assert back.shelved_left_s(5) == (540 if state == "shelved" else 0)


@pytest.mark.parametrize(("later_s", "left_s"), [(0, 600), (599, 1), (600, 0), (-3600, 600), (1e6, 0)])
def test_no_clock_makes_the_shelf_last_longer(later_s: float, left_s: float) -> None:
    (back,) = restored([saved(shelved_until=700)], SOURCES, catalogue(), 5, 2e9 + later_s).values()
    assert back.shelved_left_s(5) == left_s


def test_what_the_site_has_no_more_is_forgotten() -> None:
    rows = [saved(), saved()._replace(code="gone"), saved()._replace(scope="circuit")]
    assert restored(rows, Sources(["B"], ["A"]), catalogue(), 5, 2e9) == {}
