"""Writes that the master does not take: the operator's screen says why, and nothing has changed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
from master_stage import WITHIN_S, Operator, Served, Start, operator
from master_values import CHARGING, image_of
from processes import ExampleSite, until
from site_certificates import SiteCertificates

from hmi.look import TRACK
from hmi.sketch import Press
from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.listen import Listen, Role
from register_maps.register_map import load_map

MakeSite = Callable[..., ExampleSite]
ROLES = {"operator": Role(write=["price_limit", "power_limit", "station_*_hold"]), "viewer": Role()}


async def change_y(person: Operator) -> None:
    await person.until_title("Demo car park")
    await person.touch("set", text="power_limit")
    await person.type_by_touch("2")
    await person.touch("next")
    await person.until_asked()
    await person.touch("agree")


@contextlib.asynccontextmanager
async def held_by_another(port: int) -> AsyncIterator[None]:
    """Who writes y again and again, as a master above does."""
    async with ModbusClient("127.0.0.1", port, timeout_s=5) as client:
        await until(lambda: client.connected)
        device = Device(client, load_map("pev_master"))

        async def write() -> None:
            while True:
                await device.write({"power_limit": 3000})
                await asyncio.sleep(0.1)

        task = asyncio.create_task(write())
        try:
            yield
            assert not task.done(), task.exception()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_while_another_holds_the_limit(example_site: MakeSite, start: Start, display: str) -> None:
    site = example_site()
    site.start("master")
    port = site.ports["master"]
    async with operator(start, display, port) as person, held_by_another(port):
        await person.until_view(lambda view: view.power_limit_asked_w == 3000)
        await change_y(person)
        await person.until_refused("busy")
        await person.touch("cancel")
        await person.until_listed()
        assert (await person.view()).power_limit_asked_w == 3000


async def test_where_nobody_may_write(example_site: MakeSite, start: Start, display: str) -> None:
    site = example_site()
    path = site.folder / "site.yaml"
    path.write_text(path.read_text().replace("server: {", "server: {writers: [], "))
    site.start("master")
    async with operator(start, display, site.ports["master"]) as person:
        await change_y(person)
        await person.until_refused("not_allowed")
        assert (await person.view()).power_limit_asked_w == 5000
        await person.touch("cancel")
        await person.until_listed()
        await person.touch("station", 1)
        await person.until_asked()
        await person.touch("agree")
        await person.until_refused("not_allowed")


async def test_a_master_that_is_lost_while_it_is_asked(start: Start, display: str) -> None:
    image = image_of(CHARGING)
    with Served(image) as server:
        async with operator(start, display, server.port) as person:
            await person.until_title("Demo car park")
            await person.touch("set", text="power_limit")
            await person.type_by_touch("2")
            await person.touch("next")
            await person.until_asked()
            agree = await person.place(Press("agree"))
            server.be_gone()
            await person.until_title("The master does not answer")
            person.screen.press(agree)
            # It has tried when Close is there instead of two buttons.
            await until(lambda: TRACK not in person.screen.colours(), WITHIN_S)
            server.answer()
            await person.until_told("The master did not answer")
            assert image["power_limit"] == 5000


@pytest.mark.parametrize("role", ["viewer", "operator"])
async def test_over_tls(certificates: SiteCertificates, start: Start, display: str, role: str) -> None:
    image, listen = image_of(CHARGING), Listen(port=0, roles=ROLES)
    own = ("--certificate", str(certificates.folder / f"{role}.crt"))
    eyes = certificates.tls("viewer").client
    with Served(image, listen, certificates.tls("master")) as server:
        async with operator(start, display, server.port, *own, tls=eyes) as person:
            await person.until_title("Demo car park")
            await change_y(person)
            if role == "operator":
                await until(lambda: image["power_limit"] == 2000)
                await person.until_listed()
            else:
                await person.until_refused("not_allowed")
                assert image["power_limit"] == 5000


async def test_without_a_certificate_it_sees_nothing(
    certificates: SiteCertificates, start: Start, display: str
) -> None:
    image, listen = image_of(CHARGING), Listen(port=0, roles=ROLES)
    eyes = certificates.tls("viewer").client
    with Served(image, listen, certificates.tls("master")) as server:
        async with operator(start, display, server.port, tls=eyes) as person:
            await person.until_title("The master does not answer: Nothing has been read yet")
