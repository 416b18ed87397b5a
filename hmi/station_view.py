"""A station's registers as what its driver is shown; pure, so it needs no display."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import Any

from hmi import figures
from hmi.look import Look
from hmi.polling import STALE_S, Latest
from hmi.texts import Texts
from register_maps.vocabulary import ChargeState, LimitReason

MEASURED_S = 2.0
"""A station that answers may still measure nothing: values older than this are old."""


class Button(StrEnum):
    STOP = "stop"
    START = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class StationView:
    """`is_live`: the values below the headline are of now. `button` is what the driver may press."""

    name: str
    look: Look
    headline: str
    detail: str = ""
    is_live: bool = True
    state_of_charge_pct: float | None = None
    charge: str = figures.NO_VALUE
    to_full: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    neighbours: tuple[tuple[str, str], ...] = ()
    """Each one's name, and what it does."""
    button: Button | None = Button.STOP


def station_view(
    latest: Latest, now: float, time_of_day: datetime, texts: Texts, *, speed: float = 1.0
) -> StationView:
    """`now` as the times of `latest`; `speed` is that of the station's clock, which counts its ages."""
    values = latest.values
    if not values:
        return _unread(latest, now, texts)
    shown = _shown(values, time_of_day, texts)
    link_s, counted_s = latest.read_age_s(now), latest.counted_age_s(now)
    if max(link_s, counted_s) < STALE_S:
        return _judged(shown, values, texts, speed)
    headline = texts("station.silent" if link_s >= STALE_S else "station.hangs")
    age = texts("station.values_age", age=texts.duration(max(link_s, counted_s)))
    return _old(shown, Look.SILENT, headline, age)


def _unread(latest: Latest, now: float, texts: Texts) -> StationView:
    """As long as nothing is known, the driver may stop."""
    silent = latest.read_age_s(now) >= STALE_S
    return StationView(
        name="",
        look=Look.SILENT,
        headline=texts("station.silent" if silent else "station.connecting"),
        detail=texts("station.no_values") if silent else "",
        is_live=False,
    )


def _judged(shown: StationView, v: Mapping[str, Any], texts: Texts, speed: float) -> StationView:
    """Whether a station that answers also measures."""
    age_ms = v["measurement_age"]
    if age_ms is not None and age_ms / 1000 / speed < MEASURED_S:
        return shown
    age = texts("station.no_values")
    if age_ms is not None:
        age = texts("station.values_age", age=texts.duration(age_ms / 1000))
    return _old(shown, shown.look, shown.headline, age)


def _old(shown: StationView, look: Look, headline: str, detail: str) -> StationView:
    """What is not known may have to be stopped."""
    return replace(
        shown, look=look, headline=headline, detail=detail, is_live=False, to_full=(), button=Button.STOP
    )


def _shown(v: Mapping[str, Any], time_of_day: datetime, texts: Texts) -> StationView:
    look, headline = _headline(v, texts)
    duration = v["charging_time"]
    fields = {
        "charging_time": figures.NO_VALUE if duration is None else texts.duration(duration),
        "power": figures.power(v["power"]),
        "voltage": figures.voltage(v["voltage"]),
        "energy": figures.energy(v["session_energy"]),
        "price": figures.price(v["price"]),
    }
    safe_mode = texts("station.safe_mode")
    return StationView(
        name=v["name"],
        look=look,
        headline=headline,
        detail=safe_mode if v["failsafe_active"] and headline != safe_mode else "",
        state_of_charge_pct=v["state_of_charge"],
        charge=figures.percent(v["state_of_charge"], estimated=v["state_of_charge_estimated"]),
        to_full=_to_full(v["time_to_full"], time_of_day, texts),
        fields=tuple((texts(f"station.{name}"), value) for name, value in fields.items()),
        neighbours=tuple(_neighbours(v, texts)),
        button=_button(v),
    )


def _neighbours(v: Mapping[str, Any], texts: Texts) -> Iterator[tuple[str, str]]:
    for n in count(1):
        peer = f"peer_{n}"
        name, age_s = v.get(f"{peer}_name"), v.get(f"{peer}_age")
        if not name:
            return
        if age_s is None or age_s >= STALE_S:
            yield name, texts("state.silent")
            continue
        doing = [texts.named("state", v[f"{peer}_state"] or "unknown")]
        if v[f"{peer}_power"]:
            doing.append(figures.power(v[f"{peer}_power"]))
        if v[f"{peer}_state_of_charge"] is not None:
            doing.append(figures.percent(v[f"{peer}_state_of_charge"]))
        yield name, "  ".join(doing)


def _to_full(seconds: float | None, time_of_day: datetime, texts: Texts) -> tuple[str, ...]:
    """How long, and the time of day that it means, where that is not another day's."""
    if seconds is None:
        return ()
    lines = (texts("station.full_in", duration=texts.duration(seconds)),)
    if seconds >= timedelta(days=1).total_seconds():
        return lines
    at = time_of_day + timedelta(seconds=seconds)
    return (*lines, texts("station.full_at", time=f"{at:%H:%M}"))


def _headline(v: Mapping[str, Any], texts: Texts) -> tuple[Look, str]:
    match v["state"]:
        case ChargeState.FAULTED:
            fault = texts.named("fault", v["fault_code"] or "unknown")
            return Look.FAULT, texts("station.out_of_order", fault=fault)
        case ChargeState.AVAILABLE:
            return Look.FREE, texts("station.free")
        case ChargeState.PREPARING:
            return Look.CHARGING, texts("station.starting")
        case ChargeState.CHARGING:
            return Look.CHARGING, texts("station.charging")
        case ChargeState.SUSPENDED_EV:
            return Look.WAITING, texts("station.vehicle_pauses")
        case ChargeState.FINISHING if v["fully_charged"]:
            return Look.FULL, texts("station.full")
        case ChargeState.FINISHING:
            return Look.STOPPED, texts("station.stopped")
        case _:
            return Look.WAITING, _why_it_waits(v, texts)


def _why_it_waits(v: Mapping[str, Any], texts: Texts) -> str:
    """The station's own reason comes before its master's."""
    own = v["limit_reason_local"]
    reason = v["limit_reason"] if own in (None, LimitReason.NONE) else own
    match reason:
        case LimitReason.PRICE:
            return _price_text(v["price"], v["price_limit"], texts)
        case LimitReason.FAILSAFE if own == LimitReason.FAILSAFE and not v["failsafe_active"]:
            return texts("station.waiting_share")
        case LimitReason.FAILSAFE:
            return texts("station.safe_mode")
        case LimitReason.POWER | LimitReason.VOLTAGE | LimitReason.WAITING_TURN | LimitReason.NO_DATA:
            return texts(f"station.waiting_{reason.removeprefix('waiting_')}")
        case LimitReason.OPERATOR | LimitReason.FAULT:
            return texts(f"station.waiting_{reason}")
        case _:
            return texts("station.waiting")


def _price_text(price: float | None, limit: float | None, texts: Texts) -> str:
    if price is None or limit is None:
        return texts("station.waiting_price_unknown")
    if price <= limit:
        return texts("station.waiting_price_settles")
    return texts("station.waiting_price", price=figures.price(price), limit=figures.price(limit))


def _button(v: Mapping[str, Any]) -> Button | None:
    """Stop at any time, but where there is surely nothing to be stopped."""
    if v["state"] in (None, ChargeState.FAULTED):
        return Button.STOP
    if not v["vehicle_connected"] and not v["contactor_closed"]:
        return None
    if v["user_stopped"] and not v["contactor_closed"]:
        return None if v["fully_charged"] else Button.START
    return None if v["fully_charged"] and not v["contactor_closed"] else Button.STOP
