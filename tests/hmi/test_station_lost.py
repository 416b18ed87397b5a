"""A station that hangs, dies, comes back or talks nonsense, before a screen; and screens that die."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable

import pytest
from displays import Screen
from processes import free_port, until
from station_stage import WITHIN_S, Station, StrangersMaster, staged_rtu, until_seen, until_title, vehicle

from hmi.look import SKY
from modbus_link.mbap import frame

Show = Callable[..., Screen]
Record = Callable[[str, object], None]

SILENT = "The station does not answer"
TOLD_WITHIN_S = 2.0
LIVE_WITHIN_S = 3.0
DELIVERED_WITHIN_S = 5.0


async def until_silent(screen: Screen, since: float) -> float:
    """How long it took; the old values are still there, and no longer in their colours."""
    await until_title(screen, f"RTS1: {SILENT}: Values are")
    took_s = time.monotonic() - since
    await until_seen(lambda: SKY not in screen.colours())
    return took_s


async def until_live(screen: Screen, since: float) -> float:
    await until_title(screen, "RTS1: Charging")
    took_s = time.monotonic() - since
    await until_seen(lambda: SKY in screen.colours())
    return took_s


@pytest.mark.alone
@pytest.mark.parametrize("how", ["kill", "pause"])
async def test_a_lost_station_is_told_and_found_again(
    show: Show, station: Station, record_property: Record, how: str
) -> None:
    rtu = station.begin()
    screen = show(station.port, "--size", "480x320")
    async with StrangersMaster(station.port):
        await until_live(screen, time.monotonic())
        lost_at = time.monotonic()
        rtu.kill() if how == "kill" else rtu.pause()
        silent_s = await until_silent(screen, lost_at)
        if how == "kill":
            station.begin()
        else:
            rtu.go_on()
        live_s = await until_live(screen, time.monotonic())
    record_property("told after, s", round(silent_s, 2))
    record_property("live again after, s", round(live_s, 2))
    assert silent_s < TOLD_WITHIN_S
    assert live_s < LIVE_WITHIN_S


async def test_a_stop_while_the_station_hangs_is_delivered_when_it_goes_on(
    show: Show, station: Station
) -> None:
    rtu = station.begin()
    screen = show(station.port, "--size", "480x320")
    async with StrangersMaster(station.port) as master:
        await until_live(screen, time.monotonic())
        rtu.pause()
        screen.press()
        await until_title(screen, f"RTS1: {SILENT}: Stopping")
        rtu.go_on()
        went_on_at = time.monotonic()
        await master.until(user_stopped=True, contactor_closed=False)
        assert time.monotonic() - went_on_at < DELIVERED_WITHIN_S
        await until_title(screen, "RTS1: Stopped by you")


async def test_a_stop_that_does_not_arrive_is_told(show: Show, station: Station) -> None:
    rtu = station.begin()
    screen = show(station.port, "--size", "480x320")
    async with StrangersMaster(station.port):
        await until_live(screen, time.monotonic())
        rtu.pause()
        screen.press()
        await until_title(screen, "RTS1: No answer to STOP: It may come late")


class Nonsense:
    """A server that says something else over each connection, and none of it is right."""

    def __init__(self) -> None:
        self.said: set[str] = set()
        self._ways = [self.noise, self.wrong_ids, self.wrong_lengths, self.nothing, self.any_values]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        way = self._ways[len(self.said) % len(self._ways)]
        try:
            await way(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.said.add(way.__name__)
            writer.transport.abort()

    @property
    def has_said_all(self) -> bool:
        return len(self.said) == len(self._ways)

    async def noise(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(300):
            writer.write(os.urandom(500))

    async def wrong_ids(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for number, pdu in _requests(reader):
            writer.write(frame((number + 5000) % 0x10000, 1, _reply(pdu)))
            if number > 4:  # it would listen to this for ever
                return

    async def wrong_lengths(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for number, pdu in _requests(reader):
            writer.write(frame(number, 1, _reply(pdu)[:-1]))
            if number > 8:
                return

    async def nothing(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def any_values(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Right in every respect, but for what it means."""
        async for number, pdu in _requests(reader):
            writer.write(frame(number, 1, _reply(pdu)))
            if number > 12:
                return


async def _requests(reader: asyncio.StreamReader) -> AsyncIterator[tuple[int, bytes]]:
    """Transaction id and PDU."""
    while True:
        head = await reader.readexactly(7)
        yield int.from_bytes(head[:2]), await reader.readexactly(int.from_bytes(head[4:6]) - 1)


def _reply(pdu: bytes) -> bytes:
    """To a read, with random values; and a refusal to tell what it is."""
    if pdu[0] == 0x2B:
        return bytes([0xAB, 1])
    count = int.from_bytes(pdu[3:5])
    size = (count + 7) // 8 if pdu[0] in (1, 2) else 2 * count
    return bytes([pdu[0], size]) + os.urandom(size)


async def test_nonsense_on_the_wire_does_not_harm_the_screen(show: Show) -> None:
    port, nonsense = free_port(), Nonsense()
    server = await asyncio.start_server(nonsense.serve, "127.0.0.1", port)
    screen = show(port, "--size", "480x320")
    try:
        await until_title(screen, f"{SILENT}: Nothing has been read yet")
        await until(lambda: nonsense.has_said_all, 2 * WITHIN_S)
        await until_title(screen, SILENT)
    finally:
        server.close()
        await server.wait_closed()
    async with staged_rtu(port) as board, StrangersMaster(port):
        board.plug_in(vehicle(29))
        await until_live(screen, time.monotonic())
    assert screen.program.process.poll() is None
    assert "Traceback" not in screen.program.log


@pytest.mark.parametrize("how", ["kill", "pause"])
async def test_a_screen_that_dies_changes_nothing(show: Show, station: Station, how: str) -> None:
    station.begin()
    screen, other = (show(station.port, "--size", size) for size in ("480x320", "800x480"))
    async with StrangersMaster(station.port) as master:
        await until_title(screen, "RTS1: Charging")
        await until_title(other, "RTS1: Charging")
        before = await master.read()
        screen.program.kill() if how == "kill" else screen.program.pause()
        closed = []

        async def has_charged_on() -> bool:
            seen = await master.read()
            closed.append(seen["contactor_closed"])
            return float(seen["charging_time"] or 0) >= float(before["charging_time"] or 0) + 2

        await until(has_charged_on, WITHIN_S)
        assert all(closed)
        assert (await master.read())["state"] == "charging"
        assert other.title == "RTS1: Charging"
        with contextlib.suppress(ProcessLookupError):
            screen.program.go_on()
