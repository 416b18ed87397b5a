"""Registers in memory: values by name on one side, words on the other, hooks in between."""

import math

import pytest

from modbus_link.access import Client
from modbus_link.errors import ExceptionCode
from modbus_link.identity import Identity
from modbus_link.image import Refusal, RegisterImage
from modbus_link.requests import respond
from modbus_link.writes import Write
from register_maps.codec import EncodeError
from register_maps.points import Table

WRITE_TIMEOUT = bytes.fromhex("06 0000 0014")
PEER = Client(host="192.0.2.1", port=1024)


def ask(image: RegisterImage, pdu: bytes) -> bytes:
    return respond(image, Identity(image.map, "bench"), pdu, PEER)


def test_values_by_name(image: RegisterImage) -> None:
    assert (image["enable"], image["voltage"], image["power"], image["limit"]) == (True, 110.3, -2, 70000)
    assert image.read(Table.INPUT_REGISTER, 0, 4, PEER) == [1103, 0xFFFF, 0xFFFE, 7]
    assert image.read(Table.COIL, 0, 3, PEER) == [1, 0, 0]


def test_update_is_whole_or_not_at_all(image: RegisterImage) -> None:
    with pytest.raises(EncodeError, match="timeout"):
        image.update({"count": 8, "timeout": 0})
    assert image["count"] == 7
    image.update({"count": 7})
    image.update({"count": 8})
    assert image["count"] == 8


def test_what_was_refused_can_be_set_later(image: RegisterImage) -> None:
    with pytest.raises(EncodeError):
        image.update({"count": 8, "timeout": 0})
    image.update({"count": 8, "timeout": 5})
    assert (image["count"], image["timeout"]) == (8, 5)


def test_publish_makes_what_can_not_be_held_no_value(image: RegisterImage) -> None:
    image.publish({"voltage": 9e9, "power": math.nan, "count": 9})
    assert (image["voltage"], image["power"], image["count"]) == (None, None, 9)
    image.publish({"voltage": 110.0})
    assert image["voltage"] == 110.0


def test_an_update_after_a_clients_write_wins(image: RegisterImage) -> None:
    """Although the value is the one that was set last from this side."""
    image.write(Table.HOLDING_REGISTER, 0, [20], PEER)
    assert image["timeout"] == 20
    image.update({"timeout": 10})
    assert image["timeout"] == 10


def test_on_write_sees_whole_points_and_the_peer_before_they_change(image: RegisterImage) -> None:
    seen: list[tuple[Write, object]] = []
    image.on_write = lambda write: seen.append((write, image["limit"]))
    image.write(Table.HOLDING_REGISTER, 0, [20, 0, 5, 1], PEER)
    old = {"timeout": 10, "limit": 70000, "reason": "none"}
    new = {"timeout": 20, "limit": 5, "reason": "price"}
    assert seen == [(Write(values=new, old=old, client=PEER), 70000)]
    assert image["limit"] == 5


def test_on_written_comes_after(image: RegisterImage) -> None:
    seen: list[object] = []
    image.on_written = lambda write: seen.append(image["timeout"])
    image.write(Table.HOLDING_REGISTER, 0, [20], PEER)
    assert seen == [20]


def test_on_written_may_put_a_pulse_back(image: RegisterImage) -> None:
    image.update({"pulse": False})
    image.on_written = lambda write: image.update({"pulse": False})
    image.write(Table.COIL, 3, [1], PEER)
    assert image["pulse"] is False


@pytest.mark.parametrize("code", [ExceptionCode.ILLEGAL_DATA_VALUE, ExceptionCode.SERVER_DEVICE_BUSY])
def test_a_refusal_in_on_write_changes_nothing(image: RegisterImage, code: ExceptionCode) -> None:
    written: list[Write] = []

    def refuse(write: Write) -> None:
        raise Refusal(code)

    image.on_write, image.on_written = refuse, written.append
    assert ask(image, WRITE_TIMEOUT) == bytes((0x86, code))
    assert image["timeout"] == 10
    assert written == []


def test_on_read_makes_values_fresh(image: RegisterImage) -> None:
    image.on_read = lambda _: image.update({"count": 42})
    assert image.read(Table.INPUT_REGISTER, 3, 1, PEER) == [42]


@pytest.mark.parametrize("hook", ["on_read", "on_write", "on_written"])
def test_a_hook_that_fails_is_answered_with_4(
    image: RegisterImage, hook: str, caplog: pytest.LogCaptureFixture
) -> None:
    setattr(image, hook, lambda *_: 1 / 0)
    request = bytes.fromhex("04 0000 0001") if hook == "on_read" else WRITE_TIMEOUT
    assert ask(image, request) == bytes((request[0] | 0x80, 4))
    assert "ZeroDivisionError" in caplog.text
    assert "192.0.2.1:1024" in caplog.text
    setattr(image, hook, None)
    assert ask(image, request)[0] == request[0]


def test_a_hook_is_not_asked_about_what_the_map_refuses(image: RegisterImage) -> None:
    seen: list[Write] = []
    image.on_write = seen.append
    for address, words in ((0, [0]), (1, [1]), (5, [1]), (7, [1])):
        with pytest.raises(Refusal):
            image.write(Table.HOLDING_REGISTER, address, words, PEER)
    assert seen == []
