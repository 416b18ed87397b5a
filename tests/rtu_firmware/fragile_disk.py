"""A disk in memory that can lose its power at any moment, and one that takes nothing."""

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from rtu_firmware.kept_file import Disk


class PowerLoss(BaseException):
    """Nothing that runs may survive it."""


class FragileDisk(Disk):
    """Loses its power at step `cut_at`. A file that was being written then has its first `torn_bytes`; of
    what was renamed and not yet synced, only those renames happened whose numbers are in `happened`."""

    def __init__(
        self, cut_at: int | None = None, *, torn_bytes: int = 0, happened: Iterable[int] = ()
    ) -> None:
        self.files: dict[Path, bytes] = {}
        self.steps = 0
        self._on_disk: dict[Path, bytes] = {}
        self._renames: list[tuple[Path, Path, bytes]] = []
        self._cut_at, self._torn_bytes, self._happened = cut_at, torn_bytes, set(happened)

    def after_the_loss(self) -> "FragileDisk":
        """What is found when the power is back."""
        back = FragileDisk()
        back.files = dict(self._on_disk)
        for number, (path, to, data) in enumerate(self._renames):
            if number in self._happened:
                if back.files.get(path) == data:
                    del back.files[path]
                back.files[to] = data
        back._on_disk = dict(back.files)
        return back

    def try_folder(self, path: Path) -> None:
        """It has every folder."""

    def read(self, path: Path) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return self.files[path]

    def write(self, path: Path, data: bytes) -> None:
        self.files[path] = self._on_disk[path] = data[: self._torn_bytes]
        self._step()
        self.files[path] = self._on_disk[path] = data
        self._step()

    def rename(self, path: Path, to: Path) -> None:
        data = self.read(path)
        del self.files[path]
        self.files[to] = data
        self._renames.append((path, to, data))
        self._step()

    def sync_folder(self, path: Path) -> None:
        self._step()
        self._on_disk, self._renames = dict(self.files), []
        self._step()

    def set_aside(self, path: Path) -> Path:
        aside = path.with_name(path.name + ".bad-1")
        self.rename(path, aside)
        return aside

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self._cut_at:
            raise PowerLoss


class FullDisk(Disk):
    """Takes nothing until `is_full` is False."""

    def __init__(self) -> None:
        self.is_full = True
        self.tried = 0

    def write(self, path: Path, data: bytes) -> None:
        self.tried += 1
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        super().write(path, data)
