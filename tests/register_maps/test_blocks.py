"""Which requests read a set of points."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from register_maps.blocks import Block, plan_reads
from register_maps.codec import encode
from register_maps.points import Point, PointType, Table, Value
from register_maps.register_map import RegisterMap, load_map


def device(points: list[Point], **facts: int) -> RegisterMap:
    named = {p.name: p for p in points}
    return RegisterMap(name="d", version=1, about="", source="", points=named, **facts)


def at(address: int, kind: str = "uint16", table: str = "input_register", **facts: object) -> Point:
    fields: dict = facts
    return Point(
        name=f"{table[0]}{address}",
        table=Table(table),
        address=address,
        type=PointType(kind),
        about="",
        **fields,
    )


def spans(blocks: list[Block]) -> list[tuple[int, int]]:
    return [(b.address, b.count) for b in blocks]


@pytest.mark.parametrize(
    ("points", "facts", "asked", "expected"),
    [
        ([at(0), at(1), at(2)], {}, None, [(0, 3)]),
        ([at(0), at(2)], {}, None, [(0, 1), (2, 1)]),
        ([at(0), at(2)], {"gaps_readable": True}, None, [(0, 3)]),
        ([at(5)], {}, None, [(5, 1)]),
        ([at(0, "uint32"), at(2, "uint64")], {}, None, [(0, 6)]),
        ([at(0, "uint32"), at(2, "uint32")], {"max_span": 3}, None, [(0, 2), (2, 2)]),
        ([at(n) for n in range(6)], {"max_span": 4}, None, [(0, 4), (4, 2)]),
        ([at(0), at(1), at(2)], {}, ["i0", "i2"], [(0, 3)]),
        ([at(0), at(1), at(2)], {}, ["i1"], [(1, 1)]),
        ([at(0), at(1), at(2)], {"max_span": 2}, ["i0", "i2"], [(0, 1), (2, 1)]),
        ([at(0), at(1, table="holding_register", access="wo")], {}, None, [(0, 1)]),
        ([at(0), at(200)], {"gaps_readable": True}, None, [(0, 1), (200, 1)]),
        ([at(2), at(0), at(1)], {}, None, [(0, 3)]),
        ([at(0)], {}, [], []),
    ],
    ids=[
        "adjacent",
        "gap",
        "readable gap",
        "not from 0",
        "wide",
        "no value is split",
        "max_span",
        "over a point nobody asked for",
        "only what is asked",
        "asked, but too far apart",
        "write-only",
        "gap wider than max_span",
        "any order",
        "nothing asked",
    ],
)
def test_spans(
    points: list[Point], facts: dict[str, int], asked: list[str] | None, expected: list[tuple[int, int]]
) -> None:
    assert spans(plan_reads(device(points, **facts), asked)) == expected


def test_a_write_only_point_in_the_middle_splits_a_block() -> None:
    hold = "holding_register"
    points = [at(0, table=hold), at(1, table=hold, access="wo"), at(2, table=hold)]
    assert spans(plan_reads(device(points))) == [(0, 1), (2, 1)]


def test_tables_are_read_apart() -> None:
    points = [at(0, "bool", "coil"), at(0, "bool", "discrete_input"), at(0), at(0, table="holding_register")]
    blocks = plan_reads(device(points))
    assert {b.table for b in blocks} == set(Table)
    assert len(blocks) == 4


def test_bits_go_2000_at_once_and_words_as_many_as_the_map_says() -> None:
    points = [at(n, "bool", "coil") for n in range(2001)]
    assert spans(plan_reads(device(points, max_span=10))) == [(0, 2000), (2000, 1)]


def test_the_native_station_takes_four_requests() -> None:
    assert [(b.table, b.count) for b in plan_reads(load_map("pev_rtu"))] == [
        ("coil", 3),
        ("discrete_input", 7),
        ("holding_register", 14),
        ("input_register", 70),
    ]


KINDS = ["uint16", "int16", "uint32", "int32", "uint64", "float32", "float64"]


@st.composite
def maps(draw: st.DrawFn) -> RegisterMap:
    """Points with gaps between them, in a bit table and two word tables; some can't be read."""
    points = []
    for table in (Table.COIL, Table.INPUT_REGISTER, Table.HOLDING_REGISTER):
        address = 0
        for gap in draw(st.lists(st.integers(0, 3), max_size=20)):
            kind = "bool" if table.holds_bits else draw(st.sampled_from(KINDS))
            access = draw(st.sampled_from(["rw", "rw", "wo"])) if table.is_writable else "ro"
            points.append(at(address + gap, kind, table, access=access))
            address = points[-1].end
    return device(points, max_span=draw(st.integers(4, 20)), gaps_readable=draw(st.booleans()))


def random_memory(device_map: RegisterMap, seed: int) -> tuple[dict[str, Value], dict[Table, list[int]]]:
    rng = random.Random(seed)
    memory = {table: [0] * 200 for table in Table}
    values: dict[str, Value] = {}
    for p in device_map.points.values():
        values[p.name] = bool(rng.getrandbits(1)) if p.type is PointType.BOOL else rng.randrange(1000)
        memory[p.table][p.address : p.end] = encode(p, values[p.name])
    return values, memory


@settings(deadline=None)
@given(maps(), st.integers(), st.data())
def test_every_asked_point_is_read_once_and_right(m: RegisterMap, seed: int, data: st.DataObject) -> None:
    readable = [p.name for p in m.points.values() if p.is_readable]
    asked = data.draw(st.none() | st.sets(st.sampled_from(readable))) if readable else None
    values, memory = random_memory(m, seed)
    blocks = plan_reads(m, asked)
    read = [
        item for b in blocks for item in b.decode(memory[b.table][b.address : b.address + b.count]).items()
    ]
    assert len(read) == len(dict(read))
    assert dict(read) == {name: values[name] for name in (readable if asked is None else asked)}


@settings(deadline=None)
@given(maps())
def test_blocks_keep_to_what_the_device_allows(m: RegisterMap) -> None:
    readable = {(p.table, a) for p in m.points.values() if p.is_readable for a in range(p.address, p.end)}
    for b in plan_reads(m):
        assert b.count <= (2000 if b.table.holds_bits else m.max_span)
        assert b.address == b.points[0].address
        assert b.address + b.count == b.points[-1].end
        if not m.gaps_readable:
            assert {(b.table, a) for a in range(b.address, b.address + b.count)} <= readable


@settings(deadline=None)
@given(maps())
def test_no_two_neighbouring_blocks_could_be_one(m: RegisterMap) -> None:
    """With values of one word, that means fewest requests; each value is whole in any case."""
    readable = {(p.table, a) for p in m.points.values() if p.is_readable for a in range(p.address, p.end)}
    blocks = plan_reads(m)
    for one, two in pairwise(blocks):
        first = two.points[0]
        between = {(one.table, a) for a in range(one.address, first.end)}
        reachable = m.gaps_readable or between <= readable
        span = 2000 if one.table.holds_bits else m.max_span
        assert one.table is not two.table or not reachable or first.end - one.address > span
