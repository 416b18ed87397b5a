"""Requests to replies, byte by byte.

`SPECIFIED` are the examples of MODBUS Application Protocol V1.1b3, sections 6.1 to 6.17.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modbus_link.access import Client
from modbus_link.identity import Identity
from modbus_link.image import RegisterImage
from modbus_link.requests import respond
from register_maps.points import Point, PointType, Table
from register_maps.register_map import RegisterMap


def bits(table: Table, start: int, pattern: str) -> dict[str, tuple[Point, bool]]:
    access = "rw" if table.is_writable else "ro"
    found = {}
    for n, sign in enumerate(pattern):
        name = f"{table}_{start + n}"
        p = Point(name=name, table=table, address=start + n, type=PointType.BOOL, about="", access=access)
        found[name] = (p, sign == "1")
    return found


def words(table: Table, start: int, values: list[int]) -> dict[str, tuple[Point, int]]:
    access = "rw" if table.is_writable else "ro"
    found = {}
    for n, value in enumerate(values):
        name = f"{table}_{start + n}"
        p = Point(name=name, table=table, address=start + n, type=PointType.UINT16, about="", access=access)
        found[name] = (p, value)
    return found


def specified_device() -> RegisterImage:
    """What the specification's examples find in their devices."""
    hold = Table.HOLDING_REGISTER
    content = {
        **bits(Table.COIL, 19, "1011001111010110101"),
        **bits(Table.COIL, 172, "0"),
        **bits(Table.DISCRETE_INPUT, 196, "0011010111011011101011"),
        **words(Table.INPUT_REGISTER, 8, [10]),
        **words(hold, 1, [0, 0, 0x00FE, 0x0012, 0x0001, 0x0003, 0x000D, 0x00FF]),
        **words(hold, 14, [0, 0, 0]),
        **words(hold, 107, [555, 0, 100]),
    }
    points = {name: p for name, (p, _) in content.items()}
    image = RegisterImage(RegisterMap(name="spec", version=1, about="", source="", points=points))
    image.update({name: value for name, (_, value) in content.items()})
    return image


SPECIFIED = {
    "1 read coils": ("01 0013 0013", "01 03 cd6b05"),
    "2 read discrete inputs": ("02 00c4 0016", "02 03 acdb35"),
    "3 read holding registers": ("03 006b 0003", "03 06 022b 0000 0064"),
    "4 read input registers": ("04 0008 0001", "04 02 000a"),
    "5 write single coil": ("05 00ac ff00", "05 00ac ff00"),
    "6 write single register": ("06 0001 0003", "06 0001 0003"),
    "15 write multiple coils": ("0f 0013 000a 02 cd01", "0f 0013 000a"),
    "16 write multiple registers": ("10 0001 0002 04 000a 0102", "10 0001 0002"),
    "22 mask write register": ("16 0004 00f2 0025", "16 0004 00f2 0025"),
    "23 read/write": (
        "17 0003 0006 000e 0003 06 00ff 00ff 00ff",
        "17 0c 00fe 0012 0001 0003 000d 00ff",
    ),
}
EFFECTS = {
    "5 write single coil": ("01 00ac 0001", "01 01 01"),
    "6 write single register": ("03 0001 0001", "03 02 0003"),
    "15 write multiple coils": ("01 0013 000a", "01 02 cd01"),
    "16 write multiple registers": ("03 0001 0002", "03 04 000a 0102"),
    "22 mask write register": ("03 0004 0001", "03 02 0017"),
    "23 read/write": ("03 000e 0003", "03 06 00ff 00ff 00ff"),
}


SOMEBODY = Client(host="127.0.0.1", port=1)


def ask(image: RegisterImage, request: str) -> str:
    return respond(image, Identity(image.map, "bench"), bytes.fromhex(request), SOMEBODY).hex()


@pytest.mark.parametrize(("request_", "reply"), SPECIFIED.values(), ids=SPECIFIED)
def test_the_specifications_examples(request_: str, reply: str) -> None:
    assert ask(specified_device(), request_) == reply.replace(" ", "")


@pytest.mark.parametrize("name", EFFECTS)
def test_what_the_examples_write_can_be_read(name: str) -> None:
    image = specified_device()
    ask(image, SPECIFIED[name][0])
    request, reply = EFFECTS[name]
    assert ask(image, request) == reply.replace(" ", "")


def test_reading_and_writing_the_same_registers_gives_the_new_ones() -> None:
    assert ask(specified_device(), "17 0001 0002 0001 0001 02 1234") == "1704" + "12340000"


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        ("2b 0d 01 00", "ab 01"),
        ("07", "87 01"),
        ("08 0001 0000", "88 01"),
        ("00", "80 01"),
        ("01 0000 0000", "81 03"),
        ("01 0000 07d1", "81 03"),
        ("02 0000 07d1", "82 03"),
        ("03 0000 0000", "83 03"),
        ("03 0000 007e", "83 03"),
        ("04 0000 007e", "84 03"),
        ("03 0000", "83 03"),
        ("03", "83 03"),
        ("03 0000 0001 00", "83 03"),
        ("05 0000", "85 03"),
        ("05 0000 1234", "85 03"),
        ("05 0000 0001", "85 03"),
        ("05 0000 ff01", "85 03"),
        ("06 0000", "86 03"),
        ("0f 0000 0000 00", "8f 03"),
        ("0f 0000 07b1 f7" + 247 * "00", "8f 03"),
        ("0f 0000 0002 02 0000", "8f 03"),
        ("0f 0000 0002 01", "8f 03"),
        ("0f 0000 0009 01 00", "8f 03"),
        ("0f 0000", "8f 03"),
        ("10 0000 0000 00", "90 03"),
        ("10 0000 007c f8" + 248 * "00", "90 03"),
        ("10 0000 0001 04 0001 0001", "90 03"),
        ("10 0000 0002 04 0001", "90 03"),
        ("10 0000 0001 02 0001 00", "90 03"),
        ("10 0000", "90 03"),
        ("16 0000 0000", "96 03"),
        ("17 0000 0000 0000 0001 02 0001", "97 03"),
        ("17 0000 007e 0000 0001 02 0001", "97 03"),
        ("17 0000 0001 0000 0000 00", "97 03"),
        ("17 0000 0001 0000 007a f4" + 244 * "00", "97 03"),
        ("17 0000 0001 0000 0001 04 0001", "97 03"),
        ("17 0000", "97 03"),
        ("01 0000 0005", "81 02"),  # coil 4 and on: no such
        ("01 0003 0001", "81 02"),  # write-only
        ("01 ffff 0001", "81 02"),
        ("01 ffff 07d0", "81 02"),
        ("02 0000 0003", "82 02"),
        ("03 0006 0001", "83 02"),  # write-only
        ("03 0007 0001", "83 02"),  # a gap
        ("03 0008 0003", "83 02"),
        ("04 0003 0002", "84 02"),
        ("04 ffff 007d", "84 02"),
        ("05 0002 ff00", "85 02"),  # read-only
        ("05 0004 ff00", "85 02"),
        ("06 0005 0001", "86 02"),  # read-only
        ("06 0007 0001", "86 02"),
        ("06 0001 0001", "86 02"),  # half of a 32-bit value
        ("06 0002 0001", "86 02"),
        ("0f 0001 0002 01 03", "8f 02"),
        ("10 0001 0001 02 0001", "90 02"),
        ("10 0000 0002 04 0001 0001", "90 02"),
        ("10 0002 0002 04 0001 0001", "90 02"),
        ("10 0004 0002 04 0001 0001", "90 02"),
        ("16 0001 0000 0001", "96 02"),
        ("16 0006 0000 0001", "96 02"),  # can't be read
        ("17 0007 0001 0000 0001 02 0001", "97 02"),
        ("17 0000 0001 0005 0001 02 0001", "97 02"),
        ("06 0000 0000", "86 03"),  # below min
        ("06 0000 0e11", "86 03"),  # above max
        ("06 0003 0002", "86 03"),  # a number without a name
        ("10 0008 0002 04 7fc0 0000", "90 03"),  # NaN
        ("10 0000 0003 06 0000 0000 0001", "90 03"),
        ("16 0000 0000 ffff", "96 03"),
        ("17 0000 0001 0000 0001 02 ffff", "97 03"),
    ],
    ids=lambda part: part[:24] if " " in part else "",
)
def test_what_is_refused_changes_nothing(image: RegisterImage, request_: str, reply: str) -> None:
    before = [image[name] for name in image.map.points]
    assert ask(image, request_) == reply.replace(" ", "")
    assert [image[name] for name in image.map.points] == before


@pytest.mark.parametrize(
    ("request_", "name", "value"),
    [
        ("05 0000 0000", "enable", False),
        ("05 0003 ff00", "pulse", True),
        ("06 0000 0e10", "timeout", 3600),
        ("06 0003 0001", "reason", "price"),
        ("06 0004 8000", "price", None),
        ("06 0006 0005", "secret", 5),
        ("10 0001 0002 04 0000 0bb8", "limit", 3000),
        ("0f 0000 0002 01 fe", "hold", True),  # bits beyond the count say nothing
    ],
)
def test_what_is_written(image: RegisterImage, request_: str, name: str, value: object) -> None:
    ask(image, request_)
    assert image[name] == value


def test_several_registers_are_written_whole_or_not_at_all(image: RegisterImage) -> None:
    assert ask(image, "10 0000 0004 08 0014 0000 0001 0009") == "9003"
    assert (image["timeout"], image["limit"], image["reason"]) == (10, 70000, "none")
    assert ask(image, "10 0000 0004 08 0014 0000 0001 0001") == "1000000004"
    assert (image["timeout"], image["limit"], image["reason"]) == (20, 1, "price")


def test_part_of_a_wide_value_can_be_read(image: RegisterImage) -> None:
    assert ask(image, "03 0002 0001") == "0302" + f"{70000 & 0xFFFF:04x}"


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=253))
def test_any_request_is_answered(pdu: bytes) -> None:
    image = specified_device()
    reply = respond(image, Identity(image.map, "bench"), pdu, SOMEBODY)
    assert reply[0] & 0x7F == pdu[0] & 0x7F
    assert reply[0] < 0x80 or reply[1] in (1, 2, 3)
    assert len(reply) <= 253
