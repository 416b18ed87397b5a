"""Our own client over TLS: which servers it refuses, and what it then says."""

import asyncio
import gc
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from raw_lines import station_image
from site_certificates import SiteCertificates, make_certificates

from modbus_link.certificates import Authority, Certificate
from modbus_link.client import NO_TLS, ModbusClient
from modbus_link.errors import LinkDown
from modbus_link.listen import Listen, Role
from modbus_link.server import ModbusServer
from modbus_link.tls import Tls
from register_maps.points import Table

Until = Callable[..., Awaitable[None]]

ROLES = {"master": Role(write="all")}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> SiteCertificates:
    """With some more servers than others need."""
    found = make_certificates(tmp_path_factory.mktemp("site-of-the-client") / "certificates")
    authority = Authority(found.folder)
    authority.issue(Certificate(name="away", role="rtu", hosts=["192.0.2.7", "away.example"]), days=90)
    authority.issue(Certificate(name="clientonly", role="rtu"), days=90)
    authority.issue(Certificate(name="named", role="rtu", hosts=["localhost"]), days=90)
    authority.issue(Certificate(name="addressed", role="rtu", hosts=["127.0.0.1"]), days=90)
    return found


def serving(tls: Tls | None, port: int = 0) -> ModbusServer:
    listen = Listen(port=port, roles=ROLES if tls else None)
    return ModbusServer(station_image(), listen, tls=tls)


async def why_down(host: str, port: int, tls: ssl.SSLContext | None, timeout_s: float = 5) -> str:
    """Why our client has no connection, as its calls tell."""
    async with asyncio.timeout(10), ModbusClient(host, port, timeout_s=timeout_s, tls=tls) as client:
        while True:
            try:
                await client.read(Table.COIL, 0, 1, 1)
            except LinkDown as error:
                why = str(error).partition(f"{host}:{port}: ")[2]
                if why != "not connected yet":
                    return why
            await asyncio.sleep(0.005)


NO_NAME = "its certificate is refused: IP address mismatch, certificate is not valid for '127.0.0.1'."
SERVERS = {
    "of another host": ("away", "127.0.0.1", NO_NAME),
    "of another name": (
        "away",
        "localhost",
        "its certificate is refused: Hostname mismatch, certificate is not valid for 'localhost'.",
    ),
    "by name, reached by address": ("named", "127.0.0.1", NO_NAME),
    "for clients alone": (
        "clientonly",
        "127.0.0.1",
        "its certificate is refused: unsuitable certificate purpose",
    ),
    "expired": ("past", "127.0.0.1", "its certificate is refused: certificate has expired"),
}


@pytest.mark.parametrize("which", SERVERS)
async def test_a_server_is_refused(site: SiteCertificates, which: str) -> None:
    name, host, why = SERVERS[which]
    async with serving(site.tls(name)) as server:
        assert await why_down(host, server.port, site.tls("master").client) == why


async def test_a_server_of_another_site_is_refused(site: SiteCertificates, tmp_path: Path) -> None:
    other = make_certificates(tmp_path / "elsewhere")
    async with serving(other.tls("rtu", site.folder)) as server:  # which itself would trust our master
        why = await why_down("127.0.0.1", server.port, site.tls("master").client)
        assert why == "its certificate is refused: unable to get local issuer certificate"


@pytest.mark.parametrize(("name", "host"), [("named", "localhost"), ("addressed", "127.0.0.1")])
async def test_a_server_is_known_by_the_name_that_it_is_reached_by(
    site: SiteCertificates, until: Until, name: str, host: str
) -> None:
    async with (
        serving(site.tls(name)) as server,
        ModbusClient(host, server.port, timeout_s=5, tls=site.tls("master").client) as client,
    ):
        await until(lambda: client.connected)
        assert await client.read(Table.HOLDING_REGISTER, 10, 1, 1) == (10,)


@pytest.mark.parametrize("name", ["guest", "nobody", "past"])
async def test_a_refused_client_points_to_the_log_that_knows_why(site: SiteCertificates, name: str) -> None:
    async with serving(site.tls("rtu")) as server:
        why = await why_down("127.0.0.1", server.port, site.tls(name).client)
        assert "; it may have refused this side's certificate or role" in why


async def test_who_is_turned_away_again_and_again_tells_it_once(
    site: SiteCertificates, caplog: pytest.LogCaptureFixture, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modbus_link.client.LONGEST_PAUSE_S", 0.01)
    caplog.set_level(logging.INFO, "modbus_link.client")

    def told(by: str) -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == by]

    async with serving(site.tls("rtu")) as server:
        tls = site.tls("guest").client
        async with ModbusClient("127.0.0.1", server.port, timeout_s=5, tls=tls) as client:
            await until(lambda: len(told("modbus_link.server")) == 5)
        assert len(told("modbus_link.client")) <= 4, told("modbus_link.client")
        assert told("modbus_link.client")[0] == f"{client}: connected"


async def test_a_server_in_the_clear(site: SiteCertificates) -> None:
    async with serving(None) as server:
        why = await why_down("127.0.0.1", server.port, site.tls("master").client)
        assert why == f"Connection reset by peer during the TLS handshake: {NO_TLS}"


async def test_a_server_that_hangs_up(site: SiteCertificates) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        why = await why_down("127.0.0.1", port, site.tls("master").client)
        assert why == f"closed by the other side during the TLS handshake: {NO_TLS}"


async def test_a_client_in_the_clear(site: SiteCertificates) -> None:
    async with serving(site.tls("rtu")) as server:
        why = await why_down("127.0.0.1", server.port, None)
        assert why.startswith("closed by the other side; it may speak only TLS there, or not allow")


async def test_a_server_that_says_nothing(site: SiteCertificates) -> None:
    before = asyncio.all_tasks()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        why = await why_down("127.0.0.1", silent.getsockname()[1], site.tls("master").client, timeout_s=0.1)
        assert why == "no connection within 0.1 s"
    assert asyncio.all_tasks() == before
    gc.collect()  # what was not closed would say so


async def test_it_comes_back_by_itself(site: SiteCertificates, until: Until) -> None:
    server = serving(site.tls("rtu"))
    await server.start()
    client = ModbusClient("127.0.0.1", server.port, timeout_s=5, tls=site.tls("master").client)
    async with client:
        for _ in range(2):
            await until(lambda: client.connected)
            assert await client.read(Table.HOLDING_REGISTER, 10, 1, 1) == (10,)
            await server.stop()
            await until(lambda: not client.connected)
            server = serving(site.tls("rtu"), server.port)
            await server.start()
        await until(lambda: client.connected)
        await server.stop()
    gc.collect()


async def test_closed_at_any_moment_it_leaves_nothing_behind(site: SiteCertificates) -> None:
    before = asyncio.all_tasks()
    async with serving(site.tls("rtu")) as server:
        for turns in range(0, 40, 3):
            client = ModbusClient("127.0.0.1", server.port, tls=site.tls("master").client)
            client.start()
            for _ in range(turns):
                await asyncio.sleep(0)
            await client.close()
    assert asyncio.all_tasks() == before
    gc.collect()
