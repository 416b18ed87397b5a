"""Many days at once: a scenario with some of its values varied, and how many cars each setting hosts."""

from pathlib import Path


def run_study(path: Path, folder: Path, *, workers: int | None = None, scheduler: str | None = None) -> None:
    """Runs what `folder` does not hold yet, and writes the table and the plot."""
    raise NotImplementedError
