"""The file that a station keeps: whatever happens, it is the newest, the one before, or known as bad."""

import json
import logging
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from fragile_disk import FragileDisk, PowerLoss
from hypothesis import given, settings
from hypothesis import strategies as st

from modbus_link.errors import BadInput
from rtu_firmware.kept import Kept
from rtu_firmware.kept_file import Disk, KeptFile
from rtu_firmware.model import MOST_ENERGY_WH, Session

PATH = Path("/kept/rts1.json")
FULL = Kept(
    total_energy_wh=1234.56789,
    master_term=0xFFFF_FFFF,
    session=Session(
        energy_wh=0.1 + 0.2,
        charging_time_s=1e-9,
        first_state_of_charge_pct=5,
        counted_pct=99.9,
        fallen_off=2,
        stopped=True,
        full=True,
    ),
)
EARLIER = replace(FULL, total_energy_wh=1000.0, session=None)

amounts = st.floats(0, MOST_ENERGY_WH)
percents = st.none() | st.floats(0, 100)
sessions = st.builds(
    Session,
    energy_wh=amounts,
    charging_time_s=amounts,
    first_state_of_charge_pct=percents,
    counted_pct=percents,
    fallen_off=st.integers(0, 3),
    stopped=st.booleans(),
    full=st.booleans(),
)
contents = st.builds(
    Kept,
    total_energy_wh=amounts,
    master_term=st.integers(0, 0xFFFF_FFFF),
    session=st.none() | sessions,
)


@settings(deadline=None)
@given(contents)
def test_what_is_kept_is_what_was_given(kept: Kept) -> None:
    disk = FragileDisk()
    KeptFile(PATH, "RTS1", disk).save(kept)
    assert KeptFile(PATH, "RTS1", disk).load() == kept


@settings(deadline=None)
@given(
    st.lists(contents, min_size=1, max_size=4),
    st.integers(1, 30),
    st.integers(0, 400),
    st.sets(st.integers(0, 1)),
)
def test_a_power_loss_leaves_the_old_or_the_new(
    contents: list[Kept], cut_at: int, torn_bytes: int, happened: set[int]
) -> None:
    disk = FragileDisk(cut_at, torn_bytes=torn_bytes, happened=happened)
    expected = [Kept()]
    try:
        for kept in contents:
            expected.append(kept)
            KeptFile(PATH, "RTS1", disk).save(kept)
            expected = [kept]
    except PowerLoss:
        pass
    disk = disk.after_the_loss()
    assert KeptFile(PATH, "RTS1", disk).load() in expected
    KeptFile(PATH, "RTS1", disk).save(FULL)
    assert KeptFile(PATH, "RTS1", disk).load() == FULL


def test_each_step_of_a_save_was_cut() -> None:
    """So that the bounds of the property above are wide enough."""
    disk = FragileDisk()
    for _ in range(4):
        KeptFile(PATH, "RTS1", disk).save(FULL)
    assert disk.steps < 30


def kept_twice(folder: Path) -> Path:
    path = folder / "rts1.json"
    for kept in (EARLIER, FULL):
        KeptFile(path, "RTS1").save(kept)
    return path


def stored(kept: Kept, version: object = 1) -> bytes:
    disk = FragileDisk()
    KeptFile(PATH, "RTS1", disk).save(kept)
    return disk.read(PATH).replace(b'"version": 1', f'"version": {version}'.encode())


WHOLE = stored(FULL)
DAMAGES = {
    "empty": (b"", "torn, or no file of a station's"),
    "zeros": (b"\0" * 300, "torn, or no file of a station's"),
    "torn": (WHOLE[:150], "torn, or no file of a station's"),
    "no text": (b"\xff\xfe\x80", "torn, or no file of a station's"),
    "deep": (b"[" * 100_000, "torn, or no file of a station's"),
    "a list": (b"[1, 2]", "no file of a station's"),
    "another program's": (b'{"energy": 5}', "no file of a station's"),
    "of the future": (stored(FULL, 2), "of version 2, and this program reads version 1"),
    "changed by hand": (WHOLE.replace(b"1234.5", b"9234.5"), "its checksum is wrong"),
    "without its checksum": (json.dumps({"version": 1, "station": "RTS1"}).encode(), "its checksum is wrong"),
    "less than nothing": (stored(replace(FULL, total_energy_wh=-1.0)), "holds what can't be"),
    "more than the register": (stored(replace(FULL, total_energy_wh=2.0**32)), "holds what can't be"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_bad_file_is_set_aside_and_the_one_before_it_counts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    data, why = DAMAGES[name]
    path = kept_twice(tmp_path)
    path.write_bytes(data)
    assert KeptFile(path, "RTS1").load() == EARLIER
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: {why}; set aside as rts1.json.bad-1",
        f"{path}.old: energy and session go on from there",
    ]
    assert path.with_name("rts1.json.bad-1").read_bytes() == data
    assert KeptFile(path, "RTS1").load() == EARLIER


def test_both_are_bad(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = kept_twice(tmp_path)
    for n in (1, 2):
        caplog.clear()
        for file in (path, tmp_path / "rts1.json.old"):
            file.write_bytes(b"{")
        assert KeptFile(path, "RTS1").load() == Kept()
        assert [record.levelno for record in caplog.records] == [logging.ERROR] * 3
        assert caplog.messages[-1] == f"{path}: energy and session begin at 0"
        asides = {f"rts1.json.bad-{n}", f"rts1.json.old.bad-{n}"}
        assert asides <= {file.name for file in tmp_path.iterdir()}


@settings(deadline=None)
@given(st.data())
def test_no_damage_is_believed(data: st.DataObject) -> None:
    """One byte changed, or the end cut off: the same is read, or the one before."""
    disk = FragileDisk()
    for kept in (EARLIER, FULL):
        KeptFile(PATH, "RTS1", disk).save(kept)
    at = data.draw(st.integers(0, len(WHOLE) - 1))
    end = data.draw(st.sampled_from([WHOLE[at + 1 :], b""]))
    disk.files[PATH] = WHOLE[:at] + bytes([data.draw(st.integers(0, 255))]) + end
    assert KeptFile(PATH, "RTS1", disk).load() in (FULL, EARLIER)


def test_nothing_was_kept_yet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert KeptFile(tmp_path / "rts1.json", "RTS1").load() == Kept()
    assert caplog.messages == []


def test_another_station_s_file(tmp_path: Path) -> None:
    path = kept_twice(tmp_path)
    with pytest.raises(BadInput, match=r"rts1\.json is of station RTS1, not of RTS2: give each"):
        KeptFile(path, "RTS2").load()
    assert KeptFile(path, "RTS1").load() == FULL


def test_a_place_that_a_person_has_to_mend(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    remedy = "create it, and let this user write in it"
    for folder, why in (("missing", "No such file or directory"), ("notes.txt", "Not a directory")):
        with pytest.raises(BadInput, match=rf"{folder} can't be written: {why}; {remedy}"):
            KeptFile(tmp_path / folder / "rts1.json", "RTS1").load()
    with pytest.raises(BadInput, match=r"can't be read: Is a directory; name a file of this user's"):
        KeptFile(tmp_path, "RTS1").load()


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """As on a full disk, every write beyond it fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 100])
def test_a_full_disk_keeps_what_it_had(tmp_path: Path, size: int) -> None:
    path = kept_twice(tmp_path)
    file = KeptFile(path, "RTS1")
    with files_up_to(size), pytest.raises(OSError, match="File too large"):
        file.save(replace(FULL, master_term=7))
    assert file.load() == FULL
    file.save(replace(FULL, master_term=7))
    assert file.load().master_term == 7


class ReadOnlyDisk(Disk):
    def try_folder(self, path: Path) -> None:
        raise OSError(30, "Read-only file system", str(path))

    def write(self, path: Path, data: bytes) -> None:
        raise OSError(30, "Read-only file system", str(path))

    def rename(self, path: Path, to: Path) -> None:
        raise OSError(30, "Read-only file system", str(path))


def test_a_disk_that_can_t_be_written_at_the_start_is_no_reason_to_stay_away(tmp_path: Path) -> None:
    path = kept_twice(tmp_path)
    assert KeptFile(path, "RTS1", ReadOnlyDisk()).load() == FULL
    with files_up_to(0):
        assert KeptFile(path, "RTS1").load() == FULL


def test_a_bad_file_on_a_disk_that_is_read_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = kept_twice(tmp_path)
    path.write_bytes(b"")
    assert KeptFile(path, "RTS1", ReadOnlyDisk()).load() == EARLIER
    assert "can't be set aside: Read-only file system" in caplog.messages[0]
