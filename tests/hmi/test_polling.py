"""Reading again and again, from a server on a real socket, by a clock that the test moves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import pytest
from processes import until

from hmi import polling
from hmi.polling import Latest, Poller
from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.image import RegisterImage
from modbus_link.listen import Listen
from modbus_link.server import ModbusServer
from register_maps.points import Table, Value
from register_maps.register_map import load_map


@dataclass
class Line:
    """A device that can be taken away and brought back, and who polls it."""

    now: float = 100.0
    image: RegisterImage = field(default_factory=lambda: RegisterImage(load_map("pev_rtu")))

    def __post_init__(self) -> None:
        self.server = ModbusServer(self.image, Listen(port=0))

    async def open(self, stack: contextlib.AsyncExitStack) -> None:
        await self.server.start()
        stack.push_async_callback(lambda: self.server.stop())
        self.client = ModbusClient("127.0.0.1", self.server.port, timeout_s=5)
        await stack.enter_async_context(self.client)
        self.poller = Poller(Device(self.client, self.image.map).read, lambda: self.now)
        await until(lambda: self.client.connected)

    async def lose(self) -> None:
        await self.server.stop()
        await until(lambda: not self.client.connected)

    async def bring_back(self) -> None:
        self.server = ModbusServer(self.image, Listen(port=self.server.port))
        await self.server.start()
        await until(lambda: self.client.connected)

    async def poll(self, *, after_s: float = 0.0, **values: Value) -> Latest:
        self.now += after_s
        self.image.update(values)
        await self.poller.poll()
        return self.poller.latest

    def ages(self) -> tuple[float, float]:
        latest = self.poller.latest
        return round(latest.read_age_s(self.now), 6), round(latest.counted_age_s(self.now), 6)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with contextlib.AsyncExitStack() as stack:
        opened = Line()
        await opened.open(stack)
        yield opened


def test_before_the_first_reading_its_age_counts_from_the_start() -> None:
    latest = Latest(since=100)
    assert (latest.values, latest.read_at, latest.counted_at) == ({}, None, None)
    assert (latest.read_age_s(103), latest.counted_age_s(103)) == (3, 3)


async def test_a_reading_has_every_value_and_is_of_now(line: Line) -> None:
    latest = await line.poll(after_s=9, heartbeat=1, state_of_charge=29.5, name="RTS1")
    assert set(latest.values) == set(line.image.map.points)
    assert (latest.values["name"], latest.values["state_of_charge"]) == ("RTS1", 29.5)
    assert line.ages() == (0, 0)
    line.now += 0.7
    assert line.ages() == (0.7, 0.7)


async def test_a_heartbeat_that_moves(line: Line) -> None:
    for beat in (1, 2, 65535, 0):
        await line.poll(after_s=0.4, heartbeat=beat)
        assert line.ages() == (0, 0)


async def test_a_heartbeat_that_stands_still_ages_although_the_device_answers(line: Line) -> None:
    await line.poll(heartbeat=7)
    for count in range(1, 6):
        latest = await line.poll(after_s=0.4, state_of_charge=float(count))
        assert latest.values["state_of_charge"] == count
        assert line.ages() == (0, round(0.4 * count, 6))
    await line.poll(after_s=0.4, heartbeat=8)
    assert line.ages() == (0, 0)


async def test_without_a_server_the_last_values_stay_and_age(line: Line) -> None:
    before = await line.poll(heartbeat=1, state_of_charge=50.0)
    await line.lose()
    for count in range(1, 4):
        assert await line.poll(after_s=1, heartbeat=1 + count) == before
        assert line.ages() == (count, count)
    await line.bring_back()
    latest = await line.poll(state_of_charge=51.0)
    assert latest.values["state_of_charge"] == 51
    assert line.ages() == (0, 0)


async def test_a_device_that_is_back_but_stands_still(line: Line) -> None:
    """What it said before it went is what it says now: so it has done nothing since."""
    await line.poll(heartbeat=1)
    await line.lose()
    await line.poll(after_s=2)
    await line.bring_back()
    await line.poll(after_s=1)
    assert line.ages() == (0, 3)


async def test_half_an_answer_is_none(line: Line) -> None:
    """A device that gives some of its tables and fails with another."""
    before = await line.poll(heartbeat=1)

    def fail(table: Table) -> None:
        if table is Table.HOLDING_REGISTER:
            raise ValueError("staged")

    line.image.on_read = fail
    assert await line.poll(after_s=1, heartbeat=2) is before
    line.image.on_read = None
    assert (await line.poll(heartbeat=3)).values["heartbeat"] == 3


async def test_what_is_read_is_as_old_as_its_end() -> None:
    """A slow reply: its values may be of any moment before it came."""
    now = 0.0

    async def read() -> Mapping[str, Value]:
        nonlocal now
        now = 5.0
        return {"heartbeat": 1}

    poller = Poller(read, lambda: now)
    await poller.poll()
    assert (poller.latest.since, poller.latest.read_at) == (0, 5)


async def test_it_reads_until_it_is_cancelled(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "PERIOD_S", 0.01)
    reading = asyncio.create_task(line.poller.run())
    for beat in range(1, 4):
        line.image.update({"heartbeat": beat})
        await until(lambda beat=beat: line.poller.latest.values.get("heartbeat") == beat)
    await line.lose()
    await line.bring_back()
    line.image.update({"heartbeat": 9})
    await until(lambda: line.poller.latest.values["heartbeat"] == 9)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_trouble_is_logged_once_and_only_when_it_lasts(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    def warnings() -> int:
        return sum(record.name == "hmi.polling" for record in caplog.records)

    await line.lose()
    await line.poll()
    assert warnings() == 0
    for _ in range(3):
        await line.poll()
        assert warnings() == 1
    await line.bring_back()
    await line.poll(heartbeat=1)
    await line.lose()
    for _ in range(3):
        await line.poll()
    assert warnings() == 2
    assert str(line.client) in caplog.text


async def test_other_errors_are_not_hidden() -> None:
    async def read() -> Mapping[str, Value]:
        raise KeyError("a fault of the program's own")

    with pytest.raises(KeyError):
        await asyncio.wait_for(Poller(read, lambda: 0.0).run(), 5)


def test_two_periods_and_a_slow_reply_pass_before_a_value_is_old() -> None:
    assert 2 * polling.PERIOD_S < polling.STALE_S < 2
