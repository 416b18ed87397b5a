"""Who watches from outside: reads every station directly, many times a second, and adds up what is drawn."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.errors import LinkError
from register_maps.points import Value
from register_maps.register_map import load_map

LOOK_S = 0.05
ANSWER_S = 0.5
MAP = load_map("pev_rtu")
POINTS = ("contactor_closed", "failsafe_active", "power", "voltage")


@dataclass(slots=True)
class Station:
    """What was seen last. A station that does not answer draws on: a contactor stays as it was left."""

    port: int
    client: ModbusClient = field(init=False)
    device: Device = field(init=False)
    values: Mapping[str, Value] = field(default_factory=dict)
    at: float = 0.0

    truth: Callable[[], float] | None = None
    """Of a station that lies: what it really draws."""

    def __post_init__(self) -> None:
        self.use_new_client()

    def use_new_client(self) -> None:
        self.client = ModbusClient("127.0.0.1", self.port, timeout_s=ANSWER_S)
        self.device = Device(self.client, MAP, POINTS)

    @property
    def power_w(self) -> float:
        if self.truth:
            return self.truth()
        power = self.values.get("power")
        return float(power) if isinstance(power, int | float) else 0.0

    @property
    def voltage_v(self) -> float | None:
        if self.truth:
            return None
        voltage = self.values.get("voltage")
        return float(voltage) if isinstance(voltage, int | float) else None

    async def look(self) -> None:
        try:
            values = await self.device.read()
        except LinkError:
            if not self.client.connected:
                await self._connect_anew()
            return
        self.values, self.at = values, time.monotonic()

    async def _connect_anew(self) -> None:
        """At once: a client's own pauses are too long for who wants to see the first moment."""
        await self.client.close()
        self.use_new_client()
        self.client.start()


@dataclass(slots=True)
class Record:
    """The worst that was seen."""

    most_w: float = 0.0
    longest_above_s: float = 0.0
    longest_without_s: float = 0.0
    """In which nobody drew anything."""
    lowest_v: float = math.inf
    highest_v: float = 0.0
    tripped: set[str] = field(default_factory=set)
    """Stations that fell back on their failsafe limit."""


class Watch:
    """Over the stations on these ports, by their names."""

    def __init__(self, ports: Mapping[str, int], limit_w: float) -> None:
        self.limit_w = limit_w
        self.stations = {name: Station(port) for name, port in ports.items()}
        self.record = Record()
        self._above_since: float | None = None
        self._drew_at = math.inf

    @property
    def total_w(self) -> float:
        return sum(station.power_w for station in self.stations.values())

    def forget(self) -> None:
        self.record, self._above_since, self._drew_at = Record(), None, math.inf

    async def look(self) -> None:
        """At all of them, out of turn."""
        await asyncio.gather(*(station.look() for station in self.stations.values()))

    def add_up(self, now: float) -> None:
        record, total_w = self.record, self.total_w
        record.most_w = max(record.most_w, total_w)
        self._drew_at = now if total_w or math.isinf(self._drew_at) else self._drew_at
        record.longest_without_s = max(record.longest_without_s, now - self._drew_at)
        record.tripped |= {n for n, s in self.stations.items() if s.values.get("failsafe_active")}
        voltages = [v for s in self.stations.values() if (v := s.voltage_v) is not None]
        record.lowest_v = min([record.lowest_v, *voltages])
        record.highest_v = max([record.highest_v, *voltages])
        if total_w <= self.limit_w + 1:
            self._above_since = None
            return
        self._above_since = now if self._above_since is None else self._above_since
        record.longest_above_s = max(record.longest_above_s, now - self._above_since + LOOK_S)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for station in self.stations.values():
                group.create_task(self._follow(station))
            group.create_task(self._keep_adding())

    async def _follow(self, station: Station) -> None:
        while True:
            await station.look()
            await _until_next(0.0)  # all of them in the same moment

    async def _keep_adding(self) -> None:
        while True:
            await _until_next(LOOK_S / 2)
            self.add_up(time.monotonic())


async def _until_next(offset_s: float) -> None:
    await asyncio.sleep(LOOK_S - (time.monotonic() - offset_s) % LOOK_S)


@contextlib.asynccontextmanager
async def watching(watch: Watch) -> AsyncIterator[Watch]:
    for station in watch.stations.values():
        station.client.start()
    task = asyncio.create_task(watch.run())
    try:
        yield watch
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for station in watch.stations.values():
            await station.client.close()
