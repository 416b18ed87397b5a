"""A scenario's YAML file: what `pev-scada day SCENARIO.yaml` runs."""

from pathlib import Path
from typing import Any

from grid_sim.day.model import Scenario


def read_scenario(path: Path) -> Scenario:
    """The scenario in the file; BadFile with every fault in it and in the data that it names."""
    raise NotImplementedError


def scenario_of(data: dict[str, Any], path: Path) -> Scenario:
    """The same for a mapping that was read from `path` and then changed, as a study does."""
    raise NotImplementedError
