"""Reading a master over a real connection: whole, and again when it comes back as another."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from master_values import (
    ACKNOWLEDGED,
    CHARGING,
    KINDS,
    NO_PRICE,
    OVER,
    SEVERAL,
    SHELVED,
    UNACKNOWLEDGED,
    WELDED,
    event,
    image_of,
    many,
    values_of,
    with_alarms,
)
from processes import free_port, until

from hmi.master_reader import MasterReader
from hmi.master_view import MasterView, master_view
from modbus_link.client import ModbusClient
from modbus_link.errors import LinkError
from modbus_link.image import RegisterImage
from modbus_link.listen import Listen
from modbus_link.server import ModbusServer
from register_maps.points import Value

WITHIN_S = 10.0


@contextlib.asynccontextmanager
async def reader_at(port: int) -> AsyncIterator[MasterReader]:
    async with ModbusClient("127.0.0.1", port, timeout_s=5) as client:
        await until(lambda: client.connected, WITHIN_S)
        yield MasterReader(client)


@contextlib.asynccontextmanager
async def read_from(image: RegisterImage) -> AsyncIterator[MasterReader]:
    async with ModbusServer(image, Listen(port=0)) as server, reader_at(server.port) as reader:
        yield reader


def text_of(values: dict[str, Value]) -> Value:
    return values["event_1_text"]


@pytest.mark.parametrize("count", [0, 1, 2, 40])
async def test_every_point_of_the_site_and_its_stations_and_events(count: int) -> None:
    image = with_alarms(image_of(*many(count), events=20), *[WELDED | {"number": n} for n in range(1, 33)])
    async with read_from(image) as reader:
        values = await reader.read()
        assert values == values_of(image)
        assert len(master_view(values).stations) == count


async def test_events_are_read_when_there_are_new_ones_and_only_then() -> None:
    image = image_of(CHARGING, events=1)
    async with read_from(image) as reader:
        assert text_of(await reader.read()) == "RTS1: charges with at most 3300 W"
        image.update({"event_1_text": "not announced", "heartbeat": 8})
        values = await reader.read()
        assert (values["heartbeat"], text_of(values)) == (8, "RTS1: charges with at most 3300 W")
        image.update(event(2, "RTS1: full"))
        values = await reader.read()
        assert (text_of(values), values["event_2_text"]) == ("not announced", "RTS1: full")


async def test_alarms_are_read_when_they_have_changed_and_only_then() -> None:
    image = with_alarms(image_of(CHARGING), NO_PRICE)
    async with read_from(image) as reader:
        assert (await reader.read())["alarm_1_state"] == UNACKNOWLEDGED
        image.update({"alarm_1_state": ACKNOWLEDGED, "heartbeat": 8})
        assert (await reader.read())["alarm_1_state"] == UNACKNOWLEDGED
        with_alarms(image, {**NO_PRICE, "state": OVER})
        assert (await reader.read())["alarm_1_state"] == OVER


async def test_alarms_are_read_again_and_again_while_somebody_looks_at_them() -> None:
    image = with_alarms(image_of(CHARGING), {**NO_PRICE, "state": SHELVED, "shelved_left": 900})
    async with read_from(image) as reader:
        assert (await reader.read())["alarm_1_shelved_left"] == 900
        image.update({"alarm_1_shelved_left": 880})
        assert (await reader.read())["alarm_1_shelved_left"] == 900
        reader.watches_alarms = True
        assert (await reader.read())["alarm_1_shelved_left"] == 880


@pytest.mark.parametrize(("alarms", "read"), [(1, 4), (3, 4), (4, 8), (9, 12), (31, 32), (32, 32)])
async def test_of_the_blocks_of_alarms_hardly_more_are_read_than_are_full(alarms: int, read: int) -> None:
    image = with_alarms(image_of(CHARGING), *[{**WELDED, "number": n + 1} for n in range(alarms)])
    async with read_from(image) as reader:
        values = await reader.read()
        assert sum(name.startswith("alarm_") and name.endswith("_remedy") for name in values) == read
        assert len(master_view(values).alarms.rows) == alarms


async def test_alarms_that_are_gone_are_no_longer_shown() -> None:
    image = with_alarms(image_of(CHARGING), *SEVERAL)
    async with read_from(image) as reader:
        assert len(master_view(await reader.read()).alarms.rows) == len(SEVERAL)
        with_alarms(image, NO_PRICE)
        assert [row.number for row in master_view(await reader.read()).alarms.rows] == [1]
        with_alarms(image)
        assert master_view(await reader.read()).alarms.rows == ()


async def test_what_is_done_about_an_alarm_is_one_request() -> None:
    image = with_alarms(image_of(CHARGING), WELDED)
    seen: list[dict[str, Value]] = []
    image.on_write = lambda write: seen.append(dict(write.values))
    async with read_from(image) as reader:
        view = master_view(await reader.read())
        for order in view.alarms.rows[0].orders():
            await reader.write(order.values)
    wanted = [("acknowledge", 0), *(("shelve", s) for s in (900, 3600, 28_800)), ("take_out_of_service", 0)]
    assert seen == [{"alarm_number": 45, "alarm_action": a, "shelve_time": s} for a, s in wanted]


async def view_after_return(before: RegisterImage, after: RegisterImage, *, is_missed: bool) -> MasterView:
    """What is read of a master that comes back as `after` at the same place."""
    port = free_port()
    async with ModbusServer(before, Listen(port=port)) as old, reader_at(port) as reader:
        await reader.read()
        await old.stop()
        if is_missed:
            with pytest.raises(LinkError):
                await reader.read()
        async with ModbusServer(after, Listen(port=port)):

            async def is_read() -> bool:
                with contextlib.suppress(LinkError):
                    seen.append(master_view(await reader.read()))
                return bool(seen)

            seen: list[MasterView] = []
            await until(is_read, WITHIN_S)
            return seen[0]


@pytest.mark.parametrize("is_missed", [True, False])
@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (40, 2), (0, 1), (2, 0)])
async def test_a_master_that_comes_back_with_other_stations(before: int, after: int, is_missed: bool) -> None:
    stations = [{**station, "name": f"NEW{n}"} for n, station in enumerate(many(after))]
    view = await view_after_return(image_of(*many(before)), image_of(*stations), is_missed=is_missed)
    assert [row.name for row in view.stations] == [station["name"] for station in stations]


@pytest.mark.parametrize("is_missed", [True, False])
async def test_a_master_that_comes_back_with_as_many_events_but_others(is_missed: bool) -> None:
    before, after = image_of(CHARGING, events=1), image_of(CHARGING)
    after.update(event(1, "site: started"))
    view = await view_after_return(before, after, is_missed=is_missed)
    assert [row.text for row in view.events] == ["site: started"]


async def test_orders_reach_the_master_before_anything_was_read() -> None:
    image = image_of(CHARGING, KINDS["held"])
    async with read_from(image) as reader:
        await reader.write({"station_2_hold": False})
        await reader.write({"price_limit": 0.25})
        assert (image["station_2_hold"], image["price_limit"]) == (False, 0.25)


async def test_without_a_master_nothing_is_written_or_read() -> None:
    client = ModbusClient("127.0.0.1", free_port(), timeout_s=0.5)
    async with client:
        reader = MasterReader(client)
        for doing in (reader.read(), reader.write({"price_limit": 0.25})):
            with pytest.raises(LinkError):
                await doing


async def test_a_station_that_the_master_no_longer_has_is_no_point_to_write() -> None:
    """The operator agreed at what was shown; the master has come back with fewer since."""
    async with read_from(image_of(CHARGING)) as reader:
        with pytest.raises(LinkError):
            await reader.write({"station_2_hold": True})


async def test_more_stations_than_a_map_has_room_for_are_no_master() -> None:
    async with read_from(image_of(CHARGING, station_count=60_000)) as reader:
        with pytest.raises(LinkError):
            await reader.read()
