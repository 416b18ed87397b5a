"""What one server takes: so many connections, idle for so long, and so much from each at a time."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from raw_lines import READ_HEARTBEAT, Line, line, station_image
from site_certificates import SiteCertificates

from modbus_link.connection import MOST_UNSENT, TAKEN_AT_ONCE, Connection
from modbus_link.hold import Hold
from modbus_link.image import RegisterImage
from modbus_link.listen import Listen, Role
from modbus_link.mbap import frame
from modbus_link.server import ModbusServer
from register_maps.points import Table

Until = Callable[..., Awaitable[None]]

HEARTBEAT = bytes.fromhex("04 02 0000")
BEAT = bytes.fromhex("06 0002 0001")
FULL = "dropped: too many connections (max_connections), and it was idle the longest"


@pytest.fixture
def image() -> RegisterImage:
    found = station_image()
    found.hold = Hold(lambda: 0.0, lambda: 10.0)
    return found


@contextlib.asynccontextmanager
async def lines(server: ModbusServer, count: int) -> AsyncIterator[list[Line]]:
    """In the order in which the server met them."""
    async with contextlib.AsyncExitStack() as stack:
        found = []
        for _ in range(count):
            found.append(await stack.enter_async_context(line(server)))
            await _met(server, found[-1])
        yield found


async def _met(server: ModbusServer, client: Line) -> None:
    async with asyncio.timeout(5):
        while client.port not in ports(server):
            await asyncio.sleep(0)


def ports(server: ModbusServer) -> set[int]:
    return {connection.client.port for connection in server._connections}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


async def test_when_full_who_never_asked_goes_first(
    image: RegisterImage, caplog: pytest.LogCaptureFixture
) -> None:
    listen = Listen(port=0, max_connections=4)
    async with (
        ModbusServer(image, listen) as server,
        lines(server, 4) as (silent, first, second, half),
        contextlib.AsyncExitStack() as stack,
    ):
        served = [first, second]
        for client in served:
            await client.ask(READ_HEARTBEAT)
        half.writer.write(frame(1, 1, READ_HEARTBEAT)[:-1])  # is no request
        for dropped in (silent, half):
            (newcomer,) = await stack.enter_async_context(lines(server, 1))
            assert await dropped.rest() == b""
            assert warnings(caplog)[-1] == f"127.0.0.1:{dropped.port}: {FULL}"
            served.append(newcomer)
            for client in served:
                assert await client.ask(READ_HEARTBEAT) == HEARTBEAT


async def test_when_all_have_asked_the_longest_idle_goes(image: RegisterImage) -> None:
    async with (
        ModbusServer(image, Listen(port=0, max_connections=3)) as server,
        lines(server, 3) as (first, second, third),
    ):
        for client in (third, first, second, third):
            await client.ask(READ_HEARTBEAT)
            await asyncio.sleep(0.002)  # the loop's clock has its grain
        async with lines(server, 1) as (newcomer,):
            assert await first.rest() == b""
            for client in (second, third, newcomer):
                assert await client.ask(READ_HEARTBEAT) == HEARTBEAT


async def test_who_has_the_most_connections_makes_room(image: RegisterImage) -> None:
    async with (
        ModbusServer(image, Listen(port=0, max_connections=3)) as server,
        line(server, source="127.0.0.2") as quiet,
        contextlib.AsyncExitStack() as stack,
    ):
        await _met(server, quiet)
        for _ in range(10):  # and none of them asks
            await stack.enter_async_context(lines(server, 1))
        assert await quiet.ask(READ_HEARTBEAT) == HEARTBEAT


async def test_the_master_that_steers_is_never_dropped(image: RegisterImage) -> None:
    async with (
        ModbusServer(image, Listen(port=0, max_connections=3)) as server,
        lines(server, 2) as (master, reader),
    ):
        await master.ask(BEAT)
        await reader.ask(READ_HEARTBEAT)
        for _ in range(10):
            async with lines(server, 3) as newcomers:
                await newcomers[-1].ask(READ_HEARTBEAT)
        assert await master.ask(BEAT) == BEAT


async def test_with_room_for_the_master_alone_others_are_refused(
    image: RegisterImage, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        ModbusServer(image, Listen(port=0, max_connections=1)) as server,
        lines(server, 1) as (master,),
    ):
        await master.ask(BEAT)
        with contextlib.suppress(ConnectionError):
            async with line(server) as other:
                assert await other.rest() == b""
        assert await master.ask(BEAT) == BEAT
    assert warnings(caplog)[0].endswith(": refused: too many connections (max_connections)")


async def test_a_handshake_that_goes_on_makes_room_too(
    image: RegisterImage, certificates: SiteCertificates
) -> None:
    listen = Listen(port=0, max_connections=2, roles={"viewer": Role()})
    async with (
        ModbusServer(image, listen, tls=certificates.tls("rtu")) as server,
        line(server, tls=certificates.tls("viewer").client) as viewer,
    ):
        assert await viewer.ask(READ_HEARTBEAT) == HEARTBEAT
        async with lines(server, 3) as (*dropped, _):  # who say nothing
            for client in dropped:
                assert await client.rest() == b""
            assert len(server._connections) == 2
            assert await viewer.ask(READ_HEARTBEAT) == HEARTBEAT


async def test_who_says_nothing_is_dropped_and_who_asks_is_not(
    image: RegisterImage, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        ModbusServer(image, Listen(port=0, idle_timeout_s=0.2)) as server,
        lines(server, 3) as (silent, dripping, asking),
    ):
        ends = [asyncio.create_task(client.rest()) for client in (silent, dripping)]
        drops = iter(frame(1, 1, bytes(253))[:-1])  # no request comes of it
        while not all(end.done() for end in ends):
            if not ends[1].done() and (drop := next(drops, None)) is not None:
                dripping.writer.write(bytes((drop,)))
            assert await asking.ask(READ_HEARTBEAT) == HEARTBEAT
            await asyncio.sleep(0.005)
        why = "dropped: idle for more than 0.2 s (idle_timeout_s)"
        assert set(warnings(caplog)) == {f"127.0.0.1:{client.port}: {why}" for client in (silent, dripping)}


async def test_who_comes_while_the_server_stops_is_not_served(image: RegisterImage) -> None:
    """Accepted before, told to us after."""
    server = ModbusServer(image, Listen(port=0))
    await server.start()
    admitted = Connection(server)
    admitted.client.host = "127.0.0.1"
    assert server.admit(admitted)
    server.left(admitted)
    await server.stop()
    assert not server.admit(admitted)
    assert not server._connections


async def test_accepted_sockets_send_at_once_and_look_for_dead_peers(
    image: RegisterImage, certificates: SiteCertificates
) -> None:
    secure = Listen(port=0, roles={"viewer": Role()})
    for listen, tls, client_tls in (
        (Listen(port=0), None, None),
        (secure, certificates.tls("rtu"), certificates.tls("viewer").client),
    ):
        async with ModbusServer(image, listen, tls=tls) as server, line(server, tls=client_tls) as client:
            await client.ask(READ_HEARTBEAT)
            (connection,) = server._connections
            assert connection._transport is not None
            accepted = connection._transport.get_extra_info("socket")
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


@pytest.mark.parametrize("over_tls", [False, True], ids=["in the clear", "over TLS"])
async def test_a_client_that_does_not_read_fills_no_memory_and_keeps_nobody_waiting(
    image: RegisterImage, certificates: SiteCertificates, over_tls: bool
) -> None:
    answered = _count_reads(image)
    listen = Listen(port=0, roles={"viewer": Role()} if over_tls else None)
    tls = certificates.tls("rtu") if over_tls else None
    client_tls = certificates.tls("viewer").client if over_tls else None
    reply_size, number = len(frame(1, 1, bytes(2 + 2 * 22))), 60_000
    async with ModbusServer(image, listen, tls=tls) as server:
        assert server._server is not None
        # What it accepts inherits this, so that replies soon stay with us.
        server._server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        async with line(server, tls=client_tls) as deaf, line(server, tls=client_tls) as other:
            deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
            deaf.writer.write(number * frame(1, 1, bytes.fromhex("04 0000 0016")))
            (connection,) = [c for c in server._connections if c.client.port == deaf.port]
            before = -1
            while answered[0] > before:  # until it is no longer listened to
                before = answered[0]
                for _ in range(20):
                    assert await other.ask(bytes.fromhex("03 0000 000b"))
                await asyncio.sleep(0.02)
            assert 0 < answered[0] < number
            assert connection._transport is not None
            unsent = connection._transport.get_write_buffer_size()
            assert unsent <= MOST_UNSENT + reply_size * (TAKEN_AT_ONCE // 12 + 1)


def _count_reads(image: RegisterImage) -> list[int]:
    """Of input registers."""
    count = [0]

    def on_read(table: Table) -> None:
        count[0] += table is Table.INPUT_REGISTER

    image.on_read = on_read
    return count


@pytest.mark.parametrize("over_tls", [False, True], ids=["in the clear", "over TLS"])
async def test_one_that_floods_gets_a_turn_of_512_bytes_like_everybody(
    image: RegisterImage, certificates: SiteCertificates, over_tls: bool
) -> None:
    """While another's request waits, no more than a turn or two of the flood is answered. asyncio's TLS
    alone would take ever more from it in each turn of the loop."""
    answered = _count_reads(image)
    listen = Listen(port=0, roles={"viewer": Role()} if over_tls else None)
    tls = certificates.tls("viewer").client if over_tls else None
    number, flood = 20_000, frame(1, 1, bytes.fromhex("04 0000 0001"))
    async with (
        ModbusServer(image, listen, tls=certificates.tls("rtu")) as server,
        line(server, tls=tls) as flooding,
        line(server, tls=tls) as other,
    ):
        flooding.writer.write(number * flood)
        drain = asyncio.create_task(flooding.reader.readexactly(number * len(flood[:9] + b"\0\0")))
        passed = []
        while answered[0] < number // 2:
            before = answered[0]
            await other.ask(bytes.fromhex("03 0000 0001"))
            passed.append(answered[0] - before)
        await drain
    # What the other's own way through the loop lets pass is a turn or two more.
    assert max(passed) <= 4 * (TAKEN_AT_ONCE // len(flood) + 1), passed
