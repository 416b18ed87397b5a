"""The stations as rows that a finger can hit, those that need attention first."""

from hmi import figures
from hmi.look import BLUE, DIM, DOWN, INK, PANEL, STALE, TRACK, UP, Style
from hmi.master_view import MasterView, StationRow
from hmi.operator_panel import OperatorPanel
from hmi.sketch import Align, Box, Press, Sketch
from hmi.texts import Texts

ROW, SCROLL, GAP = 42, 40, 3
"""Heights, in units."""


def draw_stations(sketch: Sketch, box: Box, view: MasterView, panel: OperatorPanel, texts: Texts) -> None:
    """Tells the panel how many rows fit, so that it scrolls by that many."""
    rows = view.by_attention()
    fits = int((box.height + sketch.px(GAP)) / (sketch.px(ROW + GAP)))
    if len(rows) > fits:
        strip, box = box.cut_bottom(sketch.px(SCROLL), sketch.px(GAP))
        fits = int((box.height + sketch.px(GAP)) / (sketch.px(ROW + GAP)))
    panel.page = max(1, fits)
    first = min(panel.first_row, max(0, len(rows) - panel.page))
    shown = rows[first : first + panel.page]
    gap = sketch.px(GAP)
    height = min((box.height + gap) / panel.page - gap, sketch.px(1.25 * ROW))
    for n, row in enumerate(shown):
        _row(sketch, Box(box.x, box.y + n * (height + gap), box.width, height), row, texts)
    if len(rows) > len(shown):
        page = texts("master.page", first=first + 1, last=first + len(shown), count=len(rows))
        scroll_bar(sketch, strip, page, "scroll")


def _row(sketch: Sketch, box: Box, row: StationRow, texts: Texts) -> None:
    sketch.area(box, PANEL)
    sketch.touches.append((box, Press("station", row.number)))
    style = row.look.value if sketch.is_live else Style(TRACK, STALE, row.look.value.sign)
    side, rest = box.cut_left(sketch.px(36), sketch.px(7))
    sketch.area(side, style.fill)
    sketch.sign(side.inset(sketch.px(7)), style.sign, style.ink)
    words, figures_box = rest.cut_left(rest.width * 0.46, sketch.px(6))
    _words(sketch, words.inset(0, sketch.px(2)), row, texts)
    _figures(sketch, figures_box.inset(sketch.px(4), sketch.px(3)), row, texts)


def _words(sketch: Sketch, box: Box, row: StationRow, texts: Texts) -> None:
    """Name and state above, the reason below."""
    above, below = box.cut_top(box.height * 0.42)
    reason = row.reason_text(texts)
    name, state = above.cut_left(above.width * 0.4, sketch.px(5))
    sketch.text(name, row.name, largest=15, bold=True, colour=sketch.ink)
    sketch.text(state, row.state_text(texts), largest=13, colour=sketch.ink)
    sketch.text(below, reason, largest=12, lines=2, colour=sketch.dim if row.attention else sketch.ink)


def _figures(sketch: Sketch, box: Box, row: StationRow, texts: Texts) -> None:
    """Charge and power above, the bar and the time to full below."""
    ink, dim = sketch.ink, sketch.dim
    above, below = box.rows(2)
    charge, power = above.columns(2, sketch.px(4))
    percent = row.marked(figures.percent(row.state_of_charge_pct), "state_of_charge")
    watts = row.marked(figures.power(row.power_w), "power")
    sketch.text(charge, percent, largest=15, bold=True, colour=ink)
    sketch.text(power, watts, largest=15, colour=ink, align=Align.RIGHT)
    bar, to_full = below.cut_left(below.width * 0.34, sketch.px(6))
    if row.state_of_charge_pct is not None:
        share = row.state_of_charge_pct / 100
        sketch.bar(bar.inset(0, bar.height * 0.28), share, sketch.accent, TRACK)
    if row.time_to_full_s is not None:
        words = texts("master.full_in", duration=texts.duration(row.time_to_full_s))
        sketch.text(to_full, words, largest=12, colour=dim, align=Align.RIGHT)


def scroll_bar(sketch: Sketch, box: Box, page: str, what: str) -> None:
    """Presses `what`, with -1 or 1."""
    up, rest = box.cut_left(sketch.px(80), sketch.px(GAP))
    down, middle = rest.cut_right(sketch.px(80), sketch.px(GAP))
    for button, sign, number in ((up, UP, -1), (down, DOWN, 1)):
        sketch.area(button, BLUE)
        sketch.sign(button.inset(sketch.px(10)), (sign,), INK)
        sketch.touches.append((button, Press(what, number)))
    sketch.area(middle, PANEL)
    sketch.text(middle.inset(sketch.px(6), 0), page, largest=14, colour=DIM, align=Align.CENTRE)
