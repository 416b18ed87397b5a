"""A study's YAML file: what `pev-scada study STUDY.yaml` runs."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import product
from math import prod
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Gt, Le, MinLen
from pydantic import with_config

from grid_sim.study.dotted import put
from grid_sim.study.model import Job, Study
from register_maps.yaml_file import STRICT_KEYS, BadFile, Fault, Faults, Real, read_yaml

MOST_RUNS = 10_000
"""More is a slip of the pen: each takes from some seconds to some minutes."""


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFile:
    study: Annotated[str, MinLen(1)]
    scenario: Annotated[str, MinLen(1)]
    vary: Annotated[dict[str, Annotated[list[Any], MinLen(1)]], MinLen(1)]
    set: dict[str, Any] = field(default_factory=dict)
    about: str = ""
    served: Annotated[Real, Gt(0), Le(1)] = 0.95


def read_study(path: Path) -> Study:
    """The study in the file; BadFile with every fault in it. Its scenarios are not looked into yet."""
    faults = Faults(path)
    data = read_yaml(path)
    if "study" not in data and "network" in data:
        raise BadFile(path, [Fault(place=(), message="is a scenario and no study; run it by `day`")])
    file = faults.parse(StudyFile, data)
    scenario, base = _scenario(data.get("scenario"), path, faults)
    vary, fixed = _mapping(data.get("vary")), _mapping(data.get("set"))
    _note_values(vary, fixed, faults)
    if base is not None:
        _note_paths(base, vary, fixed, faults)
    faults.raise_if_any()
    assert file is not None
    assert base is not None
    settings = tuple(product(*file.vary.values()))
    return Study(
        name=file.study,
        about=file.about,
        scenario=scenario,
        served=file.served,
        varied=tuple(file.vary),
        settings=settings,
        jobs=tuple(Job(data=_changed(base, file, values), path=scenario) for values in settings),
    )


def _changed(base: dict[str, Any], file: StudyFile, values: tuple[Any, ...]) -> dict[str, Any]:
    data = deepcopy(base)
    for path, value in (*file.set.items(), *zip(file.vary, values, strict=True)):
        put(data, path, value)
    return data


def _scenario(name: object, path: Path, faults: Faults) -> tuple[Path, dict[str, Any] | None]:
    scenario = path.parent / str(name)
    if not isinstance(name, str) or not name:
        return scenario, None
    try:
        return scenario, read_yaml(scenario)
    except BadFile as error:
        for fault in error.faults:
            faults.add(("scenario",), f"{name} {fault.message}")
        return scenario, None


def _note_values(vary: Mapping[str, Any], fixed: Mapping[str, Any], faults: Faults) -> None:
    for path, values in vary.items():
        if path in fixed:
            faults.add(("vary", path), "is in `set` too; leave it out of one of them")
        for index, value in enumerate(_list(values)):
            if value in values[:index]:
                faults.add(("vary", path, index), f"is {value!r} once more; each value needs one run")
    runs = prod(len(_list(values)) for values in vary.values())
    if runs > MOST_RUNS:
        faults.add(("vary",), f"makes {runs} runs, every value with every other; at most {MOST_RUNS}")


def _note_paths(
    base: dict[str, Any], vary: Mapping[str, Any], fixed: Mapping[str, Any], faults: Faults
) -> None:
    data = deepcopy(base)
    for section, path, value in _first_values(vary, fixed):
        try:
            put(data, path, value)
        except LookupError as error:
            faults.add((section, path), f"leads nowhere in the scenario: {error.args[0]}")


def _first_values(vary: Mapping[str, Any], fixed: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    yield from (("set", str(path), value) for path, value in fixed.items())
    yield from (("vary", str(path), next(iter(_list(values)), None)) for path, values in vary.items())


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
