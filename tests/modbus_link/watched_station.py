"""A running station that strangers do their worst to, and what is seen of it meanwhile by a master that
behaves, in its log and among the tasks of this process."""

import asyncio
import contextlib
import gc
import logging
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from still_clock import StillClock
from strict_station import NOTHING_ENTERED, StrictStation

from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.listen import Listen
from modbus_link.tls import TlsFiles
from register_maps.points import Table
from rtu_firmware.battery import Battery
from rtu_firmware.rtu import Rtu
from rtu_firmware.sim_board import ResistiveLine, SimBoard, Vehicle
from rtu_firmware.station_file import StationFile

DEADLINE_S = 10.0
"""What is not over by then hangs. Long, for machines that are busy."""
MASTER_AT = "127.0.0.1"
WORDS = [0, 0, 0, 6, 0, 1200, 0, 2000, 0, 0, 10]
"""The holding registers as the master writes them again and again; the third is its heartbeat. The term that
is there follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """Over TLS: the station's files, and how a master and a viewer connect to it."""

    station: TlsFiles
    master: ssl.SSLContext
    viewer: ssl.SSLContext


class WatchedBoard(SimBoard):
    """With a vehicle that is far from full; counts how often the contactor was told to close."""

    def __init__(self) -> None:
        battery = Battery(capacity_wh=1e6, max_power_w=3300)
        line = ResistiveLine(source_voltage_v=110, resistance_ohm=0.05)
        super().__init__(line, 3300, Vehicle(battery=battery, state_of_charge_pct=5))
        self.closings = 0
        self._was_told = False

    def switch(self, closed: bool, now: float) -> None:
        self.closings += closed and not self._was_told
        self._was_told = closed
        super().switch(closed, now)


class Alarms(logging.Handler):
    """What must not be logged: errors, and tracebacks."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or record.exc_info:
            self.texts.append(logging.Formatter().format(record))


class WatchedStation:
    """`start`, anything, `stop`, in one event loop. The master stays connected all the time if it `stays`,
    and else comes when it is needed."""

    def __init__(self, listen: Listen, secured: Secured | None, *, stays: bool) -> None:
        self.stays = stays
        self.board = WatchedBoard()
        self._clock = StillClock()
        self._rtu = Rtu(_station_file(listen, secured), self.board, self._clock)
        self._master_tls = secured.master if secured else None
        self._master: ModbusClient | None = None
        self._alarms = Alarms()

    @property
    def port(self) -> int:
        return self._rtu.server.port

    @property
    def strangers(self) -> int:
        """How many connections the server has that are not the master's."""
        return len(self._rtu.server._connections) - self.stays

    async def until_alone(self, but_for: int = 0) -> None:
        await until(lambda: self.strangers == but_for, "an end of connections that their clients have closed")

    async def start(self) -> None:
        gc.collect()  # what others have left behind is not ours
        logging.getLogger().addHandler(self._alarms)
        self._files = _open_files()
        self._running = asyncio.create_task(self._rtu.run())
        await until(lambda: self.port != 0, "a port")
        if self.stays:
            self._master = await self._connected()

    async def stop(self) -> None:
        """And nothing of it is left."""
        try:
            await self._stop()
        finally:
            logging.getLogger().removeHandler(self._alarms)

    async def _stop(self) -> None:
        if self._master:
            await self._master.close()
        self._running.cancel()
        done, _ = await asyncio.wait([self._running], timeout=DEADLINE_S)
        assert done, "it does not stop"
        await until(lambda: not _other_tasks(), "an end of all tasks")
        assert not self._rtu.server._connections
        await until(lambda: _open_files() <= self._files, "an end of all files")
        self.check_log()

    async def prepare(self) -> StrictStation:
        """As the master leaves it: alive, and without permission to charge."""
        async with self._device() as (client, device):
            (beat,) = await client.read(Table.HOLDING_REGISTER, 2, 1, 1)
            term = await client.read(Table.HOLDING_REGISTER, 11, 2, 1)
            beat = (beat + 1) % 0x10000  # of whatever is there: only a change is a heartbeat
            words = [*WORDS[:2], beat, *WORDS[3:], *term, NOTHING_ENTERED]
            await client.write(Table.HOLDING_REGISTER, 11, term, 1)
            await client.write(Table.COIL, 0, [0], 1)
            await client.write(Table.HOLDING_REGISTER, 0, words, 1)
            await self.pass_time(0.1)
            seen = await device.read()
        assert (seen["master_heartbeat"], seen["charge_enable"]) == (beat, False)
        assert (seen["vehicle_connected"], seen["failsafe_active"], seen["fault"]) == (True, False, False)
        return StrictStation(words=words)

    async def pass_time(self, seconds: float) -> None:
        before = self._rtu.image["heartbeat"]
        self._clock.move_on(seconds)
        await until(lambda: self._rtu.image["heartbeat"] != before, "a step of the station")

    async def check(self, expected: StrictStation) -> None:
        """As it should be, all strangers being gone."""
        async with self._device() as (client, device):
            coils = await client.read(Table.COIL, 0, 3, 1)
            words = await client.read(Table.HOLDING_REGISTER, 0, 14, 1)
            if (await device.read())["failsafe_active"]:
                expected.trip_failsafe()
        assert (list(coils), list(words)) == ([expected.charge_enable, 0, 0], expected.words)
        await until(lambda: len(_other_tasks()) == 1 + self.stays, "an end of the tasks of connections")
        assert not self._alarms.texts, self._alarms.texts[0]

    def check_log(self) -> None:
        """With what a task that failed unseen says only when it is collected."""
        gc.collect()
        assert not self._alarms.texts, self._alarms.texts[0]

    @contextlib.asynccontextmanager
    async def _device(self) -> AsyncIterator[tuple[ModbusClient, Device]]:
        client = self._master or await self._connected()
        try:
            yield client, Device(client, self._rtu.image.map)
        finally:
            if client is not self._master:
                await client.close()
                await self.until_alone()

    async def _connected(self) -> ModbusClient:
        client = ModbusClient(MASTER_AT, self.port, timeout_s=DEADLINE_S, tls=self._master_tls)
        client.start()
        await until(lambda: client.connected, "the master's connection")
        return client


async def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, f"not in time: {what}"
        await asyncio.sleep(0)


def _station_file(listen: Listen, secured: Secured | None) -> StationFile:
    return StationFile(
        name="RTS1",
        board="sim",
        listen=listen,
        rated_power_w=3300,
        minimum_power_w=1300,
        tls=secured.station if secured else None,
    )


def _other_tasks() -> set[asyncio.Task]:
    return asyncio.all_tasks() - {asyncio.current_task()}


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))
