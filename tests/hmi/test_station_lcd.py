"""The screen as an LCD in a station has it: full, dark when nobody looks, and with a clock that is set."""

import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

import pytest
from displays import ROOM, Screen, cursor_is_hidden
from processes import free_port, until
from station_stage import HOLD, Station, StrangersMaster, staged_rtu, until_seen, until_title, vehicle

from hmi.look import BLACK, BLUE

Show = Callable[..., Screen]

BLANK_S = 1.5
BLANK = ("--size", "480x320", "--blank-after", str(BLANK_S))
PRELOADS = [*Path("/usr/lib").glob("*/faketime/libfaketime.so.1")]


@contextlib.asynccontextmanager
async def charging() -> AsyncIterator[tuple[int, StrangersMaster]]:
    """The port of a station that charges, within the test, and its master."""
    port = free_port()
    async with staged_rtu(port) as board, StrangersMaster(port) as master:
        board.plug_in(vehicle(29))
        yield port, master


def is_dark(screen: Screen) -> bool:
    return screen.colours() == {BLACK}


async def test_fullscreen_fills_the_display_and_hides_the_cursor(show: Show, display: str) -> None:
    async with charging() as (port, master):
        screen = show(port, "--fullscreen")
        await until_title(screen, "RTS1: Charging")
        assert screen.box == (0, 0, *ROOM)
        assert screen.kind == "_NET_WM_WINDOW_TYPE_DOCK"  # no window manager gives it a title bar
        screen.press()
        await master.until(user_stopped=True)
        assert cursor_is_hidden(display)


async def test_an_idle_screen_goes_dark_and_a_touch_wakes_it(show: Show) -> None:
    port = free_port()
    async with staged_rtu(port) as board, StrangersMaster(port):
        screen = show(port, *BLANK)
        await until_title(screen, "RTS1: Free")
        await until_seen(lambda: is_dark(screen))
        screen.press()
        await until_seen(lambda: not is_dark(screen), 1.0)
        await until_seen(lambda: is_dark(screen))
        board.plug_in(vehicle(29))  # who plugs in sees that something happens
        await until_title(screen, "RTS1: Charging")
        await until_seen(lambda: not is_dark(screen), 1.0)


async def test_the_touch_that_wakes_it_presses_nothing(show: Show) -> None:
    async with charging() as (port, master):
        screen = show(port, *BLANK)
        await until_title(screen, "RTS1: Charging")
        screen.press()
        await until_title(screen, "RTS1: Stopped by you")
        await until_seen(lambda: is_dark(screen))
        screen.press()
        await until_seen(lambda: BLUE in screen.colours())
        assert (await master.read())["user_stopped"]
        await until_seen(lambda: is_dark(screen))  # in all this time it has not been started
        assert (await master.read())["user_stopped"]


async def test_it_stays_lit_while_there_is_something_to_stop(show: Show) -> None:
    async with charging() as (port, _):
        screen = show(port, *BLANK)
        await until_title(screen, "RTS1: Charging")
        until_then = time.monotonic() + 2 * BLANK_S
        while time.monotonic() < until_then:
            assert not is_dark(screen)
            await until_title(screen, "RTS1: Charging")


async def test_a_lit_screen_takes_every_stop(show: Show) -> None:
    """Even after a halt that was longer than the time to go dark: it is what the driver sees that counts."""
    async with charging() as (port, master):
        screen = show(port, *BLANK)
        await until_title(screen, "RTS1: Charging")
        screen.program.pause()
        paused_at = time.monotonic()
        screen.press()
        await until(lambda: time.monotonic() > paused_at + BLANK_S + 0.3)
        screen.program.go_on()
        await master.until(user_stopped=True, contactor_closed=False)


def logged_at(log: str, text: str) -> list[datetime]:
    """The times of day of the lines that have the text."""
    lines = [line for line in log.splitlines() if text in line]
    return [datetime.strptime(re.split(",", line)[0], "%Y-%m-%d %H:%M:%S") for line in lines]


async def test_a_clock_set_back_by_an_hour_stops_nothing(
    show: Show, station: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not PRELOADS:
        pytest.skip("libfaketime is missing")
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    rtu = station.begin()
    with monkeypatch.context() as faked:
        faked.setenv("LD_PRELOAD", str(PRELOADS[0]))
        faked.setenv("FAKETIME_TIMESTAMP_FILE", str(offset))
        faked.setenv("FAKETIME_NO_CACHE", "1")
        faked.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        faked.setenv("DONT_FAKE_MONOTONIC", "1")  # its older name
        screen = show(station.port, "--size", "480x320")
    async with StrangersMaster(station.port) as master:
        await until_title(screen, "RTS1: Charging")
        offset.write_text("-3600\n")
        master.give({**HOLD, "limit_reason": "operator"})
        await until_title(screen, "RTS1: Held by the operator", within_s=3)
        master.give({"charge_enable": True, "power_limit": 3300})
        await until_title(screen, "RTS1: Charging", within_s=3)
        screen.press()
        await master.until(user_stopped=True, contactor_closed=False)
        await until_title(screen, "RTS1: Stopped by you", within_s=3)
        rtu.kill()
        await until_title(screen, "RTS1: The station does not answer", within_s=3)
    # That the clock was set back indeed, its log shows.
    (connected,), (lost,) = (logged_at(screen.program.log, text) for text in ("connected", "lost"))
    assert 3400 < (connected - lost).total_seconds() < 3600
