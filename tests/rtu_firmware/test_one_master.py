"""A station takes its orders from one master at a time; anybody may stop it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from station_bench import FakeMaster, SettableClock, mastered, station_file

from modbus_link.client import ModbusClient
from modbus_link.errors import Refused
from modbus_link.mbap import frame
from rtu_firmware.rtu import Rtu

FAILSAFE_S = 10


@contextlib.asynccontextmanager
async def another(rtu: Rtu) -> AsyncIterator[FakeMaster]:
    async with ModbusClient("127.0.0.1", rtu.server.port, timeout_s=10) as client:
        while not client.connected:
            await asyncio.sleep(0)
        yield FakeMaster(client)


async def charge(master: FakeMaster, clock: SettableClock) -> None:
    for _ in range(5):
        values = await master.scan()
        await clock.advance(1)
    assert values["contactor_closed"] is True


async def is_busy(master: FakeMaster) -> bool:
    with pytest.raises(Refused) as caught:
        await master.scan(charge_enable=False, power_limit=0)
    return caught.value.code == 6


async def test_a_second_master_changes_nothing() -> None:
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, _, master), another(rtu) as second:
        await charge(master, clock)
        for _ in range(2 * FAILSAFE_S):
            assert await is_busy(second)
            await clock.advance(1)
            values = await master.scan()
        assert (values["charge_enable"], values["power_limit"]) == (True, 3300)
        assert values["contactor_closed"] is True


async def test_a_second_master_may_stop_the_session() -> None:
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, _, master), another(rtu) as second:
        await charge(master, clock)
        await second.device.write({"stop_request": True})
        assert rtu.image["user_stopped"] is True
        await clock.advance(1)
        assert (await master.scan())["contactor_closed"] is False


async def test_another_host_takes_over_when_the_failsafe_has_opened_the_contactor() -> None:
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, _, master):
        await charge(master, clock)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", rtu.server.port, local_addr=("127.0.0.2", 0)
        )
        request, reply = frame(1, 1, bytes.fromhex("05 0000 ff00")), b""
        while reply != request:
            assert rtu.image["failsafe_active"] is False
            await clock.advance(0.5)
            writer.write(request)
            head = await reader.readexactly(7)
            reply = head + await reader.readexactly(head[5] - 1)
        assert rtu.image["failsafe_active"] is True
        assert rtu.image["contactor_closed"] is False
        assert await is_busy(master)
        writer.close()
        await writer.wait_closed()


async def test_a_master_that_is_restarted_goes_on_where_it_was() -> None:
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, _, master):
        await charge(master, clock)
        await master.client.close()
        while rtu.server._connections:
            await asyncio.sleep(0)
        async with another(rtu) as restarted:
            values = await restarted.scan()
            assert (values["charge_enable"], values["contactor_closed"]) == (True, True)


async def test_a_master_that_has_lost_its_connection_goes_on_before_its_failsafe_trips() -> None:
    """As when its cable is pulled and put back: the station has not heard that the old one is dead."""
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, _, master), another(rtu) as again:
        await charge(master, clock)
        await clock.advance(FAILSAFE_S / 2 - 1.2)
        assert await is_busy(again)
        await clock.advance(0.3)
        values = await again.scan()
        assert (values["failsafe_active"], values["contactor_closed"]) == (False, True)


async def test_a_shorter_failsafe_timeout_in_the_register_shortens_the_wait() -> None:
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, _, master), another(rtu) as again:
        await charge(master, clock)
        await master.device.write({"failsafe_timeout": 4})
        await clock.advance(1.9)
        assert await is_busy(again)
        await clock.advance(0.2)  # half of the time, because it is the same host
        await again.scan()


async def test_a_longer_one_does_not_shut_the_next_master_out() -> None:
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, _, master), another(rtu) as again:
        await charge(master, clock)
        await master.device.write({"failsafe_timeout": 3600})
        await clock.advance(FAILSAFE_S / 2 - 0.1)
        assert await is_busy(again)
        await clock.advance(0.2)
        await again.scan()
