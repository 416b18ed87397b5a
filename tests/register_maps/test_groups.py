"""Points that repeat at a stride."""

from pathlib import Path
from typing import Any

import pytest

from register_maps.register_map import RegisterMap, load_map, read_map
from register_maps.yaml_file import BadFile

HEAD = "name: meter\nversion: 1\nabout: A meter.\nsource: a test\n"
POWER = "{table: input_register, address: 10, type: uint32, about: x}"
VOLTAGE = "{table: input_register, address: 13, type: uint16, about: x}"


def write(
    folder: Path, *, plain: str = "", stride: str = "input_register: 4", count: int = 3, more: str = ""
) -> Path:
    path = folder / "meter.yaml"
    text = HEAD + (f"points:\n{plain}" if plain else "") + "groups:\n  phase:\n"
    text += f"    stride: {{{stride}}}\n    max_count: {count}\n    points:\n"
    path.write_text(text + f"      power: {POWER}\n      voltage: {VOLTAGE}\n{more}")
    return path


def plain(name: str, address: int, kind: str = "uint16", table: str = "input_register") -> str:
    return f"  {name}: {{table: {table}, address: {address}, type: {kind}, about: x}}\n"


def faults(path: Path) -> list[str]:
    with pytest.raises(BadFile) as caught:
        read_map(path)
    return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]


def addresses(device: RegisterMap) -> dict[str, int]:
    return {name: p.address for name, p in device.points.items()}


def test_a_group_is_expanded_at_its_stride(tmp_path: Path) -> None:
    device = read_map(write(tmp_path, plain=plain("total", 0)))
    assert addresses(device) == {"total": 0}
    assert addresses(device.expanded()) == {"total": 0}
    assert addresses(device.expanded(phase=2)) == {
        "total": 0,
        "phase_1_power": 10,
        "phase_1_voltage": 13,
        "phase_2_power": 14,
        "phase_2_voltage": 17,
    }
    assert device.expanded(phase=2).groups == {}


def test_a_map_may_hold_groups_only(tmp_path: Path) -> None:
    assert read_map(write(tmp_path)).points == {}


def test_a_plain_point_may_stand_in_a_hole_between_repetitions(tmp_path: Path) -> None:
    read_map(
        write(tmp_path, plain=plain("total", 12) + plain("next", 22) + plain("coil", 10, "bool", "coil"))
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stride": "coil: 8"}, "7: stride: is missing for table input_register, where point 'power'"),
        ({"stride": "input_register: 3"}, "7: stride: 3 of table input_register is too small for"),
        ({"stride": "input_register: 0"}, "7: stride: 0 of table input_register is too small for"),
        ({"stride": "register: 4"}, "7: stride.register: must be 'coil', "),
        ({"count": 0}, "8: max_count: must be at least 1 (got 0)"),
        ({"count": 16382}, "7: stride: max_count 16382 takes point 'voltage' past address 65535"),
        ({"more": "    strode: 3\n"}, "12: strode: there is no key 'strode'; did you mean 'stride'?"),
        ({"more": f"      again: {VOLTAGE}\n"}, "12: points.again: stands on input_register 13, which"),
    ],
    ids=["no stride", "too small", "zero", "no table", "no count", "past the end", "key", "overlap inside"],
)
def test_faults(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    assert faults(write(tmp_path, **changes))[0].replace(" groups.phase.", " ").startswith(expected)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (
            plain("voltage", 14),
            ["power: number 2 stands on input_register 14, which 'voltage' takes already"],
        ),
        (
            plain("total", 8, "uint64"),
            ["power: number 1 stands on input_register 8, which 'total' takes already"],
        ),
        (
            plain("total", 18, "uint64"),
            [
                "power: number 3 stands on input_register 18, which 'total' takes already",
                "voltage: number 3 stands on input_register 18, which 'total' takes already",
            ],
        ),
    ],
    ids=["on a plain point", "on the end of a wide point", "two on one"],
)
def test_repetitions_keep_clear_of_plain_points(tmp_path: Path, other: str, expected: list[str]) -> None:
    found = faults(write(tmp_path, plain=other))
    assert [line.partition(" groups.phase.points.")[2] for line in found] == expected


@pytest.mark.parametrize(("start", "clear"), [(22, True), (20, False), (2, True), (7, False)])
def test_groups_keep_clear_of_each_other(tmp_path: Path, start: int, clear: bool) -> None:
    """`phase` takes 10 to 21; `slot` takes four repetitions of two words."""
    slot = f"{{table: input_register, address: {start}, type: uint16, about: x}}"
    more = f"  slot:\n    stride: {{input_register: 2}}\n    max_count: 4\n    points:\n      a: {slot}\n"
    path = write(tmp_path, more=more)
    if clear:
        read_map(path)
    else:
        (line,) = faults(path)
        assert line.startswith("12: groups.slot: stands on input_register ")
        assert line.endswith("which group 'phase' takes already")


def test_the_masters_stations_do_not_meet() -> None:
    device = load_map("pev_master")
    device = device.expanded(station=device.groups["station"].max_count)
    taken = [(p.table, address) for p in device.points.values() for address in range(p.address, p.end)]
    assert len(taken) == len(set(taken))
    assert max(address for _, address in taken) < 65536
