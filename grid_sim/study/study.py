"""Many days at once: a scenario with some of its values varied, and how many cars each setting hosts."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from grid_sim.study.cores import cores, on_cores
from grid_sim.study.hosting import hosting
from grid_sim.study.kept import Kept, Keys
from grid_sim.study.model import Check, Found, Job, Run, Study, Workers
from grid_sim.study.one_run import check_one, run_one
from grid_sim.study.page import write_page
from grid_sim.study.results import hosting_table, write_csv
from grid_sim.study.study_file import read_study
from modbus_link.errors import BadInput
from register_maps.yaml_file import BadFile, Fault

T = TypeVar("T")

MOST_FAULTS = 20
"""To be shown at once."""


def run_study(
    path: Path,
    folder: Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    check: Check = check_one,
    run: Run = run_one,
) -> None:
    """Runs what `folder` does not hold yet, and writes the table and the plot.

    BadFile with the faults of the study and of all its settings, before the first one runs. `check` and
    `run` are called in other processes, or on other machines.
    """
    if workers and scheduler:
        raise BadInput("--workers are this machine's and --scheduler has its own: give one of them")
    study = read_study(path)
    kept = _kept(folder)
    keys = Keys()
    names = [keys.of(job) for job in study.jobs]
    missing = [index for index, name in enumerate(names) if name not in kept.found]
    if missing:
        with _working(workers or cores(), len(missing), scheduler) as pool:
            _check_all(study, path, missing, _each(study, missing, pool, check, "reading"))
            for index, found in _each(study, missing, pool, run, "running"):
                kept.add(names[index], study.setting(index), found)
    _write(study, [kept.found[name] for name in names], folder)


def _kept(folder: Path) -> Kept:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Kept(folder / "runs.jsonl")
    except OSError as error:
        raise BadInput(f"{folder} can't be written: {error.strerror}; name another --out") from error


def _working(workers: int, jobs: int, scheduler: str | None) -> AbstractContextManager[Workers]:
    if scheduler is None:
        return on_cores(min(workers, jobs))
    from grid_sim.study.cluster import on_cluster  # an extra

    return on_cluster(scheduler)


def _each(
    study: Study, indices: Sequence[int], pool: Workers, function: Callable[[Job], T], doing: str
) -> Iterator[tuple[int, T]]:
    """Behind a bar; it tells of the whole study, so what was done before is done there, too."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        done = len(study.jobs) - len(indices)
        task = progress.add_task(f"{study.name}: {doing}", total=len(study.jobs), completed=done)
        for number, result in pool.each(function, [study.jobs[index] for index in indices]):
            yield indices[number], result
            progress.advance(task)


def _check_all(
    study: Study, path: Path, indices: Sequence[int], faults: Iterator[tuple[int, tuple[str, ...]]]
) -> None:
    found = defaultdict[str, list[int]](list)
    for index, lines in sorted(faults):
        for line in lines:
            found[line].append(index)
    messages = [f"{_common(study, where)}{line}" for line, where in found.items()]
    if len(messages) > MOST_FAULTS:
        messages[MOST_FAULTS:] = [f"and {len(messages) - MOST_FAULTS} faults more"]
    if messages:
        raise BadFile(path, [Fault(place=("scenario",), message=text) for text in messages])


def _common(study: Study, indices: Sequence[int]) -> str:
    """The values that all of these settings have, and not all of the study's."""
    first = study.setting(indices[0])
    shared = [
        f"{path} = {value}"
        for path, value in first.items()
        if all(study.setting(index)[path] == value for index in indices)
        and any(study.setting(index)[path] != value for index in range(len(study.jobs)))
    ]
    return f"with {', '.join(shared)}: " if shared else ""


def _write(study: Study, found: Sequence[Found], folder: Path) -> None:
    settings = hosting(study, found)
    write_csv(study, found, folder / "study.csv")
    write_page(study, settings, found, folder / "study.html")
    Console().print(hosting_table(study, settings))
    print(f"{len(found)} runs: {folder / 'study.html'}")
