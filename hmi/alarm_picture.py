"""The alarms on the operator's screen: a banner that is always there, the list, and one with all it has."""

from datetime import datetime

from hmi.alarm_panel import AlarmPanel
from hmi.alarm_view import AlarmOrder, AlarmRow, AlarmsView
from hmi.look import (
    BLACK,
    BLUE,
    DIM,
    EXCLAMATION,
    INK,
    ORANGE,
    PANEL,
    SKY,
    STALE,
    TICK,
    TRACK,
    VERMILLION,
    Style,
)
from hmi.sketch import Align, Box, Press, Sketch
from hmi.station_table import scroll_bar
from hmi.texts import Texts
from register_maps.vocabulary import AlarmPriority

YELLOW = "#F0E442"
"""Okabe and Ito's."""
TWO_EXCLAMATIONS = tuple(
    tuple((x + shift, y) for x, y in corners) for shift in (-0.22, 0.22) for corners in EXCLAMATION
)
DIAMOND = ((0.5, 0.04), (0.96, 0.5), (0.5, 0.96), (0.04, 0.5))
DASH = ((0.14, 0.4), (0.86, 0.4), (0.86, 0.6), (0.14, 0.6))
STYLES = {
    AlarmPriority.URGENT: Style(VERMILLION, BLACK, TWO_EXCLAMATIONS),
    AlarmPriority.HIGH: Style(ORANGE, BLACK, EXCLAMATION),
    AlarmPriority.MEDIUM: Style(YELLOW, BLACK, (DIAMOND,)),
    AlarmPriority.LOW: Style(SKY, BLACK, (DASH,)),
    AlarmPriority.NONE: Style(TRACK, INK, (DASH,)),
}
ROW, UPRIGHT_ROW, STRIP, GAP = 54, 70, 40, 3
"""Heights, in units."""


def draw_banner(sketch: Sketch, box: Box, alarms: AlarmsView, texts: Texts) -> None:
    """Lit as long as there is something to acknowledge: how many, and the worst of them."""
    worst = alarms.worst
    style = _lit(sketch, STYLES[worst.priority if worst else alarms.worst_priority])
    is_lit = alarms.unacknowledged > 0
    sketch.area(box, style.fill if is_lit else PANEL)
    sketch.touches.append((box, Press("alarms")))
    sign, rest = box.inset(sketch.px(7), sketch.px(4)).cut_left(sketch.px(28), sketch.px(6))
    if not alarms.count:
        sketch.sign(sign.inset(sketch.px(5)), (TICK,), sketch.dim)
        sketch.text(rest, texts("alarm.none"), largest=13, colour=sketch.dim)
        return
    ink = style.ink if is_lit else sketch.ink
    sketch.sign(sign.inset(sketch.px(2)), style.sign, ink if is_lit else style.fill)
    number, words = rest.cut_left(sketch.px(26), sketch.px(6))
    count = alarms.unacknowledged if is_lit else alarms.count
    sketch.text(number, str(count), largest=20, bold=True, colour=ink, align=Align.CENTRE)
    told = f"{worst.name}: {worst.text}" if worst else texts("alarm.counted")
    if is_lit:
        sketch.text(words, told, largest=13, lines=3, colour=ink)
        return
    above, below = words.rows(2)
    sketch.text(above, texts("alarm.all_acknowledged"), largest=12, colour=sketch.dim)
    sketch.text(below, told, largest=12, colour=ink)


def draw_alarms(
    sketch: Sketch, box: Box, alarms: AlarmsView, panel: AlarmPanel, now: datetime, texts: Texts
) -> None:
    """`now`: the time of day."""
    row = panel.shown(alarms)
    if row:
        _one(sketch, box, row, panel.button, now, texts)
    else:
        _list(sketch, box, alarms, panel, now, texts)


def _list(
    sketch: Sketch, box: Box, alarms: AlarmsView, panel: AlarmPanel, now: datetime, texts: Texts
) -> None:
    """Tells the panel how many rows fit, so that it turns by that many."""
    strip, box = box.cut_bottom(sketch.px(STRIP), sketch.px(GAP))
    _list_buttons(sketch, strip, alarms, texts)
    rows, gap = alarms.rows, sketch.px(GAP)
    least = sketch.px(ROW if box.width > 1.2 * box.height else UPRIGHT_ROW)
    if len(rows) > int((box.height + gap) / (least + gap)):
        strip, box = box.cut_bottom(sketch.px(STRIP), gap)
    panel.page = max(1, int((box.height + gap) / (least + gap)))
    at = min(panel.at, max(0, len(rows) - 1))
    first = at // panel.page * panel.page
    shown = rows[first : first + panel.page]
    if not rows:
        sketch.text(box.cut_top(sketch.px(40))[0], texts("alarm.none"), largest=16, colour=sketch.dim)
    height = min((box.height + gap) / panel.page - gap, 1.2 * least)
    for n, row in enumerate(shown):
        place = Box(box.x, box.y + n * (height + gap), box.width, height)
        _row(sketch, place, row, now, texts, is_marked=first + n == at)
    if len(rows) > len(shown):
        page = texts("master.page", first=first + 1, last=first + len(shown), count=len(rows))
        scroll_bar(sketch, strip, page, "scroll_alarms")


def _list_buttons(sketch: Sketch, box: Box, alarms: AlarmsView, texts: Texts) -> None:
    close, acknowledge = box.columns(2, sketch.px(GAP))
    sketch.button(close, texts("ask.close"), Press("close_alarms"), Style(TRACK, INK, ()), largest=16)
    if alarms.unacknowledged:
        word = texts("ask.do_acknowledge_all")
        sketch.button(acknowledge, word, Press("acknowledge_all"), Style(BLUE, INK, ()), largest=16)


def _row(sketch: Sketch, box: Box, row: AlarmRow, now: datetime, texts: Texts, *, is_marked: bool) -> None:
    sketch.area(box, PANEL)
    sketch.touches.append((box, Press("alarm", row.number)))
    side, rest = box.cut_left(sketch.px(36), sketch.px(7))
    _sign(sketch, side, row)
    above, below = rest.inset(sketch.px(4), sketch.px(3)).cut_top(sketch.px(18), sketch.px(2))
    since, name = above.cut_right(sketch.px(110), sketch.px(6))
    if rest.width > sketch.px(380):
        name, state = name.cut_left(name.width * 0.42, sketch.px(6))
    else:
        state, below = below.cut_top(sketch.px(16), sketch.px(2))
    sketch.text(name, row.name, largest=14, bold=True)
    sketch.text(state, row.state_text(texts), largest=12, bold=row.is_unacknowledged)
    sketch.text(since, row.since(now), largest=12, colour=sketch.dim, align=Align.RIGHT)
    sketch.text(below, row.text, largest=12, lines=4, colour=sketch.dim)
    if is_marked:
        _frame(sketch, box)


def _sign(sketch: Sketch, box: Box, row: AlarmRow) -> None:
    """Lit as long as nobody has acknowledged it; grey where it is set aside."""
    style = _lit(sketch, STYLES[row.priority])
    sketch.area(box, style.fill if row.is_unacknowledged else TRACK)
    colour = style.ink if row.is_unacknowledged else style.fill if row.counts else DIM
    sketch.sign(box.inset(sketch.px(7)), style.sign, colour if sketch.is_live else STALE)


def _lit(sketch: Sketch, style: Style) -> Style:
    return style if sketch.is_live else Style(TRACK, STALE, style.sign)


def _frame(sketch: Sketch, box: Box) -> None:
    left, top, right, bottom = box.x + 1, box.y + 1, box.right - 1, box.bottom - 1
    corners = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    sketch.line(corners, sketch.dim, 2)


def _one(sketch: Sketch, box: Box, row: AlarmRow, button: int, now: datetime, texts: Texts) -> None:
    sketch.area(box, PANEL)
    columns = 3 if box.width > 1.2 * box.height else 2
    orders = row.orders()
    lines = -(-(len(orders) + 1) // columns)
    bottom, rest = box.inset(sketch.px(6)).cut_bottom(lines * sketch.px(STRIP + 6), sketch.px(4))
    _one_buttons(sketch, bottom, orders, button, (lines, columns), texts)
    head, rest = rest.cut_top(sketch.px(34), sketch.px(4))
    sign, title = head.cut_left(head.height, sketch.px(8))
    _sign(sketch, sign, row)
    above, below = title.rows(2)
    sketch.text(above, f"{row.name}: {texts.named('alarm_priority', row.priority)}", largest=15, bold=True)
    since = texts("alarm.since", time=row.since(now), state=row.state_text(texts))
    sketch.text(below, since, largest=12, colour=sketch.dim)
    text, remedy = rest.rows(2, sketch.px(4))
    sketch.text(text, row.text, largest=22, lines=4)
    sketch.text(remedy, texts("alarm.remedy", remedy=row.remedy), largest=18, lines=4, colour=sketch.dim)


def _one_buttons(
    sketch: Sketch, box: Box, orders: list[AlarmOrder], marked: int, grid: tuple[int, int], texts: Texts
) -> None:
    lines, columns = grid
    gap = sketch.px(6)
    places = [place for line in box.rows(lines, gap) for place in line.columns(columns, gap)]
    for n, (order, place) in enumerate(zip(orders, places, strict=False)):
        style = Style(BLUE if n == min(marked, len(orders) - 1) else TRACK, INK, ())
        sketch.button(place, _word(order, texts), Press("order", n), style, largest=16)
    sketch.button(places[-1], texts("ask.close"), Press("close_alarms"), Style(TRACK, INK, ()), largest=16)


def _word(order: AlarmOrder, texts: Texts) -> str:
    if order.shelve_s >= 3600:
        return texts("alarm.shelve_hours", hours=order.shelve_s // 3600)
    if order.shelve_s:
        return texts("alarm.shelve_minutes", minutes=order.shelve_s // 60)
    return texts(f"ask.do_{order.subject}")
