"""Touches and keys at the operator's screen, and what they come to at the master and its stations."""

import contextlib
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from master_stage import WITHIN_S, Operator, Served, Start, keep, operator
from master_values import CHARGING, image_of, many
from processes import ExampleSite, until

from hmi.sketch import Press
from modbus_link.client import ModbusClient
from modbus_link.device import Device
from register_maps.points import Value
from register_maps.register_map import load_map

MakeSite = Callable[..., ExampleSite]


class Rts:
    """A third party's eyes on an RTU."""

    def __init__(self, client: ModbusClient) -> None:
        self._device = Device(client, load_map("pev_rtu"))

    async def until(self, **wanted: Value) -> None:
        async def holds() -> bool:
            seen = await self._device.read()
            return all(seen[name] == value for name, value in wanted.items())

        await until(holds, WITHIN_S)


@contextlib.asynccontextmanager
async def one_station(site: ExampleSite, start: Start, display: str) -> AsyncIterator[tuple[Operator, Rts]]:
    """The site has RTS1 alone, which charges."""
    path = site.folder / "site.yaml"
    path.write_text(re.sub(r".*name: RTS2.*\n", "", path.read_text()))
    for name in ("RTS1", "master"):
        site.launch(name)
    for name, program in zip(("RTS1", "master"), site.programs, strict=True):
        program.wait_for_port(site.ports[name])
    async with (
        operator(start, display, site.ports["master"]) as person,
        ModbusClient("127.0.0.1", site.ports["RTS1"], timeout_s=5) as client,
    ):
        await until(lambda: client.connected)
        rts = Rts(client)
        await rts.until(contactor_closed=True)
        await person.until_title("Demo car park")
        yield person, rts


async def test_hold_and_release(example_site: MakeSite, start: Start, display: str) -> None:
    async with one_station(example_site(), start, display) as (person, rts):
        await person.touch("station", 1)
        await person.until_asked()
        await person.touch("agree")
        await rts.until(contactor_closed=False, limit_reason="operator")
        assert (await person.row("RTS1")).held
        await person.until_row("RTS1", lambda row: row.power_w == 0)
        await person.until_listed()
        await person.touch("station", 1)
        await person.until_asked()
        await person.touch("agree")
        await rts.until(contactor_closed=True, limit_reason="none")
        assert not (await person.row("RTS1")).held


async def test_x_by_touch(example_site: MakeSite, start: Start, display: str) -> None:
    async with one_station(example_site(), start, display) as (person, rts):
        await person.touch("set", text="price_limit")
        await person.type_by_touch("0.10")
        await person.until_asked()
        await person.touch("next")
        await person.until_asked()
        assert (await person.view()).price_limit == 0.2
        await person.touch("agree")
        await rts.until(contactor_closed=False, limit_reason="price", price_limit=0.1)
        assert (await person.view()).price_limit == 0.1


async def test_y_by_touch(example_site: MakeSite, start: Start, display: str) -> None:
    async with one_station(example_site(), start, display) as (person, rts):
        await person.touch("set", text="power_limit")
        await person.type_by_touch("2.5")
        await person.until_asked()
        await person.touch("next")
        await person.until_asked()
        await person.touch("agree")
        await rts.until(power_limit=2500)
        assert (await person.view()).power_limit_asked_w == 2500


@contextlib.asynccontextmanager
async def at_a_master(start: Start, display: str) -> AsyncIterator[tuple[Operator, Callable[[str], Value]]]:
    """Whose registers are the test's."""
    image = image_of(CHARGING, CHARGING)
    with Served(image) as server:
        async with operator(start, display, server.port) as person:
            await person.until_title("Demo car park")
            yield person, image.__getitem__


async def test_by_keyboard(start: Start, display: str) -> None:
    async with at_a_master(start, display) as (person, register):
        await person.touch("set", text="price_limit")
        await person.type_by_keyboard("minus", "0", "comma", "3", "6", "BackSpace", "5")
        await person.until_asked()
        await person.type_by_keyboard("Return")
        await person.until_asked()
        await person.type_by_keyboard("Return")
        await until(lambda: register("price_limit") == -0.35)
        await person.until_listed()


async def test_what_is_cancelled_changes_nothing(start: Start, display: str) -> None:
    async with at_a_master(start, display) as (person, register):
        before = {name: register(name) for name in ("price_limit", "power_limit", "station_1_hold")}
        await person.touch("set", text="power_limit")
        await person.type_by_touch("1")
        await person.touch("next")
        await person.until_asked()
        await person.touch("cancel")
        await person.until_listed()
        await person.touch("station", 1)
        await person.until_asked()
        await person.type_by_keyboard("Escape")
        await person.until_listed()
        await person.touch("set", text="price_limit")
        await person.type_by_keyboard("1", "Escape", "Return")
        await person.until_listed()
        assert {name: register(name) for name in before} == before


async def test_a_finger_that_trembles_agrees_to_nothing(start: Start, display: str) -> None:
    """What says Change stands where Next was."""
    async with at_a_master(start, display) as (person, register):
        await person.touch("set", text="power_limit")
        await person.type_by_touch("1")
        await person.until_asked()
        at = await person.place(Press("next"))
        await person.touch("next")
        person.screen.press(at)
        await person.until_asked()
        assert register("power_limit") == 5000


async def test_the_list_reaches_the_last_of_forty(start: Start, display: str, pictures: Path) -> None:
    image = image_of(*many(40))
    with Served(image) as server:
        async with operator(start, display, server.port) as person:
            await person.until_title("Demo car park")
            keep(await person.until_listed(), pictures, "40")
            presses, rows = 0, -1
            while person.panel.first_row != rows:
                rows = person.panel.first_row
                await person.touch("scroll", 1)
                presses += 1
            assert person.panel.first_row == 40 - person.panel.page
            keep(await person.until_listed(), pictures, "40_last")
            await person.type_by_keyboard("Up", "Up")
            await person.until_listed()
            last = (await person.view()).by_attention()[-3]
            await person.touch("station", last.number)
            keep(await person.until_asked(), pictures, "40_hold")
