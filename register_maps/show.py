"""A map for people: as a table on the terminal, in Markdown for documents, in CSV for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Iterator

from rich import box
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table as TextTable

from register_maps.points import Point, Table
from register_maps.register_map import RegisterMap

FUNCTIONS = {
    Table.COIL: "read 1, write 5 15",
    Table.DISCRETE_INPUT: "read 2",
    Table.INPUT_REGISTER: "read 4",
    Table.HOLDING_REGISTER: "read 3, write 6 16 22, both 23",
}
HEADINGS = ("address", "name", "type", "unit", "access", "about")


def sections(device: RegisterMap) -> Iterator[tuple[str, list[Point]]]:
    """The points by table, each with a title; then those of each group, as its first member has them."""
    yield from _by_table(device.points.values(), "")
    for group in device.groups.values():
        strides = ", ".join(f"{table} {stride}" for table, stride in group.stride.items())
        note = f" of {group.name} 1 (number n stands n-1 strides further: {strides})"
        yield from _by_table(group.points.values(), note)


def _by_table(points: Iterable[Point], note: str) -> Iterator[tuple[str, list[Point]]]:
    points = list(points)
    for table in Table:
        found = sorted((p for p in points if p.table is table), key=lambda p: p.address)
        if found:
            yield f"{table}{note}: functions {FUNCTIONS[table]}", found


def row(point: Point) -> tuple[str, ...]:
    last = point.end - 1
    address = str(point.address) if last == point.address else f"{point.address}-{last}"
    scale = "" if point.scale == 1 else f" × {point.scale:g}"
    return address, point.name, f"{point.type}{scale}", point.unit, point.access, _about(point)


def _about(point: Point) -> str:
    parts = [point.about]
    if point.values:
        parts.append(", ".join(f"{raw} {name}" for raw, name in point.values.items()) + ".")
    if point.min is not None or point.max is not None:
        low = "" if point.min is None else f"{point.min:g}"
        high = "" if point.max is None else f"{point.max:g}"
        parts.append(f"From {low} to {high}.")
    if point.exclusive:
        parts.append("From one client at a time.")
    if point.nan is not None:
        parts.append(f"Raw {point.nan} is no value.")
    return " ".join(parts)


def as_text(device: RegisterMap, console: Console) -> None:
    title = f"[bold]{escape(device.name)}[/] version {device.version}. {escape(device.about)}"
    console.print(title, highlight=False)
    console.print(_conventions(device), highlight=False)
    for title, points in sections(device):
        console.print(_text_table(title, points))


def _text_table(title: str, points: Iterable[Point]) -> RenderableType:
    table = TextTable(title=title, title_justify="left", box=box.SIMPLE_HEAD, expand=False)
    for heading in HEADINGS:
        table.add_column(
            heading,
            no_wrap=heading not in ("about", "name"),
            justify="right" if heading == "address" else "left",
        )
    for point in points:
        table.add_row(*map(escape, row(point)))
    return table


def as_markdown(device: RegisterMap) -> str:
    lines = [f"# {device.name}", "", device.about, "", f"Version {device.version}. {_conventions(device)}"]
    for title, points in sections(device):
        lines += ["", f"## {title[0].upper()}{title[1:]}", "", _markdown_row(HEADINGS)]
        lines.append(_markdown_row(["---"] * len(HEADINGS)))
        lines += [_markdown_row(row(point)) for point in points]
    return "\n".join(lines) + "\n"


def _markdown_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def as_csv(device: RegisterMap) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["group", "table", "address", "words", "name", "type", "scale", "unit", "access", "about"]
    )
    groups = [("", device.points), *((g.name, g.points) for g in device.groups.values())]
    for group, points in groups:
        for p in points.values():
            scale = f"{p.scale:g}"
            where = (group, p.table, p.address, p.width)
            writer.writerow((*where, p.name, p.type, scale, p.unit, p.access, _about(p)))
    return out.getvalue()


def _conventions(device: RegisterMap) -> str:
    return (
        f"Addresses count from 0, as they go over the wire. Byte order {device.byte_order},"
        f" unit id {device.unit_id}. Value = raw number × scale."
    )
