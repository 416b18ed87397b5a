"""The demo's windows: the master's and both stations', where there is a display."""

import os
import subprocess
from collections.abc import Callable

import pytest
from processes import Program, wait_until

Start = Callable[..., Program]


def windows() -> dict[str, str]:
    """Titles by window, of what is in sight on the display."""
    found = _xdotool("search", "--onlyvisible", "--name", "^(Demo car park|RTS[12]:)").split()
    return {window: _xdotool("getwindowname", window).strip() for window in found}


def sees(*titles: str) -> bool:
    shown = sorted(windows().values())
    return len(shown) == len(titles) and all(a.startswith(b) for a, b in zip(shown, titles, strict=True))


def _xdotool(*args: str) -> str:
    return subprocess.run(["xdotool", *args], capture_output=True, text=True, timeout=10, check=False).stdout


def test_the_demo_opens_its_screens_and_closes_them(display: str, start: Start) -> None:
    demo = start("demo", "--seconds", "60")
    wait_until(lambda: sees("Demo car park", "RTS1: Charging", "RTS2: Waiting its turn"))
    assert "RTS1: charging at" in demo.log  # and in the terminal it says what happens
    demo.terminate()
    assert demo.process.returncode == 0
    wait_until(lambda: sees())


def test_who_closes_all_windows_ends_the_demo(display: str, start: Start) -> None:
    demo = start("demo", "--seconds", "60")
    wait_until(lambda: sees("Demo car park", "RTS1:", "RTS2:"))
    for window in windows():
        _xdotool("windowclose", window)
    wait_until(lambda: demo.process.poll() is not None)
    assert demo.process.returncode == 0
    assert "Traceback" not in demo.log


def test_without_a_display_the_demo_stays_in_the_terminal(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "DISPLAY", ":4711")
    demo = start("demo", "--seconds", "4")
    wait_until(lambda: demo.process.poll() is not None)
    assert demo.process.returncode == 0
    assert "limit 5.00 kW" in demo.log
