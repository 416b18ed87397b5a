"""Frames out of a stream of bytes."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modbus_link.mbap import MAX_PDU, Adu, BadFrame, Framer, frame

# MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3: transaction, protocol, length, unit, PDU.
READ = bytes.fromhex("1501 0000 0006 ff 03 0004 0001")


def test_a_frame() -> None:
    assert frame(0x1501, 0xFF, bytes.fromhex("03 0004 0001")) == READ
    assert list(Framer().feed(READ)) == [Adu(0x1501, 0xFF, bytes.fromhex("03 0004 0001"))]


@pytest.mark.parametrize("cut", range(1, len(READ)))
def test_a_frame_in_two_segments(cut: int) -> None:
    framer = Framer()
    assert list(framer.feed(READ[:cut])) == []
    assert len(list(framer.feed(READ[cut:]))) == 1


def test_a_frame_byte_by_byte_and_the_next() -> None:
    framer = Framer()
    assert sum(len(list(framer.feed(READ[n : n + 1]))) for n in range(len(READ))) == 1
    assert len(list(framer.feed(READ))) == 1


adus = st.builds(Adu, st.integers(0, 0xFFFF), st.integers(0, 255), st.binary(min_size=1, max_size=MAX_PDU))


@settings(deadline=None)
@given(st.lists(adus, max_size=8), st.lists(st.integers(0, 2200), max_size=10))
def test_any_frames_in_any_segments(sent: list[Adu], cuts: list[int]) -> None:
    stream = b"".join(frame(a.transaction_id, a.unit_id, a.pdu) for a in sent)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    framer = Framer()
    got = [adu for a, b in pairwise(edges) for adu in framer.feed(stream[a:b])]
    assert got == sent


@pytest.mark.parametrize(
    "header",
    ["0001 0001 0006 01", "0001 0000 0000 01", "0001 0000 0001 01", "0001 0000 00ff 01", "4854 5450 2f31 2e"],
    ids=["protocol 1", "length 0", "no PDU", "length 255", "a stranger's protocol"],
)
def test_bad_headers(header: str) -> None:
    with pytest.raises(BadFrame):
        list(Framer().feed(bytes.fromhex(header)))


def test_frames_before_a_bad_header_are_told() -> None:
    got = []
    feed = Framer().feed(READ + READ + bytes.fromhex("0001 0009 0006 01"))
    with pytest.raises(BadFrame, match="protocol id 9"):
        got.extend(feed)
    assert len(got) == 2


def test_the_longest_and_the_shortest() -> None:
    for size in (1, MAX_PDU):
        assert list(Framer().feed(frame(1, 1, b"\x03" * size))) == [Adu(1, 1, b"\x03" * size)]
