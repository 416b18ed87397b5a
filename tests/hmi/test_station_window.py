"""The driver's screen in every state, as it is on a display; PEV_PICTURES keeps the pictures."""

from collections.abc import Callable
from pathlib import Path

import pytest
from displays import Screen, counted, sizes
from PIL import ImageColor
from processes import free_port
from station_stage import (
    HOLD,
    Station,
    StrangersMaster,
    staged_rtu,
    start_again,
    until_seen,
    until_title,
    vehicle,
)

from hmi.look import SKY, TRACK, Look
from register_maps.points import Value

Show = Callable[..., Screen]

SIZES = sizes()
DEAR: dict[str, Value] = {"price": 0.2001, "price_limit": 0.20}
REASONS: dict[str, tuple[dict[str, Value], str]] = {
    "price": ({"limit_reason": "price", **DEAR}, "Waiting: price 0.2001 is above 0.20"),
    "price_unknown": ({"limit_reason": "price", "price": None}, "Waiting: the price is unknown"),
    "price_settles": ({"limit_reason": "price", "price": 0.12}, "Waiting: the price has just fallen"),
    "power": ({"limit_reason": "power"}, "Waiting: no power left for now"),
    "voltage": ({"limit_reason": "voltage"}, "Limited by the feeder's voltage"),
    "waiting_turn": ({"limit_reason": "waiting_turn"}, "Waiting its turn"),
    "no_data": ({"limit_reason": "no_data"}, "Waiting: the master has no readings"),
    "operator": ({"limit_reason": "operator"}, "Held by the operator"),
}


class Album:
    """Keeps what a screen shows, once it shows it."""

    def __init__(self, screen: Screen, folder: Path, size: str) -> None:
        self._screen, self._folder, self._size = screen, folder, size

    async def keep(self, state: str, title: str, look: Look) -> None:
        await until_title(self._screen, title)
        # The window's title may be there a moment before its picture.
        await until_seen(lambda: look.value.fill in self._screen.colours())
        assert len(self._screen.colours()) > 8
        picture = self._screen.look()
        assert f"{picture.width}x{picture.height}" == self._size
        picture.quantize(64).save(self._folder / f"station_{state}_{self._size}.png")


def bar_pct(screen: Screen) -> float:
    """How full the bar is, by its pixels."""
    pixels = counted(screen.look())
    full, empty = (pixels.get(ImageColor.getrgb(colour)[:3], 0) for colour in (SKY, TRACK))
    return 100 * full / max(full + empty, 1)


@pytest.mark.parametrize("size", SIZES)
async def test_what_the_vehicle_and_the_board_bring_about(show: Show, pictures: Path, size: str) -> None:
    port = free_port()
    async with staged_rtu(port) as board, StrangersMaster(port):
        screen = show(port, "--size", size)
        album = Album(screen, pictures, size)
        await album.keep("free", "RTS1: Free: please plug in", Look.FREE)
        for charge in (5, 29, 50):
            board.plug_in(vehicle(charge))
            await until_seen(lambda charge=charge: abs(bar_pct(screen) - charge) < 1.5)
            await album.keep(f"charging_{charge}", "RTS1: Charging", Look.CHARGING)
        board.plug_in(vehicle(99, capacity_wh=2))
        await album.keep("full", "RTS1: Full: please unplug", Look.FULL)
        board.unplug()
        board.faults.sensor_dead = True
        await album.keep("sensor_failed", "Out of order: a sensor failed", Look.FAULT)


@pytest.mark.parametrize("size", SIZES)
async def test_a_contactor_that_stays_open_is_out_of_order(show: Show, pictures: Path, size: str) -> None:
    port = free_port()
    async with staged_rtu(port) as board, StrangersMaster(port):
        board.faults.stuck_open = True
        board.plug_in(vehicle(29))
        album = Album(show(port, "--size", size), pictures, size)
        await album.keep("faulted", "Out of order: contactor did not close", Look.FAULT)


@pytest.mark.parametrize("size", SIZES)
async def test_why_the_master_does_not_let_it_charge(show: Show, pictures: Path, size: str) -> None:
    port = free_port()
    async with staged_rtu(port) as board, StrangersMaster(port) as master:
        board.plug_in(vehicle(29))
        album = Album(show(port, "--size", size), pictures, size)
        for state, (orders, title) in REASONS.items():
            master.give({**HOLD, **orders})
            await album.keep(f"waiting_{state.removeprefix('waiting_')}", f"RTS1: {title}", Look.WAITING)


@pytest.mark.parametrize("size", SIZES)
async def test_stopped_by_the_driver_then_without_master_then_without_station(
    show: Show, station: Station, pictures: Path, size: str
) -> None:
    rtu = station.begin(failsafe="{timeout_s: 1, power_limit_w: 0}")
    screen = show(station.port, "--size", size)
    album = Album(screen, pictures, size)
    async with StrangersMaster(station.port) as master:
        await album.keep("charging", "RTS1: Charging", Look.CHARGING)
        stopped_at = screen.press()
        await album.keep("stopped", "RTS1: Stopped by you", Look.STOPPED)
        await start_again(screen, stopped_at)
        await until_title(screen, "RTS1: Charging")
        master.is_silent = True
        await album.keep("safe_mode", "RTS1: No contact with the master: safe mode", Look.WAITING)
        rtu.kill()
        await album.keep("silent", "RTS1: The station does not answer: Values are", Look.SILENT)


@pytest.mark.parametrize(
    ("state", "size", "options", "title"),
    [
        ("charging_29", "320x480", (), "RTS1: Charging"),
        ("charging_29_zh", "480x320", ("--language", "zh"), "RTS1: 正在充电"),
    ],
)
async def test_upright_and_in_another_language(
    show: Show, pictures: Path, state: str, size: str, options: tuple[str, ...], title: str
) -> None:
    port = free_port()
    async with staged_rtu(port) as board, StrangersMaster(port):
        board.plug_in(vehicle(29))
        await Album(show(port, "--size", size, *options), pictures, size).keep(state, title, Look.CHARGING)
