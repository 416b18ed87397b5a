"""Values to words and back. The byte vectors are worked out by hand."""

import math
import struct

import pytest

from register_maps.codec import EncodeError, decode, encode
from register_maps.points import ByteOrder, Point, PointType, Table, Value


def point(kind: str, **facts: object) -> Point:
    table = Table.COIL if kind == "bool" else Table.HOLDING_REGISTER
    fields: dict = {"name": "level", "address": 7, "about": "", **facts}
    return Point(table=table, type=PointType(kind), **fields)


@pytest.mark.parametrize(
    ("kind", "order", "value", "words"),
    [
        ("uint32", "ABCD", 0x11223344, [0x1122, 0x3344]),
        ("uint32", "CDAB", 0x11223344, [0x3344, 0x1122]),
        ("uint32", "BADC", 0x11223344, [0x2211, 0x4433]),
        ("uint32", "DCBA", 0x11223344, [0x4433, 0x2211]),
        ("uint64", "ABCD", 0x1122334455667788, [0x1122, 0x3344, 0x5566, 0x7788]),
        ("uint64", "CDAB", 0x1122334455667788, [0x7788, 0x5566, 0x3344, 0x1122]),
        ("uint64", "BADC", 0x1122334455667788, [0x2211, 0x4433, 0x6655, 0x8877]),
        ("uint64", "DCBA", 0x1122334455667788, [0x8877, 0x6655, 0x4433, 0x2211]),
        ("uint16", "ABCD", 0x1122, [0x1122]),
        ("uint16", "CDAB", 0x1122, [0x1122]),
        ("uint16", "BADC", 0x1122, [0x2211]),
        ("uint16", "DCBA", 0x1122, [0x2211]),
        ("float32", "ABCD", 1.5, [0x3FC0, 0x0000]),
        ("float32", "CDAB", 1.5, [0x0000, 0x3FC0]),
        ("float32", "BADC", 1.5, [0xC03F, 0x0000]),
        ("float32", "DCBA", 1.5, [0x0000, 0xC03F]),
        ("float64", "ABCD", -2.0, [0xC000, 0, 0, 0]),
        ("float64", "DCBA", -2.0, [0, 0, 0, 0x00C0]),
        ("int32", "CDAB", -2, [0xFFFE, 0xFFFF]),
        ("int64", "CDAB", -2, [0xFFFE, 0xFFFF, 0xFFFF, 0xFFFF]),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_byte_orders(kind: str, order: str, value: float, words: list[int]) -> None:
    p = point(kind, byte_order=ByteOrder(order))
    assert encode(p, value) == words
    assert decode(p, words) == value


@pytest.mark.parametrize(
    ("kind", "words", "value"),
    [
        ("bool", [1], True),
        ("bool", [0], False),
        ("int16", [0xFFFF], -1),
        ("int16", [0x8000], -32768),
        ("int16", [0x7FFF], 32767),
        ("uint16", [0xFFFF], 65535),
        ("int32", [0x8000, 0], -(2**31)),
        ("uint32", [0xFFFF, 0xFFFF], 2**32 - 1),
        ("int64", [0x8000, 0, 0, 0], -(2**63)),
        ("uint64", [0xFFFF] * 4, 2**64 - 1),
        ("float32", [0x42F6, 0xE979], 123.45600128173828),
        ("float64", [0x405E, 0xDD2F, 0x1A9F, 0xBE77], 123.456),
    ],
)
def test_types_without_a_byte_order(kind: str, words: list[int], value: Value) -> None:
    assert decode(point(kind), words) == value
    assert encode(point(kind), value) == words


@pytest.mark.parametrize(
    ("kind", "scale", "words", "value"),
    [
        ("uint16", 0.1, [1103], 110.3),
        ("int16", 0.01, [0xFFFF], -0.01),
        ("int32", 0.0001, [0, 1234], 0.1234),
        ("uint16", 10, [37], 370),
        ("uint16", 0.25, [3], 0.75),
        ("int16", -0.1, [3], -0.3),
        ("float32", 1000, [0x3FA0, 0], 1250.0),
        ("float64", 10, [0x3FC0, 0, 0, 0], 1.25),  # a float's decimals are its own, not the scale's
    ],
)
def test_scale(kind: str, scale: float, words: list[int], value: float) -> None:
    assert decode(point(kind, scale=scale), words) == value
    assert encode(point(kind, scale=scale), value) == words


def test_a_value_is_rounded_to_the_scale() -> None:
    assert encode(point("uint16", scale=0.1), 110.34) == [1103]
    assert encode(point("uint16"), 2.6) == [3]


@pytest.mark.parametrize("word", [0, 9, 101, 65535])
def test_a_number_outside_its_limits_is_no_value(word: int) -> None:
    assert decode(point("uint16", min=10, max=100), [word]) is None


@pytest.mark.parametrize("value", [10, 55, 100])
def test_limits_belong_to_what_is_allowed(value: int) -> None:
    p = point("uint16", min=10, max=100)
    assert decode(p, encode(p, value)) == value


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("scale", [1, 0.1, 1000])
def test_a_limit_that_no_float_holds_exactly_can_be_reached(kind: str, scale: float) -> None:
    p = point(kind, scale=scale, min=0.3, max=110.3)
    assert decode(p, encode(p, 110.3)) == pytest.approx(110.3)
    assert decode(p, encode(p, 0.3)) == pytest.approx(0.3)
    assert decode(point(kind, scale=scale), encode(point(kind, scale=scale), 110.4)) is not None
    assert decode(p, encode(point(kind, scale=scale), 110.301)) is None


@pytest.mark.parametrize(
    ("kind", "nan", "words"),
    [("uint16", 65535, [0xFFFF]), ("int16", -32768, [0x8000]), ("uint32", 2**32 - 1, [0xFFFF, 0xFFFF])],
)
def test_the_raw_number_that_means_no_value(kind: str, nan: int, words: list[int]) -> None:
    p = point(kind, nan=nan, scale=0.1, max=1000)
    assert decode(p, words) is None
    assert encode(p, None) == words
    assert encode(p, math.nan) == words
    with pytest.raises(EncodeError, match="level"):
        encode(point(kind, nan=nan), nan)


@pytest.mark.parametrize("scale", [1, 0.1])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_ieee_nan_and_infinity_are_no_value(kind: str, scale: float) -> None:
    p = point(kind, scale=scale)
    for value in (math.nan, math.inf, -math.inf):
        data = struct.pack(">f" if kind == "float32" else ">d", value)
        assert decode(p, struct.unpack(f">{len(data) // 2}H", data)) is None
    assert decode(p, encode(p, None)) is None
    assert decode(p, encode(p, math.inf)) is None


def test_a_float_that_its_scale_takes_past_the_largest_is_no_value() -> None:
    assert decode(point("float64", scale=10), encode(point("float64"), 1e308)) is None


def test_enum() -> None:
    p = point("enum", values={0: "off", 7: "on"})
    assert [decode(p, [word]) for word in (0, 7, 3)] == ["off", "on", None]
    assert encode(p, "on") == [7]


def test_flags() -> None:
    p = point("flags", values={0: "hot", 15: "wet"})
    assert decode(p, [0x8001]) == {"hot", "wet"}
    assert decode(p, [0x0002]) == frozenset()  # a bit without a name
    assert encode(p, frozenset({"hot", "wet"})) == [0x8001]
    assert encode(p, frozenset()) == [0]
    assert encode(p, "wet") == [0x8000]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("ABCD", [0x5254, 0x5331, 0]),
        ("CDAB", [0x5254, 0x5331, 0]),  # a string is never turned round
        ("BADC", [0x5452, 0x3153, 0]),
        ("DCBA", [0x5452, 0x3153, 0]),
    ],
)
def test_strings(order: str, words: list[int]) -> None:
    p = point("string", length=3, byte_order=ByteOrder(order))
    assert encode(p, "RTS1") == words
    assert decode(p, words) == "RTS1"


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("abcdef", "abcd"),
        ("abcé", "abc"),
        ("ab€", "ab"),
        ("aé", "aé"),
        ("😀x", "😀"),
        ("", ""),
        ("a\ud800", "a?"),
    ],
    ids=ascii,
)
def test_a_string_is_cut_at_a_whole_character(text: str, held: str) -> None:
    p = point("string", length=2)
    assert decode(p, encode(p, text)) == held


def test_a_string_of_spaces_zeros_or_nonsense_can_be_read() -> None:
    p = point("string", length=2)
    assert decode(p, [0x2020, 0x2020]) == ""
    assert decode(p, [0x4100, 0x0000]) == "A"
    assert decode(p, [0x41FF, 0x0000]) == "A\ufffd"


@pytest.mark.parametrize(
    ("p", "value"),
    [
        (point("bool"), 1),
        (point("bool"), None),
        (point("uint16"), -1),
        (point("uint16"), 65536),
        (point("uint16"), None),
        (point("uint16"), True),
        (point("uint16"), "7"),
        (point("uint16", min=1, max=9), 0),
        (point("uint16", min=1, max=9), 10),
        (point("uint16", scale=0.1), 6553.6),
        (point("uint16", scale=1e-5), 1e305),
        (point("uint64", scale=0.1), 10**400),
        (point("uint64", max=5), 10**400),
        (point("float32"), 1e39),
        (point("float32", scale=0.1), 1e308),
        (point("float64"), 10**400),
        (point("float64", scale=0.1), 1e308),
        (point("enum", values={0: "off"}), "on"),
        (point("enum", values={0: "off"}), None),
        (point("flags", values={0: "hot"}), frozenset({"cold"})),
    ],
    ids=lambda part: f"{part.type}" if isinstance(part, Point) else f"{part!r:.12}",
)
def test_encode_errors_name_the_point(p: Point, value: Value) -> None:
    with pytest.raises(EncodeError, match=r"^level "):
        encode(p, value)
