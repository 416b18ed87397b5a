"""A screen as plain shapes: worked out without a display, painted by the window.

Lengths are pixels, from the top left corner. A text's size is the height of its font.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from hmi.look import DIM, INK, SKY, STALE, Points, Style

Measure = Callable[[str, int, bool], int]
"""Width of a text, given its size and whether it is bold."""
LINE_HEIGHT = 1.25
SMALLEST = 9
ROUNDING = 1e-6
"""So that a size or a height that went through a division and a multiplication is still itself."""


@dataclass(frozen=True, slots=True)
class Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def holds(self, x: float, y: float) -> bool:
        return self.x <= x < self.right and self.y <= y < self.bottom

    def inset(self, dx: float, dy: float | None = None) -> "Box":
        dy = dx if dy is None else dy
        return Box(self.x + dx, self.y + dy, max(0, self.width - 2 * dx), max(0, self.height - 2 * dy))

    def cut_top(self, height: float, gap: float = 0) -> tuple["Box", "Box"]:
        """The top of it, and what is left below a gap."""
        rest = max(0, self.height - height - gap)
        return Box(self.x, self.y, self.width, height), Box(self.x, self.bottom - rest, self.width, rest)

    def cut_bottom(self, height: float, gap: float = 0) -> tuple["Box", "Box"]:
        """The bottom of it, and what is left above a gap."""
        rest, bottom = self.cut_top(max(0, self.height - height - gap), gap)
        return bottom, rest

    def cut_left(self, width: float, gap: float = 0) -> tuple["Box", "Box"]:
        rest = max(0, self.width - width - gap)
        return Box(self.x, self.y, width, self.height), Box(self.right - rest, self.y, rest, self.height)

    def cut_right(self, width: float, gap: float = 0) -> tuple["Box", "Box"]:
        rest, right = self.cut_left(max(0, self.width - width - gap), gap)
        return right, rest

    def rows(self, count: int, gap: float = 0) -> list["Box"]:
        height = (self.height - gap * (count - 1)) / count
        return [Box(self.x, self.y + n * (height + gap), self.width, height) for n in range(count)]

    def columns(self, count: int, gap: float = 0) -> list["Box"]:
        width = (self.width - gap * (count - 1)) / count
        return [Box(self.x + n * (width + gap), self.y, width, self.height) for n in range(count)]


class Align(StrEnum):
    LEFT = "w"
    CENTRE = "center"
    RIGHT = "e"


@dataclass(frozen=True, slots=True)
class Area:
    box: Box
    fill: str


@dataclass(frozen=True, slots=True)
class Polygon:
    points: Points
    fill: str


@dataclass(frozen=True, slots=True)
class Line:
    points: Points
    colour: str
    width: int
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text; (x, y) is the middle of its left end, its centre, or the middle of its right end."""

    x: float
    y: float
    text: str
    size: int
    colour: str
    bold: bool
    align: Align


Shape = Area | Polygon | Line | Label


@dataclass(frozen=True, slots=True)
class Press:
    """What a person asks for by touching the screen."""

    what: str
    number: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Shapes from back to front, and the boxes that can be pressed: of two, the later one.

    `title` says the most important thing for a task bar; `stays_lit` that the screen must not go dark now.
    """

    shapes: tuple[Shape, ...]
    touches: tuple[tuple[Box, Press], ...] = ()
    title: str = ""
    stays_lit: bool = False

    def touch_at(self, x: float, y: float) -> tuple[Box, Press] | None:
        return next((touch for touch in reversed(self.touches) if touch[0].holds(x, y)), None)


@dataclass(slots=True)
class Sketch:
    """Draws a picture, shape by shape; `measure` is the window's, whose font it knows.

    `unit`: pixels for each that the layout was thought out in. What is not `is_live` is grey.
    """

    measure: Measure
    unit: float = 1.0
    is_live: bool = True
    shapes: list[Shape] = field(default_factory=list)
    touches: list[tuple[Box, Press]] = field(default_factory=list)

    @property
    def ink(self) -> str:
        return INK if self.is_live else STALE

    @property
    def dim(self) -> str:
        return DIM if self.is_live else STALE

    @property
    def accent(self) -> str:
        return SKY if self.is_live else STALE

    def px(self, units: float) -> float:
        return units * self.unit

    def picture(self, title: str, *, stays_lit: bool = False) -> Picture:
        return Picture(tuple(self.shapes), tuple(self.touches), title, stays_lit)

    def area(self, box: Box, fill: str) -> None:
        self.shapes.append(Area(box, fill))

    def line(
        self, points: Iterable[tuple[float, float]], colour: str, width: int, *, dashed: bool = False
    ) -> None:
        self.shapes.append(Line(tuple(points), colour, width, dashed))

    def sign(self, box: Box, sign: Iterable[Points], colour: str) -> None:
        """Polygons in the largest square in the middle of the box."""
        side = min(box.width, box.height)
        left, top = box.x + (box.width - side) / 2, box.y + (box.height - side) / 2
        for points in sign:
            corners = tuple((round(left + x * side, 1), round(top + y * side, 1)) for x, y in points)
            self.shapes.append(Polygon(corners, colour))

    def text(
        self,
        box: Box,
        text: str,
        *,
        colour: str = "",
        largest: float = 999,
        smallest: float = 0,
        lines: int = 1,
        bold: bool = False,
        align: Align = Align.LEFT,
    ) -> None:
        """As large as it fits into the box, in at most so many lines; what does not fit ends in "…".

        `largest` and `smallest`, sizes, in units.
        """
        if not text:
            return
        most, least = self.px(largest), self.px(smallest)
        size, rows = fit(text, box, self.measure, largest=most, smallest=least, lines=lines, bold=bold)
        x = {Align.LEFT: box.x, Align.CENTRE: box.x + box.width / 2, Align.RIGHT: box.right}[align]
        top = box.y + (box.height - len(rows) * size * LINE_HEIGHT) / 2
        for n, row in enumerate(rows):
            y = top + (n + 0.5) * size * LINE_HEIGHT
            self.shapes.append(Label(round(x), round(y), row, size, colour or self.ink, bold, align))

    def column(self, boxes: Iterable[Box], texts: Iterable[str], *, largest: float = 999, **how: Any) -> None:
        """One line in each box, all of the same size."""
        pairs = [(box, text) for box, text in zip(boxes, texts, strict=False) if text]
        most, bold = self.px(largest), bool(how.get("bold"))
        sizes = [fit(text, box, self.measure, largest=most, bold=bold)[0] for box, text in pairs]
        for box, text in pairs:
            self.text(box, text, largest=min(sizes) / self.unit, **how)

    def bar(self, box: Box, share: float, fill: str, track: str) -> None:
        """Filled from the left; `share` from 0 to 1."""
        self.area(box, track)
        width = round(box.width * min(max(share, 0.0), 1.0))
        if width:  # one of no width would still be painted as a line
            self.area(Box(box.x, box.y, width, box.height), fill)

    def button(self, box: Box, text: str, press: Press, style: Style, *, largest: float = 999) -> None:
        """With the style's sign before its word, if it has one."""
        self.area(box, style.fill)
        self.touches.append((box, press))
        inner = box.inset(min(box.width, box.height) * 0.16)
        if not style.sign:
            self.text(inner, text, colour=style.ink, bold=True, align=Align.CENTRE, largest=largest)
            return
        side = min(inner.height, inner.width * 0.3)
        room = Box(0, 0, inner.width - 1.3 * side, inner.height)
        size, _ = fit(text, room, self.measure, largest=self.px(largest), bold=True)
        left = inner.x + max(0, room.width - self.measure(text, size, True)) / 2
        self.sign(Box(left, inner.y, side, inner.height), style.sign, style.ink)
        word = Box(left + 1.3 * side, inner.y, inner.right - left - 1.3 * side, inner.height)
        self.text(word, text, colour=style.ink, bold=True, largest=size / self.unit)


@lru_cache(maxsize=2000)  # a screen paints much the same again and again
def fit(
    text: str,
    box: Box,
    measure: Measure,
    *,
    largest: float = 999,
    smallest: float = SMALLEST,
    lines: int = 1,
    bold: bool = False,
) -> tuple[int, tuple[str, ...]]:
    """The largest size at which the text fits, and its lines; at the smallest it is cut."""
    low = max(SMALLEST, int(min(smallest, largest) + ROUNDING))
    high = max(low, int(min(largest, box.height / LINE_HEIGHT) + ROUNDING))

    def room_at(size: int) -> int:
        return max(1, min(lines, int(box.height / (size * LINE_HEIGHT) + ROUNDING)))

    def rows_at(size: int) -> tuple[str, ...] | None:
        rows = _wrapped(text, box.width, size, bold, measure)
        fits = len(rows) <= room_at(size) and all(measure(row, size, bold) <= box.width for row in rows)
        return rows if fits else None

    found = rows_at(low)
    if found is None:
        whole = _wrapped(text, box.width, low, bold, measure)
        return low, _cut(whole, box.width, room_at(low), low, bold, measure)
    while low < high:
        size = (low + high + 1) // 2
        rows = rows_at(size)
        low, high, found = (size, high, rows) if rows else (low, size - 1, found)
    return low, found


def _cut(
    rows: tuple[str, ...], width: float, lines: int, size: int, bold: bool, measure: Measure
) -> tuple[str, ...]:
    kept = list(rows[:lines])
    if len(rows) > lines:
        kept[-1] += "…"
    return tuple(_shortened(row, width, size, bold, measure) for row in kept)


def _shortened(row: str, width: float, size: int, bold: bool, measure: Measure) -> str:
    if measure(row, size, bold) <= width:
        return row
    row = row.removesuffix("…")
    while row and measure(row + "…", size, bold) > width:
        row = row[:-1]
    return row.rstrip() + "…"


def _wrapped(text: str, width: float, size: int, bold: bool, measure: Measure) -> tuple[str, ...]:
    rows = [""]
    for piece in _pieces(text):
        if rows[-1] and measure((rows[-1] + piece).rstrip(), size, bold) > width:
            rows.append("")
        rows[-1] += piece if rows[-1] else piece.lstrip()
    return tuple(row.rstrip() for row in rows)


def _pieces(text: str) -> Iterator[str]:
    """Words with the space after them; in Chinese a line may break behind any character, but not before
    a mark that closes."""
    piece = ""
    for character, following in zip(text, text[1:] + " ", strict=False):
        piece += character
        is_wide = ord(character) > 0x2E80
        if (character == " " and following != " ") or (is_wide and following not in "，。：；？！」）、 "):
            yield piece
            piece = ""
    if piece:
        yield piece
