"""A study as plain values: what is to be run, and what came of each run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, TypeVar

from grid_sim.day.outcome import Outcome
from modbus_link.errors import Failed

T = TypeVar("T")

VERSION = version("pev-scada")
SEED = "seed"
"""The one thing varied that is chance: a setting has to stand it with every seed."""


class StudyStopped(Failed):
    """A study that could not go on. What is finished is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A scenario's mapping with a setting's values in it, and the file that it was read from."""

    data: dict[str, Any]
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    name: str
    about: str
    scenario: Path
    served: float
    """Who hosts cars gives them at least this share of what they could get."""
    varied: tuple[str, ...]
    """Dotted paths into the scenario."""
    settings: tuple[tuple[Any, ...], ...]
    """A value for each of `varied`; the last of them changes first, as the digits of a number do."""
    jobs: tuple[Job, ...]
    """One for each of `settings`."""

    def setting(self, index: int) -> dict[str, Any]:
        return dict(zip(self.varied, self.settings[index], strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of one run."""

    cars: int
    """Stations at which a car stands at least once."""
    controlled: Outcome | None
    """None: more is drawn than the network can carry."""
    uncontrolled: Outcome | None
    compared: bool
    """False: nobody asked for the uncontrolled run, so None of it says nothing."""


Run = Callable[[Job], Found]
Check = Callable[[Job], tuple[str, ...]]
"""The faults of a job's scenario, a line each."""


class Workers(Protocol):
    """Who does the work, here or elsewhere."""

    def each(self, function: Callable[[Job], T], jobs: Sequence[Job]) -> Iterator[tuple[int, T]]:
        """The index of each job with what `function` made of it, as they are finished. StudyStopped
        where workers are lost."""
        ...
