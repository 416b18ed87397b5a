"""The client against servers that are silent, wrong, or go away."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from modbus_link.client import ModbusClient
from modbus_link.errors import BadReply, LinkDown, LinkError, LinkTimeout
from modbus_link.mbap import Adu, frame
from register_maps.points import Table

Until = Callable[..., Awaitable[None]]
Answer = Callable[[asyncio.Transport, Adu], None]
Listen = Callable[[Answer], Awaitable[int]]
HOLD = Table.HOLDING_REGISTER


def right(transport: asyncio.Transport, adu: Adu) -> None:
    """A register holds its own address."""
    transport.write(frame(adu.transaction_id, adu.unit_id, b"\x03\x02" + adu.pdu[1:3]))


def always(reply: str) -> Answer:
    pdu = bytes.fromhex(reply)
    return lambda transport, adu: transport.write(frame(adu.transaction_id, adu.unit_id, pdu))


def silent(transport: asyncio.Transport, adu: Adu) -> None:
    pass


async def client_of(port: int, until: Until, timeout_s: float = 5.0) -> ModbusClient:
    client = ModbusClient("127.0.0.1", port, timeout_s=timeout_s)
    client.start()
    await until(lambda: client.connected)
    return client


NOT_THE_REQUESTS = {
    "function": "04 02 0001",
    "nothing": "03",
    "no data": "03 02",
    "short": "03 01 00",
    "long": "03 04 0001 0002",
    "count too high": "03 04 0001",
    "byte too many": "03 02 0001 00",
    "exception without code": "83",
    "exception too long": "83 02 00",
    "another's exception": "84 02",
}


@pytest.mark.parametrize("reply", NOT_THE_REQUESTS.values(), ids=NOT_THE_REQUESTS)
async def test_a_reply_that_is_not_the_requests(stranger: Listen, until: Until, reply: str) -> None:
    client = await client_of(await stranger(always(reply)), until)
    with pytest.raises(BadReply, match=f"read holding_register 7\\+1 of {client}: "):
        await client.read(HOLD, 7, 1, 1)
    await client.close()


@pytest.mark.parametrize("reply", ["01 02 0100", "01 01", "01 00"])
async def test_bits_of_the_wrong_length(stranger: Listen, until: Until, reply: str) -> None:
    client = await client_of(await stranger(always(reply)), until)
    with pytest.raises(BadReply):
        await client.read(Table.COIL, 0, 8, 1)
    await client.close()


@pytest.mark.parametrize("reply", ["06 0001 0002", "06 0002 0001", "06", "06 0001 0001 00", "10 0001 0001"])
async def test_a_write_that_is_not_repeated(stranger: Listen, until: Until, reply: str) -> None:
    client = await client_of(await stranger(always(reply)), until)
    with pytest.raises(BadReply):
        await client.write(HOLD, 1, [1], 1)
    await client.close()


async def test_another_units_reply(stranger: Listen, until: Until) -> None:
    port = await stranger(lambda t, adu: t.write(frame(adu.transaction_id, 9, bytes.fromhex("03 02 0001"))))
    client = await client_of(port, until)
    with pytest.raises(LinkError, match="unit 9 answered for unit 1"):
        await client.read(HOLD, 0, 1, 1)
    await client.close()


async def test_another_transactions_reply_is_not_taken(stranger: Listen, until: Until) -> None:
    def wrong_then_right(transport: asyncio.Transport, adu: Adu) -> None:
        transport.write(frame(adu.transaction_id + 1, adu.unit_id, bytes.fromhex("03 02 dead")))
        right(transport, adu)
        right(transport, adu)

    client = await client_of(await stranger(wrong_then_right), until)
    assert [list(await client.read(HOLD, n, 1, 1)) for n in (1, 2, 3)] == [[1], [2], [3]]
    await client.close()


async def test_only_another_transactions_reply_is_none(stranger: Listen, until: Until) -> None:
    port = await stranger(
        lambda t, adu: t.write(frame(adu.transaction_id + 1, adu.unit_id, bytes.fromhex("03 02 dead")))
    )
    client = await client_of(port, until, timeout_s=0.1)
    with pytest.raises(LinkTimeout):
        await client.read(HOLD, 0, 1, 1)
    await client.close()


async def test_what_is_no_modbus_breaks_the_link(stranger: Listen, until: Until) -> None:
    client = await client_of(
        await stranger(lambda t, adu: t.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")), until, 60
    )
    with pytest.raises(LinkDown, match="not Modbus TCP: protocol id"):
        await asyncio.wait_for(client.read(HOLD, 0, 1, 1), 5)
    await client.close()


@pytest.mark.parametrize(
    "hang_up", [asyncio.Transport.abort, asyncio.Transport.close], ids=["reset", "close"]
)
async def test_a_link_that_breaks_fails_the_request_at_once(
    stranger: Listen, until: Until, hang_up: Callable[[asyncio.Transport], None]
) -> None:
    client = await client_of(await stranger(lambda transport, adu: hang_up(transport)), until, timeout_s=60)
    with pytest.raises(LinkDown, match=r"closed by the other side|reset by peer"):
        await asyncio.wait_for(client.read(HOLD, 0, 1, 1), 5)
    await client.close()


async def test_a_close_fails_the_request_at_once(stranger: Listen, until: Until) -> None:
    asked = asyncio.Event()
    client = await client_of(await stranger(lambda transport, adu: asked.set()), until, timeout_s=60)
    read = asyncio.create_task(client.read(HOLD, 0, 1, 1))
    await asked.wait()
    await client.close()
    with pytest.raises(LinkDown, match="closed"):
        await asyncio.wait_for(read, 5)


async def test_a_silent_peer_is_dropped_in_time_and_works_once_it_answers(
    stranger: Listen, until: Until
) -> None:
    answers = False
    lines: set[asyncio.Transport] = set()

    def answer(transport: asyncio.Transport, adu: Adu) -> None:
        lines.add(transport)
        if answers:
            right(transport, adu)

    client = await client_of(await stranger(answer), until, timeout_s=0.2)
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(LinkTimeout, match=r"no reply within 0\.2 s"):
        await client.read(HOLD, 0, 1, 1)
    assert 0.19 < loop.time() - began < 2
    assert client.connected  # behind a gateway, another unit may still answer
    with pytest.raises(LinkTimeout):
        await client.read(HOLD, 0, 1, 1)
    await until(lambda: not client.connected)
    answers = True
    await until(lambda: client.connected)
    assert list(await client.read(HOLD, 5, 1, 1)) == [5]
    assert len(lines) == 2
    await client.close()


async def test_a_dead_unit_does_not_cost_the_others_their_connection(stranger: Listen, until: Until) -> None:
    lines: set[asyncio.Transport] = set()

    def answer(transport: asyncio.Transport, adu: Adu) -> None:
        lines.add(transport)
        if adu.unit_id == 2:
            right(transport, adu)

    client = await client_of(await stranger(answer), until, timeout_s=0.1)
    for _ in range(4):
        with pytest.raises(LinkTimeout):
            await client.read(HOLD, 0, 1, 1)
        assert list(await client.read(HOLD, 5, 1, 2)) == [5]
    assert len(lines) == 1
    await client.close()


async def test_those_who_wait_behind_a_silent_peer_do_not_wait_in_turn(
    stranger: Listen, until: Until
) -> None:
    client = await client_of(await stranger(silent), until, timeout_s=0.3)
    began = asyncio.get_running_loop().time()
    results = await asyncio.gather(*(client.read(HOLD, n, 1, 1) for n in range(10)), return_exceptions=True)
    assert asyncio.get_running_loop().time() - began < 10 * 0.3
    assert isinstance(results[0], LinkTimeout)
    assert all(isinstance(result, LinkError) for result in results)
    await client.close()


async def test_a_cancelled_read_does_not_poison_the_next(stranger: Listen, until: Until) -> None:
    """The reply to the first request comes only after the second was sent."""
    held: list[tuple[asyncio.Transport, Adu]] = []

    def late(transport: asyncio.Transport, adu: Adu) -> None:
        held.append((transport, adu))
        if len(held) == 2:
            for item in held:
                right(*item)

    client = await client_of(await stranger(late), until)
    first = asyncio.create_task(client.read(HOLD, 1, 1, 1))
    await until(lambda: len(held) == 1)
    first.cancel()
    await asyncio.wait([first])
    assert first.cancelled()
    assert list(await client.read(HOLD, 2, 1, 1)) == [2]
    assert client.connected
    await client.close()


async def test_a_reply_in_pieces(stranger: Listen, until: Until) -> None:
    def in_pieces(transport: asyncio.Transport, adu: Adu) -> None:
        reply = frame(adu.transaction_id, adu.unit_id, bytes.fromhex("03 02 0102"))
        for n in range(len(reply)):
            asyncio.get_running_loop().call_later(0.001 * n, transport.write, reply[n : n + 1])

    client = await client_of(await stranger(in_pieces), until)
    assert list(await client.read(HOLD, 0, 1, 1)) == [0x0102]
    await client.close()
