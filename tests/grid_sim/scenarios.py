"""Small scenarios for the tests, written and read as a person's."""

from pathlib import Path
from typing import Any

import pytest

from grid_sim.day.model import Scenario
from grid_sim.day.scenario_file import read_scenario, scenario_of
from register_maps.yaml_file import BadFile, read_yaml

HEAD = """\
scenario: Street
start: 2023-06-01T12:00:00
time_zone: Europe/Amsterdam
"""
NETWORK = """\
network:
  kind: radial
  source_voltage_v: 400
  lines: [{to: street, r_ohm: 0.05, x_ohm: 0.02}]
  loads:
    - {name: H1, bus: street, phases: a, low_w: 200, high_w: 2000, low_var: 20, high_var: 200}
    - {name: H2, bus: street, phases: b, low_w: 100, high_w: 1000}
    - {name: H3, bus: street, phases: c, low_w: 300, high_w: 3000}
"""
DEMAND = "demand: {share: {0: 0}}\n"
SITE = """\
rule: {price_limit: 0.2}
tariff: {kind: schedule, currency: EUR, default: 0.1}
circuits: [{name: street, power_limit_w: 20000, nominal_voltage_v: 230.9}]
"""
RATINGS = "circuit: street, rated_power_w: 7400, minimum_power_w: 1400"
STATIONS = f"stations:\n  - {{name: A, bus: street, phases: a, {RATINGS}}}\n"
AT_LOADS = f"stations:\n  - {{at: loads, {RATINGS}}}\n"
NO_CARS = "cars: []\n"
SHORTEST = HEAD + NETWORK + DEMAND + SITE + STATIONS + NO_CARS


def read(folder: Path, text: str) -> Scenario:
    path = folder / "day.yaml"
    path.write_text(text)
    return read_scenario(path)


def changed(folder: Path, text: str, **values: Any) -> Scenario:
    """With other values for some of the topmost keys."""
    path = folder / "day.yaml"
    path.write_text(text)
    return scenario_of(read_yaml(path) | values, path)


def faults(folder: Path, text: str) -> list[str]:
    """Each without the path in front, so 'line: place: message', and without the folder of other files."""
    with pytest.raises(BadFile) as caught:
        read(folder, text)
    lines = str(caught.value).splitlines()
    return [line.removeprefix(f"{folder / 'day.yaml'}:").strip().replace(f"{folder}/", "") for line in lines]
