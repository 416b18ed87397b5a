"""The operator's screen, drawn for any size: large ones show everything at once, small ones by tabs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hmi.alarm_picture import draw_alarms, draw_banner
from hmi.charts import charts
from hmi.dialog_picture import draw_question
from hmi.gauges import Gauge, gauges
from hmi.look import (
    BACKGROUND,
    BLACK,
    BLUE,
    DIM,
    EXCLAMATION,
    INK,
    ORANGE,
    PANEL,
    PAUSE,
    TICK,
    TRACK,
    Look,
    Style,
)
from hmi.master_view import MasterView
from hmi.operator_panel import TABS, OperatorPanel
from hmi.sketch import Align, Box, Measure, Picture, Press, Sketch, fit
from hmi.station_table import draw_stations
from hmi.texts import Texts
from hmi.trend import Sample

SMALL = 400
"""A screen with a side shorter than this shows one part at a time."""
LARGEST_UNIT = 1.3
"""A larger window shows more, not larger."""
STANDBY = Style(Look.STOPPED.value.fill, BLACK, PAUSE)
"""Of a master that only watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterSight:
    """All that the picture shows. With a `headline` the view is of the past."""

    view: MasterView | None
    headline: str
    detail: str
    time_of_day: datetime
    trend: Sequence[Sample]
    panel: OperatorPanel

    @property
    def is_live(self) -> bool:
        return not self.headline


def master_picture(sight: MasterSight, size: tuple[int, int], measure: Measure, texts: Texts) -> Picture:
    width, height = size
    small, wide = min(size) < SMALL, width > height
    usual = (480, 320) if small else (800, 480)
    unit = min(width / usual[not wide], height / usual[wide], LARGEST_UNIT)
    sketch, whole = Sketch(measure, unit, sight.is_live), Box(0, 0, width, height)
    gap = sketch.px(5)
    sketch.area(whole, BACKGROUND)
    rest = _header(sketch, whole, sight, texts).inset(gap)
    if sight.view and sight.panel.alarms.is_open:
        now = sight.time_of_day
        draw_alarms(sketch, rest, sight.view.alarms, sight.panel.alarms, now, texts)
    elif sight.view:
        top, rest = rest.cut_top(sketch.px(126 if small and not wide else 70 if small else 88), gap)
        _gauges(sketch, top, sight, texts, upright=small and not wide)
        parts = _tabbed if small else _beside if wide else _stacked
        parts(sketch, rest, sight, texts)
    if sight.view and sight.panel.question:
        draw_question(sketch, whole, sight.panel.question, sight.view, texts)
    return sketch.picture(_title(sight, texts), stays_lit=sight.panel.question is not None)


def _title(sight: MasterSight, texts: Texts) -> str:
    view = sight.view
    standby = texts("master.standby") if view and view.is_standby else ""
    parts = (view.site if view else "", sight.headline or standby, sight.detail)
    return ": ".join(filter(None, parts))


def _header(sketch: Sketch, whole: Box, sight: MasterSight, texts: Texts) -> Box:
    """What is left below. A headline takes the banner's place where they stand side by side."""
    view, wide = sight.view, whole.width > whole.height
    strip, rest = whole.cut_top(sketch.px(44 if wide else 30))
    words, banner = strip.cut_left(strip.width * 0.44) if wide else (strip, None)
    if view and not wide:
        banner, rest = rest.cut_top(sketch.px(44))
    if sight.headline:
        _headline(sketch, strip, sight)
        if wide:
            return rest
    elif view:
        (_standby if view.is_standby else _site)(sketch, words, sight, texts)
    if view and banner:
        draw_banner(sketch, banner, view.alarms, texts)
    return rest


def _headline(sketch: Sketch, box: Box, sight: MasterSight) -> None:
    style = Look.SILENT.value
    sketch.area(box, style.fill)
    clock, rest = box.inset(sketch.px(8), sketch.px(3)).cut_right(sketch.px(48), sketch.px(8))
    _clock(sketch, clock, sight, style.ink)
    sign, rest = rest.cut_left(min(rest.height, sketch.px(28)), sketch.px(8))
    sketch.sign(sign, style.sign, style.ink)
    words = ": ".join(filter(None, (sight.headline, sight.detail)))
    sketch.text(rest, words, largest=17, lines=2, bold=True, colour=style.ink)


def _site(sketch: Sketch, box: Box, sight: MasterSight, texts: Texts) -> None:
    view = sight.view
    assert view
    sketch.area(box, PANEL)
    words = texts("master.counts", charging=view.charging, waiting=view.waiting, silent=view.silent)
    inner = box.inset(sketch.px(8), sketch.px(3))
    if inner.height > sketch.px(30):
        above, below = inner.cut_top(inner.height * 0.55)
        clock, name = above.cut_right(sketch.px(48), sketch.px(8))
        sketch.text(below, words, largest=13, colour=sketch.dim)
    else:
        clock, rest = inner.cut_right(sketch.px(48), sketch.px(8))
        counts, name = rest.cut_right(rest.width * 0.55, sketch.px(8))
        sketch.text(counts, words, largest=14, lines=2, colour=sketch.dim, align=Align.RIGHT)
    _clock(sketch, clock, sight)
    sketch.text(name, view.site, largest=17, bold=True)


def _standby(sketch: Sketch, box: Box, sight: MasterSight, texts: Texts) -> None:
    sketch.area(box, STANDBY.fill)
    clock, rest = box.inset(sketch.px(8), sketch.px(3)).cut_right(sketch.px(48), sketch.px(8))
    _clock(sketch, clock, sight, STANDBY.ink)
    sign, words = rest.cut_left(sketch.px(22), sketch.px(8))
    sketch.sign(sign, STANDBY.sign, STANDBY.ink)
    sketch.text(words, texts("master.standby"), largest=15, lines=2, bold=True, colour=STANDBY.ink)


def _clock(sketch: Sketch, box: Box, sight: MasterSight, colour: str = "") -> None:
    sketch.text(box, f"{sight.time_of_day:%H:%M}", largest=16, colour=colour, align=Align.RIGHT)


def _gauges(sketch: Sketch, box: Box, sight: MasterSight, texts: Texts, *, upright: bool) -> None:
    assert sight.view
    boxes = box.rows(3, sketch.px(4)) if upright else box.columns(3, sketch.px(5))
    for gauge, part in zip(gauges(sight.view, texts), boxes, strict=True):
        sketch.area(part, PANEL)
        if gauge.sets:
            sketch.touches.append((part, Press("set", text=gauge.sets)))
        draw = _flat_gauge if upright else _gauge
        draw(sketch, part.inset(sketch.px(7), sketch.px(4)), gauge)


def _gauge(sketch: Sketch, box: Box, gauge: Gauge) -> None:
    label, value, bar, limit = _slices(box, (0.22, 0.38, 0.16, 0.24))
    verdict, name = label.cut_right(label.width * 0.48, sketch.px(3))
    sketch.text(name, gauge.label, largest=13, colour=sketch.dim)
    _verdict(sketch, verdict, gauge)
    sketch.text(value, gauge.value, largest=24, bold=True, colour=sketch.ink)
    _bar(sketch, bar.inset(0, sketch.px(1)), gauge)
    _limit(sketch, limit, gauge)


def _flat_gauge(sketch: Sketch, box: Box, gauge: Gauge) -> None:
    left, right = box.columns(2, sketch.px(8))
    label, value = left.rows(2)
    limit, bar = right.rows(2)
    verdict, name = label.cut_right(label.width * 0.48, sketch.px(3))
    sketch.text(name, gauge.label, largest=12, colour=sketch.dim)
    _verdict(sketch, verdict, gauge)
    sketch.text(value, gauge.value, largest=17, bold=True, colour=sketch.ink)
    _limit(sketch, limit, gauge)
    _bar(sketch, bar.inset(0, sketch.px(3)), gauge)


def _limit(sketch: Sketch, box: Box, gauge: Gauge) -> None:
    if gauge.sets and not gauge.is_off:
        pencil, box = box.cut_right(box.height, sketch.px(4))
        sketch.sign(pencil.inset(pencil.height * 0.2), PENCIL, sketch.accent)
    sketch.text(box, gauge.limit, largest=13, colour=sketch.dim)


PENCIL = (
    ((0.0, 1.0), (0.06, 0.72), (0.28, 0.94)),
    ((0.12, 0.66), (0.62, 0.16), (0.84, 0.38), (0.34, 0.88)),
    ((0.68, 0.10), (0.78, 0.0), (1.0, 0.22), (0.90, 0.32)),
)
"""What can be changed."""


def _verdict(sketch: Sketch, box: Box, gauge: Gauge) -> None:
    colour = ORANGE if gauge.is_bad and sketch.is_live else sketch.accent
    sign, word = box.cut_left(box.height * 0.8, box.height * 0.3)
    sketch.sign(sign, EXCLAMATION if gauge.is_bad else (TICK,), colour)
    sketch.text(word, gauge.verdict, largest=13, colour=colour, bold=True)


def _bar(sketch: Sketch, box: Box, gauge: Gauge) -> None:
    sketch.area(box, TRACK)
    if gauge.span:
        begin, end = (max(0.0, min(1.0, share)) for share in gauge.span)
        fill = ORANGE if gauge.is_bad and sketch.is_live else sketch.accent
        sketch.area(Box(box.x + box.width * begin, box.y, box.width * (end - begin), box.height), fill)
    for mark in gauge.marks:
        x, half = box.x + box.width * mark, sketch.px(1.5)
        sketch.area(Box(x - half, box.y - sketch.px(2), 2 * half, box.height + sketch.px(4)), sketch.ink)


def _beside(sketch: Sketch, box: Box, sight: MasterSight, texts: Texts) -> None:
    left, right = box.cut_left(box.width * 0.6, sketch.px(5))
    trend, events = right.cut_top(right.height * 0.56, sketch.px(5))
    _stations(sketch, left, sight, texts)
    _trend(sketch, trend, sight, texts)
    _events(sketch, events, sight, texts)


def _stacked(sketch: Sketch, box: Box, sight: MasterSight, texts: Texts) -> None:
    stations, rest = box.cut_top(box.height * 0.46, sketch.px(5))
    trend, events = rest.cut_top(rest.height * 0.56, sketch.px(5))
    _stations(sketch, stations, sight, texts)
    _trend(sketch, trend, sight, texts)
    _events(sketch, events, sight, texts)


def _tabbed(sketch: Sketch, box: Box, sight: MasterSight, texts: Texts) -> None:
    bottom, part = box.cut_bottom(sketch.px(40), sketch.px(5))
    for tab, button in zip(TABS, bottom.columns(len(TABS), sketch.px(5)), strict=True):
        style = Style(BLUE if tab == sight.panel.tab else TRACK, INK, ())
        sketch.button(button, texts(f"master.{tab}"), Press("tab", text=tab), style, largest=16)
    draw = {"stations": _stations, "trend": _trend, "events": _events}[sight.panel.tab]
    draw(sketch, part, sight, texts)


def _stations(sketch: Sketch, box: Box, sight: MasterSight, texts: Texts) -> None:
    assert sight.view
    draw_stations(sketch, box, sight.view, sight.panel, texts)


def _trend(sketch: Sketch, box: Box, sight: MasterSight, texts: Texts) -> None:
    assert sight.view
    charts(sketch, box, sight.trend, sight.view, texts)


def _events(sketch: Sketch, box: Box, sight: MasterSight, texts: Texts) -> None:
    """The newest first, as many as there is room for."""
    assert sight.view
    sketch.area(box, PANEL)
    rest, zone = box.inset(sketch.px(7), sketch.px(4)), sight.time_of_day.tzinfo
    if not sight.view.events:
        sketch.text(rest.cut_top(sketch.px(16))[0], texts("master.no_events"), largest=12, colour=DIM)
    for event in reversed(sight.view.events):
        column = rest.cut_right(rest.width - sketch.px(58))[0]
        _, lines = fit(
            event.text, column, sketch.measure, largest=sketch.px(12), smallest=sketch.px(12), lines=2
        )
        height = sketch.px(15) * len(lines)
        if height > rest.height:
            return
        row, rest = rest.cut_top(height, sketch.px(3))
        time, text = row.cut_left(sketch.px(54), sketch.px(4))
        when = datetime.fromtimestamp(event.time_s, zone)
        sketch.text(time.cut_top(sketch.px(15))[0], f"{when:%H:%M:%S}", largest=11, colour=DIM)
        sketch.text(text, event.text, largest=12, smallest=12, lines=2)


def _slices(box: Box, shares: Sequence[float]) -> list[Box]:
    """From top to bottom."""
    parts, rest = [], box
    for share in shares:
        part, rest = rest.cut_top(box.height * share)
        parts.append(part)
    return parts
