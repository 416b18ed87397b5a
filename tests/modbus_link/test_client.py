"""The client against our own server."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from modbus_link.client import ModbusClient
from modbus_link.errors import LinkDown, LinkError, Refused
from modbus_link.identity import identification_objects
from modbus_link.image import RegisterImage
from modbus_link.listen import Listen
from modbus_link.server import ModbusServer
from register_maps.points import Table

Until = Callable[..., Awaitable[None]]
HOLD = Table.HOLDING_REGISTER


async def connected(client: ModbusClient, until: Until) -> ModbusClient:
    await until(lambda: client.connected)
    return client


async def reads_again(client: ModbusClient) -> list[int]:
    """The first reading that works, tried for as long as a scan loop would."""
    async with asyncio.timeout(8):
        while True:
            try:
                return list(await client.read(Table.INPUT_REGISTER, 3, 1, 1))
            except LinkError:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("table", "address", "count", "expected"),
    [
        (Table.COIL, 0, 3, [True, False, False]),
        (Table.DISCRETE_INPUT, 1, 1, [False]),
        (Table.INPUT_REGISTER, 0, 4, [1103, 0xFFFF, 0xFFFE, 7]),
        (HOLD, 0, 3, [10, 1, 4464]),
    ],
)
async def test_read(
    server: ModbusServer, until: Until, table: Table, address: int, count: int, expected: list[int]
) -> None:
    async with ModbusClient("127.0.0.1", server.port) as client:
        await connected(client, until)
        assert list(await client.read(table, address, count, 1)) == expected


@pytest.mark.parametrize("single", [True, False])
async def test_write(server: ModbusServer, image: RegisterImage, until: Until, single: bool) -> None:
    async with ModbusClient("127.0.0.1", server.port) as client:
        await connected(client, until)
        await client.write(Table.COIL, 1, [1], 1, single=single)
        await client.write(HOLD, 0, [20], 1, single=single)
        await client.write(HOLD, 1, [0, 500], 1, single=single)
        await client.write(Table.COIL, 0, [0, 1], 1, single=single)
    assert [image[n] for n in ("enable", "hold", "timeout", "limit")] == [False, True, 20, 500]


@pytest.mark.parametrize("table", [Table.DISCRETE_INPUT, Table.INPUT_REGISTER])
async def test_a_table_that_can_only_be_read_is_not_taken_for_the_other(
    server: ModbusServer, image: RegisterImage, until: Until, table: Table
) -> None:
    async with ModbusClient("127.0.0.1", server.port) as client:
        await connected(client, until)
        with pytest.raises(ValueError, match=f"write {table} 0.*can only be read"):
            await client.write(table, 0, [0], 1)
    assert image["enable"] is True


@pytest.mark.parametrize(
    ("table", "address", "unit_id", "code"),
    [(HOLD, 100, 1, 2), (HOLD, 0, 9, 0x0B), (HOLD, 0xFFFF, 1, 2)],
)
async def test_an_exception_reply_is_refused_with_its_code(
    server: ModbusServer, until: Until, table: Table, address: int, unit_id: int, code: int
) -> None:
    async with ModbusClient("127.0.0.1", server.port) as client:
        await connected(client, until)
        with pytest.raises(Refused, match=f"read {table} {address}\\+1 of {client}: exception") as caught:
            await client.read(table, address, 1, unit_id)
        assert caught.value.code == code
        assert client.connected


async def test_what_it_gives_up_can_not_arrive_later(until: Until) -> None:
    """A connection closed in good order would have the system deliver, after minutes, what a cut cable held
    back: an old order to close a contactor."""
    ended: list[BaseException | bytes] = []

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        try:
            ended.append(await reader.read(100))
        except ConnectionResetError as error:
            ended.append(error)
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with server, ModbusClient("127.0.0.1", server.sockets[0].getsockname()[1]) as client:
        await connected(client, until)
        asking = asyncio.ensure_future(client.write(Table.COIL, 0, [1], 1))
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(LinkDown):
            await asking
        await until(lambda: ended)
    assert isinstance(ended[0], ConnectionResetError)


async def test_it_asks_who_is_there(server: ModbusServer, until: Until) -> None:
    async with ModbusClient("127.0.0.1", server.port) as client:
        await connected(client, until)
        found = await client.identify(1)
    assert (found[0], found[1]) == ("pev-scada", server.image.map.name)
    assert set(found) == {0, 1, 2}


@pytest.mark.parametrize("length", range(16))
def test_an_identification_that_is_cut_off(length: int) -> None:
    reply = bytes.fromhex("2b0e01810000 02 00 03414243 01 0158".replace(" ", ""))
    assert identification_objects(reply) == {0: "ABC", 1: "X"}
    if length < len(reply):
        with pytest.raises(IndexError):
            identification_objects(reply[:length])


async def test_ten_reads_at_once_get_their_own_answers(server: ModbusServer, until: Until) -> None:
    async with ModbusClient("127.0.0.1", server.port) as client:
        await connected(client, until)
        places = [(Table.INPUT_REGISTER, 3), (HOLD, 0), (Table.INPUT_REGISTER, 0), (HOLD, 5), (HOLD, 2)] * 2
        replies = await asyncio.gather(*(client.read(table, address, 1, 1) for table, address in places))
    assert [list(reply) for reply in replies] == [[7], [10], [1103], [9], [4464]] * 2


async def why_down(client: ModbusClient) -> str:
    """What a read says once the client has tried to connect."""
    async with asyncio.timeout(5):
        while True:
            with pytest.raises(LinkDown) as caught:
                await client.read(HOLD, 0, 1, 1)
            if "not connected yet" not in str(caught.value):
                return str(caught.value)
            await asyncio.sleep(0.002)


async def test_without_a_server_a_read_fails_at_once(image: RegisterImage) -> None:
    async with ModbusServer(image, Listen(port=0)) as gone:
        port = gone.port
    loop = asyncio.get_running_loop()
    async with ModbusClient("127.0.0.1", port, timeout_s=60) as client:
        began = loop.time()
        with pytest.raises(LinkDown, match="not connected yet"):
            await client.read(HOLD, 0, 1, 1)
        assert await why_down(client) == f"no connection to 127.0.0.1:{port}: Connection refused"
        assert loop.time() - began < 5
        assert not client.connected


async def test_a_client_that_was_not_started_says_so() -> None:
    with pytest.raises(LinkDown, match="not started"):
        await ModbusClient("127.0.0.1", 1).read(HOLD, 0, 1, 1)


@pytest.mark.parametrize(
    ("host", "port"),
    [("no-such-host.invalid", 502), ("a..b", 502), ("x" * 70, 502), ("127.0.0.1", 70000)],
    ids=["unknown", "empty label", "label too long", "no port number"],
)
async def test_a_host_that_can_not_be_is_named(host: str, port: int) -> None:
    async with ModbusClient(host, port) as client:
        why = await why_down(client)
    assert f"to {host}:{port}: " in why
    assert "Unknown error" not in why


async def test_a_server_that_comes_back_is_read_again(image: RegisterImage, until: Until) -> None:
    server = ModbusServer(image, Listen(port=0))
    await server.start()
    async with ModbusClient("127.0.0.1", server.port) as client:
        await connected(client, until)
        await server.stop()
        await until(lambda: not client.connected)
        with pytest.raises(LinkDown):
            await client.read(HOLD, 0, 1, 1)
        async with ModbusServer(image, Listen(port=server.port)):
            assert await reads_again(client) == [7]


async def test_min_interval_is_kept_between_requests(
    image: RegisterImage, server: ModbusServer, until: Until
) -> None:
    times: list[float] = []
    loop = asyncio.get_running_loop()
    image.on_read = lambda _: times.append(loop.time())
    async with ModbusClient("127.0.0.1", server.port, min_interval_s=0.05) as client:
        await connected(client, until)
        await asyncio.gather(*(client.read(HOLD, 0, 1, 1) for _ in range(4)))
    assert len(times) == 4
    assert times[-1] - times[0] > 2 * 0.05  # three pauses; the first request may have been long under way


async def test_close_leaves_nothing_behind(server: ModbusServer, until: Until) -> None:
    before = asyncio.all_tasks()
    client = ModbusClient("127.0.0.1", server.port)
    client.start()
    await connected(client, until)
    await client.close()
    assert not client.connected
    assert asyncio.all_tasks() == before
    await until(lambda: not server._connections)
    with pytest.raises(LinkDown, match="closed"):
        await client.read(HOLD, 0, 1, 1)
    await client.close()


async def test_a_closed_client_can_be_started_again(server: ModbusServer, until: Until) -> None:
    client = ModbusClient("127.0.0.1", server.port)
    for _ in range(2):
        client.start()
        await connected(client, until)
        assert await reads_again(client) == [7]
        await client.close()


async def test_close_at_any_moment_of_connecting(server: ModbusServer, until: Until) -> None:
    before = asyncio.all_tasks()
    for turns in range(12):
        client = ModbusClient("127.0.0.1", server.port)
        client.start()
        for _ in range(turns):
            await asyncio.sleep(0)
        await client.close()
        assert not client.connected
    assert asyncio.all_tasks() == before
    await until(lambda: not server._connections)
