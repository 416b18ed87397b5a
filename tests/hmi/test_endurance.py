"""A day in a thousand updates, run fast, on a real display: nothing piles up in the window."""

from pathlib import Path

import pytest

pytest.importorskip("tkinter", reason="tkinter is missing", exc_type=ImportError)
pytest.importorskip("PySimpleGUI", reason="PySimpleGUI is missing", exc_type=ImportError)

from charging_day import pictures

from hmi.window import ScreenWindow

SIZE = (480, 320)
WARM_UP, UPDATES = 200, 800
MOST_ITEMS = 60
MOST_GROWTH_KB = 3000


def resident_kb() -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line)
    return int(line.split()[1])


def test_a_thousand_updates_leave_nothing_behind(
    display: str, monkeypatch: pytest.MonkeyPatch, record_property
) -> None:
    monkeypatch.setenv("DISPLAY", display)
    window = ScreenWindow("endurance", SIZE, font="DejaVu Sans")
    try:
        items, growth_kb = set(), 0
        for number, picture in enumerate(pictures(WARM_UP + UPDATES, SIZE, window.measure)):
            if number == WARM_UP:
                growth_kb = -resident_kb()
            window.paint(picture)
            assert list(window.events()) == []
            items.add(len(window._canvas.find_all()))
            assert len(window._canvas.find_all()) == len(picture.shapes)
        growth_kb += resident_kb()
    finally:
        window.close()
    record_property("resident memory grew by, kB", growth_kb)
    record_property("items on the canvas", f"{min(items)} to {max(items)}")
    assert max(items) <= MOST_ITEMS
    assert growth_kb < MOST_GROWTH_KB
