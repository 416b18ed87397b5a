"""The driver's screen, drawn for any size, upright or wide."""

from hmi.look import BACKGROUND, BLUE, INK, OCTAGON, PANEL, PLAY, RED, TRACK, Look, Style
from hmi.sketch import Align, Box, Measure, Picture, Press, Sketch
from hmi.station_view import Button, StationView
from hmi.texts import Texts

STYLES = {
    Button.STOP: Style(RED, INK, (OCTAGON,)),
    Button.START: Style(BLUE, INK, (PLAY,)),
}

ROOMY_PX = 480
"""A display whose shorter side has less is too small for more than the driver's own station."""


def station_picture(
    view: StationView, time: str, size: tuple[int, int], measure: Measure, texts: Texts
) -> Picture:
    width, height = size
    wide = width > height
    unit = min(width / 480, height / 320) if wide else min(width / 320, height / 480)
    sketch = Sketch(measure, unit, view.is_live)
    whole = Box(0, 0, width, height)
    sketch.area(whole, BACKGROUND)
    gap = sketch.px(8)
    banner, rest = whole.cut_top(sketch.px(80))
    bottom, middle = rest.cut_bottom(sketch.px(84 if wide else 104))
    _banner(sketch, banner, view, time)
    _button(sketch, bottom.inset(gap, gap), view, texts)
    middle = Box(middle.x, middle.y, middle.width, middle.height).inset(gap)
    middle = Box(middle.x, middle.y, middle.width, middle.height + gap)  # the button has a gap of its own
    if view.neighbours and min(size) >= ROOMY_PX:
        strip, middle = middle.cut_bottom(sketch.px(26), gap)
        _neighbours(sketch, strip, view, 4 if wide else 2)
    if wide:
        left, right = middle.cut_left(middle.width * 0.52, gap)
    else:
        left, right = middle.cut_top(middle.height * 0.5, gap)
    _charge(sketch, left, view, texts)
    _fields(sketch, right, view)
    title = ": ".join(filter(None, (view.name, view.headline, view.detail)))
    # As long as there is something to stop, the button stays in sight.
    return sketch.picture(title, stays_lit=view.button is Button.STOP)


def _banner(sketch: Sketch, box: Box, view: StationView, time: str) -> None:
    style = view.look.value
    sketch.area(box, style.fill)
    inner = box.inset(sketch.px(10), sketch.px(8))
    sign, rest = inner.cut_left(sketch.px(44), sketch.px(12))
    sketch.sign(sign, style.sign, style.ink)
    corner, words = rest.cut_right(sketch.px(70), sketch.px(8))
    above, below = corner.rows(2)
    sketch.text(above, time, colour=style.ink, largest=18, align=Align.RIGHT)
    sketch.text(below, view.name, colour=style.ink, largest=18, lines=2, align=Align.RIGHT)
    detail, headline = words.cut_bottom(sketch.px(28)) if view.detail else (None, words)
    sketch.text(headline, view.headline, colour=style.ink, largest=34, lines=2, bold=True)
    if detail:
        sketch.text(detail, view.detail, colour=style.ink, largest=15, lines=2)


def _charge(sketch: Sketch, box: Box, view: StationView, texts: Texts) -> None:
    sketch.area(box, PANEL)
    inner = box.inset(sketch.px(10), sketch.px(6))
    below, rest = inner.cut_bottom(inner.height * 0.32)
    bar, figure = rest.cut_bottom(sketch.px(18))
    sketch.text(figure, view.charge, bold=True, align=Align.CENTRE, largest=72)
    sketch.bar(bar, (view.state_of_charge_pct or 0) / 100, sketch.accent, TRACK)
    lines = view.to_full
    if view.state_of_charge_pct is None and view.look is not Look.FREE:
        lines = (texts("station.charge_unknown"),)
    below = below.cut_bottom(below.height - sketch.px(5))[0]
    sketch.column(below.rows(max(len(lines), 1)), lines, largest=18, align=Align.CENTRE)


def _fields(sketch: Sketch, box: Box, view: StationView) -> None:
    sketch.area(box, PANEL)
    inner = box.inset(sketch.px(10), sketch.px(4))
    rows = inner.rows(max(len(view.fields), 1))
    left = [row.cut_left(row.width * 0.46)[0] for row in rows]
    right = [row.cut_right(row.width * 0.52)[0] for row in rows]
    labels, values = [label for label, _ in view.fields], [value for _, value in view.fields]
    sketch.column(left, labels, colour=sketch.dim, largest=14)
    sketch.column(right, values, largest=20, bold=True, align=Align.RIGHT)


def _neighbours(sketch: Sketch, box: Box, view: StationView, columns: int) -> None:
    """The first ones in the station's file."""
    sketch.area(box, PANEL)
    shown = view.neighbours[:columns]
    rows = [cell.rows(2) for cell in box.inset(sketch.px(10), sketch.px(2)).columns(columns, sketch.px(8))]
    sketch.column([above for above, _ in rows], [name for name, _ in shown], colour=sketch.dim, largest=10)
    sketch.column([below for _, below in rows], [doing for _, doing in shown], largest=10)


def _button(sketch: Sketch, box: Box, view: StationView, texts: Texts) -> None:
    if view.button:
        word = texts(f"station.{view.button}")
        sketch.button(box, word, Press(view.button), STYLES[view.button])
