"""Real RTUs and real masters in one event loop, over real sockets, with short periods."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from processes import free_port, until

from hmi.master_reader import MasterReader
from hmi.master_view import MasterView, StationRow, master_view
from master_scada.events import Event
from master_scada.master import Master
from master_scada.model import Scan
from master_scada.site_file import read_site
from modbus_link.client import ModbusClient
from modbus_link.clock import Clock
from modbus_link.device import Device
from modbus_link.listen import Listen
from register_maps.points import Value
from rtu_firmware.boards import sim_board
from rtu_firmware.rtu import Rtu
from rtu_firmware.station_file import Failsafe, SimVehicle, StationFile

WITHIN_S = 15.0
"""For conditions that hold within a second on a machine that has nothing else to do."""


class LiveMaster:
    """A running master, its scans, and a third party that reads and writes its registers."""

    def __init__(self, path: Path, timeout_s: float | None) -> None:
        self.scans: list[Scan] = []
        self.events: list[str] = []
        self.master = Master(read_site(path), Clock(), timeout_s=timeout_s, on_scan=self._note)
        self._client: ModbusClient | None = None

    @property
    def port(self) -> int:
        return self.master.server.port

    async def connect(self, stack: contextlib.AsyncExitStack) -> None:
        client = ModbusClient("127.0.0.1", self.port, timeout_s=5)
        self._client = await stack.enter_async_context(client)
        await until(lambda: client.connected)
        self._reader = MasterReader(client)

    async def view(self) -> MasterView:
        return master_view(await self._reader.read())

    async def row(self, name: str = "RTS1") -> StationRow:
        return next(row for row in (await self.view()).stations if row.name == name)

    async def write(self, **values: Value) -> None:
        assert self._client
        await Device(self._client, self.master.image.map).write(values)

    async def until_row(self, holds: Callable[[StationRow], bool], name: str = "RTS1") -> None:
        async def row_holds() -> bool:
            return holds(await self.row(name))

        await until(row_holds, WITHIN_S)

    async def more_scans(self, count: int) -> list[Scan]:
        begin = len(self.scans)
        await until(lambda: len(self.scans) >= begin + count, WITHIN_S)
        return self.scans[begin:]

    def _note(self, scan: Scan, events: list[Event]) -> None:
        self.scans.append(scan)
        self.events += map(str, events)


class LiveSite:
    """Starts things on request; they end with the stack."""

    def __init__(self, folder: Path, stack: contextlib.AsyncExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._tasks: dict[object, asyncio.Task[None]] = {}

    async def rtu(self, name: str = "RTS1", *, port: int | None = None) -> Rtu:
        station = StationFile(
            name=name,
            board="sim",
            listen=Listen(port=free_port() if port is None else port),
            rated_power_w=3300,
            minimum_power_w=1300,
            failsafe=Failsafe(timeout_s=10),
            vehicle=SimVehicle(capacity_kwh=24, state_of_charge=5),
        )
        rtu = Rtu(station, sim_board(station), Clock())
        await self._start(rtu, rtu.run())
        return rtu

    async def master(
        self, ports: dict[str, int], *, timeout_s: float | None = 2.0, **settings: Any
    ) -> LiveMaster:
        """A running master of the stations at `ports`; `settings` are those of `site_file`."""
        return await self.master_of(self.site_file(ports, **settings), timeout_s=timeout_s)

    async def master_of(self, path: Path, *, timeout_s: float | None = 2.0) -> LiveMaster:
        live = LiveMaster(path, timeout_s)
        await self._start(live, live.master.run())
        await until(lambda: live.scans, WITHIN_S)
        await live.connect(self._stack)
        return live

    def site_file(
        self,
        ports: dict[str, int],
        *,
        power_limit_w: float = 5000,
        period_s: float = 0.1,
        map: str = "pev_rtu",
        tariff: str = "kind: schedule, currency: USD, default: 0.12",
        server_port: int = 0,
        more: str = "",
    ) -> Path:
        """`more` are more lines of the file."""
        path = self._folder / f"site-{len(self._tasks)}.yaml"
        stations = "".join(
            f"  - {{name: {name}, circuit: feeder, host: 127.0.0.1, port: {port}, map: {map},"
            " rated_power_w: 3300}\n"
            for name, port in ports.items()
        )
        path.write_text(
            f"site: Bench\nscan_period_s: {period_s}\n"
            "rule: {price_limit: 0.20, rotation_s: 900, minimum_off_s: 0.2}\n"
            f"tariff: {{{tariff}}}\n"
            "circuits:\n"
            f"  - {{name: feeder, power_limit_w: {power_limit_w}, nominal_voltage_v: 110}}\n"
            f"stations:\n{stations}"
            f"server: {{host: 127.0.0.1, port: {server_port}}}\n" + more
        )
        return path

    async def _start(self, key: object, program: Coroutine[Any, Any, None]) -> None:
        self._tasks[key] = asyncio.create_task(program)
        self._stack.push_async_callback(self.end, key)
        await asyncio.sleep(0)

    async def end(self, key: object) -> None:
        """Stop an RTU or a master: its port and its connections close."""
        task = self._tasks[key]
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def ports(*rtus: Rtu) -> dict[str, int]:
    return {rtu.station.name: rtu.server.port for rtu in rtus}


def is_charging(row: StationRow) -> bool:
    return row.state == "charging" and (row.power_w or 0) > 0


def why_not(reason: str) -> Callable[[StationRow], bool]:
    """Open for this reason."""
    return lambda row: row.reason == reason and row.power_w == 0
