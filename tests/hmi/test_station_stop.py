"""Stop on the screen: how soon the contactor is open, how soon the screen shows it, and without a master."""

import asyncio
import os
import statistics
import subprocess
import time
from collections.abc import AsyncIterator, Callable

import pytest
from displays import Screen
from processes import until
from station_stage import WITHIN_S, Station, StrangersMaster, start_again, until_button, until_title

from hmi.look import RED
from modbus_link.client import ModbusClient
from modbus_link.device import Device
from register_maps.register_map import load_map

Show = Callable[..., Screen]
Record = Callable[[str, object], None]

PRESSES = int(os.environ.get("PEV_PRESSES", "10"))
OPEN_WITHIN_S = 0.3
SHOWN_WITHIN_S = 0.2
WATCH_S = 0.005


class Watch:
    """Sees the contactor open and close, over a connection of its own."""

    def __init__(self, port: int) -> None:
        self.client = ModbusClient("127.0.0.1", port, timeout_s=1)
        self._device = Device(self.client, load_map("pev_rtu"), ["contactor_closed"])

    async def until(self, *, closed: bool) -> float:
        """When it was seen."""
        async with asyncio.timeout(WITHIN_S):
            while (await self._device.read())["contactor_closed"] is not closed:
                await asyncio.sleep(WATCH_S)
        return time.monotonic()


@pytest.fixture
async def watch(station: Station) -> AsyncIterator[Watch]:
    """Of a station that doesn't yet run, perhaps."""
    watch = Watch(station.port)
    async with watch.client:
        yield watch


async def stop(screen: Screen, watch: Watch) -> tuple[float, float]:
    """By the screen: when it was pressed, and when the contactor was seen open."""
    await until_button(screen, RED)
    pressed_at = await asyncio.to_thread(screen.press)  # the contactor is watched meanwhile
    opened_at = await watch.until(closed=False)
    await until_title(screen, "Stopped by you")
    return pressed_at, opened_at


async def stop_and_start(screen: Screen, watch: Watch, charging: str) -> None:
    await until_title(screen, charging)
    pressed_at, _ = await stop(screen, watch)
    await start_again(screen, pressed_at)
    await watch.until(closed=True)
    await until_title(screen, charging)


def xdotool_start_s() -> float:
    """Of which every press has a part."""
    times = []
    for _ in range(10):
        began = time.monotonic()
        subprocess.run(["xdotool", "version"], check=True, capture_output=True)
        times.append(time.monotonic() - began)
    return statistics.median(times)


def in_ms(seconds: float) -> int:
    return round(1000 * seconds)


@pytest.mark.alone
async def test_from_the_press_to_the_open_contactor(
    show: Show, station: Station, watch: Watch, record_property: Record
) -> None:
    station.begin()
    screen = show(station.port, "--size", "480x320")
    await until(lambda: watch.client.connected)
    took = []
    async with StrangersMaster(station.port) as master:
        for _ in range(PRESSES):
            pressed_at, opened_at = await stop(screen, watch)
            took.append(opened_at - pressed_at)
            await master.press("start")
            await watch.until(closed=True)
    record_property("press to open contactor, median, ms", in_ms(statistics.median(took)))
    record_property("press to open contactor, worst, ms", in_ms(max(took)))
    record_property("of which xdotool takes to start, ms", in_ms(xdotool_start_s()))
    assert max(took) < OPEN_WITHIN_S


@pytest.mark.alone
async def test_a_press_is_seen_on_the_button_at_once(
    show: Show, station: Station, record_property: Record
) -> None:
    """Even where no station answers: the finger must feel that it was taken."""
    rtu = station.begin()
    screen = show(station.port, "--size", "480x320")
    async with StrangersMaster(station.port):
        await until_title(screen, "RTS1: Charging")
        rtu.pause()
        x, y = screen.button_at
        box = (screen.box[0], y - 40, x, y + 40)
        before = screen.look(box).tobytes()
        pressed_at = screen.press()
        await until(lambda: screen.look(box).tobytes() != before)
        took_s = time.monotonic() - pressed_at
    record_property("press to a button that looks pressed, ms", in_ms(took_s))
    assert took_s < SHOWN_WITHIN_S


async def test_stop_and_start_with_the_master_gone(show: Show, station: Station, watch: Watch) -> None:
    station.begin(failsafe="{timeout_s: 1, power_limit_w: 2000, spread_s: 0}")
    screen = show(station.port, "--size", "480x320")
    charging = "RTS1: Charging: No contact with the master: safe mode"
    await until_title(screen, charging)  # no master has ever come
    await stop_and_start(screen, watch, charging)
    async with StrangersMaster(station.port) as master:
        await master.until(failsafe_active=False, contactor_closed=True)
        master.is_silent = True
        await master.until(failsafe_active=True, contactor_closed=True)
        await stop_and_start(screen, watch, charging)


async def test_who_hits_stop_twice_means_stop(show: Show, station: Station, watch: Watch) -> None:
    station.begin()
    screen = show(station.port, "--size", "480x320")
    async with StrangersMaster(station.port) as master:
        await until_title(screen, "RTS1: Charging")
        await stop(screen, watch)
        screen.press()
        stopped_at = time.monotonic()
        await until(lambda: time.monotonic() > stopped_at + 1)
        assert (await master.read())["user_stopped"]


async def test_only_the_button_stops(show: Show, station: Station) -> None:
    """Touches elsewhere, many of them, and the wheel."""
    station.begin()
    screen = show(station.port, "--size", "480x320")
    async with StrangersMaster(station.port) as master:
        await until_title(screen, "RTS1: Charging")
        left, top, right, bottom = screen.box
        for share in (0.05, 0.2, 0.4, 0.6):
            for x in (left + 5, (left + right) // 2, right - 5):
                screen.press((x, top + round((bottom - top) * share)))
        touched = await master.read()

        async def has_gone_on() -> bool:
            """For ten control steps, within which a press would have done something."""
            steps = float((await master.read())["heartbeat"] or 0) - float(touched["heartbeat"] or 0)
            return steps >= 10

        await until(has_gone_on, WITHIN_S)
        seen = await master.read()
        assert seen["contactor_closed"]
        assert not seen["user_stopped"]
        assert screen.title == "RTS1: Charging"
        assert RED in screen.colours()


async def test_an_order_that_was_carried_out_is_no_news(show: Show, station: Station) -> None:
    station.begin()
    screen = show(station.port, "--size", "480x320")
    async with StrangersMaster(station.port) as master:
        await until_title(screen, "RTS1: Charging")
        screen.press()
        await until_title(screen, "RTS1: Stopped by you")
        await master.press("start")
        await master.until(contactor_closed=True)
        await until_title(screen, "RTS1: Charging", within_s=2)
