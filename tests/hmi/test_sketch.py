"""Shapes, boxes, and texts as large as they fit; without a display."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from hmi.look import OCTAGON, PAUSE, Style
from hmi.sketch import (
    LINE_HEIGHT,
    ROUNDING,
    SMALLEST,
    Align,
    Area,
    Box,
    Label,
    Picture,
    Polygon,
    Press,
    Sketch,
    fit,
)

CLOSING = "，。：；？！」）、"
BOX = Box(10, 20, 300, 200)

lengths = st.floats(0, 2000, allow_subnormal=False)
gaps = st.floats(0, 50)
words = st.lists(st.text("abcXYZ.:0123", min_size=1, max_size=12), min_size=1, max_size=12).map(" ".join)
chinese = st.text("电价高于上限等待充电中车辆" + CLOSING, min_size=1, max_size=40)
mixed = st.lists(st.one_of(words, chinese), min_size=1, max_size=3).map("".join)
texts = st.one_of(words, chinese, mixed)
boxes = st.builds(Box, st.just(0), st.just(0), st.floats(0, 900), st.floats(0, 400))


def measure(text: str, size: int, bold: bool) -> int:
    """As a font whose letters are all as wide as half of its size, and in Chinese twice that."""
    halves = sum(2 if ord(character) > 0x2E80 else 1 for character in text)
    return -(-halves * size * (11 if bold else 10) // 20)


def fits(rows: Sequence[str], size: int, box: Box, lines: int, least: int = SMALLEST) -> bool:
    height = len(rows) * size * (LINE_HEIGHT - ROUNDING)
    return (
        len(rows) <= lines
        and height <= max(box.height, least * LINE_HEIGHT)
        and all(measure(row, size, False) <= box.width for row in rows)
    )


def wrapped(text: str, width: float, size: int) -> list[str]:
    """Line by line as much as there is room for: what `fit` is held against. Words alone, no Chinese."""
    rows = [""]
    for word in text.split(" "):
        longer = f"{rows[-1]} {word}".strip()
        if rows[-1] and measure(longer, size, False) > width:
            rows.append(word)
        else:
            rows[-1] = longer
    return rows


# --- Boxes ----------------------------------------------------------------------------------------------


def test_the_edges_of_a_box() -> None:
    assert (BOX.right, BOX.bottom) == (310, 220)
    assert BOX.holds(10, 20)
    assert BOX.holds(309.9, 219.9)
    assert not any(BOX.holds(*point) for point in ((310, 20), (10, 220), (9.9, 20), (10, 19.9)))


def test_neighbours_share_no_point() -> None:
    left, right = BOX.cut_left(100)
    assert not left.holds(110, 50)
    assert right.holds(110, 50)


def test_cuts() -> None:
    assert BOX.cut_top(50, 10) == (Box(10, 20, 300, 50), Box(10, 80, 300, 140))
    assert BOX.cut_bottom(50, 10) == (Box(10, 170, 300, 50), Box(10, 20, 300, 140))
    assert BOX.cut_left(50, 10) == (Box(10, 20, 50, 200), Box(70, 20, 240, 200))
    assert BOX.cut_right(50, 10) == (Box(260, 20, 50, 200), Box(10, 20, 240, 200))
    assert BOX.inset(10) == Box(20, 30, 280, 180)
    assert BOX.inset(10, 0) == Box(20, 20, 280, 200)
    assert BOX.inset(400) == Box(410, 420, 0, 0)


@settings(deadline=None)
@given(lengths, lengths, gaps)
def test_a_cut_loses_nothing(side: float, cut: float, gap: float) -> None:
    assume(cut + gap <= side)
    box = Box(3, 5, side, side)
    for taken, rest in (box.cut_top(cut, gap), box.cut_bottom(cut, gap)):
        assert taken.height == pytest.approx(cut, abs=1e-6)
        assert taken.height + gap + rest.height == pytest.approx(side)
        assert min(taken.y, rest.y) == pytest.approx(5)
        assert max(taken.bottom, rest.bottom) == pytest.approx(5 + side)
    for taken, rest in (box.cut_left(cut, gap), box.cut_right(cut, gap)):
        assert taken.width == pytest.approx(cut, abs=1e-6)
        assert taken.width + gap + rest.width == pytest.approx(side)
        assert min(taken.x, rest.x) == pytest.approx(3)
        assert max(taken.right, rest.right) == pytest.approx(3 + side)


@settings(deadline=None)
@given(lengths, lengths, gaps)
def test_what_is_left_is_never_less_than_nothing(side: float, cut: float, gap: float) -> None:
    box = Box(0, 0, side, side)
    for cuts in (box.cut_top, box.cut_bottom, box.cut_left, box.cut_right):
        _, rest = cuts(cut, gap)
        assert min(rest.width, rest.height) >= 0


@settings(deadline=None)
@given(st.integers(1, 12), gaps)
def test_rows_and_columns_fill_the_box(count: int, gap: float) -> None:
    rows, columns = BOX.rows(count, gap), BOX.columns(count, gap)
    assert (len(rows), len(columns)) == (count, count)
    assert sum(row.height for row in rows) + gap * (count - 1) == pytest.approx(BOX.height)
    assert sum(column.width for column in columns) + gap * (count - 1) == pytest.approx(BOX.width)
    assert (rows[0].y, columns[0].x) == (BOX.y, BOX.x)
    assert (rows[-1].bottom, columns[-1].right) == (pytest.approx(BOX.bottom), pytest.approx(BOX.right))


# --- Texts ----------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(words, boxes, st.integers(1, 4))
@example("Waiting: the price is unknown", Box(0, 0, 120, 12), 2)
def test_a_text_is_as_large_as_it_fits(text: str, box: Box, lines: int) -> None:
    size, rows = fit(text, box, measure, lines=lines)
    assume(fits(wrapped(text, box.width, SMALLEST), SMALLEST, box, lines))
    assert " ".join(rows) == text
    assert fits(rows, size, box, lines)
    larger = wrapped(text, box.width, size + 1)
    assert not fits(larger, size + 1, box, lines)


@settings(deadline=None)
@given(texts, boxes, st.integers(1, 4), st.floats(1, 200), st.floats(0, 40))
@example("Supercalifragilistic", Box(0, 0, 40, 20), 1, 200, 0)
@example("RTS WWWWWWWWWWWWWWWW 1", Box(0, 0, 70, 60), 3, 200, 0)
@example("one two three four", Box(0, 0, 50, 12), 2, 200, 0)
@example("one two", Box(0, 0, 20, 12), 2, 200, 0)
@example("电价高于上限等待充电中", Box(0, 0, 40, 30), 2, 200, 0)
@example("Waiting: no power left", Box(0, 0, 90, 200), 2, 30, 20)
@example("one", Box(0, 0, 90, 200), 1, 9.999999999999993, 0)
@example("one", Box(0, 0, 90, 200), 1, 10, 9.999999999999993)
@example("one two", Box(0, 0, 20, 24.999999999999993), 2, 10, 10)
def test_no_text_leaves_its_box_and_what_is_lost_is_told(
    text: str, box: Box, lines: int, largest: float, smallest: float
) -> None:
    least = max(SMALLEST, int(min(smallest, largest) + ROUNDING))
    assume(box.width >= measure("电…", least, False))
    size, rows = fit(text, box, measure, lines=lines, largest=largest, smallest=smallest)
    assert least <= size <= max(least, largest + ROUNDING)
    assert fits(rows, size, box, lines, least)
    whole, said = text.replace(" ", ""), "".join(rows).replace(" ", "")
    if "…" in said:
        assert size == least
        parts = [re.escape(part) for part in said.split("…")]
        assert re.fullmatch(".+".join(parts), whole)  # each stands for something
    else:
        assert said == whole


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(20, 400))
def test_chinese_is_cut_without_a_space_of_ours(count: int, width: int) -> None:
    _, rows = fit("充" * count, Box(0, 0, width, 30), measure, lines=2)
    assert set("".join(rows)) <= set("充…")


@settings(deadline=None)
@given(chinese, st.floats(30, 500), st.floats(20, 400))
def test_chinese_breaks_anywhere_but_before_a_mark_that_closes(
    text: str, width: float, height: float
) -> None:
    assume(not any(mark + other in text for mark in CLOSING for other in CLOSING))
    _, rows = fit(text, Box(0, 0, width, height), measure, lines=20)
    assert not any(row[0] in CLOSING for row in rows[1:])
    if not rows[-1].endswith("…"):
        assert "".join(rows) == text


def test_chinese_fills_its_lines() -> None:
    size, rows = fit("电价高于上限等待充电", Box(0, 0, 200, 2 * 40 * LINE_HEIGHT), measure, lines=2)
    assert (size, rows) == (40, ("电价高于上", "限等待充电"))


def test_a_number_and_its_unit_stay_whole_in_chinese() -> None:
    _, rows = fit("等待：电价 0.2001 高于", Box(0, 0, 100, 60), measure, lines=4, largest=20)
    assert "0.2001" in " ".join(rows).split()


@pytest.mark.parametrize("lines", [1, 3])
def test_an_empty_text(lines: int) -> None:
    _, rows = fit("", BOX, measure, lines=lines)
    assert rows == ("",)


@pytest.mark.parametrize("box", [Box(0, 0, 0, 0), Box(5, 5, 0, 100), Box(5, 5, 100, 0), Box(0, 0, 3, 3)])
def test_a_box_without_room_takes_at_most_the_smallest(box: Box) -> None:
    for text in ("STOP", "Waiting: no power left", "充电中，请稍候"):
        size, rows = fit(text, box, measure, lines=2)
        assert size == SMALLEST
        assert 1 <= len(rows) <= 2
    sketch = Sketch(measure)
    sketch.button(box, "STOP", Press("stop"), Style("#B7121F", "#FFFFFF", (OCTAGON,)))
    sketch.text(box, "STOP", lines=2)
    assert sketch.touches == [(box, Press("stop"))]


# --- Sketches -------------------------------------------------------------------------------------------


def labels(sketch: Sketch) -> list[Label]:
    return [shape for shape in sketch.shapes if isinstance(shape, Label)]


def test_where_a_text_stands() -> None:
    for align, x in ((Align.LEFT, 10), (Align.CENTRE, 160), (Align.RIGHT, 310)):
        sketch = Sketch(measure)
        sketch.text(BOX, "Free", align=align, largest=20)
        (label,) = labels(sketch)
        assert (label.x, label.y, label.size, label.align) == (x, 120, 20, align)


def test_lines_stand_below_each_other_around_the_middle() -> None:
    sketch = Sketch(measure)
    sketch.text(BOX, "Waiting: no power left for now", largest=40, lines=2)
    above, below = labels(sketch)
    assert below.y - above.y == round(above.size * LINE_HEIGHT)
    assert (above.y + below.y) / 2 == BOX.y + BOX.height / 2


def test_no_text_is_no_shape() -> None:
    sketch = Sketch(measure)
    sketch.text(BOX, "")
    sketch.column(BOX.rows(3), ["", "", ""])
    assert sketch.shapes == []


def test_a_column_has_one_size() -> None:
    sketch = Sketch(measure)
    sketch.column(BOX.rows(4), ["W", "a longer line of text", "", "W"])
    assert [label.text for label in labels(sketch)] == ["W", "a longer line of text", "W"]
    assert len({label.size for label in labels(sketch)}) == 1
    assert labels(sketch)[2].y > 170


@pytest.mark.parametrize(("share", "width"), [(0, 0), (0.5, 150), (1, 300), (-1, 0), (7, 300), (0.2917, 88)])
def test_a_bar(share: float, width: int) -> None:
    sketch = Sketch(measure)
    sketch.bar(BOX, share, "red", "grey")
    filled = [Area(Box(10, 20, width, 200), "red")] if width else []
    assert sketch.shapes == [Area(BOX, "grey"), *filled]


def test_a_sign_is_a_square_in_the_middle() -> None:
    sketch = Sketch(measure)
    sketch.sign(Box(0, 0, 300, 100), PAUSE, "black")
    assert len(sketch.shapes) == 2
    corners = [point for s in sketch.shapes if isinstance(s, Polygon) for point in s.points]
    assert (min(x for x, _ in corners), max(x for x, _ in corners)) == (118, 182)
    assert (min(y for _, y in corners), max(y for _, y in corners)) == (12, 88)


@settings(deadline=None)
@given(st.sampled_from(["STOP", "START", "停止充电"]), st.floats(150, 900), st.floats(60, 300))
def test_a_button_s_sign_and_word_stand_inside_it_side_by_side(
    word: str, width: float, height: float
) -> None:
    sketch, box = Sketch(measure), Box(0, 0, width, height)
    sketch.button(box, word, Press("stop"), Style("red", "white", (OCTAGON,)))
    (label,) = labels(sketch)
    sign = next(shape for shape in sketch.shapes if isinstance(shape, Polygon))
    assert label.text == word
    assert max(x for x, _ in sign.points) <= label.x
    assert min(x for x, _ in sign.points) >= 0
    assert label.x + measure(label.text, label.size, True) <= box.right


def test_of_two_boxes_that_overlap_the_later_is_pressed() -> None:
    under, over = Press("row", 1), Press("cancel")
    picture = Picture((), ((Box(0, 0, 100, 100), under), (Box(50, 50, 100, 100), over)))
    assert picture.touch_at(10, 10) == (Box(0, 0, 100, 100), under)
    assert picture.touch_at(60, 60) == (Box(50, 50, 100, 100), over)
    assert picture.touch_at(140, 140) == (Box(50, 50, 100, 100), over)
    assert picture.touch_at(160, 20) is None
    assert Picture(()).touch_at(0, 0) is None


def test_a_sketch_becomes_a_picture() -> None:
    sketch = Sketch(measure)
    sketch.area(BOX, "red")
    sketch.button(BOX, "STOP", Press("stop"), Style("red", "white", ()))
    picture = sketch.picture("RTS1: Charging", stays_lit=True)
    assert picture.title == "RTS1: Charging"
    assert picture.stays_lit
    assert picture.shapes == tuple(sketch.shapes)
    assert picture.touches == ((BOX, Press("stop")),)
    assert not sketch.picture("").stays_lit
