"""What is finished, one JSON line for each run, so that a study that was cut off goes on where it was."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from grid_sim.study.model import VERSION, Found, Job

_FOUND = TypeAdapter(Found)


class Keys:
    """A run's key tells all that its result depends on: the program's version, the scenario, and what is
    in the files that it names, under `path` wherever that stands."""

    def __init__(self) -> None:
        self._digests: dict[Path, str] = {}

    def of(self, job: Job) -> str:
        files = (self._digest(job.path.parent / name) for name in _named(job.data))
        return sha256("\n".join([VERSION, repr(job.data), *files]).encode()).hexdigest()

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            try:
                self._digests[path] = _digest(path)
            except OSError as error:  # its reader will say so
                self._digests[path] = str(error.strerror)
        return self._digests[path]


def _digest(path: Path) -> str:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    found = (f"{file.name} {sha256(file.read_bytes()).hexdigest()}" for file in files if file.is_file())
    return "\n".join(found)


def _named(data: Any) -> Iterator[str]:
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        if isinstance(value, dict | list):
            yield from _named(value)
        elif key == "path" and isinstance(value, str):
            yield value


class Kept:
    """A file of results; what stands in it for other settings, or of another version, may stay."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.found = dict(self._read())

    def add(self, key: str, setting: Mapping[str, Any], found: Found) -> None:
        """On the disk when this returns."""
        line = {"key": key, "setting": setting, "found": asdict(found)}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.found[key] = found

    def _read(self) -> Iterator[tuple[str, Found]]:
        if not self._path.exists():
            return
        text = self._path.read_text(encoding="utf-8", errors="replace")
        if text and not text.endswith("\n"):  # the power was cut while it was written
            with self._path.open("a", encoding="utf-8") as file:
                file.write("\n")
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                yield str(entry["key"]), _FOUND.validate_python(entry["found"])
            except (ValueError, LookupError, TypeError, ValidationError):
                continue
