"""Values by their canonical names to a `Reading`: any device whose map has the names is a station."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from master_scada.model import Command, Plant
from master_scada.quality import ESTIMATED, MEASURED, Doubt
from master_scada.station import Reading
from register_maps.points import NUMBERS, Point, PointType, Value
from register_maps.register_map import RegisterMap
from register_maps.vocabulary import ChargeState, FaultCode, LimitReason, Quality

NEEDED = ("charge_enable", "vehicle_connected", "contactor_closed", "voltage", "power")
OPTIONAL = (
    "fully_charged",
    "user_stopped",
    "failsafe_active",
    "fault",
    ESTIMATED,
    "fault_code",
    "state",
    "power_limit",
    "current",
    "state_of_charge",
    "session_energy",
    "total_energy",
    "charging_time",
    "time_to_full",
    "rated_power",
    "minimum_power",
    "failsafe_power_limit",
    "heartbeat",
    "measurement_age",
    "limit_reason_local",
    "limit_reason",
    "failsafe_timeout",
    "master_age",
    "master_term",
)
BITS = (
    "charge_enable",
    "vehicle_connected",
    "contactor_closed",
    "fully_charged",
    "user_stopped",
    "failsafe_active",
    "fault",
    ESTIMATED,
)
NAMES = ("fault_code", "state", "limit_reason_local", "limit_reason")
_STATES: dict[Value, ChargeState] = {state.value: state for state in ChargeState}
_FAULT_CODES: dict[Value, FaultCode] = {code.value: code for code in FaultCode}
_REASONS: dict[Value, LimitReason] = {reason.value: reason for reason in LimitReason}
MOST_W = 4e9
MAX_AGE_S = 5.0
"""Measured values older than this are stale; if a heartbeat stands still for so long, nothing is known."""


def max_age_s(period_s: float) -> float:
    return max(MAX_AGE_S, 3 * period_s)


def missing_points(device: RegisterMap) -> list[str]:
    """What keeps this map's device from being a station."""
    missing = [name for name in NEEDED if name not in device.points]
    for name in (*NEEDED, *OPTIONAL):
        point = device.points.get(name)
        if point and not _is_fit(point):
            kind = "bool" if name in BITS else "enum" if name in NAMES else "number"
            missing.append(f"{name} as a {kind} that can be read")
    enable = device.points.get("charge_enable")
    if enable and enable.access != "rw":
        missing.append("charge_enable with access rw")
    return missing


def _is_fit(point: Point) -> bool:
    if point.name in BITS:
        is_kind = point.type is PointType.BOOL
    elif point.name in NAMES:
        is_kind = point.type is PointType.ENUM
    else:
        is_kind = point.type.is_number
    return is_kind and point.is_readable


def points_to_read(device: RegisterMap) -> list[str]:
    names = (name for name in (*NEEDED, *OPTIONAL) if name in device.points)
    return [name for name in names if device.points[name].is_readable]


def reading(
    values: Mapping[str, Value], rated_power_w: float | None, doubts: Mapping[str, Doubt] | None = None
) -> Reading:
    """`rated_power_w` stands in where the device has no such point. Bad values are none."""
    doubts = doubts or {}
    rated = rated_power(values, rated_power_w)
    heartbeat = _number(values, "heartbeat")
    if doubts:
        values = {**values, **{name: None for name in MEASURED if _is_bad(doubts.get(name))}}
    return Reading(
        vehicle_connected=bool(values["vehicle_connected"]),
        contactor_closed=bool(values["contactor_closed"]),
        fully_charged=bool(values.get("fully_charged")),
        user_stopped=bool(values.get("user_stopped")),
        failsafe_active=bool(values.get("failsafe_active")),
        fault=bool(values.get("fault")),
        fault_code=_FAULT_CODES.get(values.get("fault_code")),
        state=_STATES.get(values.get("state")),
        charge_enable=bool(values["charge_enable"]),
        power_limit_w=_number(values, "power_limit"),
        voltage_v=_number(values, "voltage"),
        current_a=_number(values, "current"),
        power_w=_number(values, "power"),
        state_of_charge_pct=_number(values, "state_of_charge"),
        session_energy_wh=_number(values, "session_energy"),
        total_energy_wh=_number(values, "total_energy"),
        charging_time_s=_number(values, "charging_time"),
        time_to_full_s=_number(values, "time_to_full"),
        rated_power_w=rated,
        minimum_power_w=_rating(values, "minimum_power"),
        failsafe_power_limit_w=_failsafe_share_w(values),
        heartbeat=None if heartbeat is None else int(heartbeat),
        measurement_age_s=measurement_age_s(values),
        own_reason=_REASONS.get(values.get("limit_reason_local")),
        told_reason=_REASONS.get(values.get("limit_reason")),
        failsafe_timeout_s=_number(values, "failsafe_timeout"),
        master_age_s=None if (age_ms := _number(values, "master_age")) is None else age_ms / 1000,
        master_term=int(_number(values, "master_term") or 0),
        doubts=doubts,
    )


def observed(plant: Plant) -> dict[str, Command]:
    """What the stations have been told, by whomever: for a master that only watches."""
    return {s.name: _observed(s.reading) for s in plant.stations}


def _observed(seen: Reading | None) -> Command:
    if seen is None:
        return Command(charge_enable=False, power_limit_w=0.0, reason=LimitReason.NO_DATA)
    reason = seen.told_reason or LimitReason.NONE
    return Command(charge_enable=seen.charge_enable, power_limit_w=seen.power_limit_w or 0.0, reason=reason)


def rated_power(values: Mapping[str, Value], stand_in_w: float | None) -> float | None:
    """Nothing is rated at 0 W: who says so has nothing to say."""
    return (_rating(values, "rated_power") or None) if "rated_power" in values else stand_in_w


def measurement_age_s(values: Mapping[str, Value]) -> float:
    """Infinite where the device has a point for it, but no value."""
    if "measurement_age" not in values:
        return 0.0
    age_ms = _number(values, "measurement_age")
    return math.inf if age_ms is None else age_ms / 1000


@dataclass(slots=True)
class Liveness:
    """Tells a living RTU from one whose network answers while its control loop stands still."""

    max_age_s: float = MAX_AGE_S
    _heartbeat: int | None = None
    _moved_at: float = -math.inf

    def is_alive(self, heartbeat: int | None, now: float) -> bool:
        if heartbeat != self._heartbeat or heartbeat is None:
            self._heartbeat, self._moved_at = heartbeat, now
        return now - self._moved_at <= self.max_age_s


NOTICES = ("limit_reason", "price", "price_limit")
"""What a station's display shows; the rest of its orders it has to obey."""


def orders(
    command: Command, heartbeat: int, price: float | None, price_limit: float, term: int | None = None
) -> dict[str, Value]:
    """What a station is told, in order. Permission is the last thing given and the first taken away; but
    where a site has two masters, the term goes before, because it says who speaks."""
    first: dict[str, Value] = {} if term is None else {"master_term": term}
    numbers: dict[str, Value] = {
        "power_limit": command.power_limit_w,
        "master_heartbeat": heartbeat,
        "limit_reason": command.reason,
        "price": price,
        "price_limit": price_limit,
    }
    enable: dict[str, Value] = {"charge_enable": command.charge_enable}
    return first | (numbers | enable if command.charge_enable else enable | numbers)


def _is_bad(doubt: Doubt | None) -> bool:
    return doubt is not None and doubt.quality is Quality.BAD


def _number(values: Mapping[str, Value], name: str) -> float | None:
    value = values.get(name)
    return float(value) if isinstance(value, NUMBERS) else None


def _failsafe_share_w(values: Mapping[str, Value]) -> float:
    """Nothing where the device has none; whatever it likes where it does not say."""
    if "failsafe_power_limit" not in values:
        return 0.0
    watts = _rating(values, "failsafe_power_limit")
    return math.inf if watts is None else watts


def _rating(values: Mapping[str, Value], name: str) -> float | None:
    """Watts that can be true of a station; what can't is no value."""
    watts = _number(values, name)
    return watts if watts is not None and 0 <= watts <= MOST_W else None
