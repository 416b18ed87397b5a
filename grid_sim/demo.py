"""A whole site on this machine: a master, two RTUs, their feeder, and an evening that happens to them.

Everything talks over real sockets; only time runs faster.
"""

import asyncio
import contextlib
import json
from collections import Counter, deque
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from grid_sim.demo_screens import DemoScreens
from grid_sim.network.feeder import Feeder, FeederTap
from grid_sim.story import (
    BEATS,
    LONGEST,
    NEIGHBOURS,
    SEGMENTS,
    SOURCE_VOLTAGE_V,
    SPEED,
    START,
    Beat,
    background_w,
)
from hmi.master_reader import MasterReader
from hmi.master_view import master_view
from hmi.screens import has_display
from hmi.terminal import screen
from master_scada.events import Event
from master_scada.master import Master
from master_scada.model import Scan
from master_scada.site_file import read_site
from modbus_link.client import ModbusClient
from modbus_link.clock import Clock
from modbus_link.device import Device
from modbus_link.errors import CannotListen, LinkError
from modbus_link.server import ModbusServer
from register_maps.vocabulary import LimitReason
from rtu_firmware.boards import sim_board
from rtu_firmware.rtu import Rtu
from rtu_firmware.station_file import read_station

FILES = Path(__file__).parent / "demo_site"
RTU_TICK_S = 1.0
FEEDER_TICK_S = 5.0
REQUEST_TIMEOUT_S = 1.0
AFTER_THE_END_S = 2.0
EVENTS_SHOWN = 8


async def run_demo(*, headless: bool, seconds: float | None, speed: float) -> None:
    """Tell the story, then stop everything: in windows where there is a display, else on the terminal; or
    as lines with one JSON line at the end."""
    windows = not headless and has_display()
    demo = Demo(speed=speed, prints=headless or windows, paints=not headless and not windows)
    async with contextlib.AsyncExitStack() as stack:
        await demo.start(stack)
        print(demo.addresses(), flush=True)
        if windows:
            demo.open_windows(stack)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await demo.watch_story()
    if headless:
        print(json.dumps(demo.tally.summary()), flush=True)


class Demo:
    """The site, its world and its people. `prints` what happens as lines; `paints` a live table."""

    def __init__(self, *, speed: float, prints: bool, paints: bool) -> None:
        self.clock = Clock(speed=SPEED * speed, start=START)
        self.feeder = Feeder(SOURCE_VOLTAGE_V, SEGMENTS)
        self.rtus = [self._rtu(path) for path in sorted(FILES.glob("rts*.yaml"))]
        self.master: Master
        self.tally = Tally()
        self.events: deque[str] = deque(maxlen=EVENTS_SHOWN)
        self._prints, self._paints = prints, paints
        self._programs: list[asyncio.Task[None]] = []

    def addresses(self) -> str:
        lines = [f"  pev_master  {self.master.server}  {self.master.site.name}"]
        lines += [f"  pev_rtu     {rtu.server}  {rtu.station.name}" for rtu in self.rtus]
        return "Modbus TCP servers, for any client while the demo runs:\n" + "\n".join(lines)

    async def start(self, stack: contextlib.AsyncExitStack) -> None:
        """Everything that runs beside the story; `stack` ends it."""
        stack.push_async_callback(self._end)
        for rtu in self.rtus:
            await _listen(rtu.server)
            stack.push_async_callback(rtu.server.stop)
            self._run(rtu.run())
        self.master = self._master()
        await _listen(self.master.server)
        stack.push_async_callback(self.master.server.stop)
        self._run(self._neighbours())
        self._run(self.master.run())
        if self._paints:
            self._run(self._paint())

    def open_windows(self, stack: contextlib.AsyncExitStack) -> None:
        screens = DemoScreens(self.master.server, [rtu.server for rtu in self.rtus], self.clock)
        stack.callback(screens.close)
        self._run(screens.until_all_closed())

    async def watch_story(self) -> None:
        """The story, beat by beat, until both cars are full, or all windows are closed. A program that ends
        before it does has failed: what it raised is raised here."""
        story = asyncio.create_task(self._story())
        try:
            done, _ = await asyncio.wait([story, *self._programs], return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                ended.result()
        finally:
            story.cancel()

    def _run(self, program: Coroutine[Any, Any, None]) -> None:
        self._programs.append(asyncio.create_task(program))

    async def _end(self) -> None:
        for task in reversed(self._programs):
            task.cancel()
        await asyncio.gather(*self._programs, return_exceptions=True)

    async def _first_scan(self) -> None:
        while self.master.scan is None:
            await asyncio.sleep(0.01)

    async def _story(self) -> None:
        await self._first_scan()
        for beat in BEATS:
            await self.clock.sleep_until(beat.after.total_seconds())
            await self._play(beat)
        while not all(rtu.image["fully_charged"] for rtu in self.rtus):
            if self.clock.now() > LONGEST.total_seconds():
                return
            await asyncio.sleep(0.1)
        await asyncio.sleep(AFTER_THE_END_S)

    async def _play(self, beat: Beat) -> None:
        """A person or a third party, with a Modbus client of its own."""
        self._tell(beat.text)
        servers = {rtu.station.name: rtu.server for rtu in self.rtus} | {"master": self.master.server}
        server = servers[beat.device]
        async with ModbusClient(server.host, server.port) as client:
            while not client.connected:
                await asyncio.sleep(0.01)
            await Device(client, server.image.map).write(beat.values)

    async def _neighbours(self) -> None:
        """The background load, which moves all the time."""
        next_at = self.clock.now()
        while True:
            elapsed = self.clock.time_of_day() - START
            self.feeder.set_loads({NEIGHBOURS: background_w(elapsed)})
            next_at = max(next_at + FEEDER_TICK_S, self.clock.now())
            await self.clock.sleep_until(next_at)

    async def _paint(self) -> None:
        server = self.master.server
        await self._first_scan()
        with Live(console=Console(), auto_refresh=False, transient=False) as live:
            async with ModbusClient(server.host, server.port) as client:
                reader = MasterReader(client)
                while True:
                    with contextlib.suppress(LinkError):
                        view = master_view(await reader.read())
                        time = f"{self.clock.time_of_day():%H:%M}"
                        live.update(screen(view, time, self.events, live.console.width), refresh=True)
                    await asyncio.sleep(0.25)

    def _on_scan(self, scan: Scan, events: list[Event]) -> None:
        self.tally.add(scan)
        for event in events:
            self._tell(str(event))

    def _tell(self, text: str) -> None:
        line = f"{self.clock.time_of_day():%H:%M:%S}  {text}"
        self.events.append(line)
        if self._prints:
            print(line, flush=True)

    def _rtu(self, path: Path) -> Rtu:
        station = read_station(path)
        board = sim_board(station)
        board.line = FeederTap(self.feeder, station.name)
        return Rtu(station, board, self.clock, tick_s=RTU_TICK_S)

    def _master(self) -> Master:
        site = read_site(FILES / "site.yaml")
        ports = {rtu.station.name: rtu.server.port for rtu in self.rtus}
        stations = tuple(replace(entry, port=ports[entry.name]) for entry in site.stations)
        site = replace(site, stations=stations, journal=None)
        return Master(site, self.clock, timeout_s=REQUEST_TIMEOUT_S, on_scan=self._on_scan)


@dataclass(slots=True)
class Tally:
    """What the demo counts: how often each reason limited a station, and every scan that broke a limit."""

    scans: int = 0
    overruns: int = 0
    violations: int = 0
    limits: Counter[str] = field(default_factory=Counter)
    energy_kwh: dict[str, float] = field(default_factory=dict)
    _reasons: dict[str, LimitReason] = field(default_factory=dict)
    _out_since: float | None = None

    def add(self, scan: Scan) -> None:
        self.scans, self.overruns = scan.number, scan.overruns
        for name, command in scan.commands.items():
            if self._reasons.get(name) != command.reason:
                self._reasons[name] = command.reason
                if command.reason is not LimitReason.NONE:
                    self.limits[command.reason] += 1
        for station in scan.plant.stations:
            if station.reading and station.reading.total_energy_wh is not None:
                self.energy_kwh[station.name] = round(station.reading.total_energy_wh / 1000, 3)
        over_power = scan.total_power_w > scan.plant.limit_w(scan.plant.feeder.main.name)
        self.violations += over_power or self._voltage_is_out_too_long(scan)

    def _voltage_is_out_too_long(self, scan: Scan) -> bool:
        """The rule answers one step at a time: every station may have to go, one settling time each."""
        main, plant = scan.plant.feeder.main, scan.plant
        band_v = [share * main.nominal_voltage_v for share in main.voltage_band]
        if all(band_v[0] <= v <= band_v[1] for v in scan.voltages_v()):
            self._out_since = None
            return False
        if self._out_since is None:
            self._out_since = scan.at
        return scan.at - self._out_since > (len(plant.stations) + 1) * plant.rules.settle_s

    def summary(self) -> dict[str, object]:
        return {
            "scans": self.scans,
            "overruns": self.overruns,
            "energy_kwh": self.energy_kwh,
            "limits": dict(sorted(self.limits.items())),
            "violations": self.violations,
        }


async def _listen(server: ModbusServer) -> None:
    """On the port of its file, or on any free one where another program has that."""
    try:
        await server.start()
    except CannotListen:
        server.port = 0
        await server.start()
