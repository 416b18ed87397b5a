"""A map for people."""

import csv
import io

import pytest
from rich.console import Console

from register_maps.points import Point, PointType, Table
from register_maps.register_map import RegisterMap, load_map
from register_maps.show import as_csv, as_markdown, as_text, row, sections


def one_point(**facts: object) -> Point:
    fields: dict = {"about": "x", **facts}
    return Point(name="p", table=Table.INPUT_REGISTER, address=4, **{"type": PointType.UINT16, **fields})


def terminal(device: RegisterMap) -> str:
    out = io.StringIO()
    as_text(device, Console(file=out, width=200))
    return out.getvalue()


@pytest.mark.parametrize(
    ("point", "cells"),
    [
        (one_point(), ("4", "p", "uint16", "", "ro", "x")),
        (
            one_point(type=PointType.UINT32, scale=0.1, unit="V"),
            ("4-5", "p", "uint32 × 0.1", "V", "ro", "x"),
        ),
        (one_point(min=1, max=3600), ("4", "p", "uint16", "", "ro", "x From 1 to 3600.")),
        (one_point(nan=65535), ("4", "p", "uint16", "", "ro", "x Raw 65535 is no value.")),
        (
            one_point(type=PointType.ENUM, values={0: "off", 1: "on"}),
            ("4", "p", "enum", "", "ro", "x 0 off, 1 on."),
        ),
    ],
    ids=["plain", "wide and scaled", "limits", "nan", "enum"],
)
def test_rows(point: Point, cells: tuple[str, ...]) -> None:
    assert row(point) == cells


def test_sections_go_by_table_and_address_then_by_group() -> None:
    titles = [title for title, _ in sections(load_map("pev_master"))]
    assert titles[0] == "coil: functions read 1, write 5 15"
    assert [t.split(":")[0].split(" ")[0] for t in titles[:4]] == list(Table)
    assert titles[4].startswith("coil of station 1 (number n stands n-1 strides further: coil 8, ")
    for _, points in sections(load_map("pev_master")):
        assert [p.address for p in points] == sorted(p.address for p in points)


@pytest.mark.parametrize("name", ["pev_rtu", "pev_master"])
def test_every_point_is_shown_everywhere(name: str) -> None:
    device = load_map(name)
    text, markdown, table = (
        terminal(device),
        as_markdown(device),
        list(csv.DictReader(io.StringIO(as_csv(device)))),
    )
    points = [*device.points.values(), *(p for g in device.groups.values() for p in g.points.values())]
    assert [r["name"] for r in table] == [p.name for p in points]
    assert [int(r["address"]) for r in table] == [p.address for p in points]
    for p in points:
        assert f"| {p.name} |" in markdown
        assert p.name in text


def test_signs_that_mean_something_to_the_output_are_shown_as_they_are() -> None:
    p = one_point(about="Level [bold] of a|b [/]\nin two lines", unit="[V]")
    device = RegisterMap(name="m", version=1, about="For [red] ones.", source="", points={"p": p})
    text = terminal(device)
    assert "For [red] ones." in text
    assert "[bold] of a|b [/]" in text
    assert "[V]" in text
    assert "| Level [bold] of a\\|b [/] in two lines |" in as_markdown(device)
