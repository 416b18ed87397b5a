"""One master at a time: whoever writes an exclusive point holds them all, until silent for the timeout."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from raw_lines import Line, ask, line, station_image
from site_certificates import SiteCertificates

from modbus_link import requests
from modbus_link.access import Client
from modbus_link.hold import Hold
from modbus_link.image import RegisterImage
from modbus_link.line_limit import LineLimit
from modbus_link.listen import Listen, Role
from modbus_link.server import ModbusServer

Until = Callable[..., Awaitable[None]]

TIMEOUT_S = 10.0


class Time:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def hold(time: Time) -> Hold:
    return Hold(lambda: time.now, lambda: TIMEOUT_S)


def at(host: str, **facts: str) -> Client:
    return Client(host=host, port=1, **facts)  # type: ignore[arg-type]


def test_the_first_to_write_holds_and_another_waits_for_the_timeout(hold: Hold, time: Time) -> None:
    first, other = at("10.0.0.1"), at("10.0.0.2")
    assert not hold.why_not(first)
    assert hold.holder is first
    time.now = TIMEOUT_S - 0.1
    assert hold.why_not(other)
    assert hold.holder is first
    time.now = TIMEOUT_S
    assert not hold.why_not(other)
    assert hold.why_not(first)  # who was silent has to wait in turn


def test_each_write_of_the_holder_begins_the_timeout_anew(hold: Hold, time: Time) -> None:
    first, other = at("10.0.0.1"), at("10.0.0.2")
    for time.now in (0.0, 9.0, 18.0, 27.0):
        assert not hold.why_not(first)
        assert hold.why_not(other)  # and this does not
    time.now = 37.5
    assert not hold.why_not(other)


def test_a_timeout_that_is_changed_counts_at_once(time: Time) -> None:
    timeout_s = [60.0]
    hold = Hold(lambda: time.now, lambda: timeout_s[0])
    assert not hold.why_not(at("10.0.0.1"))
    time.now = 5.0
    assert hold.why_not(at("10.0.0.2"))
    timeout_s[0] = 3.0
    assert not hold.why_not(at("10.0.0.2"))


MASTER = {"subject": "m", "role": "master"}
SAME = [
    ("the same host", at("10.0.0.1"), at("10.0.0.1"), True),
    ("another host", at("10.0.0.1"), at("10.0.0.2"), False),
    ("its certificate", at("10.0.0.1", **MASTER), at("10.0.0.1", **MASTER), True),
    ("its certificate, elsewhere", at("10.0.0.1", **MASTER), at("10.0.0.2", **MASTER), True),
    ("another certificate", at("10.0.0.1", **MASTER), at("10.0.0.1", **MASTER | {"subject": "n"}), False),
    ("another role", at("10.0.0.1", **MASTER), at("10.0.0.1", **MASTER | {"role": "operator"}), False),
]


@pytest.mark.parametrize(("first", "second", "same"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
@pytest.mark.parametrize("connected", [True, False], ids=["still connected", "gone"])
def test_who_may_go_on_over_a_new_connection(
    hold: Hold, time: Time, first: Client, second: Client, same: bool, connected: bool
) -> None:
    """At once if the old one is gone, else after half the time, before the failsafe trips."""
    first.connected = connected
    assert not hold.why_not(first)
    wait_s = TIMEOUT_S if not same else TIMEOUT_S / 2 if connected else 0.0
    if wait_s:
        time.now = wait_s - 0.1
        assert hold.why_not(second)
    time.now = wait_s
    assert not hold.why_not(second)


# Over the wire, with the points of pev_rtu.
BUSY = {
    "charge_enable": ("05 0000 ff00", "85 06"),
    "master_heartbeat": ("06 0002 0007", "86 06"),
    "charge_enable among free coils": ("0f 0000 0003 01 06", "8f 06"),
    "power_limit": ("10 0000 0002 04 0000 0ce4", "90 06"),
    "a mask": ("16 0002 ffff 0000", "96 06"),
    "read and write": ("17 0000 0001 0002 0001 02 0007", "97 06"),
    "failsafe_timeout": ("06 000a 0001", "86 06"),
}
FREE = {
    "reading the orders": ("03 0000 000b", "03"),
    "reading what is measured": ("04 0000 0016", "04"),
    "stop_request": ("05 0001 ff00", "05"),
    "stop_request and start_request": ("0f 0001 0002 01 01", "0f"),
    "an echo": ("08 0000 1234", "08"),
}
WRONG = {
    "no such address": ("06 000b 0001", "86 02"),
    "half a value": ("06 0001 0001", "86 02"),
    "below the minimum": ("06 000a 0000", "86 03"),
    "no such reason": ("06 0003 0063", "86 03"),
    "neither on nor off": ("05 0000 0001", "85 03"),
}
BEAT = bytes.fromhex("06 0002 0001")
REFUSED = bytes.fromhex("86 06")


@pytest.fixture
def image(time: Time, monkeypatch: pytest.MonkeyPatch) -> RegisterImage:
    monkeypatch.setattr(requests, "_lines", LineLimit(requests.log))
    found = station_image()
    found.hold = Hold(lambda: time.now, lambda: float(str(found["failsafe_timeout"])))
    return found


@pytest.fixture
async def master(server: ModbusServer) -> AsyncIterator[Line]:
    """A client that has written, and stays connected."""
    async with line(server) as found:
        assert await found.ask(BEAT) == BEAT
        yield found


@pytest.mark.parametrize("what", BUSY)
async def test_another_is_told_that_the_device_is_busy(
    server: ModbusServer, image: RegisterImage, master: Line, what: str
) -> None:
    names = [name for name, point in image.map.points.items() if point.exclusive]
    before = {name: image[name] for name in names}
    request, reply = map(bytes.fromhex, BUSY[what])
    assert await ask(server, request) == reply  # from the same host, too
    assert {name: image[name] for name in names} == before
    assert (await master.ask(request))[0] == request[0]


@pytest.mark.parametrize("what", FREE)
async def test_what_another_may_meanwhile(server: ModbusServer, master: Line, what: str) -> None:
    request, function = map(bytes.fromhex, FREE[what])
    assert (await ask(server, request))[:1] == function


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_wrong_anyway_is_told_first_and_holds_nothing(
    server: ModbusServer, image: RegisterImage, master: Line, time: Time, what: str
) -> None:
    request, reply = map(bytes.fromhex, WRONG[what])
    assert await ask(server, request) == reply
    time.now = TIMEOUT_S + 1
    assert await ask(server, request) == reply
    assert image.hold is not None
    assert image.hold.holder is not None
    assert image.hold.holder.port == master.port


async def test_the_log_says_who_was_refused_and_who_holds(
    server: ModbusServer, master: Line, caplog: pytest.LogCaptureFixture
) -> None:
    async with line(server, source="127.0.0.2") as other:
        assert await other.ask(BEAT) == REFUSED
        told = (
            f"127.0.0.2:{other.port} may not write master_heartbeat: 127.0.0.1:{master.port} holds the device"
        )
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING] == [f"{told}: refused"]


async def test_a_master_that_comes_back_goes_on_at_once(server: ModbusServer, until: Until) -> None:
    assert await ask(server, BEAT) == BEAT
    await until(lambda: not server._connections)
    async with line(server) as again:
        assert await again.ask(BEAT) == BEAT
        assert await ask(server, BEAT, source="127.0.0.2") == REFUSED


async def test_a_master_whose_old_connection_hangs_goes_on_before_its_failsafe_trips(
    server: ModbusServer, master: Line, time: Time
) -> None:
    time.now = TIMEOUT_S / 2
    assert await ask(server, BEAT, source="127.0.0.2") == REFUSED
    async with line(server) as again:
        assert await again.ask(BEAT) == BEAT
        assert await master.ask(BEAT) == REFUSED


async def test_another_host_has_to_wait_even_if_the_holder_is_gone(
    server: ModbusServer, time: Time, until: Until
) -> None:
    assert await ask(server, BEAT) == BEAT
    await until(lambda: not server._connections)
    for time.now in (0.0, TIMEOUT_S - 0.1):
        assert await ask(server, BEAT, source="127.0.0.2") == REFUSED
    time.now = TIMEOUT_S
    async with line(server, source="127.0.0.2") as other:
        assert await other.ask(BEAT) == BEAT
        assert await ask(server, BEAT) == REFUSED


async def test_over_tls_the_certificate_counts_not_the_host(
    image: RegisterImage, certificates: SiteCertificates, until: Until
) -> None:
    master, rival = (certificates.tls(name).client for name in ("master", "guest"))
    listen = Listen(port=0, roles={"master": Role(write="all"), "guest": Role(write="all")})
    async with ModbusServer(image, listen, tls=certificates.tls("rtu")) as server:
        assert await ask(server, BEAT, tls=master) == BEAT
        await until(lambda: not server._connections)
        assert await ask(server, BEAT, tls=rival) == REFUSED
        assert await ask(server, BEAT, tls=master, source="127.0.0.2") == BEAT


# Two masters: the term fences off the one that has been replaced.


def test_who_does_not_write_the_highest_term_writes_nothing(hold: Hold, time: Time) -> None:
    old, new = at("10.0.0.1"), at("10.0.0.2")
    assert not hold.why_not(old, 1)
    time.now = TIMEOUT_S
    assert not hold.why_not(new, 2)
    for time.now in (TIMEOUT_S + 1, 5 * TIMEOUT_S):  # however long the new one is silent
        assert "older" in hold.why_not(old)
        assert "older" in hold.why_not(old, 1)
        assert "older" in hold.why_not(at("10.0.0.3"))
    assert not hold.why_not(new)
    assert "older" in hold.why_not(new, 1)
    assert not hold.why_not(new, 2)


def test_a_higher_term_takes_over_at_once(hold: Hold) -> None:
    old, new = at("10.0.0.1"), at("10.0.0.2")
    assert not hold.why_not(old, 1)
    assert hold.why_not(new, 1)
    assert not hold.why_not(new, 2)
    assert hold.why_not(old, 1)


def test_the_first_term_waits_half_the_time_where_there_was_none(hold: Hold, time: Time) -> None:
    old, new = at("10.0.0.1"), at("10.0.0.2")
    assert not hold.why_not(old)
    time.now = TIMEOUT_S / 2 - 0.1
    assert hold.why_not(new, 1)
    assert hold.term == 0
    time.now = TIMEOUT_S / 2
    assert not hold.why_not(new, 1)


def test_the_same_master_over_a_new_connection_has_to_write_its_term_again(hold: Hold) -> None:
    first = at("10.0.0.1")
    assert not hold.why_not(first, 3)
    first.connected = False
    again = at("10.0.0.1")
    assert "older" in hold.why_not(again)
    assert not hold.why_not(again, 3)
    assert not hold.why_not(again)


def test_nobody_can_use_up_the_terms(hold: Hold) -> None:
    client = at("10.0.0.1")
    assert "too far" in hold.why_not(client, 2**32 - 1)
    assert not hold.why_not(client, 1001)
    assert "too far" in hold.why_not(client, 1_001_002)
    assert not hold.why_not(client, 1_001_001)


def test_a_restarted_device_catches_up_with_its_sites_term(hold: Hold, time: Time) -> None:
    assert not hold.why_not(at("10.0.0.1"), 900_000_001)
    time.now = TIMEOUT_S / 2 - 0.1
    assert "too far" in hold.why_not(at("10.0.0.2"), 902_000_001)
    time.now = TIMEOUT_S / 2
    assert not hold.why_not(at("10.0.0.2"), 902_000_001)
