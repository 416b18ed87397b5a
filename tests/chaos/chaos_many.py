"""A hundred stations and a master, both as processes of their own; half of the stations stand behind a
network that can swallow them. What the master says of them is read from its registers."""

import asyncio
import contextlib
import json
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from chaos_proxy import Fault, Proxy
from processes import Program, free_port, until

from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.errors import LinkError
from register_maps.points import Table, Value
from register_maps.register_map import load_map

SERVE = Path(__file__).parents[2] / "benchmarks" / "scan.py"
MAP = load_map("pev_master")
ANSWERS = MAP.groups["station"].points["answers"]
STRIDE = MAP.groups["station"].stride[Table.DISCRETE_INPUT]
LOOK_S = 0.02
WITHIN_S = 20.0


@contextlib.contextmanager
def many_rtus(count: int) -> Iterator[list[int]]:
    """Their ports. Where its input ends, so does the process."""
    command = [sys.executable, str(SERVE), "--serve", str(count)]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, text=True) as process:
        try:
            assert process.stdout
            yield json.loads(process.stdout.readline())
        finally:
            process.kill()


class ManyStations:
    """`running` from its first scan of all stations on."""

    def __init__(self, folder: Path, ports: list[int], mortal: int, rng: random.Random) -> None:
        self.lines = [Proxy(free_port(), port, rng) for port in ports[:mortal]]
        self._rng, self._count, self._port = rng, len(ports), free_port()
        self._folder = folder
        reached = [*(line.port for line in self.lines), *ports[mortal:]]
        (folder / "many.yaml").write_text(json.dumps(self._site_file(reached)))
        self._client = ModbusClient("127.0.0.1", self._port)
        names = ("overruns", "scans", "scan_time", "silent_count")
        self._device = Device(self._client, MAP, names)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["ManyStations"]:
        async with contextlib.AsyncExitStack() as stack:
            for line in self.lines:
                await stack.enter_async_context(line)
            program = Program(self._folder, "master", "many.yaml")
            stack.callback(program.kill)
            await stack.enter_async_context(self._client)
            await until(self._all_answer, WITHIN_S)
            yield self

    async def read(self) -> dict[str, Value]:
        return await self._device.read()

    async def strike(self) -> list[float]:
        """All lines, each at a moment of its own within a second; how long each station was still said to
        answer."""
        return await self._change(False)

    async def heal(self) -> list[float]:
        """The same, until they are said to answer again."""
        return await self._change(True)

    async def _change(self, live: bool) -> list[float]:
        changed_at: dict[int, float] = {}

        async def change(number: int, line: Proxy) -> None:
            await asyncio.sleep(self._rng.random())
            changed_at[number] = time.monotonic()
            await (line.heal() if live else line.strike(Fault.BLACK_HOLE))

        async with asyncio.TaskGroup() as group:
            for number, line in enumerate(self.lines):
                group.create_task(change(number, line))
            seen_at = await self._until_seen(live)
        return [seen_at[number] - at for number, at in changed_at.items()]

    async def _until_seen(self, live: bool) -> dict[int, float]:
        seen_at: dict[int, float] = {}
        async with asyncio.timeout(WITHIN_S):
            while len(seen_at) < len(self.lines):
                await asyncio.sleep(LOOK_S)
                answers = await self._answers()
                for number in range(len(self.lines)):
                    if answers[number] is live:
                        seen_at.setdefault(number, time.monotonic())
        return seen_at

    async def _answers(self) -> list[bool]:
        bits = await self._client.read(
            Table.DISCRETE_INPUT, ANSWERS.address, STRIDE * (self._count - 1) + 1, 1
        )
        return [bool(bit) for bit in bits[::STRIDE]]

    async def _all_answer(self) -> bool:
        with contextlib.suppress(LinkError):
            return all(await self._answers())
        return False

    def _site_file(self, ports: list[int]) -> dict[str, object]:
        return {
            "site": "Many",
            "scan_period_s": 1.0,
            "rule": {"price_limit": 0.2, "minimum_off_s": 0},
            "tariff": {"kind": "schedule", "currency": "USD", "default": 0.12},
            "circuits": [{"name": "feeder", "power_limit_w": 400_000, "nominal_voltage_v": 110}],
            "stations": [
                {"name": f"RTS{n}", "circuit": "feeder", "host": "127.0.0.1", "port": port}
                for n, port in enumerate(ports, start=1)
            ],
            "server": {"host": "127.0.0.1", "port": self._port},
        }
