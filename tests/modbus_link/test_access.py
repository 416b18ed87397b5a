"""Who may connect and who may write, by address; and what the log and the program are told of it."""

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from ipaddress import ip_network
from typing import Any

import pytest
from raw_lines import READ_HEARTBEAT, ask, line, station_image

from modbus_link import line_limit, requests
from modbus_link.access import ALL_RIGHTS, Client, Rights
from modbus_link.image import RegisterImage
from modbus_link.line_limit import LineLimit
from modbus_link.listen import Listen, Role
from modbus_link.server import ModbusServer
from modbus_link.writes import Change, Write, WriteLog

Until = Callable[..., Awaitable[None]]

HEARTBEAT = bytes.fromhex("04 02 0000")
BEAT = bytes.fromhex("06 0002 0001")
FOREIGN = ("10.1.2.3", "192.168.1.7", "8.8.8.8", "2001:db8::1", "fe80::1%eth0", "0.0.0.0", "?", "")
LOOPBACK = ("127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1")


def listening(**facts: Any) -> Listen:
    """`allow` and `writers` as a file gives them."""
    for key in {"allow", "writers"} & facts.keys():
        facts[key] = [ip_network(text) for text in facts[key]]
    return Listen(port=0, **facts)


@pytest.fixture
def image(monkeypatch: pytest.MonkeyPatch) -> RegisterImage:
    monkeypatch.setattr(requests, "_lines", LineLimit(requests.log))  # the process has one, for all servers
    return station_image()


@contextlib.asynccontextmanager
async def serving(image: RegisterImage, **facts: Any) -> AsyncIterator[ModbusServer]:
    async with ModbusServer(image, listening(**facts)) as server:
        yield server


def test_without_lists_this_machine_alone_may_do_everything() -> None:
    listen = Listen(port=0)
    assert all(listen.allows(host) and listen.rights(host) == ALL_RIGHTS for host in LOOPBACK)
    assert not any(listen.allows(host) for host in FOREIGN)


def test_with_roles_everyone_may_try_with_a_certificate() -> None:
    listen, viewer = Listen(port=0, roles={"viewer": Role()}), Rights(write=frozenset())
    for host in (*LOOPBACK, "10.1.2.3", "2001:db8::1"):
        assert listen.allows(host)
        assert listen.rights(host, viewer) == viewer
        assert listen.rights(host, ALL_RIGHTS) == ALL_RIGHTS


ALLOWED = {
    "192.168.1.0/24": {"192.168.1.0": True, "192.168.1.255": True, "192.168.2.1": False, "127.0.0.1": False},
    "192.168.1.7": {"192.168.1.7": True, "192.168.1.8": False},
    "0.0.0.0/0": {"8.8.8.8": True, "127.0.0.1": True, "::ffff:8.8.8.8": True, "2001:db8::1": False},
    "2001:db8::/32": {"2001:db8:1::1": True, "2001:db9::1": False, "10.0.0.1": False},
    "fe80::/10": {"fe80::1%eth0": True, "febf::1": True, "fec0::1": False},
    "::/0": {"2001:db8::1": True, "::1": True, "10.0.0.1": False, "::ffff:10.0.0.1": False},
    "10.0.0.0/8": {"10.9.9.9": True, "::ffff:10.9.9.9": True, "::ffff:11.9.9.9": False},
}


@pytest.mark.parametrize("network", ALLOWED)
def test_who_is_in_a_network(network: str) -> None:
    for host, is_in in ALLOWED[network].items():
        assert listening(allow=[network]).allows(host) == is_in, host
        for roles in (None, {"master": Role(write="all")}):
            writers = listening(allow=["0.0.0.0/0"], writers=[network], roles=roles)
            assert writers.rights(host, ALL_RIGHTS).reads_only != is_in, host


def test_writers_take_away_what_a_role_would_give_and_give_nothing() -> None:
    operator = Rights(read=frozenset(["a"]), write=frozenset(["b"]))
    listen = listening(writers=["10.0.0.1"], roles={"operator": Role()})
    assert listen.rights("10.0.0.1", operator) == operator
    assert listen.rights("10.0.0.2", operator) == Rights(read=frozenset(["a"]), write=frozenset())


RIGHTS = [
    # read, write: may it read a; a and b; write a; a and b; is it one that only reads?
    (None, None, (True, True, True, True, False)),
    (None, [], (True, True, False, False, True)),
    ([], [], (False, False, False, False, True)),
    (["a"], ["a"], (True, False, True, False, False)),
    (["a", "b"], ["b"], (True, True, False, False, False)),
    ([], None, (False, False, True, True, False)),
]


@pytest.mark.parametrize(("read", "write", "expected"), RIGHTS)
def test_rights(read: Sequence[str] | None, write: Sequence[str] | None, expected: tuple[bool, ...]) -> None:
    rights = Rights(
        read=None if read is None else frozenset(read), write=None if write is None else frozenset(write)
    )
    found = (
        *(rights.may_read(names) for names in (["a"], ["a", "b"])),
        *(rights.may_write(names) for names in (["a"], ["a", "b"])),
        rights.reads_only,
    )
    assert found == expected


async def test_who_is_not_allowed_gets_nothing(
    image: RegisterImage, caplog: pytest.LogCaptureFixture, until: Until
) -> None:
    async with serving(image, allow=["127.0.0.2/31"]) as server:
        with contextlib.suppress(ConnectionError):
            async with line(server) as client:
                port = client.port
                client.writer.write(b"\0\1\0\0\0\6\1" + READ_HEARTBEAT)
                assert await client.rest() == b""
        for source in ("127.0.0.2", "127.0.0.3"):
            assert await ask(server, READ_HEARTBEAT, source=source) == HEARTBEAT
        await until(lambda: not server._connections)
    assert warnings(caplog) == [f"127.0.0.1:{port}: refused: its address is not one of those in `allow`"]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


WRITES = ["05 0001 ff00", "06 0002 0001", "0f 0001 0001 01 01", "10 0002 0001 02 0001", "16 0002 ffff 0001"]
WRITES += ["17 0000 0001 0002 0001 02 0001", "05 ffff 1234", "06 ffff 0000", "0f", "10 00", "16", "17 0000"]


async def test_who_may_not_write_gets_exception_1_whatever_is_written(image: RegisterImage) -> None:
    before = {name: image[name] for name in image.map.points}
    async with (
        serving(image, writers=["127.0.0.2"]) as server,
        line(server) as reader,
        line(server, source="127.0.0.2") as writer,
    ):
        for request in map(bytes.fromhex, WRITES):
            assert await reader.ask(request) == bytes((request[0] | 0x80, 1))
        assert {name: image[name] for name in image.map.points} == before
        assert await reader.ask(READ_HEARTBEAT) == HEARTBEAT
        assert await writer.ask(BEAT) == BEAT
        assert (await reader.ask(bytes.fromhex("03 0002 0001")))[2:] == b"\0\1"


async def test_with_no_writers_nobody_writes(image: RegisterImage) -> None:
    async with serving(image, writers=[]) as server:
        assert await ask(server, BEAT) == b"\x86\1"
        assert await ask(server, READ_HEARTBEAT) == HEARTBEAT


async def test_allow_alone_lets_others_read_but_not_write() -> None:
    listen = listening(host="192.168.1.21", allow=["192.168.1.0/24"])
    assert listen.rights("192.168.1.10").reads_only
    assert listen.about == "in the clear; may connect: 192.168.1.0/24; may write: this machine alone"


async def test_a_refused_write_is_a_line_in_the_log(
    image: RegisterImage, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(image, writers=[]) as server, line(server) as client:
        await client.ask(BEAT)
        assert warnings(caplog) == [
            f"127.0.0.1:{client.port} may not write (function 6), not being one of `writers`: refused"
        ]
        await client.ask(READ_HEARTBEAT)
        assert len(warnings(caplog)) == 1


async def test_log_lines_that_a_stranger_causes_are_limited(
    image: RegisterImage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = [0.0]
    monkeypatch.setattr(line_limit, "time", _Clock(time))
    async with (
        serving(image, writers=[]) as server,
        line(server) as client,
        line(server, source="127.0.0.2") as other,
    ):
        for _ in range(50):
            await client.ask(BEAT)
        assert len(warnings(caplog)) == line_limit.MOST_OF_A_KIND
        await other.ask(BEAT)  # whose lines another's do not crowd out
        assert warnings(caplog)[-1].startswith("127.0.0.2:")
        caplog.clear()
        time[0] += line_limit.EVERY_S
        for _ in range(50):
            await client.ask(BEAT)
        first, *others = warnings(caplog)
        assert first.endswith(" not being one of `writers`: refused (and 45 more lines like this left out)")
        assert len(others) == line_limit.MOST_OF_A_KIND - 1
        assert not any("left out" in text for text in others)


class _Clock:
    """In the place of the module `time`, for who asks it alone."""

    def __init__(self, now: list[float]) -> None:
        self._now = now

    def monotonic(self) -> float:
        return self._now[0]


def test_one_host_has_so_many_lines_whatever_it_does(caplog: pytest.LogCaptureFixture) -> None:
    limit = LineLimit(logging.getLogger("test"))
    for number in range(100):
        limit.warning("10.0.0.1", f"kind {number}", f"line {number}")
    assert warnings(caplog) == [f"line {number}" for number in range(line_limit.MOST_OF_A_HOST)]
    limit.warning("10.0.0.2", "kind 1", "another host's")
    assert warnings(caplog)[-1] == "another host's"


def test_one_kind_of_line_does_not_crowd_out_another(caplog: pytest.LogCaptureFixture) -> None:
    limit = LineLimit(logging.getLogger("test"))
    for _ in range(10 * line_limit.MOST_OF_A_HOST):
        limit.warning("10.0.0.1", "a", "one")
    limit.warning("10.0.0.1", "b", "another")
    assert warnings(caplog) == line_limit.MOST_OF_A_KIND * ["one"] + ["another"]


def test_many_hosts_together_have_so_many_lines(caplog: pytest.LogCaptureFixture) -> None:
    """With IPv6 one machine can have as many addresses as it likes."""
    limit = LineLimit(logging.getLogger("test"))
    for number in range(5000):
        limit.warning(f"fd00::{number:x}", "kind", "a line")
    assert len(warnings(caplog)) == line_limit.MOST_OF_ALL


def test_what_is_counted_for_the_limit_stays_bounded() -> None:
    limit = LineLimit(logging.getLogger("test"))
    logging.getLogger("test").disabled = True
    for number in range(5 * line_limit.MOST_KEYS):
        limit.warning(f"host {number}", "kind", "")
    logging.getLogger("test").disabled = False
    assert len(limit._windows) <= line_limit.MOST_KEYS


async def test_garbage_from_one_host_is_limited_too(
    image: RegisterImage, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(image) as server:
        for _ in range(3 * line_limit.MOST_OF_A_KIND):
            async with line(server) as client:
                client.writer.write(b"GET / HTTP/1.1\r\n\r\n")
                assert await client.rest() == b""
        assert await ask(server, READ_HEARTBEAT) == HEARTBEAT
    assert len(warnings(caplog)) == line_limit.MOST_OF_A_KIND
    assert ": refused: it does not speak Modbus TCP: protocol id " in warnings(caplog)[0]


async def test_every_accepted_write_is_an_event(image: RegisterImage) -> None:
    written: list[Write] = []
    image.on_written = written.append
    async with serving(image) as server, line(server) as client:
        await client.ask(bytes.fromhex("10 0000 0004 08 0000 0ce4 0007 0001"))
        await client.ask(bytes.fromhex("06 000a 0000"))  # refused: below the minimum
        await client.ask(bytes.fromhex("16 000a 0000 001e"))
        who = f"127.0.0.1:{client.port}"
    first, second = written
    assert first.old == {"power_limit": 0, "master_heartbeat": 0, "limit_reason": "none"}
    assert first.values == {"power_limit": 3300, "master_heartbeat": 7, "limit_reason": "price"}
    assert [str(write.client) for write in written] == [who, who]
    change = Change(point="failsafe_timeout", old=10, new=30, client=second.client)
    assert list(second.changes()) == [change]
    assert str(change) == f"failsafe_timeout 10 → 30, written by {who}"


async def test_the_log_has_those_that_change_something(
    image: RegisterImage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    image.on_written = WriteLog(logging.getLogger("test"), "RTS1").add
    async with serving(image) as server, line(server) as client:
        for count in range(3):
            await client.ask(bytes.fromhex(f"10 0000 0004 08 0000 0ce4 {count:04x} 0001"))
            await client.ask(bytes.fromhex("05 0000 ff00"))
        who = f"written by 127.0.0.1:{client.port}"
    assert [record.getMessage() for record in caplog.records if record.name == "test"] == [
        f"RTS1: power_limit 0 → 3300, {who}",
        f"RTS1: limit_reason none → price, {who}",
        f"RTS1: charge_enable off → on, {who}",
    ]


def test_a_client_that_writes_without_end_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    time, client = [0.0], Client(host="10.0.0.1", port=4711)
    monkeypatch.setattr(line_limit, "time", _Clock(time))
    caplog.set_level(logging.INFO)
    lines = WriteLog(logging.getLogger("test"), "RTS1")
    for number in range(50):
        lines.add(Write(values={"price": number + 1}, old={"price": number}, client=client))
    assert len(caplog.records) == 20
    time[0] += line_limit.EVERY_S
    lines.add(Write(values={"price": 1}, old={"price": 2}, client=client))
    assert caplog.records[-1].getMessage().endswith("(and 30 more lines like this left out)")


def test_a_client_is_told_by_its_address_and_by_what_its_certificate_says() -> None:
    assert str(Client(host="10.0.0.1", port=4711)) == "10.0.0.1:4711"
    assert str(Client(host="fd00::1", port=4711)) == "[fd00::1]:4711"
    secure = Client(host="10.0.0.1", port=4711, role="operator", subject="Ann")
    assert str(secure) == "10.0.0.1:4711 (operator: Ann)"
