"""Devices for the link's tests, on real sockets of this machine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from modbus_link.image import RegisterImage
from modbus_link.listen import Listen
from modbus_link.mbap import Adu, Framer
from modbus_link.server import ModbusServer
from register_maps.points import Point, PointType, Table
from register_maps.register_map import RegisterMap

Answer = Callable[[asyncio.Transport, Adu], None]


def point(name: str, table: str, address: int, kind: str = "uint16", **facts: object) -> Point:
    fields: dict = {"about": "", **facts}
    return Point(name=name, table=Table(table), address=address, type=PointType(kind), **fields)


def device_map(points: list[Point], **facts: object) -> RegisterMap:
    fields: dict = {"version": 1, "about": "", "source": "", **facts}
    return RegisterMap(name="bench", points={p.name: p for p in points}, **fields)


BENCH = device_map(
    [
        point("enable", "coil", 0, "bool", access="rw"),
        point("hold", "coil", 1, "bool", access="rw"),
        point("locked", "coil", 2, "bool"),
        point("pulse", "coil", 3, "bool", access="wo"),
        point("plugged", "discrete_input", 0, "bool"),
        point("closed", "discrete_input", 1, "bool"),
        point("voltage", "input_register", 0, scale=0.1, nan=65535),
        point("power", "input_register", 1, "int32", nan=-(2**31)),
        point("count", "input_register", 3),
        point("timeout", "holding_register", 0, min=1, max=3600, access="rw"),
        point("limit", "holding_register", 1, "uint32", access="rw"),
        point("reason", "holding_register", 3, "enum", values={0: "none", 1: "price"}, access="rw"),
        point("price", "holding_register", 4, "int16", scale=0.01, nan=-32768, access="rw"),
        point("serial", "holding_register", 5),
        point("secret", "holding_register", 6, access="wo"),
        point("level", "holding_register", 8, "float32", access="rw"),
    ]
)
START = {
    "enable": True,
    "voltage": 110.3,
    "power": -2,
    "count": 7,
    "timeout": 10,
    "limit": 70000,
    "serial": 9,
}


@pytest.fixture
def image() -> RegisterImage:
    found = RegisterImage(BENCH)
    found.update(START)
    return found


@pytest.fixture
async def server(image: RegisterImage) -> AsyncIterator[ModbusServer]:
    async with ModbusServer(image, Listen(port=0)) as found:
        yield found


@pytest.fixture
async def stranger() -> AsyncIterator[Callable[[Answer], Awaitable[int]]]:
    """`await stranger(answer)` listens, lets `answer` deal with each request, and tells the port."""
    async with contextlib.AsyncExitStack() as stack:

        async def listen(answer: Answer) -> int:
            loop = asyncio.get_running_loop()
            lines: list[_Stranger] = []
            server = await loop.create_server(lambda: _Stranger(answer, lines), "127.0.0.1", 0)
            stack.push_async_callback(_hang_up, server, lines)
            port: int = server.sockets[0].getsockname()[1]
            return port

        yield listen


async def _hang_up(server: asyncio.Server, lines: "list[_Stranger]") -> None:
    server.close()
    for line in lines:
        line.transport.abort()
    await server.wait_closed()
    await until(lambda: all(line.gone for line in lines))


class _Stranger(asyncio.Protocol):
    def __init__(self, answer: Answer, lines: "list[_Stranger]") -> None:
        self._answer, self._lines = answer, lines
        self._framer = Framer()
        self.gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._lines.append(self)

    def data_received(self, data: bytes) -> None:
        for adu in self._framer.feed(data):
            self._answer(self.transport, adu)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True


async def until(holds: Callable[[], bool], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.002)


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., Awaitable[None]]:
    return until
