"""Every row of conformance.md, asked of our server on a real socket, plain and over TLS."""

import re
from collections.abc import AsyncIterator, Iterator

import pytest
from conformance_table import (
    CONTRACT,
    SERVER_NAME,
    Row,
    conformance_map,
    fault,
    read_device,
    read_rows,
    values,
)
from site_certificates import SiteCertificates

from modbus_link.image import RegisterImage
from modbus_link.listen import Listen, Role
from modbus_link.server import ModbusServer
from modbus_link.tls import Tls

ROWS = read_rows()
IMAGE = RegisterImage(conformance_map())
CONTENTS = values(IMAGE.map, read_device())
CLAUSE = re.compile(r"(M )?\d(\.\d+)*( figure \d+)?(, \d(\.\d+)*)?")


@pytest.fixture(scope="module")
def master(certificates: SiteCertificates) -> Tls:
    return certificates.tls("master")


@pytest.fixture(params=["plain", "tls"])
def tls(request: pytest.FixtureRequest) -> Tls | None:
    return request.getfixturevalue("master") if request.param == "tls" else None


@pytest.fixture
async def port(tls: Tls | None) -> AsyncIterator[int]:
    IMAGE.update(CONTENTS)  # whatever the row before has written
    listen = Listen(port=0, roles={"master": Role(write="all")} if tls else None)
    async with ModbusServer(IMAGE, listen, name=SERVER_NAME, tls=tls) as server:
        yield server.port


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_row(row: Row, port: int, tls: Tls | None) -> None:
    assert await fault(row, port, tls=tls.client if tls else None) == ""


def test_the_table_is_as_its_preface_says() -> None:
    assert len(ROWS) >= 120
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert [row.name for row in ROWS if row.clause != CONTRACT and not CLAUSE.fullmatch(row.clause)] == []


def test_the_lengths_in_the_table_are_right() -> None:
    """But in headers that are wrong on purpose, every request gets a reply."""
    for row in ROWS:
        for step in row.steps:
            replies = len(list(adus(step.replies)))
            assert row.closed or len(list(adus(b"".join(step.segments)))) == replies, row.name


def adus(data: bytes) -> Iterator[bytes]:
    while data:
        size = 6 + int.from_bytes(data[4:6], "big")
        assert data[2:4] == b"\0\0"
        assert 8 <= size <= min(len(data), 260)
        yield data[:size]
        data = data[size:]
