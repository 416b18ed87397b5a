"""The role matrix: each role × each kind of request, in bytes, over TLS, against the map pev_rtu.

Modbus/TCP Security V36: to a role that may not, it is as if the function did not exist (exception 1).
"""

import ssl
from collections.abc import AsyncIterator

import pytest
from raw_lines import line, station_image
from site_certificates import SiteCertificates

from modbus_link.certificates import Authority, Certificate
from modbus_link.listen import Listen, Role
from modbus_link.server import ModbusServer
from modbus_link.tls import Tls
from modbus_link.writes import Write

ROLES = {
    "master": Role(read="all", write="all"),
    "operator": Role(read="all", write=["stop_request", "start_request"]),
    "viewer": Role(read="all", write=[]),
    "meter": Role(read=["voltage", "current", "power", "*_energy"]),
}
WRITES = (5, 6, 15, 16, 22, 23)

# A number is the exception code; "ok" the reply that the function has.
MATRIX = """
function, and what is asked for        | its bytes                      | master | operator | viewer | meter
 1 all three coils                     | 01 0000 0003                   | ok     | ok       | ok     | 1
 1 charge_enable alone                 | 01 0000 0001                   | ok     | ok       | ok     | 1
 1 a coil more than there are          | 01 0000 0004                   | 2      | 2        | 2      | 2
 1 no coil at all                      | 01 0000 0000                   | 3      | 3        | 3      | 3
 2 all that is so                      | 02 0000 0007                   | ok     | ok       | ok     | 1
 2 contactor_closed alone              | 02 0001 0001                   | ok     | ok       | ok     | 1
 2 one more than there are             | 02 0007 0001                   | 2      | 2        | 2      | 2
 3 all orders                          | 03 0000 000e                   | ok     | ok       | ok     | 1
 3 power_limit                         | 03 0000 0002                   | ok     | ok       | ok     | 1
 3 behind the last register            | 03 000e 0001                   | 2      | 2        | 2      | 2
 3 more than 125                       | 03 0000 007e                   | 3      | 3        | 3      | 3
 4 all that is measured                | 04 0000 0046                   | ok     | ok       | ok     | 1
 4 state                               | 04 0000 0001                   | ok     | ok       | ok     | 1
 4 voltage and current                 | 04 0005 0002                   | ok     | ok       | ok     | ok
 4 power                               | 04 0008 0002                   | ok     | ok       | ok     | ok
 4 the lower half of power             | 04 0009 0001                   | ok     | ok       | ok     | ok
 4 session_energy and total_energy     | 04 000a 0004                   | ok     | ok       | ok     | ok
 4 voltage to power, so the charge too | 04 0005 0005                   | ok     | ok       | ok     | 1
 4 total_energy, half of charging_time | 04 000c 0003                   | ok     | ok       | ok     | 1
 4 behind the last register            | 04 0046 0001                   | 2      | 2        | 2      | 2
 5 charge_enable on                    | 05 0000 ff00                   | ok     | 1        | 1      | 1
 5 charge_enable off                   | 05 0000 0000                   | ok     | 1        | 1      | 1
 5 stop_request on                     | 05 0001 ff00                   | ok     | ok       | 1      | 1
 5 start_request on                    | 05 0002 ff00                   | ok     | ok       | 1      | 1
 5 stop_request, neither on nor off    | 05 0001 1234                   | 3      | 3        | 1      | 1
 5 a coil that is not there            | 05 0003 ff00                   | 2      | 2        | 1      | 1
 6 master_heartbeat                    | 06 0002 0007                   | ok     | 1        | 1      | 1
 6 failsafe_timeout                    | 06 000a 001e                   | ok     | 1        | 1      | 1
 6 failsafe_timeout below its minimum  | 06 000a 0000                   | 3      | 1        | 1      | 1
 6 half of power_limit                 | 06 0000 0001                   | 2      | 2        | 1      | 1
 6 a register that is not there        | 06 000e 0001                   | 2      | 2        | 1      | 1
15 all three coils                     | 0f 0000 0003 01 07             | ok     | 1        | 1      | 1
15 charge_enable alone                 | 0f 0000 0001 01 01             | ok     | 1        | 1      | 1
15 stop_request and start_request      | 0f 0001 0002 01 02             | ok     | ok       | 1      | 1
15 a coil more than there are          | 0f 0001 0003 01 02             | 2      | 2        | 1      | 1
15 a wrong byte count                  | 0f 0001 0002 02 02 00          | 3      | 3        | 1      | 1
16 power_limit and master_heartbeat    | 10 0000 0003 06 0000 0ce4 0007 | ok     | 1        | 1      | 1
16 limit_reason that means nothing     | 10 0003 0001 02 0063           | 3      | 1        | 1      | 1
16 a register that is not there        | 10 000d 0002 04 001e 0001      | 2      | 2        | 1      | 1
16 a wrong byte count                  | 10 0002 0001 04 0007 0007      | 3      | 3        | 1      | 1
22 master_heartbeat                    | 16 0002 ff00 0007              | ok     | 1        | 1      | 1
22 a register that is not there        | 16 000e ff00 0007              | 2      | 2        | 1      | 1
23 read power_limit, write heartbeat   | 17 0000 0002 0002 0001 02 0008 | ok     | 1        | 1      | 1
23 read what is not there              | 17 000e 0001 0002 0001 02 0008 | 2      | 2        | 1      | 1
23 write what is not there             | 17 0000 0002 000e 0001 02 0008 | 2      | 2        | 1      | 1
 8 echo                                | 08 0000 a537                   | ok     | ok       | ok     | ok
 8 another sub-function                | 08 0001 0000                   | 1      | 1        | 1      | 1
43/14 who are you                      | 2b 0e 01 00                    | ok     | ok       | ok     | ok
43/14 one object                       | 2b 0e 04 81                    | ok     | ok       | ok     | ok
43/14 an object that is not there      | 2b 0e 04 90                    | 2      | 2        | 2      | 2
43/13 another kind of interface        | 2b 0d 00 00                    | 1      | 1        | 1      | 1
 7 a function that is not served       | 07                             | 1      | 1        | 1      | 1
17 a function that is not served       | 11                             | 1      | 1        | 1      | 1
90 a function that nobody knows        | 5a 0000                        | 1      | 1        | 1      | 1
"""
HEAD, *ROWS = ([cell.strip() for cell in row.split("|")] for row in MATRIX.strip().splitlines())


@pytest.fixture(scope="session")
def contexts(certificates: SiteCertificates) -> dict[str, ssl.SSLContext]:
    """What each role connects with."""
    Authority(certificates.folder).issue(Certificate(name="meter", role="meter"), days=90)
    return {role: certificates.tls(role).client for role in ROLES}


@pytest.fixture
def written() -> list[Write]:
    return []


@pytest.fixture(scope="session")
def own(certificates: SiteCertificates) -> Tls:
    return certificates.tls("rtu")


@pytest.fixture
async def station(own: Tls, written: list[Write]) -> AsyncIterator[ModbusServer]:
    image = station_image()
    image.on_written = written.append
    async with ModbusServer(image, Listen(port=0, roles=ROLES), tls=own) as server:
        yield server


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
async def test_what_each_role_may_do(
    station: ModbusServer, contexts: dict[str, ssl.SSLContext], written: list[Write], row: list[str]
) -> None:
    """And what is refused has no effect, what is accepted is told with the role."""
    request, expected = bytes.fromhex(row[1]), dict(zip(HEAD[2:], row[2:], strict=True))
    found, wrote = {}, []
    for role in ROLES:
        async with line(station, tls=contexts[role]) as client:
            found[role] = outcome(request, await client.ask(request))
        wrote += [write.client.role for write in written]
        written.clear()
    assert found == expected
    writes = request[0] in WRITES
    assert wrote == [role for role, cell in expected.items() if writes and cell == "ok"]


def outcome(request: bytes, reply: bytes) -> str:
    if reply[0] == request[0] | 0x80:
        assert len(reply) == 2
        return str(reply[1])
    assert reply[0] == request[0]
    return "ok"


@pytest.mark.parametrize("role", ROLES)
async def test_another_unit_is_not_here_for_anyone(
    station: ModbusServer, contexts: dict[str, ssl.SSLContext], role: str
) -> None:
    async with line(station, tls=contexts[role]) as client:
        for request in (bytes.fromhex(row[1]) for row in ROWS):
            assert await client.ask(request, unit_id=9) == bytes((request[0] | 0x80, 0x0B))


def test_the_matrix_has_every_role_and_every_function() -> None:
    assert HEAD[2:] == list(ROLES)
    functions = {bytes.fromhex(row[1])[0] for row in ROWS}
    assert functions >= {1, 2, 3, 4, 5, 6, 8, 15, 16, 22, 23, 43}
