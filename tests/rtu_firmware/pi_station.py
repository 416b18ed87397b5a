"""The station of `pi_hardware` and a real master on a real socket: stepped through time, or live."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from pi_hardware import SUPPLY_V, Hardware, station_file
from processes import until
from station_bench import running
from still_clock import StillClock

from master_scada.master import Master
from master_scada.model import Scan
from master_scada.site_file import read_site
from modbus_link.clock import Clock
from register_maps.points import Value
from rtu_firmware.boards import open_board
from rtu_firmware.pi.board import PiBoard
from rtu_firmware.pi.gpio import open_gpio
from rtu_firmware.pi.pins import Pins
from rtu_firmware.pi.sensing import Sensing
from rtu_firmware.pi.sensors import open_sensors
from rtu_firmware.rtu import Rtu

LOOK_S, LOOKS_PER_STEP, STEPS_PER_SCAN = 0.02, 5, 5


def site_file(folder: Path, port: int, *, scan_period_s: float) -> Path:
    path = folder / "site.yaml"
    path.write_text(
        f"site: Bench\nscan_period_s: {scan_period_s}\n"
        "rule: {price_limit: 0.20, rotation_s: 900, minimum_off_s: 0.2}\n"
        "tariff: {kind: schedule, currency: USD, default: 0.12}\n"
        f"circuits:\n  - {{name: feeder, power_limit_w: 100, nominal_voltage_v: {SUPPLY_V}}}\n"
        f"stations:\n  - {{name: RTS1, circuit: feeder, host: 127.0.0.1, port: {port}, map: pev_rtu,"
        " rated_power_w: 60}\nserver: {host: 127.0.0.1, port: 0}\n"
    )
    return path


@dataclass
class Site:
    """A station and its master, stepped through time together: 0.1 s a step, five steps a scan."""

    clock: StillClock
    hardware: Hardware
    board: PiBoard
    rtu: Rtu
    master: Master
    steps: int = 0

    async def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / (LOOK_S * LOOKS_PER_STEP))):
            await self.step()

    async def until(self, holds: Callable[[], object], within_s: float = 60.0) -> float:
        """How long it took."""
        began = self.clock.now()
        while not holds():
            assert self.clock.now() - began < within_s, (self.rtu.state, self.seen("fault_detail"))
            await self.step()
        return self.clock.now() - began

    async def step(self) -> None:
        await self.step_without_master()
        self.steps += 1
        if self.steps % STEPS_PER_SCAN == 0:
            await self.master.cycle()

    async def step_without_master(self) -> None:
        for _ in range(LOOKS_PER_STEP):
            self.board.watch.look()
            await turns(self.clock, LOOK_S)

    def seen(self, name: str) -> Value:
        return self.rtu.image[name]

    @property
    def is_charging(self) -> bool:
        return self.seen("state") == "charging" and self.hardware.contactor.is_closed()

    @property
    def scan(self) -> Scan:
        assert self.master.scan
        return self.master.scan


async def turns(clock: StillClock, seconds: float) -> None:
    """Time passes, and who has slept long enough has his turn: sensing, and the RTU."""
    for _ in range(round(seconds / LOOK_S)):
        clock.move_on(LOOK_S)
        for _ in range(3):
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def virtual_site(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """Instead of the board's threads running, time gives them their turns."""
    clock = StillClock()
    hardware = Hardware(clock)
    hardware.install(monkeypatch)
    station = station_file()
    meter, gauge = open_sensors(station.pi, SUPPLY_V, clock=clock)
    board = PiBoard(Pins(station.pi, open_gpio()), Sensing([meter, gauge], clock), clock)
    sensing = asyncio.create_task(board.sensing._run())  # as its thread does
    await turns(clock, 2.0)  # what the gauge needs after power-up
    rtu = Rtu(station, board, clock)
    async with running(rtu):
        path = site_file(folder, rtu.server.port, scan_period_s=STEPS_PER_SCAN * LOOKS_PER_STEP * LOOK_S)
        master = Master(read_site(path), clock, timeout_s=5)
        await master.lines.open(5.0)
        try:
            yield Site(clock, hardware, board, rtu, master)
        finally:
            await master.lines.close()
            sensing.cancel()


@contextlib.asynccontextmanager
async def live_site(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Hardware, Rtu, list[Scan]]]:
    """Threads and all; it charges."""
    clock = Clock()
    hardware = Hardware(clock)
    hardware.install(monkeypatch)
    station = station_file()
    rtu = Rtu(station, open_board(station, clock), clock)
    scans: list[Scan] = []
    async with running(rtu):
        path = site_file(folder, rtu.server.port, scan_period_s=0.2)
        master = Master(read_site(path), clock, timeout_s=5, on_scan=lambda scan, _: scans.append(scan))
        ruling = asyncio.create_task(master.run())
        try:
            await until(lambda: rtu.image["state"] == "charging", 15.0)
            yield hardware, rtu, scans
        finally:
            ruling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ruling
