"""The handshake: what comes along with it, who never finishes it, and who leaves in its midst."""

import asyncio
import contextlib
import datetime
import gc
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from raw_lines import READ_HEARTBEAT, station_image
from site_certificates import SiteCertificates
from tls_by_hand import ByHand

from modbus_link import secure
from modbus_link.image import RegisterImage
from modbus_link.listen import Listen, Role
from modbus_link.mbap import frame
from modbus_link.server import ModbusServer

Until = Callable[..., Awaitable[None]]

ROLES = {"master": Role(write="all"), "viewer": Role()}
HEARTBEAT = bytes.fromhex("04 02 0000")
STOP = bytes.fromhex("05 0001 ff00")


@pytest.fixture
def image() -> RegisterImage:
    return station_image()


@pytest.fixture
async def server(image: RegisterImage, certificates: SiteCertificates) -> AsyncIterator[ModbusServer]:
    async with ModbusServer(image, Listen(port=0, roles=ROLES), tls=certificates.tls("rtu")) as found:
        yield found


def refusals(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "modbus_link.server"]


async def test_a_request_in_one_segment_with_the_end_of_the_handshake(
    server: ModbusServer, certificates: SiteCertificates
) -> None:
    """Three of them, and half of a fourth, which comes later."""
    request, reply = frame(1, 1, READ_HEARTBEAT), frame(1, 1, HEARTBEAT)
    async with ByHand(server, certificates.tls("viewer").client) as client:
        await client.finish()
        client.tls.write(3 * request + request[:6])
        client.send()
        received = b""
        while len(received) < 3 * len(reply):
            received += await client.read()
        client.tls.write(request[6:])
        client.send()
        received += await client.read()
        assert received == 4 * reply


async def test_a_long_flight_with_the_end_of_the_handshake(
    server: ModbusServer, certificates: SiteCertificates
) -> None:
    number = 3000  # 36 kB, far more than is taken at once
    async with ByHand(server, certificates.tls("viewer").client) as client:
        await client.finish()
        client.tls.write(number * frame(1, 1, READ_HEARTBEAT))
        client.send()
        received = b""
        while len(received) < number * len(frame(1, 1, HEARTBEAT)):
            received += await client.read()
        assert received == number * frame(1, 1, HEARTBEAT)


@pytest.mark.parametrize("who", ["viewer", "nobody", "guest", "past"])
async def test_a_write_that_comes_before_the_role_is_known_has_no_effect(
    server: ModbusServer, image: RegisterImage, certificates: SiteCertificates, who: str
) -> None:
    async with ByHand(server, certificates.tls(who).client) as client:
        await client.finish()
        client.tls.write(frame(1, 1, STOP))
        client.send()
        refused = frame(1, 1, b"\x85\x01") if who == "viewer" else b""
        with contextlib.suppress(ssl.SSLError):
            assert await client.read() == refused
    assert image["stop_request"] is False


@pytest.mark.parametrize("sent", ["nothing", "one byte", "half a handshake"])
async def test_a_client_that_never_finishes_the_handshake_is_dropped(
    server: ModbusServer,
    certificates: SiteCertificates,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    sent: str,
) -> None:
    monkeypatch.setattr("modbus_link.secure.HANDSHAKE_S", 0.1)
    monkeypatch.setattr("modbus_link.tls.HANDSHAKE_S", 0.1)
    async with ByHand(server, certificates.tls("master").client) as client:
        if sent == "half a handshake":
            await client.finish()
        elif sent == "one byte":
            client.send(b"\x16")
        while await client.hear():
            pass
    assert refusals(caplog)[0].endswith(": refused: no handshake within 0.1 s")
    assert not server._connections


@pytest.mark.parametrize("sent", ["nothing", "one byte", "half a handshake"])
async def test_stop_during_a_handshake_leaves_nothing_behind(
    image: RegisterImage, certificates: SiteCertificates, caplog: pytest.LogCaptureFixture, sent: str
) -> None:
    before = asyncio.all_tasks()
    async with contextlib.AsyncExitStack() as stack:
        server = ModbusServer(image, Listen(port=0, roles=ROLES), tls=certificates.tls("rtu"))
        await server.start()
        for _ in range(5):
            client = ByHand(server, certificates.tls("master").client)
            await stack.enter_async_context(client)
            if sent == "half a handshake":
                await client.finish()
            elif sent == "one byte":
                client.send(b"\x16")
        await server.stop()
        assert not server._connections
        assert asyncio.all_tasks() == before
    gc.collect()  # what was not closed would say so


async def test_a_client_that_refuses_this_server_is_told_of(
    server: ModbusServer, caplog: pytest.LogCaptureFixture, until: Until
) -> None:
    async with ByHand(server, ssl.create_default_context()) as client:
        with pytest.raises(ssl.SSLCertVerificationError):
            await client.finish()
        client.send()  # its alert
        await until(lambda: bool(refusals(caplog)))
    told = ": refused: it refuses this side's certificate or TLS version (tlsv1 alert unknown ca)"
    assert refusals(caplog)[0].endswith(told)


async def test_a_client_that_leaves_during_the_handshake_is_forgotten(
    server: ModbusServer, certificates: SiteCertificates, caplog: pytest.LogCaptureFixture, until: Until
) -> None:
    for hello in (True, False):
        caplog.clear()
        async with ByHand(server, certificates.tls("master").client) as client:
            if hello:
                await client.finish()
        await until(lambda: bool(refusals(caplog)))
        assert refusals(caplog)[0].endswith("does it accept this side's certificate?")
    assert not server._connections


async def test_a_client_that_comes_back_shows_its_certificate_again(
    server: ModbusServer, certificates: SiteCertificates
) -> None:
    """TLS 1.3: there are no tickets to come back with."""
    context, session = certificates.tls("viewer").client, None
    for _ in range(2):
        async with ByHand(server, context, session) as client:
            await client.finish()
            client.tls.write(frame(1, 1, READ_HEARTBEAT))
            client.send()
            assert await client.read() == frame(1, 1, HEARTBEAT)
            assert not client.tls.session_reused
            session = client.tls.session


async def test_a_session_does_not_outlive_the_certificate_that_it_began_with(
    server: ModbusServer,
    certificates: SiteCertificates,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    until: Until,
) -> None:
    """TLS 1.2 goes on with an old session, and no certificate is shown."""
    context, session = certificates.tls("viewer").client, None
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    for expired in (False, True):
        if expired:
            in_a_year = secure.now() + datetime.timedelta(days=366)
            monkeypatch.setattr(secure, "now", lambda when=in_a_year: when)
        async with ByHand(server, context, session) as client:
            await client.finish()
            client.tls.write(frame(1, 1, READ_HEARTBEAT))
            client.send()
            assert await client.read() == (b"" if expired else frame(1, 1, HEARTBEAT))
            assert client.tls.session_reused == expired
            session = client.tls.session
    await until(lambda: bool(refusals(caplog)))
    assert refusals(caplog)[0].endswith(": refused: its certificate has expired")
