"""A program that writes a journal, for tests that kill it or take its disk away: PATH kill|limit."""

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from master_scada.journal import Journal, JournalFile, Row

BATCH = 3


def rows(number: int) -> list[Row]:
    return [Row(time.time(), "state", "site", f"row {n} of {number}", str(number)) for n in range(BATCH)]


def write_until_killed(path: Path) -> None:
    journal = Journal(JournalFile(path=path))
    journal.open()
    print("begun", flush=True)
    number = 0
    while True:
        number += 1
        journal.add(rows(number))
        time.sleep(0.001)


def write_without_room(path: Path) -> None:
    """No file may grow any more, then they may again; meanwhile more comes than memory keeps."""
    journal = Journal(JournalFile(path=path), retry_s=0.05, most_waiting=30)
    journal.open()
    journal.add(rows(1))
    _until(lambda: path.stat().st_size > 0 and not journal.trouble and not journal.is_behind)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    journal.add(rows(2))
    _until(lambda: journal.trouble)
    print("trouble:", journal.trouble, flush=True)
    for number in range(3, 23):
        journal.add(rows(number))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    _until(lambda: not journal.trouble and not journal.is_behind)
    journal.close()
    print("over")


def _until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit("it never came true")
        time.sleep(0.01)


if __name__ == "__main__":
    {"kill": write_until_killed, "limit": write_without_room}[sys.argv[2]](Path(sys.argv[1]))
