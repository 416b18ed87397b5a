"""How many cars a setting hosts: what is against each number of them, in the worst of the seeds."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from grid_sim.day.outcome import Outcome
from grid_sim.study.model import SEED, Found, Study

NO_SOLUTION, VOLTAGE, POWER, OVERLOAD, ENERGY = "no solution", "voltage", "power limit", "overload", "energy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Of a number of cars, with the rule or without it."""

    against: tuple[str, ...]
    """Nothing: they are hosted."""
    delivered_share: float | None
    """Of what was asked, with the worst seed; None where one has no solution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    cars: int
    """Those of the seed with the fewest."""
    controlled: Verdict
    uncontrolled: Verdict | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosted:
    """Up to how many cars nothing is against it, at every number that was tried."""

    cars: int
    tried: int
    """The next number tried, at which something is; the last one that was tried, if nothing ever is."""
    against: tuple[str, ...]

    def __str__(self) -> str:
        if not self.against:
            return f"at least {self.cars}"
        return str(self.cars) if self.cars or not self.tried else f"fewer than {self.tried}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What was varied besides the seed and what makes the number of cars."""

    values: tuple[tuple[str, Any], ...]
    levels: tuple[Level, ...]
    """By number of cars."""

    @property
    def controlled(self) -> Hosted:
        return _hosted([(level.cars, level.controlled) for level in self.levels])

    @property
    def uncontrolled(self) -> Hosted | None:
        verdicts = [(level.cars, level.uncontrolled) for level in self.levels if level.uncontrolled]
        return _hosted(verdicts) if verdicts else None


def against(outcome: Outcome | None, found: Found, served: float) -> tuple[str, ...]:
    """Why a run's cars are not hosted.

    They are to be served by what uncontrolled charging would have given them: who asks for more than the
    stay or the station can give gets it on no feeder. Where that is not known, by what they asked for,
    which is never less.
    """
    if outcome is None:
        return (NO_SOLUTION,)
    free = found.uncontrolled
    least_kwh = served * (free.delivered_kwh if free else outcome.requested_kwh)
    reasons = {
        VOLTAGE: outcome.minutes_out_beyond_answer > 0,
        POWER: outcome.minutes_over_power_limit > 0,
        OVERLOAD: outcome.minutes_overloaded > 0,
        ENERGY: outcome.delivered_kwh < least_kwh,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)


def hosting(study: Study, found: Sequence[Found]) -> tuple[Setting, ...]:
    """`found`: one for each of the study's settings, in order."""
    of_cars = {path for path in study.varied if path != SEED and _moves_cars(path, study, found)}
    rows = [(tuple(study.setting(index).items()), one) for index, one in enumerate(found)]
    settings = _grouped(rows, lambda path: path != SEED and path not in of_cars)
    return tuple(Setting(values=values, levels=_levels(group, study.served)) for values, group in settings)


_Values = tuple[tuple[str, Any], ...]
_Row = tuple[_Values, Found]


def _moves_cars(path: str, study: Study, found: Sequence[Found]) -> bool:
    """Whether there are more or fewer cars when this value alone is another."""
    index, seen = study.varied.index(path), dict[Hashable, int]()
    for values, one in zip(study.settings, found, strict=True):
        others = repr(values[:index] + values[index + 1 :])
        if seen.setdefault(others, one.cars) != one.cars:
            return True
    return False


def _grouped(rows: Sequence[_Row], counts: Callable[[str], bool]) -> list[tuple[_Values, list[_Row]]]:
    """By the values at the paths that count; in the order of the first of each."""
    groups = dict[str, tuple[_Values, list[_Row]]]()
    for values, one in rows:
        kept = tuple((path, value) for path, value in values if counts(path))
        groups.setdefault(repr(kept), (kept, []))[1].append((values, one))
    return list(groups.values())


def _levels(rows: Sequence[_Row], served: float) -> tuple[Level, ...]:
    groups = _grouped(rows, lambda path: path != SEED)
    levels = [_level([one for _, one in group], served) for _, group in groups]
    return tuple(sorted(levels, key=lambda level: level.cars))


def _level(seeds: Sequence[Found], served: float) -> Level:
    compared = [one for one in seeds if one.compared]
    return Level(
        cars=min(one.cars for one in seeds),
        controlled=_verdict(seeds, served, lambda one: one.controlled),
        uncontrolled=_verdict(compared, served, lambda one: one.uncontrolled) if compared else None,
    )


def _verdict(seeds: Sequence[Found], served: float, run: Callable[[Found], Outcome | None]) -> Verdict:
    reasons = (reason for one in seeds for reason in against(run(one), one, served))
    outcomes = [run(one) for one in seeds]
    shares = [outcome.delivered_share for outcome in outcomes if outcome]
    return Verdict(
        against=tuple(dict.fromkeys(reasons)),
        delivered_share=min(shares) if len(shares) == len(outcomes) else None,
    )


def _hosted(levels: Sequence[tuple[int, Verdict]]) -> Hosted:
    for tried, verdict in levels:
        if verdict.against:
            fewer = [cars for cars, _ in levels if cars < tried]
            return Hosted(cars=max(fewer, default=0), tried=tried, against=verdict.against)
    most = levels[-1][0]
    return Hosted(cars=most, tried=most, against=())
