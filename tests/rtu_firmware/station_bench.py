"""What the tests of the station share: the logic stepped through time, a settable clock, a master."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from still_clock import StillClock

from modbus_link.client import ModbusClient
from modbus_link.clock import Clock
from modbus_link.device import Device
from register_maps.points import Value
from register_maps.register_map import load_map
from rtu_firmware.board import Measurement
from rtu_firmware.boards import sim_board
from rtu_firmware.charging import first_state, step
from rtu_firmware.model import Decision, Orders, Ratings
from rtu_firmware.rtu import Rtu
from rtu_firmware.sim_board import SimBoard
from rtu_firmware.station_file import Failsafe, Listen, SimVehicle, StationFile

RATINGS = Ratings(
    rated_power_w=3300, minimum_power_w=1300, nominal_voltage_v=110, emergency_band=(0.85, 1.15)
)
TICK_S = 0.1


class Bench:
    """The charging logic with a world around it that is right until a test breaks it.

    `broken` replaces measured values, `age_s` dates them back, `contactor` None follows its orders and
    True or False stays there.
    """

    def __init__(self, ratings: Ratings = RATINGS, **orders: Any) -> None:
        self.now = 1000.0
        self.ratings = ratings
        self.orders = Orders(**orders)
        self.master_is_alive = True
        self.broken: dict[str, Any] = {}
        self.age_s = 0.0
        self.contactor: bool | None = None
        self.state = first_state(self.orders, self.now)

    @property
    def decision(self) -> Decision:
        return self.state.decision

    @property
    def is_closed(self) -> bool:
        return self.decision.close_contactor

    def measurement(self) -> Measurement:
        closed = self.is_closed if self.contactor is None else self.contactor
        power_w = self.decision.power_limit_w if closed else 0.0
        seen = Measurement(
            at=self.now - self.age_s,
            vehicle_connected=True,
            contactor_closed=closed,
            voltage_v=110.0,
            current_a=power_w / 110.0,
            power_w=power_w,
            state_of_charge_pct=50.0,
            battery_capacity_wh=24_000.0,
        )
        return replace(seen, **self.broken)

    def step(self, elapsed_s: float = TICK_S, **orders: Any) -> Decision:
        """One step; the given orders stay, but for `stop` and `start`, which are pulses."""
        self.now += elapsed_s
        beat = self.orders.heartbeat + self.master_is_alive
        self.orders = replace(self.orders, **({"heartbeat": beat} | orders))
        self.state = step(self.state, self.measurement(), self.orders, self.ratings, self.now)
        self.orders = replace(self.orders, stop=False, start=False)
        return self.decision

    def run(self, seconds: float, **orders: Any) -> Decision:
        for _ in range(round(seconds / TICK_S)):
            self.step(**orders)
        return self.decision

    def seconds_until(self, condition: Callable[[], bool], within_s: float = 60.0) -> float:
        begin = self.now
        while not condition():
            assert self.now - begin < within_s, self.state
            self.step()
        return self.now - begin


def charging_bench(**changes: Any) -> Bench:
    """A bench whose vehicle charges."""
    bench = Bench(**({"charge_enable": True, "power_limit_w": 3300.0} | changes))
    bench.run(2)
    assert bench.is_closed
    return bench


class SettableClock(StillClock):
    """Moves on in ticks."""

    async def advance(self, seconds: float, tick_s: float = TICK_S) -> None:
        """Whoever sleeps until one of the ticks has run when it is over."""
        for _ in range(round(seconds / tick_s)):
            self.move_on(tick_s)
            await asyncio.sleep(0)


class FakeMaster:
    """The least that a master does in a scan: heartbeat, limit and permission out, the values in."""

    def __init__(self, client: ModbusClient) -> None:
        self.client = client
        self.device = Device(client, load_map("pev_rtu"))
        self._count = 0

    async def scan(self, *, power_limit: float = 3300, charge_enable: bool = True) -> dict[str, Value]:
        self._count += 1
        await self.device.write({"power_limit": power_limit, "master_heartbeat": self._count})
        await self.device.write({"charge_enable": charge_enable})
        return await self.device.read()


def station_file(*, capacity_kwh: float = 24, state_of_charge: float = 5, **changes: Any) -> StationFile:
    station = StationFile(
        name="RTS1",
        board="sim",
        listen=Listen(port=0),
        rated_power_w=3300,
        minimum_power_w=1300,
        failsafe=Failsafe(timeout_s=10, power_limit_w=0),
        vehicle=SimVehicle(capacity_kwh=capacity_kwh, state_of_charge=state_of_charge),
    )
    return replace(station, **changes)


@contextlib.asynccontextmanager
async def running(rtu: Rtu) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(rtu.run())
    try:
        while rtu.server.port == 0 and not task.done():
            await asyncio.sleep(0)
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def mastered(
    station: StationFile, clock: Clock, *, tick_s: float = TICK_S
) -> AsyncIterator[tuple[Rtu, SimBoard, FakeMaster]]:
    """A running RTU with its simulated board, and a master connected to it."""
    board = sim_board(station)
    rtu = Rtu(station, board, clock, tick_s=tick_s)
    async with running(rtu), ModbusClient("127.0.0.1", rtu.server.port, timeout_s=10) as client:
        while not client.connected:
            await asyncio.sleep(0)
        yield rtu, board, FakeMaster(client)
