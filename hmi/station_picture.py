"""The driver's screen, drawn for any size, upright or wide."""

from hmi.look import BACKGROUND, BLUE, DIM, INK, OCTAGON, PANEL, PLAY, RED, SKY, STALE, TRACK, Style
from hmi.sketch import Align, Box, Measure, Picture, Press, Sketch
from hmi.station_view import Button, StationView
from hmi.texts import Texts

STYLES = {
    Button.STOP: Style(RED, INK, (OCTAGON,)),
    Button.START: Style(BLUE, INK, (PLAY,)),
}


def station_picture(
    view: StationView, time: str, size: tuple[int, int], measure: Measure, texts: Texts
) -> Picture:
    width, height = size
    wide = width > height
    unit = min(width / 480, height / 320) if wide else min(width / 320, height / 480)
    sketch = Sketch(measure)
    whole = Box(0, 0, width, height)
    sketch.area(whole, BACKGROUND)
    gap = 8 * unit
    banner, rest = whole.cut_top(76 * unit)
    bottom, middle = rest.cut_bottom((84 if wide else 104) * unit)
    _banner(sketch, banner, view, time, unit)
    _button(sketch, bottom.inset(gap, gap), view, texts)
    middle = Box(middle.x, middle.y, middle.width, middle.height).inset(gap)
    middle = Box(middle.x, middle.y, middle.width, middle.height + gap)  # the button has a gap of its own
    if wide:
        left, right = middle.cut_left(middle.width * 0.52, gap)
    else:
        left, right = middle.cut_top(middle.height * 0.5, gap)
    _charge(sketch, left, view, unit, texts)
    _fields(sketch, right, view, unit)
    title = ": ".join(filter(None, (view.name, view.headline, view.detail)))
    # As long as there is something to stop, the button stays in sight.
    return sketch.picture(title, stays_lit=view.button is Button.STOP)


def _banner(sketch: Sketch, box: Box, view: StationView, time: str, unit: float) -> None:
    style = view.look.value
    sketch.area(box, style.fill)
    inner = box.inset(10 * unit, 8 * unit)
    sign, rest = inner.cut_left(44 * unit, 12 * unit)
    sketch.sign(sign, style.sign, style.ink)
    corner, words = rest.cut_right(70 * unit, 8 * unit)
    above, below = corner.rows(2)
    sketch.text(above, time, colour=style.ink, largest=18 * unit, align=Align.RIGHT)
    sketch.text(below, view.name, colour=style.ink, largest=18 * unit, align=Align.RIGHT)
    detail, headline = words.cut_bottom(19 * unit) if view.detail else (None, words)
    sketch.text(headline, view.headline, colour=style.ink, largest=34 * unit, lines=2, bold=True)
    if detail:
        sketch.text(detail, view.detail, colour=style.ink, largest=15 * unit)


def _charge(sketch: Sketch, box: Box, view: StationView, unit: float, texts: Texts) -> None:
    sketch.area(box, PANEL)
    inner = box.inset(10 * unit, 6 * unit)
    below, rest = inner.cut_bottom(inner.height * 0.32)
    bar, figure = rest.cut_bottom(18 * unit)
    ink = INK if view.is_live else STALE
    sketch.text(figure, view.charge, colour=ink, bold=True, align=Align.CENTRE, largest=72 * unit)
    sketch.bar(bar, (view.state_of_charge_pct or 0) / 100, SKY if view.is_live else STALE, TRACK)
    lines = view.to_full
    if view.state_of_charge_pct is None and view.fields:
        lines = (texts("station.charge_unknown"),)
    below = below.cut_bottom(below.height - 5 * unit)[0]
    sketch.column(below.rows(max(len(lines), 1)), lines, colour=ink, largest=18 * unit, align=Align.CENTRE)


def _fields(sketch: Sketch, box: Box, view: StationView, unit: float) -> None:
    sketch.area(box, PANEL)
    inner = box.inset(10 * unit, 4 * unit)
    ink = INK if view.is_live else STALE
    rows = inner.rows(max(len(view.fields), 1))
    left = [row.cut_left(row.width * 0.46)[0] for row in rows]
    right = [row.cut_right(row.width * 0.52)[0] for row in rows]
    labels, values = [label for label, _ in view.fields], [value for _, value in view.fields]
    sketch.column(left, labels, colour=DIM if view.is_live else STALE, largest=14 * unit)
    sketch.column(right, values, colour=ink, largest=20 * unit, bold=True, align=Align.RIGHT)


def _button(sketch: Sketch, box: Box, view: StationView, texts: Texts) -> None:
    if view.button:
        word = texts(f"station.{view.button}")
        sketch.button(box, word, Press(view.button), STYLES[view.button])
