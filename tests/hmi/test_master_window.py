"""The operator's screen in every state, as it is on a display; PEV_PICTURES keeps the pictures."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from displays import sizes
from master_stage import WITHIN_S, Operator, Served, Start, keep, operator
from master_values import CHARGING, KINDS, image_of
from processes import ExampleSite, until

from hmi.look import Look
from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.listen import Listen
from modbus_link.server import ModbusServer
from register_maps.points import Value
from register_maps.register_map import load_map

MakeSite = Callable[..., ExampleSite]

SIZES = sizes()
ROOM_FOR_ONE_W = 4000
SAYS_SO_WITHIN_S = 2.0
SILENT = Look.SILENT.value.fill.upper()


async def write(port: int, **values: Value) -> None:
    async with ModbusClient("127.0.0.1", port, timeout_s=5) as client:
        while not client.connected:
            await asyncio.sleep(0.01)
        await Device(client, load_map("pev_master").expanded(station=2)).write(values)


def site_of_two(site: ExampleSite) -> ExampleSite:
    for name in site.ports:
        site.launch(name)
    for program, port in zip(site.programs, site.ports.values(), strict=True):
        program.wait_for_port(port)
    return site


@pytest.mark.parametrize("size", SIZES)
async def test_a_site_of_two(
    example_site: MakeSite, start: Start, display: str, pictures: Path, size: str
) -> None:
    site = site_of_two(example_site(power_limit_w=ROOM_FOR_ONE_W))
    port = site.ports["master"]
    async with operator(start, display, port, size=size) as person:

        async def album(name: str, look: Look) -> None:
            await person.until_listed()
            await person.until_colour(look)
            keep(person.screen.look(), pictures, name)

        await person.until_title("Demo car park")
        await person.until_view(lambda view: (view.charging, view.waiting) == (1, 1))
        await album("two", Look.CHARGING)
        await write(port, price_limit=0.1)
        await person.until_view(lambda view: view.price_is_over and view.waiting == 2)
        await album("dear", Look.WAITING)
        await write(port, price_limit=0.2, power_limit=1000)
        await person.until_view(lambda view: view.stations[0].reason == "power" and view.power_w == 0)
        await album("power", Look.WAITING)
        await write(port, power_limit=ROOM_FOR_ONE_W, station_1_hold=True)
        await person.until_view(lambda view: view.stations[0].reason == "operator" and view.charging == 1)
        await album("held", Look.CHARGING)
        site.programs[list(site.ports).index("RTS2")].kill()
        await person.until_view(lambda view: view.silent == 1)
        await album("silent", Look.SILENT)


@pytest.mark.alone
@pytest.mark.parametrize("size", SIZES)
async def test_a_master_that_is_lost_and_comes_back(
    example_site: MakeSite,
    start: Start,
    display: str,
    pictures: Path,
    record_property: Callable[[str, object], None],
    size: str,
) -> None:
    site = example_site()
    site.start("master")
    async with operator(start, display, site.ports["master"], size=size) as person:
        await person.until_title("Demo car park")
        await until(lambda: header(person) != SILENT)
        site.programs[0].kill()
        began = time.monotonic()
        title = await person.until_title("The master does not answer")
        took_s = time.monotonic() - began
        assert title.startswith("Demo car park: The master does not answer: Values are ")
        await until(lambda: header(person) == SILENT)
        keep(person.screen.look(), pictures, "lost")
        site.start("master")
        began = time.monotonic()
        await until(lambda: person.screen.title == "Demo car park", WITHIN_S)
        record_property("says that the master is lost after, s", round(took_s, 2))
        record_property("live after the master's port answers, s", round(time.monotonic() - began, 2))
        assert took_s < SAYS_SO_WITHIN_S
        await until(lambda: header(person) != SILENT)


def header(person: Operator) -> str:
    """Its colour."""
    left, top, *_ = person.screen.box
    (colour,) = person.screen.colours((left + 1, top + 1, left + 3, top + 3))
    return colour


async def test_a_master_that_answers_and_does_nothing_else(start: Start, display: str) -> None:
    async with (
        ModbusServer(image_of(CHARGING, scan_period=400), Listen(port=0)) as server,
        operator(start, display, server.port) as person,
    ):
        await person.until_title("Demo car park: The master no longer scans: Values are ")


@pytest.mark.parametrize("size", SIZES)
async def test_tabs_and_questions(start: Start, display: str, pictures: Path, size: str) -> None:
    """At a master that takes no orders, whose voltage is out of its band."""
    image = image_of(CHARGING, KINDS["held"], events=20, lowest_voltage=103.9)
    with Served(image, Listen(port=0, writers=[])) as server:
        async with operator(start, display, server.port, size=size) as person:
            await person.until_title("Demo car park")
            await person.until_listed()
            keep(person.screen.look(), pictures, "voltage")
            if size == SIZES[0]:
                keep(await person.until_listed(), pictures, "stations")
                await person.touch("tab", text="events")
                keep(await person.until_listed(), pictures, "events")
                await person.touch("tab", text="trend")
                keep(await person.until_as_wanted(below=0.87), pictures, "trend")
            await person.touch("set", text="price_limit")
            await person.type_by_touch("0.25")
            keep(await person.until_asked(), pictures, "keypad")
            await person.touch("next")
            keep(await person.until_asked(), pictures, "confirm")
            await person.touch("agree")
            keep(await person.until_refused("not_allowed"), pictures, "refused")


@pytest.mark.parametrize(("size", "language", "name"), [("320x480", "en", ""), ("480x320", "zh", "_zh")])
async def test_upright_and_in_chinese(
    start: Start, display: str, pictures: Path, size: str, language: str, name: str
) -> None:
    image = image_of(*KINDS.values(), events=3)
    with Served(image) as server:
        async with operator(start, display, server.port, size=size, language=language) as person:
            await person.until_title("Demo car park")
            keep(await person.until_listed(), pictures, f"stations{name}")
            await person.touch("set", text="power_limit")
            await person.type_by_touch("3.5")
            keep(await person.until_asked(), pictures, f"keypad{name}")
            await person.touch("next")
            keep(await person.until_asked(), pictures, f"confirm{name}")
            await person.touch("agree")
            await until(lambda: image["power_limit"] == 3500)
            await person.until_listed()
