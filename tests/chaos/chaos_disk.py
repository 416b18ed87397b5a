"""A disk that takes nothing any more: neither the journal nor the log of a master."""

import resource
import sqlite3
import time
from contextlib import closing

from chaos_site import ChaosSite
from chaos_trial import Break, Mend


def disk_full(master: str) -> tuple[Break, Mend]:
    """By the limit on the size of this process's files, which needs no disk to fill: every write fails."""

    def limit(site: ChaosSite, size: int) -> None:
        pid = site.programs[master].process.pid
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, most))

    filled_at = 0.0

    async def fill(site: ChaosSite) -> list[str]:
        nonlocal filled_at
        limit(site, 0)
        filled_at = time.time()
        return []

    async def make_room(site: ChaosSite) -> None:
        assert last_event_at(site, master) <= filled_at, "the disk was not full"
        limit(site, resource.RLIM_INFINITY)

    return fill, make_room


def last_event_at(site: ChaosSite, master: str) -> float:
    """In seconds since 1970, as the journal has it."""
    path = site.folder / f"{master}.journal"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal:
        (found,) = journal.execute("SELECT MAX(time) FROM events").fetchone()
    return float(found or 0)
