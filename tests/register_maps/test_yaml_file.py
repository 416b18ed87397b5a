"""Files that can't be read at all, and places in those that can."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import with_config

from register_maps.yaml_file import STRICT_KEYS, BadFile, Faults, place_text, read_yaml, unknown


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    size: int


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    wheels: list[Wheel]
    spare: Wheel | None = None


def write(folder: Path, text: str) -> Path:
    path = folder / "car.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nname: b\n", 'is not valid YAML: line 2, column 1: found duplicate key "name"'),
        ("deep: {a: 1, a: 2}\n", 'is not valid YAML: line 1, column 14: found duplicate key "a"'),
        ("a: [1\nb: 2\n", "is not valid YAML: line 2, column 2: expected ',' or ']'"),
        ("\tname: a\n", "is not valid YAML: line 1, column 1: found character '\\t'"),
        ("a: *nobody\n", "is not valid YAML: line 1, column 4: found undefined alias 'nobody'"),
        ("a: 1\n---\nb: 2\n", "is not valid YAML: line 2, column 1: but found another document"),
        ("a: 2024-13-45\n", "is not valid YAML: month must be in 1..12"),
        ("a: \x01\n", "is not valid YAML: unacceptable character #x0001: special characters"),
        ("", "must hold a mapping of keys to values"),
        ("- a\n- b\n", "must hold a mapping of keys to values"),
        ("just text", "must hold a mapping of keys to values"),
    ],
    ids=["twice", "twice deeper", "bracket", "tab", "alias", "two documents", "no date", "control character",
         "empty", "list", "text"],
)  # fmt: skip
def test_files_that_hold_no_mapping(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(BadFile) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "car.yaml"
    path.write_bytes(b"name: \xff\xfe\x00")
    with pytest.raises(BadFile, match="is not valid YAML"):
        read_yaml(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"gone\.yaml: can't be read: No such file or directory"):
        read_yaml(tmp_path / "gone.yaml")
    with pytest.raises(BadFile, match="can't be read: Is a directory"):
        read_yaml(tmp_path)


def test_yaml_is_1_2(tmp_path: Path) -> None:
    assert read_yaml(write(tmp_path, "a: off\nb: 17:21\nc: no\nd: true\n")) == {
        "a": "off",
        "b": "17:21",
        "c": "no",
        "d": True,
    }


def test_faults_stand_at_their_line_and_place(tmp_path: Path) -> None:
    path = write(tmp_path, "wheels:\n  - size: 1\n  - size: x\n  - {}\nspare:\n  size: 2\n  sise: 3\n")
    faults = Faults(path)
    assert faults.parse(Car, read_yaml(path)) is None
    faults.add(("nowhere",), "is a place without a line")
    with pytest.raises(BadFile) as caught:
        faults.raise_if_any()
    assert str(caught.value).splitlines() == [
        f"{path}:3: wheels[1].size: must be a valid integer, unable to parse string as an integer (got 'x')",
        f"{path}:4: wheels[2].size: is missing",
        f"{path}:7: spare.sise: there is no key 'sise'; did you mean 'size'?",
        f"{path}: nowhere: is a place without a line",
    ]
    assert caught.value.faults[0].place == ("wheels", 1, "size")


def test_no_fault_no_error(tmp_path: Path) -> None:
    faults = Faults(write(tmp_path, "wheels: []\n"))
    assert faults.parse(Car, {"wheels": []}) == Car(wheels=[])
    faults.raise_if_any()


def test_a_list_is_parsed_item_by_item(tmp_path: Path) -> None:
    faults = Faults(write(tmp_path, "wheels: []\n"))
    assert faults.parse_each(Wheel, [{"size": 1}, {"size": "x"}], ("wheels",)) == [Wheel(size=1), None]
    assert faults.parse_each(Wheel, "no list", ("wheels",)) == []
    with pytest.raises(BadFile, match=r"wheels\[1\]\.size"):
        faults.raise_if_any()


@pytest.mark.parametrize(
    ("place", "text"),
    [((), ""), (("a",), "a: "), (("a", 1, "b"), "a[1].b: "), (("a", 0, 2), "a[0][2]: ")],
)
def test_place_text(place: tuple[str | int, ...], text: str) -> None:
    assert place_text(place) == text


def test_unknown_names_bring_the_likely_one_or_all() -> None:
    assert unknown("map", "pev_rt", ["pev_rtu", "x"]) == "there is no map 'pev_rt'; did you mean 'pev_rtu'?"
    assert unknown("map", "zzz", ["a", "b"]) == "there is no map 'zzz'; known: a, b"
    assert unknown("map", "zzz", []) == "there is no map 'zzz'; known: none"
