"""The alarm list on its way into the journal and back: what acknowledging, shelving and taking out of service
did survives a restart of the master."""

from collections.abc import Iterable

from master_scada.alarm_catalogue import Catalogue
from master_scada.alarms import MOST_SHELVED_S, Alarm, number_of
from master_scada.conditions import Sources
from master_scada.journal import KeptAlarm
from register_maps.vocabulary import AlarmCode


def kept(alarms: Iterable[Alarm], sources: Sources, now: float, time_utc: float) -> list[KeptAlarm]:
    return [_kept(alarm, sources, now, time_utc) for alarm in alarms if _is_worth_it(alarm)]


def _is_worth_it(alarm: Alarm) -> bool:
    shelved = alarm.shelved_until is not None
    return alarm.active or not alarm.acknowledged or shelved or alarm.out_of_service


def _kept(alarm: Alarm, sources: Sources, now: float, time_utc: float) -> KeptAlarm:
    left_s = None if alarm.shelved_until is None else alarm.shelved_left_s(now)
    return KeptAlarm(
        code=alarm.rule.code,
        scope=alarm.rule.scope,
        source=sources.names[alarm.source],
        text=alarm.text,
        since=alarm.since_utc,
        active=alarm.active,
        acknowledged=alarm.acknowledged,
        shelved_until=None if left_s is None else time_utc + left_s,
        shelved_left_s=left_s,
        out_of_service=alarm.out_of_service,
    )


def restored(
    rows: Iterable[KeptAlarm], sources: Sources, rules: Catalogue, now: float, time_utc: float
) -> dict[int, Alarm]:
    """As they were, those that the site file and the catalogue still know. What is gone by now returns after
    its off-delay, as if the master had been there."""
    found = (_restored(row, sources, rules, now, time_utc) for row in rows)
    return {alarm.number: alarm for alarm in found if alarm}


def _restored(
    row: KeptAlarm, sources: Sources, rules: Catalogue, now: float, time_utc: float
) -> Alarm | None:
    rule = rules.get(AlarmCode(row.code)) if row.code in list(AlarmCode) else None
    source = sources.find(row.scope, row.source)
    if rule is None or source is None or rule.scope != row.scope:
        return None
    left_s = _left_s(row, time_utc)
    return Alarm(
        number=number_of(rule.code, source),
        rule=rule,
        text=row.text,
        since_utc=row.since,
        active=bool(row.active),
        acknowledged=bool(row.acknowledged),
        shelved_until=None if left_s is None else now + left_s,
        out_of_service=bool(row.out_of_service),
    )


def _left_s(row: KeptAlarm, time_utc: float) -> float | None:
    """Never more than there was, whatever the time of day is now."""
    if row.shelved_until is None or row.shelved_left_s is None:
        return None
    left_s = min(row.shelved_until - time_utc, row.shelved_left_s, MOST_SHELVED_S)
    return left_s if left_s > 0 else None
