"""The rule's three conditions, each as a value against its limit."""

from dataclasses import dataclass

from hmi import figures
from hmi.master_view import MasterView, mark
from hmi.texts import Texts
from register_maps.vocabulary import Quality

VERDICTS = {
    Quality.GOOD: "ok",
    Quality.UNCERTAIN: "doubtful",
    Quality.BAD: "partial",
}
"""Of a value within its limits. What is bad of a sum or of a range is that a part of it can't be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """`span`: the part of the bar that is filled; `marks`: where the limits stand; all from 0 to 1.
    `is_bad`: nobody may take it for well: out of its limits, unknown, or in doubt."""

    label: str
    value: str
    verdict: str
    is_bad: bool
    limit: str
    span: tuple[float, float] | None
    marks: tuple[float, ...]
    sets: str = ""
    """The point that the operator changes by it."""
    is_off: bool = False
    """It would change nothing now."""


def gauges(view: MasterView, texts: Texts) -> tuple[Gauge, Gauge, Gauge]:
    return _price(view, texts), _power(view, texts), _voltage(view, texts)


def _price(view: MasterView, texts: Texts) -> Gauge:
    limit = view.price_limit or 0.0
    scale = max(2 * limit, 1.2 * (view.price or 0.0), 0.01)
    return Gauge(
        label=texts("master.price"),
        value=figures.price(view.price),
        verdict=_verdict(texts, view.price is None, view.price_is_over, "too_dear"),
        is_bad=view.price_is_over,
        limit=texts("master.limit", limit=f"{figures.price(view.price_limit)} {view.currency}/kWh"),
        span=None if view.price is None else (0.0, _share(view.price, 0, scale)),
        marks=(_share(limit, 0, scale),),
        sets="price_limit",
        is_off=view.is_standby,
    )


def _power(view: MasterView, texts: Texts) -> Gauge:
    scale = max(1.25 * view.power_limit_w, view.power_w or 0.0, 1.0)
    quality = view.power_quality
    return Gauge(
        label=texts("master.power"),
        value=mark(figures.kilowatts(view.power_w), quality),
        verdict=_verdict(texts, view.power_w is None, view.power_is_over, "too_much", quality),
        is_bad=view.power_is_over or quality is not Quality.GOOD,
        limit=texts("master.limit", limit=figures.kilowatt_limit(view.power_limit_w)),
        span=None if view.power_w is None else (0.0, _share(view.power_w, 0, scale)),
        marks=(_share(view.power_limit_w, 0, scale),),
        sets="power_limit",
        is_off=view.is_standby,
    )


def _voltage(view: MasterView, texts: Texts) -> Gauge:
    low, high = view.voltage_low_limit_v, view.voltage_high_limit_v
    begin, end = low - (high - low) / 2, high + (high - low) / 2
    measured = (view.lowest_voltage_v, view.highest_voltage_v)
    shares = [_share(volts, begin, end) for volts in measured if volts is not None]
    quality = view.voltage_quality
    return Gauge(
        label=texts("master.voltage"),
        value=mark(_range(*measured), quality),
        verdict=_verdict(texts, len(shares) < 2, view.voltage_is_out, "out", quality),
        is_bad=view.voltage_is_out or quality is not Quality.GOOD,
        limit=texts("master.band", low=f"{low:.1f}", high=f"{high:.1f}"),
        span=None if len(shares) < 2 else (min(shares) - 0.01, max(shares) + 0.01),
        marks=(_share(low, begin, end), _share(high, begin, end)),
    )


def _range(lowest: float | None, highest: float | None) -> str:
    if lowest is None or highest is None:
        return figures.NO_VALUE
    if f"{lowest:.1f}" == f"{highest:.1f}":
        return figures.voltage(lowest)
    return f"{lowest:.1f}–{highest:.1f} V"


def _verdict(texts: Texts, is_unknown: bool, is_bad: bool, word: str, quality: Quality = Quality.GOOD) -> str:
    if is_unknown:
        return texts("master.unknown")
    return texts(f"master.{word if is_bad else VERDICTS[quality]}")


def _share(value: float, begin: float, end: float) -> float:
    return min(max((value - begin) / (end - begin), 0.0), 1.0) if end > begin else 0.0
