"""What is encoded comes back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from register_maps.codec import decode, encode
from register_maps.points import ByteOrder, Point, PointType, Table, raw_range

INTEGERS = [t for t in PointType if t.is_integer]


def point(kind: PointType, **facts: object) -> Point:
    table = Table.COIL if kind is PointType.BOOL else Table.HOLDING_REGISTER
    fields: dict = {"name": "level", "address": 7, "about": "", **facts}
    return Point(table=table, type=kind, **fields)


@settings(deadline=None)
@given(st.data(), st.sampled_from(INTEGERS), st.sampled_from(ByteOrder))
def test_integers_come_back(data: st.DataObject, kind: PointType, order: ByteOrder) -> None:
    p = point(kind, byte_order=order)
    value = data.draw(st.integers(*raw_range(kind)))
    assert decode(p, encode(p, value)) == value


@settings(deadline=None)
@given(
    st.data(),
    st.sampled_from([t for t in INTEGERS if "64" not in t]),
    st.sampled_from(ByteOrder),
    st.sampled_from([0.0001, 0.01, 0.1, 0.5, 2, 10, 1000]),
)
def test_scaled_integers_come_back_within_half_a_step(
    data: st.DataObject, kind: PointType, order: ByteOrder, scale: float
) -> None:
    p = point(kind, byte_order=order, scale=scale)
    low, high = raw_range(kind)
    value = data.draw(st.floats(low * scale, high * scale))
    assert decode(p, encode(p, value)) == pytest.approx(value, rel=1e-12, abs=0.5000001 * scale)


@settings(deadline=None)
@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from(ByteOrder))
def test_floats_come_back(value: float, order: ByteOrder) -> None:
    for kind in (PointType.FLOAT32, PointType.FLOAT64):
        p = point(kind, byte_order=order)
        assert decode(p, encode(p, value)) == value


@settings(deadline=None)
@given(st.text(), st.sampled_from(ByteOrder))
def test_text_comes_back_up_to_the_room_there_is(text: str, order: ByteOrder) -> None:
    p = point(PointType.STRING, length=4, byte_order=order)
    held = decode(p, encode(p, text))
    assert isinstance(held, str)
    assert text.startswith(held)
    if len(text.encode()) <= 8:
        assert held == text.rstrip("\0 ")


@settings(deadline=None)
@given(st.lists(st.integers(0, 0xFFFF), min_size=4, max_size=4), st.sampled_from(PointType))
def test_decoding_never_fails(words: list[int], kind: PointType) -> None:
    facts: dict = {"values": {1: "one"}} if kind.is_named else {}
    p = point(kind, length=4 if kind is PointType.STRING else None, **facts)
    decode(p, words[: p.width])
