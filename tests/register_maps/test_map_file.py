"""Maps as a person writes them: what is read, and that every fault is told at once, with its place."""

from pathlib import Path

import pytest

from register_maps.points import ByteOrder, Table
from register_maps.register_map import RegisterMap, load_map, map_names, read_map
from register_maps.yaml_file import BadFile

HEAD = "name: meter\nversion: 1\nabout: A meter.\nsource: a test\n"


def load(folder: Path, text: str) -> RegisterMap:
    path = folder / "meter.yaml"
    path.write_text(text)
    return read_map(path)


def faults(folder: Path, text: str) -> list[str]:
    """Each without the path in front, so 'line: place: message'."""
    with pytest.raises(BadFile) as caught:
        load(folder, text)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{folder / 'meter.yaml'}:") for line in lines)
    return [line.removeprefix(f"{folder / 'meter.yaml'}:").strip() for line in lines]


def point(name: str, address: object, rest: str = "", *, table: str = "input_register") -> str:
    kind = "" if "type:" in rest else ", type: uint16"
    return f"  {name}: {{table: {table}, address: {address}{kind}, about: x{rest}}}\n"


def test_a_good_map(tmp_path: Path) -> None:
    text = HEAD + "byte_order: CDAB\nunit_id: 3\nmax_span: 60\npoints:\n"
    text += point("power", 4, ", type: float32, unit: W, scale: 10") + point("odd", 6, ", byte_order: ABCD")
    found = load(tmp_path, text)
    power = found.points["power"]
    assert (found.name, found.unit_id, found.max_span, found.gaps_readable) == ("meter", 3, 60, False)
    assert (power.name, power.table, power.address, power.end) == ("power", Table.INPUT_REGISTER, 4, 6)
    assert (power.byte_order, found.points["odd"].byte_order) == (ByteOrder.CDAB, ByteOrder.ABCD)


def test_every_fault_at_once(tmp_path: Path) -> None:
    text = HEAD + "max_spam: 9\nunit_id: 300\npoints:\n"
    text += point("a", "x") + point("b", 1, ", typ: int16") + point("c", 70000) + "  d: 5\n"
    assert faults(tmp_path, text) == [
        "5: max_spam: there is no key 'max_spam'; did you mean 'max_span'?",
        "8: points.a.address: must be a valid integer (got 'x')",
        "9: points.b.typ: there is no key 'typ'; did you mean 'type'?",
        "10: points.c: address 70000 is outside 0…65535",
        "11: points.d: must be a mapping of keys to values (got 5)",
    ]


def test_what_is_missing(tmp_path: Path) -> None:
    assert faults(tmp_path, "name: meter\nversion: 1\n") == [
        "about: is missing",
        "source: is missing",
        "points: a map needs at least one point",
    ]


def test_broken_points_are_not_called_missing(tmp_path: Path) -> None:
    assert faults(tmp_path, HEAD + "points:\n  a: 5\n") == [
        "6: points.a: must be a mapping of keys to values (got 5)"
    ]


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        ("max_span: 126", "max_span 126 is outside 1…125"),
        ("unit_id: 256", "unit_id 256 is outside 0…255"),
        ("min_interval_ms: -1", "min_interval_ms can't be negative"),
        ("byte_order: ABDC", "byte_order: must be 'ABCD', 'CDAB', 'BADC' or 'DCBA' (got 'ABDC')"),
        ("force_fc16: maybe", "force_fc16: must be a valid boolean, unable to interpret input (got 'maybe')"),
    ],
)
def test_map_wide_faults(tmp_path: Path, fact: str, message: str) -> None:
    (line,) = faults(tmp_path, f"{HEAD}{fact}\npoints:\n{point('a', 0)}")
    assert line.endswith(message)


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        (", type: bool", "type bool can't stand in table input_register"),
        (", access: rw", "table input_register can only be read"),
        (", exclusive: true", "a point that can only be read can't be exclusive"),
        (", type: enum", "type enum and `values` belong together or not at all"),
        (", values: {0: a}", "type uint16 and `values` belong together or not at all"),
        (", type: flags, values: {16: a}", "`values` has a number that the type can't hold"),
        (", type: enum, values: {65536: a}", "`values` has a number that the type can't hold"),
        (", type: enum, values: {0: a, 1: a}", "`values` names something twice"),
        (", type: string", "strings, and no others, need a length"),
        (", length: 2", "strings, and no others, need a length"),
        (", type: string, length: 124", "length must be 1…123 registers"),
        (", scale: 0", "scale can't be 0"),
        (", type: string, length: 2, scale: 2", "type string takes no scale"),
        (", type: string, length: 2, max: 2", "type string takes no min or max"),
        (", min: 5, max: 4", "min 5.0 is above max 4.0"),
        (", nan: 65536", "nan 65536 is no raw value of type uint16"),
        (", type: float32, nan: 0", "nan 0 is no raw value of type float32"),
        (", scale: .inf", "scale: must be a finite number (got inf)"),
        (", type: int8", "type: must be 'bool', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', "),
    ],
)
def test_faults_of_one_point(tmp_path: Path, rest: str, message: str) -> None:
    (line,) = faults(tmp_path, HEAD + "points:\n" + point("level", 8, rest))
    assert line.startswith("6: points.level")
    assert message in line


def test_a_value_must_fit_into_one_request(tmp_path: Path) -> None:
    text = HEAD + "max_span: 3\npoints:\n" + point("level", 8, ", type: uint64")
    assert faults(tmp_path, text) == ["7: points.level: takes 4 words, more than max_span 3 reads at once"]


def test_a_value_may_not_reach_past_the_last_address(tmp_path: Path) -> None:
    load(tmp_path, HEAD + "points:\n" + point("a", 65534, ", type: uint32"))
    (line,) = faults(tmp_path, HEAD + "points:\n" + point("a", 65535, ", type: uint32"))
    assert line == "6: points.a: address 65535 is outside 0…65535"


def test_names_are_identifiers(tmp_path: Path) -> None:
    (line,) = faults(tmp_path, HEAD + "points:\n" + point("max-power", 0))
    assert line.startswith("6: points.max-power: a point's name is made of letters")


def test_overlaps(tmp_path: Path) -> None:
    text = HEAD + "points:\n" + point("wide", 0, ", type: uint64") + point("b", 1) + point("c", 2)
    text += point("d", 3, ", type: uint32") + point("e", 4) + point("fine", 5) + point("b2", 1)
    text += point("elsewhere", 1, table="holding_register")
    assert faults(tmp_path, text) == [
        "7: points.b: stands on input_register 1, which 'wide' takes already",
        "12: points.b2: stands on input_register 1, which 'wide' takes already",
        "8: points.c: stands on input_register 2, which 'wide' takes already",
        "9: points.d: stands on input_register 3, which 'wide' takes already",
        "10: points.e: stands on input_register 4, which 'd' takes already",
    ]


def test_maps_by_name_and_by_file(tmp_path: Path) -> None:
    assert {"pev_rtu", "pev_master"} <= set(map_names())
    assert load_map("pev_rtu").name == "pev_rtu"
    (tmp_path / "mine.yml").write_text(HEAD + "points:\n" + point("a", 0))
    assert load_map("mine.yml", base=tmp_path).name == "meter"
    with pytest.raises(LookupError, match="did you mean 'pev_rtu'"):
        load_map("pev_rtx")
    with pytest.raises(BadFile, match=r"none\.yaml: can't be read: No such file or directory"):
        load_map("none.yaml", base=tmp_path)
