"""The last minutes of power and of the lowest voltage, each with its limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from hmi import figures
from hmi.look import ORANGE, PANEL, STALE, TRACK
from hmi.master_view import MasterView, mark
from hmi.sketch import Align, Box, Sketch
from hmi.texts import Texts
from hmi.trend import SAMPLES, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Values from old to new, None where there was none, and which of them are sure; `low` and `high` are
    where the chart ends."""

    title: str
    newest: str
    values: Sequence[float | None]
    sure: Sequence[bool]
    limits: Sequence[float]
    low: float
    high: float


def charts(sketch: Sketch, box: Box, trend: Sequence[Sample], view: MasterView, texts: Texts) -> None:
    sketch.area(box, PANEL)
    inner = box.inset(sketch.px(7), sketch.px(4))
    times, plots = inner.cut_bottom(sketch.px(14))
    above, below = plots.rows(2, sketch.px(3))
    _plot(sketch, above, _power(trend, view, texts))
    _plot(sketch, below, _voltage(trend, view, texts))
    if trend:
        # Until the chart is full, its right end is ahead.
        begin = times.columns(2)[0]
        end = Box(times.x, times.y, times.width * max(len(trend), SAMPLES // 4) / SAMPLES, times.height)
        sketch.text(begin, f"{trend[0].time:%H:%M:%S}", largest=11, colour=sketch.dim)
        if len(trend) > SAMPLES // 2:
            sketch.text(end, f"{trend[-1].time:%H:%M:%S}", largest=11, colour=sketch.dim, align=Align.RIGHT)


def _power(trend: Sequence[Sample], view: MasterView, texts: Texts) -> Curve:
    values = [sample.power_w for sample in trend]
    known = [value for value in values if value is not None]
    return Curve(
        title=texts("master.power"),
        newest=mark(figures.kilowatts(view.power_w), view.power_quality),
        values=values,
        sure=[sample.power_is_sure for sample in trend],
        limits=[view.power_limit_w],
        low=0.0,
        high=1.15 * max([view.power_limit_w, *known, 1.0]),
    )


def _voltage(trend: Sequence[Sample], view: MasterView, texts: Texts) -> Curve:
    values = [sample.lowest_voltage_v for sample in trend]
    low_limit, high_limit = view.voltage_low_limit_v, view.voltage_high_limit_v
    known = [value for value in values if value is not None]
    margin = 0.15 * max(high_limit - low_limit, 1.0)
    return Curve(
        title=texts("master.lowest_voltage"),
        newest=mark(figures.voltage(view.lowest_voltage_v), view.voltage_quality),
        values=values,
        sure=[sample.voltage_is_sure for sample in trend],
        limits=[low_limit, high_limit],
        low=min([low_limit, *known]) - margin,
        high=max([high_limit, *known]) + margin,
    )


def _plot(sketch: Sketch, box: Box, curve: Curve) -> None:
    head, plot = box.cut_top(sketch.px(16), sketch.px(2))
    newest, title = head.cut_right(head.width * 0.35)
    sketch.text(title, curve.title, largest=12, colour=sketch.dim)
    sketch.text(newest, curve.newest, largest=13, bold=True, align=Align.RIGHT)
    sketch.line(((plot.x, plot.bottom), (plot.right, plot.bottom)), TRACK, 1)

    def height_of(value: float) -> float:
        share = (value - curve.low) / (curve.high - curve.low) if curve.high > curve.low else 0.0
        return round(plot.bottom - min(max(share, 0.0), 1.0) * plot.height, 1)

    for limit in curve.limits:
        at = height_of(limit)
        colour = ORANGE if sketch.is_live else STALE
        sketch.line(((plot.x, at), (plot.right, at)), colour, max(1, int(sketch.px(1.5))), dashed=True)
    step = plot.width / (SAMPLES - 1)
    spots = enumerate(zip(curve.values, curve.sure, strict=True))
    for (is_known, is_sure), some in groupby(spots, key=lambda spot: (spot[1][0] is not None, spot[1][1])):
        run = [(round(plot.x + n * step, 1), height_of(value)) for n, (value, _) in some if value is not None]
        if is_known:
            sketch.line([*run, run[-1]], sketch.accent if is_sure else sketch.dim, max(2, int(sketch.px(2))))
