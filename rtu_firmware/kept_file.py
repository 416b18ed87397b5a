"""The file that outlives a power loss, and the one before it.

A new one is written beside the others, reaches the disk, and only then takes its place; the one that was
there stays as `.old`. So a power loss at any moment leaves a whole one, and a checksum tells which is whole.
"""

import contextlib
import json
import logging
import os
from dataclasses import asdict
from itertools import count
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from zlib import crc32

from pydantic import TypeAdapter

from modbus_link.errors import BadInput, reason
from rtu_firmware.kept import Kept

log = logging.getLogger(__name__)

VERSION = 1
_KEPT = TypeAdapter(Kept)
MISPLACED = (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError)
"""A person has to mend it. What else goes wrong on a disk may pass."""


class Disk:
    """What becomes of a file. Each call may raise OSError."""

    def try_folder(self, path: Path) -> None:
        """Whether a file can be made there."""
        with TemporaryFile(dir=path):
            pass

    def read(self, path: Path) -> bytes:
        return path.read_bytes()

    def write(self, path: Path, data: bytes) -> None:
        """Returns when it has reached the disk."""
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def rename(self, path: Path, to: Path) -> None:
        path.replace(to)

    def sync_folder(self, path: Path) -> None:
        """Returns when what was renamed in it has reached the disk."""
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def set_aside(self, path: Path) -> Path:
        """Under a name that nothing has yet."""
        names = (path.with_name(f"{path.name}.bad-{n}") for n in count(1))
        aside = next(name for name in names if not name.exists())
        self.rename(path, aside)
        return aside


class KeptFile:
    def __init__(self, path: Path, station: str, disk: Disk | None = None) -> None:
        self.path = path
        self._station = station
        self._disk = disk or Disk()
        self._older = path.with_name(path.name + ".old")
        self._newer = path.with_name(path.name + ".new")

    def load(self) -> Kept:
        """What was kept last; zeros where nothing was, or nothing whole is left. BadInput where `keep` names
        a place that can't be written, or another station's file."""
        self._require_place()
        damaged = False
        for path in (self.path, self._older):
            content = self._read(path)
            if isinstance(content, Kept):
                if damaged:
                    log.warning("%s: energy and session go on from there", path)
                return content
            if content:
                damaged = True
                log.error("%s: %s; %s", path, content, self._set_aside(path))
        if damaged:
            log.error("%s: energy and session begin at 0", self.path)
        return Kept()

    def save(self, kept: Kept) -> None:
        self._disk.write(self._newer, _text(self._station, kept).encode())
        with contextlib.suppress(FileNotFoundError):
            self._disk.rename(self.path, self._older)
        self._disk.rename(self._newer, self.path)
        self._disk.sync_folder(self.path.parent)

    def _require_place(self) -> None:
        folder = self.path.parent
        try:
            self._disk.try_folder(folder)
        except MISPLACED as error:
            why = f"keep: the folder {folder} can't be written: {reason(error)}"
            raise BadInput(f"{why}; create it, and let this user write in it") from error
        except OSError:
            return  # the first save tells it

    def _read(self, path: Path) -> Kept | str | None:
        """What is wrong with it, if that can't be used; None where there is no such file."""
        try:
            return self._parsed(path, self._disk.read(path))
        except FileNotFoundError:
            return None
        except MISPLACED as error:
            why = f"keep: {path} can't be read: {reason(error)}"
            raise BadInput(f"{why}; name a file of this user's") from error
        except OSError as error:
            return reason(error)

    def _parsed(self, path: Path, data: bytes) -> Kept | str:
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            return "torn, or no file of a station's"
        if not isinstance(found, dict) or "version" not in found:
            return "no file of a station's"
        if found["version"] != VERSION:
            return f"of version {found['version']}, and this program reads version {VERSION}"
        if found.pop("crc32", None) != _checksum(found):
            return "its checksum is wrong"
        if found.get("station") != self._station:
            raise BadInput(
                f"keep: {path} is of station {found.get('station')}, not of {self._station}: give each a file"
                " of its own, or move this one away"
            )
        try:
            return _KEPT.validate_python(found.get("kept"))
        except ValueError:
            return "holds what can't be"

    def _set_aside(self, path: Path) -> str:
        try:
            return f"set aside as {self._disk.set_aside(path).name}"
        except OSError as error:
            return f"can't be set aside: {reason(error)}"


def _text(station: str, kept: Kept) -> str:
    content = {"version": VERSION, "station": station, "kept": asdict(kept)}
    return json.dumps({**content, "crc32": _checksum(content)}, indent=1) + "\n"


def _checksum(content: dict[str, Any]) -> str:
    return f"{crc32(json.dumps(content, sort_keys=True).encode()):08x}"
