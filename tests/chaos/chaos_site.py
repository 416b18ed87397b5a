"""A site to be broken: a real master, stations behind a network that fails, and somebody who watches them.

The stations are processes of their own, or, with `inside`, run here on one feeder, so that the voltage at
each depends on what all of them draw.
"""

import asyncio
import contextlib
import json
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chaos_proxy import Fault, Proxy
from chaos_watch import Watch, watching
from processes import Program, free_port, until

from grid_sim.network.feeder import Feeder, FeederTap
from grid_sim.network.radial import RadialLine
from modbus_link.client import ModbusClient
from modbus_link.clock import Clock
from modbus_link.device import Device
from modbus_link.errors import LinkError
from modbus_link.server import ModbusServer
from register_maps.points import Value
from register_maps.register_map import load_map
from rtu_firmware.boards import sim_board
from rtu_firmware.rtu import Rtu
from rtu_firmware.sim_board import SimBoard
from rtu_firmware.station_file import read_station

RATED_W, MINIMUM_W = 3300, 1300
NOMINAL_V = 110
TRUNK_OHM = 0.055
"""Within the limit of the default settings the voltage stays in its band; one car more, and it does not."""
BRANCH_OHM = 0.01
CONTACTOR_S = 0.5
"""As long as a station gives its contactor to follow."""
RECOVERS_WITHIN_S = 40.0
MASTER_HOSTS = ("127.0.0.1", "127.0.0.2")
"""Masters come from machines of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    stations: int = 3
    power_limit_w: int = 7000
    share_w: int = 0
    """Of each station, when its master is silent."""
    scan_s: float = 0.25
    failsafe_s: int = 1
    rotation_s: float = 1.0
    """Short, so that contactors switch while things break."""
    inside: bool = False
    rtu: type[Rtu] = Rtu
    masters: int = 1
    redundant: bool = False
    """The second master is the standby; else they know nothing of each other."""
    tariff: Mapping[str, object] = field(
        default_factory=lambda: {"kind": "schedule", "currency": "USD", "default": 0.12}
    )
    environment: Mapping[str, str] = field(default_factory=dict)
    """Of the masters' processes."""

    @property
    def answer_s(self) -> float:
        """How long y may be exceeded: what was permitted on a reading that has just turned false is seen in
        the next scan, taken back in the one after, and the contactor needs its time."""
        return 2 * self.scan_s + CONTACTOR_S

    @property
    def steady_w(self) -> float:
        """What is drawn when nothing is broken."""
        room_w = self.power_limit_w - self.stations * self.share_w
        return RATED_W * min(self.stations, int(room_w // (RATED_W - self.share_w)))


class ChaosSite:
    def __init__(self, folder: Path, settings: Settings, rng: random.Random) -> None:
        self.folder, self.settings, self.rng = folder, settings, rng
        self.names = [f"RTS{n}" for n in range(1, settings.stations + 1)]
        self.masters = [f"master{n}" for n in range(1, settings.masters + 1)]
        self.ports = {name: free_port() for name in (*self.names, *self.masters)}
        self.lines = {
            (master, name): Proxy(free_port(), self.ports[name], rng, host)
            for master, host in zip(self.masters, MASTER_HOSTS, strict=False)
            for name in self.names
        }
        self.watch = Watch({name: self.ports[name] for name in self.names}, settings.power_limit_w)
        self.rtus: dict[str, Rtu] = {}
        self.stand_ins: dict[str, ModbusServer] = {}
        self.programs: dict[str, Program] = {}
        self._clients: dict[str, tuple[ModbusClient, Device]] = {}
        self._running_here: dict[str, asyncio.Task[None]] = {}
        self._feeder: Feeder | None = None
        if settings.inside:
            branches = [RadialLine(to=n, from_bus="trunk", r_ohm=BRANCH_OHM) for n in self.names]
            trunk = RadialLine(to="trunk", r_ohm=TRUNK_OHM)
            self._feeder = Feeder(NOMINAL_V, [trunk, *branches])
        self._write_files()

    @contextlib.asynccontextmanager
    async def running(self, *masters: str) -> AsyncIterator["ChaosSite"]:
        """All stations, and these masters (all of them unless named), until the first of them steers."""
        async with contextlib.AsyncExitStack() as stack:
            for line in self.lines.values():
                await stack.enter_async_context(line)
            stack.push_async_callback(self._end)
            for name in (*self.names, *(masters or self.masters)):
                self.launch(name)
            for name in self.masters:
                await self._open_client(name, stack)
            await stack.enter_async_context(watching(self.watch))
            await self.until_recovered()
            self.watch.forget()
            yield self

    # --- Breaking and mending ---

    def launch(self, name: str) -> None:
        if name in self.masters:
            environment = os.environ | self.settings.environment
            standby = ["--standby"] if self.settings.redundant and name != self.masters[0] else []
            args = ("master", f"{name}.yaml", *standby)
            self.programs[name] = Program(self.folder, *args, environment=environment)
        elif self.settings.inside:
            self._run_here(name)
        else:
            self.programs[name] = Program(self.folder, "rtu", f"{name}.yaml")

    async def kill(self, name: str) -> None:
        if name in self.names:
            await self.watch.stations[name].look()  # what it draws from now on, for all that anyone knows
        self.programs[name].kill()

    async def strike(self, fault: Fault, lines: list[tuple[str, str]]) -> None:
        for line in lines:
            await self.lines[line].strike(fault)

    async def heal(self) -> None:
        for line in self.lines.values():
            if line.fault is not Fault.NONE:
                await line.heal()

    # --- Looking ---

    async def until_recovered(self) -> float:
        """Until the master has them all again, and as much is drawn as may be; how long that took."""
        began = time.monotonic()
        await until(self.is_recovered, RECOVERS_WITHIN_S)
        return time.monotonic() - began

    async def is_recovered(self) -> bool:
        if self.watch.total_w < self.settings.steady_w - 1 or not self.all_heard():
            return False
        for name in self.masters:
            seen = await self.read_master(name)
            if seen and seen["silent_count"] == 0 and seen["role"] == "steering":
                return True
        return False

    def all_heard(self) -> bool:
        """Every station answers, and has a master."""
        stations, now = self.watch.stations.values(), time.monotonic()
        fresh = all(s.values and now - s.at < 0.5 for s in stations)
        return fresh and not any(s.values["failsafe_active"] for s in stations)

    async def until_safe(self, names: list[str]) -> float:
        """Until those who lost their master are safe; how long that took."""
        began = time.monotonic()
        await until(lambda: self.are_safe(names), RECOVERS_WITHIN_S)
        return time.monotonic() - began

    def are_safe(self, names: list[str]) -> bool:
        """They draw their share at the most."""
        return all(self.watch.stations[name].power_w <= self.settings.share_w + 1 for name in names)

    async def read_master(self, name: str = "master1") -> dict[str, Value] | None:
        try:
            return await self._clients[name][1].read()
        except LinkError:
            return None

    async def write_master(self, values: Mapping[str, Value], name: str = "master1") -> None:
        await self._clients[name][1].write(values)

    def holders(self) -> set[str]:
        """The masters, by their addresses, that hold the stations that run here."""
        holds = [rtu.image.hold for rtu in self.rtus.values()]
        return {hold.holder.host for hold in holds if hold and hold.holder}

    # --- Inside ---

    async def stop_here(self, name: str) -> None:
        task = self._running_here.pop(name, None)
        if task:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert self._feeder
            self._feeder.set_loads({name: 0.0})  # its contactor has fallen open

    def truth(self, name: str) -> Callable[[], float]:
        """What a station that runs here really draws."""

        def power_w() -> float:
            board = self.rtus[name].board
            assert isinstance(board, SimBoard)
            return board.power_w

        return power_w

    def _run_here(self, name: str) -> None:
        station = read_station(self.folder / f"{name}.yaml")
        board = sim_board(station)
        assert self._feeder
        board.line = FeederTap(self._feeder, name)
        self.rtus[name] = self.settings.rtu(station, board, Clock())
        self._running_here[name] = asyncio.create_task(self.rtus[name].run())

    async def _open_client(self, name: str, stack: contextlib.AsyncExitStack) -> None:
        client = ModbusClient("127.0.0.1", self.ports[name], timeout_s=1.0)
        await stack.enter_async_context(client)
        device = load_map("pev_master").expanded(station=len(self.names))
        wanted = [n for n in device.points if n.endswith(("_answers", "_limit_reason")) or n in SITE_POINTS]
        self._clients[name] = client, Device(client, device, wanted)

    async def _end(self) -> None:
        for program in self.programs.values():
            program.kill()
        for name in list(self._running_here):
            await self.stop_here(name)
        for server in self.stand_ins.values():
            await server.stop()

    def _write_files(self) -> None:
        for name in self.names:
            self._write(name, self._station_file(name))
        for name in self.masters:
            self._write(name, self._site_file(name))

    def _write(self, name: str, written: Mapping[str, object]) -> None:
        (self.folder / f"{name}.yaml").write_text(json.dumps(written))  # which is YAML too

    def _station_file(self, name: str) -> dict[str, object]:
        settings = self.settings
        return {
            "name": name,
            "board": "sim",
            "listen": {"host": "127.0.0.1", "port": self.ports[name]},
            "rated_power_w": RATED_W,
            "minimum_power_w": MINIMUM_W,
            "failsafe": {"timeout_s": settings.failsafe_s, "power_limit_w": settings.share_w},
            "vehicle": {"capacity_kwh": 100, "state_of_charge": 5},
        }

    def _site_file(self, master: str) -> dict[str, object]:
        settings = self.settings
        return {
            "site": "Chaos",
            "redundant": settings.redundant,
            "scan_period_s": settings.scan_s,
            "rule": {"price_limit": 0.2, "rotation_s": settings.rotation_s, "minimum_off_s": settings.scan_s},
            "tariff": dict(settings.tariff),
            "circuits": [
                {"name": "feeder", "power_limit_w": settings.power_limit_w, "nominal_voltage_v": NOMINAL_V}
            ],
            "stations": [
                {
                    "name": name,
                    "circuit": "feeder",
                    "host": "127.0.0.1",
                    "port": self.lines[master, name].port,
                    "rated_power_w": RATED_W,
                }
                for name in self.names
            ],
            "server": {"host": "127.0.0.1", "port": self.ports[master]},
        }


SITE_POINTS = {
    "charging_count",
    "heartbeat",
    "overruns",
    "power",
    "power_may_draw",
    "price",
    "price_known",
    "role",
    "scan_time",
    "scans",
    "silent_count",
}
