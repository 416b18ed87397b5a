"""Modbus/TCP Security on real sockets: who is refused, and the log line that says which."""

import asyncio
import contextlib
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from odd_certificates import SERVER, make_odd, utf8_string
from pymodbus.client import AsyncModbusTlsClient
from raw_lines import READ_HEARTBEAT, line, station_image
from site_certificates import SiteCertificates, make_certificates

from modbus_link.image import RegisterImage
from modbus_link.listen import Listen, Role
from modbus_link.mbap import frame
from modbus_link.server import ModbusServer

Until = Callable[..., Awaitable[None]]

ROLES = {"master": Role(write="all"), "viewer": Role()}
MASTER = utf8_string("master")
HEARTBEAT = bytes.fromhex("04 02 0000")
STOP = bytes.fromhex("05 0001 ff00")


@pytest.fixture
def image() -> RegisterImage:
    return station_image()


@pytest.fixture
async def server(image: RegisterImage, certificates: SiteCertificates) -> AsyncIterator[ModbusServer]:
    async with ModbusServer(image, Listen(port=0, roles=ROLES), tls=certificates.tls("rtu")) as found:
        yield found


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> SiteCertificates:
    """Of another site: the same names and roles, another authority."""
    return make_certificates(tmp_path_factory.mktemp("elsewhere") / "certificates")


Make = Callable[[SiteCertificates, SiteCertificates], ssl.SSLContext]


def odd(name: str, **facts: object) -> Make:
    def make(site: SiteCertificates, _: SiteCertificates) -> ssl.SSLContext:
        make_odd(site.folder, name, **facts)  # type: ignore[arg-type]
        return site.tls(name).client

    return make


def without_certificate(site: SiteCertificates, _: SiteCertificates) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=site.files("master").ca)


def at_tls_1_1(site: SiteCertificates, _: SiteCertificates) -> ssl.SSLContext:
    context = site.tls("master").client
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else OpenSSL would not even try
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


NOT_OURS = "its certificate is not from this site's authority"
REFUSED: dict[str, tuple[Make, str]] = {
    "of another authority": (lambda site, other: other.tls("master", site.folder).client, NOT_OURS),
    "signed by itself": (odd("self", role=MASTER, self_signed=True), NOT_OURS),
    "expired": (lambda site, _: site.tls("past").client, "its certificate has expired"),
    "not valid yet": (
        odd("future", role=MASTER, since_days=1),
        "its certificate is not valid yet; is this machine's clock right?",
    ),
    "no certificate": (without_certificate, "it shows no certificate"),
    "for servers alone": (
        odd("server", role=MASTER, usage=SERVER),
        "its certificate is not made for this side of a connection",
    ),
    "no role": (lambda site, _: site.tls("nobody").client, "the certificate of 'nobody' carries no role"),
    "a role of another string type": (
        odd("printable", role=b"\x13\x06master"),
        "the certificate of 'printable' carries no role",
    ),
    "a role without rights here": (
        lambda site, _: site.tls("guest").client,
        "'guest' has the role 'guest', which has no rights here",
    ),
    "a role that would be two lines of the log": (
        odd("forged", role=utf8_string("guest\n2026-01-01 00:00:00 INFO forged")),
        "'forged' has the role 'guest\\n2026-01-01 00:00:00 INFO forged', which has no rights here",
    ),
    "a host's name of a kind that nobody reads": (
        odd("unreadable", role=MASTER, hosts=b"\x30\x04\xa3\x02\x30\x00"),  # an X.400 address
        "its certificate can't be read",
    ),
    "TLS 1.1": (at_tls_1_1, "it speaks only TLS versions older than 1.2"),
}


@pytest.mark.parametrize("who", REFUSED)
async def test_refused_with_a_line_that_says_why(
    server: ModbusServer,
    certificates: SiteCertificates,
    elsewhere: SiteCertificates,
    caplog: pytest.LogCaptureFixture,
    until: Until,
    who: str,
) -> None:
    make, why = REFUSED[who]
    context, source = make(certificates, elsewhere), "127.0.0.1"
    with contextlib.suppress(OSError):
        async with line(server, tls=context) as client:
            source = f"127.0.0.1:{client.port}"
            client.writer.write(frame(1, 1, READ_HEARTBEAT))
            assert await client.rest() == b""
    await until(lambda: not server._connections)
    (told,) = refusals(caplog)
    assert told.startswith(source)
    assert told.endswith(f": refused: {why}")
    assert told.isprintable()


def refusals(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "modbus_link.server"]


async def test_whose_role_has_rights_is_served_and_not_told(
    server: ModbusServer, certificates: SiteCertificates, caplog: pytest.LogCaptureFixture
) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = certificates.tls("viewer").client
        context.minimum_version = context.maximum_version = version
        async with line(server, tls=context) as client:
            assert await client.ask(READ_HEARTBEAT) == HEARTBEAT
    assert refusals(caplog) == []


async def test_a_client_in_the_clear_at_a_port_with_roles(
    server: ModbusServer, image: RegisterImage, caplog: pytest.LogCaptureFixture, until: Until
) -> None:
    async with line(server) as client:
        client.writer.write(frame(1, 1, STOP))
        assert await client.rest() == b""
    await until(lambda: bool(refusals(caplog)))
    assert refusals(caplog)[0].endswith(": refused: it does not speak TLS")
    assert image["stop_request"] is False


async def test_split_and_pipelined_requests(server: ModbusServer, certificates: SiteCertificates) -> None:
    """TLS has records, Modbus has frames, and neither knows of the other."""
    async with line(server, tls=certificates.tls("viewer").client) as client:
        for byte in frame(1, 1, READ_HEARTBEAT):
            client.writer.write(bytes((byte,)))  # a record each
            await asyncio.sleep(0)
        assert await client.reader.readexactly(11) == frame(1, 1, HEARTBEAT)
        requests = b"".join(frame(n, 1, READ_HEARTBEAT) for n in range(2000))  # in two records, as it happens
        client.writer.write(requests + requests[:5])
        replies = b"".join(frame(n, 1, HEARTBEAT) for n in range(2000))
        assert await client.reader.readexactly(len(replies)) == replies
        client.writer.write(requests[5:12])
        assert await client.reader.readexactly(11) == frame(0, 1, HEARTBEAT)


async def test_a_bad_header_ends_the_connection_after_the_replies_due(
    server: ModbusServer, certificates: SiteCertificates
) -> None:
    async with line(server, tls=certificates.tls("viewer").client) as client:
        client.writer.write(frame(1, 1, READ_HEARTBEAT) + b"GET / HTTP/1.1")
        assert await client.rest() == frame(1, 1, HEARTBEAT)


async def test_pymodbus_s_own_client_over_tls(certificates: SiteCertificates) -> None:
    image = station_image()
    listen = Listen(port=0, roles={"master": Role(write="all")})
    async with ModbusServer(image, listen, name="RTS1", tls=certificates.tls("rtu")) as server:
        client = AsyncModbusTlsClient("127.0.0.1", port=server.port, sslctx=certificates.tls("master").client)
        assert await client.connect()
        assert not (await client.write_registers(0, [0, 3300])).isError()
        assert (await client.read_holding_registers(0, count=2)).registers == [0, 3300]
        assert (await client.read_device_information(read_code=1)).information[1] == b"pev_rtu"
        client.close()
    assert image["power_limit"] == 3300
