"""Who may import whom: the house of docs, kept by reading every import."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "register_maps": set(),
    "modbus_link": {"register_maps"},
    "rtu_firmware": {"modbus_link", "register_maps"},
    "master_scada": {"modbus_link", "register_maps"},
    "hmi": {"modbus_link", "register_maps"},
    "grid_sim": {"register_maps", "modbus_link", "rtu_firmware", "master_scada", "hmi"},
}
ONLY_IN = {
    "pymodbus": "modbus_link",
    "RPi": "rtu_firmware",
    "serial": "modbus_link",
    "smbus2": "rtu_firmware",
    "PySimpleGUI": "hmi",
    "distributed": "grid_sim",
    "jinja2": "grid_sim",
    "matplotlib": "grid_sim",
    "pandapower": "grid_sim",
    "power_grid_model": "grid_sim",
}
"""Third-party libraries that one package alone may know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    file: Path
    line: int
    module: str
    inside_function: bool

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module}"


def imports(file: Path) -> Iterator[Import]:
    tree = ast.parse(file.read_text())
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    inside = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        for name in _modules(node, file):
            top = name.partition(".")[0]
            yield Import(file=file, line=node.lineno, module=top, inside_function=id(node) in inside)


def _modules(node: ast.AST, file: Path) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""] if node.level == 0 else [file.parent.name]
    return []


@cache
def of_package(name: str) -> list[Import]:
    return [found for file in sorted((ROOT / name).rglob("*.py")) for found in imports(file)]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_knows_only_those_below_it(package: str) -> None:
    ours = [found for found in of_package(package) if found.module in {*MAY_IMPORT, "pev_scada"}]
    assert of_package(package)
    assert [str(found) for found in ours if found.module not in {package, *MAY_IMPORT[package]}] == []


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_known_in_one_package(library: str) -> None:
    others = [p for p in MAY_IMPORT if p != ONLY_IN[library]]
    found = [*(f for package in others for f in of_package(package)), *imports(ROOT / "pev_scada.py")]
    assert [str(f) for f in found if f.module == library] == []


def test_the_front_door_imports_a_part_only_when_it_is_called() -> None:
    ours = [found for found in imports(ROOT / "pev_scada.py") if found.module in MAY_IMPORT]
    assert {found.module for found in ours} >= {"rtu_firmware", "master_scada", "grid_sim"}
    assert [str(found) for found in ours if not found.inside_function] == []


def test_every_package_of_the_wheel_is_here() -> None:
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert packages == set(MAY_IMPORT)


def test_one_file_knows_the_window_library() -> None:
    gui = {"PySimpleGUI", "FreeSimpleGUI", "tkinter"}
    assert {found.file.name for found in of_package("hmi") if found.module in gui} == {"window.py"}


@pytest.mark.parametrize(
    ("package", "library", "file"),
    [
        ("rtu_firmware", "RPi", "gpio.py"),
        ("rtu_firmware", "smbus2", "i2c.py"),
        ("modbus_link", "serial", "serial_client.py"),
        ("grid_sim", "distributed", "cluster.py"),
        ("grid_sim", "jinja2", "template.py"),
        ("grid_sim", "matplotlib", "drawing.py"),
        ("grid_sim", "pandapower", "pandapower_network.py"),
        ("grid_sim", "power_grid_model", "power_flow.py"),
    ],
)
def test_one_file_knows_a_library(package: str, library: str, file: str) -> None:
    assert {found.file.name for found in of_package(package) if found.module == library} == {file}
