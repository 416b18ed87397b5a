"""The server on a real socket."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from modbus_link.errors import CannotListen, LinkError
from modbus_link.image import RegisterImage
from modbus_link.listen import Listen
from modbus_link.mbap import frame
from modbus_link.server import ModbusServer
from register_maps.register_map import RegisterMap

READ_COUNT = bytes.fromhex("04 0003 0001")
COUNT = bytes.fromhex("04 02 0007")


@contextlib.asynccontextmanager
async def line(server: ModbusServer) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        async with asyncio.timeout(5):
            yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def exchange(server: ModbusServer, sent: bytes, size: int) -> bytes:
    async with line(server) as (reader, writer):
        writer.write(sent)
        return await reader.readexactly(size)


@pytest.mark.parametrize("unit_id", [0, 1, 255])
async def test_this_devices_unit_ids_are_answered(server: ModbusServer, unit_id: int) -> None:
    reply = frame(1, unit_id, COUNT)
    assert await exchange(server, frame(1, unit_id, READ_COUNT), len(reply)) == reply


@pytest.mark.parametrize("unit_id", [2, 247, 254])
async def test_other_unit_ids_are_not_here(server: ModbusServer, unit_id: int) -> None:
    reply = frame(1, unit_id, b"\x84\x0b")
    assert await exchange(server, frame(1, unit_id, READ_COUNT), len(reply)) == reply


async def test_the_maps_unit_id_is_this_device(image: RegisterImage) -> None:
    other = RegisterImage(RegisterMap(name="m", version=1, about="", source="", unit_id=9))
    async with ModbusServer(other, Listen(port=0)) as server:
        for unit_id, code in ((9, 2), (1, 0x0B)):
            reply = frame(1, unit_id, bytes((0x84, code)))
            assert await exchange(server, frame(1, unit_id, READ_COUNT), len(reply)) == reply


async def test_twenty_requests_in_one_segment_are_answered_in_order(server: ModbusServer) -> None:
    requests = [frame(1000 + n, 1, bytes.fromhex(f"06 0000 {n + 1:04x}")) for n in range(20)]
    sent = b"".join(requests) + frame(7, 1, bytes.fromhex("03 0000 0001"))
    replies = b"".join(requests) + frame(7, 1, bytes.fromhex("03 02 0014"))
    assert await exchange(server, sent, len(replies)) == replies


async def test_a_request_in_pieces_is_answered_once(server: ModbusServer) -> None:
    reply = frame(5, 1, COUNT)
    async with line(server) as (reader, writer):
        for byte in frame(5, 1, READ_COUNT):
            writer.write(bytes((byte,)))
            await asyncio.sleep(0)
        assert await reader.readexactly(len(reply)) == reply
        writer.write(frame(6, 1, READ_COUNT))
        assert await reader.readexactly(len(reply)) == frame(6, 1, COUNT)


@pytest.mark.parametrize("bad", ["0009 0001 0006 01", "0009 0000 0000 01", "0009 0000 ffff 01"])
async def test_a_bad_header_ends_the_connection_after_the_replies_due(server: ModbusServer, bad: str) -> None:
    async with line(server) as (reader, writer):
        writer.write(frame(1, 1, READ_COUNT) + frame(2, 1, READ_COUNT) + bytes.fromhex(bad) + READ_COUNT)
        assert await reader.read() == frame(1, 1, COUNT) + frame(2, 1, COUNT)


async def test_a_bad_header_concerns_nobody_else(server: ModbusServer) -> None:
    async with line(server) as (reader, writer):
        async with line(server) as (other_reader, other_writer):
            other_writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert await other_reader.read() == b""
        writer.write(frame(1, 1, READ_COUNT))
        assert await reader.readexactly(11) == frame(1, 1, COUNT)


async def test_a_failing_hook_leaves_the_server_alive(image: RegisterImage, server: ModbusServer) -> None:
    async with line(server) as (reader, writer):
        image.on_read = lambda: 1 // 0
        writer.write(frame(1, 1, READ_COUNT))
        assert await reader.readexactly(9) == frame(1, 1, b"\x84\x04")
        image.on_read = None
        writer.write(frame(2, 1, READ_COUNT))
        assert await reader.readexactly(11) == frame(2, 1, COUNT)


async def test_many_clients_at_once(server: ModbusServer) -> None:
    replies = await asyncio.gather(*(exchange(server, frame(n, 1, READ_COUNT), 11) for n in range(50)))
    assert replies == [frame(n, 1, COUNT) for n in range(50)]


async def test_a_client_that_asks_and_does_not_read_waits_until_it_reads(
    image: RegisterImage, server: ModbusServer, until: Callable[..., Awaitable[None]]
) -> None:
    """Its replies must not pile up in our memory: after some, nothing more is taken from it."""
    number, answered = 30_000, [0]
    image.on_read = lambda _: answered.append(answered.pop() + 1)
    assert server._server is not None
    server._server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # its connections inherit
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", server.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=4096)
    writer.write(number * frame(1, 1, bytes.fromhex("03 0000 0006")))
    await until(lambda: answered[0] > 0)
    before = -1
    while answered[0] > before:
        before = answered[0]
        await asyncio.sleep(0.05)
    waiting = number - answered[0]
    await asyncio.wait_for(reader.readexactly(number * (9 + 12)), 20)
    writer.close()
    await writer.wait_closed()
    assert waiting > 0
    assert answered[0] == number


@pytest.mark.parametrize(
    ("host", "why"),
    [("192.0.2.1", "address"), ("a..b", "label empty"), ("no-such-host.invalid", "")],
    ids=["not our address", "no host name", "unknown host"],
)
async def test_a_host_that_can_not_be_had(image: RegisterImage, host: str, why: str) -> None:
    with pytest.raises(CannotListen) as caught:
        await ModbusServer(image, Listen(host=host, port=0)).start()
    assert why in str(caught.value)
    assert f"can't listen on {host}:0: " in str(caught.value)


async def test_a_port_in_use_is_one_clear_line(image: RegisterImage, server: ModbusServer) -> None:
    with pytest.raises(CannotListen) as caught:
        await ModbusServer(image, Listen(port=server.port)).start()
    place = f"127.0.0.1:{server.port}"
    assert (
        str(caught.value) == f"can't listen on {place}: address already in use; choose another port or host"
    )
    assert isinstance(caught.value, LinkError)
    assert isinstance(caught.value, OSError)


async def test_a_port_number_that_is_none(image: RegisterImage) -> None:
    with pytest.raises(CannotListen, match=r"can't listen on 127\.0\.0\.1:70000: .*0-65535"):
        await ModbusServer(image, Listen(port=70000)).start()


async def test_stop_ends_every_connection_and_frees_the_port(image: RegisterImage) -> None:
    server = ModbusServer(image, Listen(port=0))
    await server.stop()  # before it ever started
    await server.start()
    async with line(server) as (reader, writer):
        writer.write(frame(1, 1, READ_COUNT))
        await reader.readexactly(11)
        await server.stop()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", server.port)
    async with ModbusServer(image, Listen(port=server.port)) as again:
        assert await exchange(again, frame(1, 1, READ_COUNT), 11) == frame(1, 1, COUNT)


async def test_clients_that_leave_are_forgotten(
    server: ModbusServer, until: Callable[..., Awaitable[None]]
) -> None:
    for _ in range(3):
        await exchange(server, frame(1, 1, READ_COUNT), 11)
    await until(lambda: not server._connections)
