"""Work on a Dask cluster. The only file that knows distributed."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from typing import TypeVar

from distributed import Client, Future, KilledWorker, as_completed

from grid_sim.study.model import VERSION, Job, StudyStopped
from modbus_link.errors import BadInput

T = TypeVar("T")

ANSWER_S = 10.0
"""For the scheduler, and then for the first of its workers."""


class Cluster:
    def __init__(self, client: Client) -> None:
        self._client = client

    def each(self, function: Callable[[Job], T], jobs: Sequence[Job]) -> Iterator[tuple[int, T]]:
        indices = {self._submit(function, job): index for index, job in enumerate(jobs)}
        try:
            for future in as_completed(list(indices), loop=self._client.loop):
                yield indices.pop(future), future.result()  # pop: what we have is not worked out again
        except KilledWorker as error:
            raise StudyStopped(f"{error} The same command goes on from here.") from error
        except CancelledError as error:
            raise StudyStopped(
                "the connection to the Dask scheduler broke; the same command goes on from here"
            ) from error

    def _submit(self, function: Callable[[Job], T], job: Job) -> Future[T]:
        return self._client.submit(function, replace(job, path=job.path.absolute()), pure=False)


@contextmanager
def on_cluster(address: str, answer_s: float = ANSWER_S) -> Iterator[Cluster]:
    try:
        client = Client(address, timeout=answer_s, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BadInput(f"no Dask scheduler answers at {address}: {error}") from error
    with client:
        _compare_versions(client, address, answer_s)
        yield Cluster(client)


def _compare_versions(client: Client, address: str, answer_s: float) -> None:
    try:
        client.wait_for_workers(1, timeout=answer_s)
    except TimeoutError as error:
        raise BadInput(f"the Dask scheduler at {address} has no workers: start some") from error
    theirs = client.run(version, "pev-scada", on_error="return")
    others = sorted(f"{worker}: {_text(found)}" for worker, found in theirs.items() if found != VERSION)
    if others:
        raise BadInput(f"install pev-scada {VERSION} on all workers of {address}; {', '.join(others)}")


def _text(found: object) -> str:
    return f"has {found}" if isinstance(found, str) else "has none"
