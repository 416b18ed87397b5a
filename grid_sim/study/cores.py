"""Work on this machine's cores: a process each."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from grid_sim.study.model import Job, StudyStopped

T = TypeVar("T")


def cores() -> int:
    """That this program may use."""
    return len(os.sched_getaffinity(0))


class Cores:
    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def each(self, function: Callable[[Job], T], jobs: Sequence[Job]) -> Iterator[tuple[int, T]]:
        futures = {self._pool.submit(function, job): index for index, job in enumerate(jobs)}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise StudyStopped(
                "a process of this study was ended from outside, perhaps for want of memory: "
                "the same command goes on from here, fewer --workers need less"
            ) from error


@contextmanager
def on_cores(workers: int) -> Iterator[Cores]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_settle_in) as pool:
        try:
            yield Cores(pool)
        except BaseException:  # also Ctrl-C: nobody waits for what is half done
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def _settle_in() -> None:
    """A worker leaves Ctrl-C to the one who started it, and does not outlive it, however that one ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
