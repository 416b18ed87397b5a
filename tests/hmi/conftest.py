"""Displays, screens on them, and a station for them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from displays import Screen, pictures_folder, virtual_display
from processes import Program
from station_stage import Station

Start = Callable[..., Program]


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """A display for this worker's windows, one after the other; whatever is started shows itself there."""
    with virtual_display() as name, pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "DISPLAY", name)
        yield name


@pytest.fixture
def show(display: str, start: Start) -> Callable[..., Screen]:
    """`show(port, "--size", "480x320")` is a station's screen, when its window is there."""

    def show_one(port: int, *options: str) -> Screen:
        server = f"127.0.0.1:{port}"
        screen = Screen(start("hmi", "station", server, *options), server, display)
        screen.wait_for_window()
        return screen

    return show_one


@pytest.fixture
def station(tmp_path: Path, start: Start) -> Station:
    return Station(tmp_path, start)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return pictures_folder(tmp_path)
