"""What happened from one scan to the next, in sentences."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from master_scada.alarms import Alarm
from master_scada.model import Plant, Scan
from master_scada.station import Station
from register_maps.vocabulary import AlarmState, ChargeState, LimitReason, MasterRole


class EventKind(StrEnum):
    """Who or what made it happen."""

    COMMAND = "command"  # the master, to a station
    OPERATOR = "operator"  # a person, at a screen or by Modbus
    WRITE = "write"  # another program, by Modbus
    STATE = "state"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`source` is the name of a station or a circuit, or "site". For programs: `code` is the alarm, or the
    point that was written, `value` what it became."""

    at: float
    source: str
    text: str
    kind: EventKind = EventKind.STATE
    code: str = ""
    value: str = ""

    def __str__(self) -> str:
        return f"{self.source}: {self.text}"


def changes(before: Scan | None, after: Scan) -> Iterator[Event]:
    for text in _site_changes(before, after):
        yield Event(at=after.at, source="site", text=text)
    earlier = {s.name: s for s in before.plant.stations} if before else {}
    for station in after.plant.stations:
        old = earlier.get(station.name)
        told = before.commands[station.name] if before else None
        for text in _station_changes(old, station):
            yield Event(at=after.at, source=station.name, text=text)
        if station.reading and (told is None or told.reason != after.commands[station.name].reason):
            yield _command_event(station, after)


def _command_event(station: Station, scan: Scan) -> Event:
    reason = scan.commands[station.name].reason
    text = reason_text(reason, scan.plant)
    kind = EventKind.COMMAND if scan.role is MasterRole.STEERING else EventKind.STATE
    return Event(at=scan.at, source=station.name, text=text, kind=kind, value=reason)


def alarm_event(was: AlarmState, alarm: Alarm, at: float, source: str, by: str = "") -> Event:
    """`by` says who did it, " by …", where somebody did."""
    text = _alarm_text(was, alarm, by)
    code = alarm.rule.code
    return Event(at=at, source=source, text=text, kind=EventKind.ALARM, code=code, value=alarm.state)


def _alarm_text(was: AlarmState, alarm: Alarm, by: str) -> str:
    name = alarm.rule.code.replace("_", " ")
    if was is AlarmState.OUT_OF_SERVICE:
        return f"alarm back in service{by}: {name}"
    if was is AlarmState.SHELVED and alarm.state is not AlarmState.OUT_OF_SERVICE:
        return f"alarm taken from the shelf{by}: {name}" if by else f"alarm back from the shelf: {name}"
    match alarm.state:
        case AlarmState.ACTIVE_UNACKNOWLEDGED:
            return f"alarm ({alarm.rule.priority}): {alarm.text}"
        case AlarmState.RETURNED_UNACKNOWLEDGED:
            return f"alarm over, not acknowledged yet: {name}"
        case AlarmState.SHELVED:
            return f"alarm shelved{by}: {name}"
        case AlarmState.OUT_OF_SERVICE:
            return f"alarm taken out of service{by}: {name}"
        case _:
            return f"alarm acknowledged{by}: {name}" if by else f"alarm over: {name}"


def _site_changes(before: Scan | None, after: Scan) -> Iterator[str]:
    old, new = before.plant if before else None, after.plant
    if after.role is not (before.role if before else MasterRole.STEERING):
        yield _role_text(after)
    if old is None or old.price != new.price:
        yield price_text(new)
    main = new.feeder.main.name
    if old is None or old.limit_w(main) != new.limit_w(main):
        yield f"power limit is {new.limit_w(main):.0f} W"
    if before and after.overruns > before.overruns:
        yield f"scan overrun: {after.overruns - before.overruns} missed, {after.overruns} so far"


def _role_text(scan: Scan) -> str:
    if scan.role is MasterRole.STEERING:
        return f"this master steers, in term {scan.term}"
    return "this master only watches; another one steers, or may"


def price_text(plant: Plant) -> str:
    if plant.price is None:
        return "price is unknown"
    side = "above" if plant.price > plant.rules.price_limit else "within"
    return f"price is {plant.price:.4f}, {side} the limit {plant.rules.price_limit:.4f}"


def _station_changes(old: Station | None, new: Station) -> Iterator[str]:
    was, seen = old.reading if old else None, new.reading
    if seen is None:
        if old is None or was is not None:
            why = f" ({new.trouble})" if new.trouble else ""
            yield f"silent{why}; {_counted_text(new.may_draw_w())}"
        return
    if old is not None and was is None:
        yield "answers"
    if seen.fault and not (was and was.fault):
        yield f"out of order: {seen.fault_code or 'no code'}".replace("_", " ")
    if was and was.vehicle_connected != seen.vehicle_connected:
        yield "vehicle plugged in" if seen.vehicle_connected else "vehicle unplugged"
    if was and seen.state is ChargeState.CHARGING and was.state is not ChargeState.CHARGING:
        yield f"charging at {seen.power_w or 0:.0f} W, {seen.state_of_charge_pct or 0:.1f} % charged"
    if was and was.charge_enable and not seen.charge_enable and seen.contactor_closed:
        yield "was told to open, but the contactor is still closed"


def _counted_text(watts: float) -> str:
    if math.isinf(watts):
        return "its rating is unknown, so nobody may join; rated_power_w in the site file would tell it"
    return f"counted as {watts:.0f} W"


def reason_text(reason: LimitReason, plant: Plant) -> str:
    """Why a station is limited, in words that fit behind its name."""
    match reason:
        case LimitReason.NONE:
            return "allowed to charge"
        case LimitReason.PRICE if plant.price is None:
            return "limited: the price is unknown"
        case LimitReason.PRICE if plant.price is not None and plant.price > plant.rules.price_limit:
            return f"limited: {price_text(plant)}"
        case LimitReason.PRICE:
            return "limited: the price has only just come within its limit"
        case _:
            return _TEXTS[reason]


_TEXTS = {
    LimitReason.POWER: "limited: it does not fit under the power limit",
    LimitReason.VOLTAGE: "limited: voltage out of its band, or too near the edge",
    LimitReason.WAITING_TURN: "waits its turn",
    LimitReason.NO_DATA: "limited: its readings are not known",
    LimitReason.OPERATOR: "held back by the operator",
    LimitReason.USER_STOP: "stopped by its driver",
    LimitReason.FULL: "full",
    LimitReason.FAILSAFE: "limited: the master above is silent",
    LimitReason.FAULT: "out of order",
    LimitReason.NO_VEHICLE: "no vehicle",
}
