"""The master's registers as what an operator is shown; pure, so it needs no display."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hmi import figures
from hmi.alarm_view import AlarmsView, alarms_view
from hmi.look import Look
from hmi.polling import STALE_S, Latest
from hmi.texts import Texts
from register_maps.points import Value
from register_maps.vocabulary import (
    ChargeState,
    FaultCode,
    LimitReason,
    MasterRole,
    Quality,
    QualityCause,
    Unfollowed,
)

SCANS_MISSED = 2.5
"""Scan periods after which a heartbeat that stands still is a master that does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationRow:
    number: int
    name: str
    answers: bool
    held: bool
    failsafe_active: bool
    state: ChargeState
    reason: LimitReason
    fault_code: FaultCode
    reading_age_s: float | None
    fully_charged: bool
    voltage_v: float | None
    power_w: float | None
    state_of_charge_pct: float | None
    session_energy_wh: float | None
    charging_time_s: float | None
    time_to_full_s: float | None
    quality: Quality
    quality_cause: QualityCause
    doubtful: frozenset[str]
    """Points whose values may be wrong, or can't be had."""
    unfollowed: Unfollowed

    @property
    def look(self) -> Look:
        if not self.answers:
            return Look.SILENT
        if self.unfollowed is not Unfollowed.NONE:
            return Look.FAULT
        if self.state is ChargeState.FINISHING:
            return Look.FULL if self.fully_charged else Look.STOPPED
        return _LOOKS[self.state]

    @property
    def attention(self) -> int:
        """0 needs it first."""
        if not self.answers or self.look is Look.FAULT:
            return 0
        if self.held or self.failsafe_active or self.quality is not Quality.GOOD:
            return 1
        return _ATTENTION.index(self.state) + 2

    def state_text(self, texts: Texts) -> str:
        return texts.named("state", self.state) if self.answers else texts("state.silent")

    def reason_text(self, texts: Texts) -> str:
        """What weighs most: a command that is not followed, a fault, values in doubt, the rule's reason."""
        if not self.answers:
            age_s = self.reading_age_s
            return "" if age_s is None else texts("master.silent_for", duration=texts.duration(age_s))
        if self.unfollowed is not Unfollowed.NONE:
            return texts.named("unfollowed", self.unfollowed)
        if self.state is ChargeState.FAULTED:
            return texts.named("fault", self.fault_code)
        if self.quality is not Quality.GOOD:
            cause = self.quality_cause
            return texts.named("quality_cause", "unknown" if cause is QualityCause.NONE else cause)
        return texts.named("reason", self.reason)

    def marked(self, figure: str, point: str) -> str:
        """The figure of that point, never as if it were good where it is not."""
        return mark(figure, Quality.UNCERTAIN if point in self.doubtful else Quality.GOOD)


_LOOKS = {
    ChargeState.AVAILABLE: Look.FREE,
    ChargeState.PREPARING: Look.CHARGING,
    ChargeState.CHARGING: Look.CHARGING,
    ChargeState.SUSPENDED_EVSE: Look.WAITING,
    ChargeState.SUSPENDED_EV: Look.WAITING,
    ChargeState.FAULTED: Look.FAULT,
}
_ATTENTION = (
    ChargeState.SUSPENDED_EVSE,
    ChargeState.SUSPENDED_EV,
    ChargeState.PREPARING,
    ChargeState.CHARGING,
    ChargeState.FINISHING,
    ChargeState.AVAILABLE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    number: int
    time_s: int
    """Since 1970-01-01 UTC."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterView:
    """`power_limit_w` is in force; `power_limit_asked_w` is the operator's, which others may undercut."""

    site: str
    currency: str
    price: float | None
    price_limit: float | None
    power_w: float | None
    power_limit_w: float
    power_limit_asked_w: float
    lowest_voltage_v: float | None
    highest_voltage_v: float | None
    voltage_low_limit_v: float
    voltage_high_limit_v: float
    scan_period_s: float
    scans: int
    overruns: int
    charging: int
    waiting: int
    silent: int
    is_standby: bool
    power_quality: Quality
    voltage_quality: Quality
    alarms: AlarmsView
    stations: tuple[StationRow, ...]
    events: tuple[EventRow, ...]
    """The newest last."""

    @property
    def price_is_over(self) -> bool:
        return self.price is None or (self.price_limit is not None and self.price > self.price_limit)

    @property
    def power_is_over(self) -> bool:
        return self.power_w is None or self.power_w > self.power_limit_w

    @property
    def voltage_is_out(self) -> bool:
        low, high = self.lowest_voltage_v, self.highest_voltage_v
        if low is None or high is None:
            return True
        return low < self.voltage_low_limit_v or high > self.voltage_high_limit_v

    def by_attention(self) -> list[StationRow]:
        return sorted(self.stations, key=lambda row: (row.attention, row.number))


def mark(figure: str, quality: Quality) -> str:
    """A figure that is not good has a question mark behind it."""
    return figure if quality is Quality.GOOD or figure == figures.NO_VALUE else f"{figure} ?"


def trouble(latest: Latest, now: float, texts: Texts) -> tuple[str, str]:
    """Why what was read last is not of now, and how old it is; nothing while it is."""
    link_s, counted_s = latest.read_age_s(now), latest.counted_age_s(now)
    if not latest.values:
        silent = link_s >= STALE_S
        key = "master.silent" if silent else "master.connecting"
        return texts(key), texts("master.no_values") if silent else ""
    period_s = _number(latest.values["scan_period"]) / 1000
    if link_s >= STALE_S:
        return texts("master.silent"), texts("master.values_age", age=texts.duration(max(link_s, counted_s)))
    if counted_s >= max(STALE_S, SCANS_MISSED * period_s):
        return texts("master.stands_still"), texts("master.values_age", age=texts.duration(counted_s))
    return "", ""


def master_view(values: Mapping[str, Value]) -> MasterView:
    """`values`: every point of pev_master, expanded to the site's stations and events."""
    v: Mapping[str, Any] = values
    rows = (_row(block, number) for number, block in _blocks(values, "station").items())
    return MasterView(
        site=v["site_name"],
        currency=v["currency"],
        price=v["price"] if v["price_known"] else None,
        price_limit=v["price_limit"],
        power_w=v["power"],
        power_limit_w=v["power_limit_in_force"],
        power_limit_asked_w=v["power_limit"],
        lowest_voltage_v=v["lowest_voltage"],
        highest_voltage_v=v["highest_voltage"],
        voltage_low_limit_v=v["voltage_low_limit"],
        voltage_high_limit_v=v["voltage_high_limit"],
        scan_period_s=v["scan_period"] / 1000,
        scans=v["scans"],
        overruns=v["overruns"],
        charging=v["charging_count"],
        waiting=v["waiting_count"],
        silent=v["silent_count"],
        is_standby=v["role"] == MasterRole.STANDBY,
        power_quality=_quality(v["power_quality"]),
        voltage_quality=_quality(v["voltage_quality"]),
        alarms=alarms_view(v, _blocks(values, "alarm").values()),
        stations=tuple(rows),
        events=tuple(_events(_blocks(values, "event").values())),
    )


def _row(v: Mapping[str, Any], number: int) -> StationRow:
    return StationRow(
        number=number,
        name=v["name"],
        answers=v["answers"],
        held=v["hold"],
        failsafe_active=v["failsafe_active"],
        state=ChargeState(v["state"] or ChargeState.FAULTED),
        reason=LimitReason(v["limit_reason"] or LimitReason.NONE),
        fault_code=FaultCode(v["fault_code"] or FaultCode.NONE),
        reading_age_s=v["reading_age"],
        fully_charged=v["fully_charged"],
        voltage_v=v["voltage"],
        power_w=v["power"],
        state_of_charge_pct=v["state_of_charge"],
        session_energy_wh=v["session_energy"],
        charging_time_s=v["charging_time"],
        time_to_full_s=v["time_to_full"],
        quality=_quality(v["quality"]),
        quality_cause=QualityCause(v["quality_cause"] or QualityCause.NONE),
        doubtful=v["uncertain_values"] | v["bad_values"],
        unfollowed=Unfollowed(v["unfollowed"] or Unfollowed.NONE),
    )


def _quality(value: Value) -> Quality:
    """A number that this version does not know is bad."""
    return Quality.BAD if value is None else Quality(str(value))


def _events(blocks: Iterable[Mapping[str, Any]]) -> list[EventRow]:
    rows = [EventRow(number=b["number"], time_s=b["time"], text=b["text"]) for b in blocks if b["number"]]
    return sorted(rows, key=lambda row: row.number)


def _blocks(values: Mapping[str, Value], group: str) -> dict[int, dict[str, Any]]:
    """The points of each of the group's blocks, by its number."""
    blocks: dict[int, dict[str, Any]] = {}
    for name, value in values.items():
        if name.startswith(group + "_"):
            number, _, point = name.removeprefix(group + "_").partition("_")
            if number.isdecimal():  # and not station_count
                blocks.setdefault(int(number), {})[point] = value
    return dict(sorted(blocks.items()))


def _number(value: Value) -> float:
    assert isinstance(value, int | float)
    return float(value)
