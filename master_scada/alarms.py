"""The state of every alarm, after ISA-18.2: a pure function of what holds now, what was, and the time.

    normal ── holds for on_delay ──▶ active_unacknowledged ── acknowledged ──▶ active_acknowledged
      ▲                                │        ▲                                │
      │                         gone for off_delay │                       gone for off_delay
      │                                ▼        │ holds again                    │
      ├──────── acknowledged ── returned_unacknowledged                          │
      └──────────────────────────────────────────────────────────────────────────┘

Beside it an alarm may be shelved, for a time, or out of service. Underneath it goes on, so that it comes
back into the state that is right by then, and nothing that happened meanwhile is lost.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from master_scada.alarm_catalogue import CODES, Catalogue, Rule
from register_maps.vocabulary import AlarmAction, AlarmCode, AlarmPriority, AlarmState

PER_SOURCE = 32
"""Numbers of one source: the site has 0…31, the first station 32…63, and so on."""
MOST_SHELVED_S = 86_400
_RANKS = {
    AlarmState.ACTIVE_UNACKNOWLEDGED: 0,
    AlarmState.ACTIVE_ACKNOWLEDGED: 1,
    AlarmState.RETURNED_UNACKNOWLEDGED: 1,
    AlarmState.SHELVED: 2,
    AlarmState.OUT_OF_SERVICE: 3,
    AlarmState.NORMAL: 4,
}
_PRIORITIES = tuple(AlarmPriority)
OPEN = (
    AlarmState.ACTIVE_UNACKNOWLEDGED,
    AlarmState.ACTIVE_ACKNOWLEDGED,
    AlarmState.RETURNED_UNACKNOWLEDGED,
)
"""What somebody has to care about."""
UNACKNOWLEDGED = (AlarmState.ACTIVE_UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED)


def number_of(code: AlarmCode, source: int) -> int:
    return PER_SOURCE * source + CODES.index(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something is wrong, with the words of the case. Where it does not `hold` any more it is not yet back
    by the deadband: it keeps an alarm, but makes none."""

    words: Mapping[str, object]
    holds: bool = True


Conditions = Mapping[int, Condition]
"""By the alarm's number. What is not in it is not so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One code at one source. Times in seconds, monotonic, but for `since_utc`."""

    number: int
    rule: Rule
    text: str = ""
    since_utc: float = 0.0
    """When it became active."""
    active: bool = False
    acknowledged: bool = True
    delay_run_s: float | None = None
    """So much of the on-delay has run, or, where it is active, of the off-delay; None: it does not run."""
    shelved_until: float | None = None
    out_of_service: bool = False
    withdrawn: bool = False
    """Another alarm explains it."""

    @property
    def source(self) -> int:
        return self.number // PER_SOURCE

    @property
    def state(self) -> AlarmState:
        if self.out_of_service:
            return AlarmState.OUT_OF_SERVICE
        if self.shelved_until is not None:
            return AlarmState.SHELVED
        if self.withdrawn:
            return AlarmState.NORMAL
        if self.active:
            acknowledged = self.acknowledged
            return AlarmState.ACTIVE_ACKNOWLEDGED if acknowledged else AlarmState.ACTIVE_UNACKNOWLEDGED
        return AlarmState.NORMAL if self.acknowledged else AlarmState.RETURNED_UNACKNOWLEDGED

    @property
    def has_past(self) -> bool:
        """Whether there is anything to remember of it."""
        return self.state is not AlarmState.NORMAL or self.delay_run_s is not None or self.withdrawn

    def shelved_left_s(self, now: float) -> float:
        return 0.0 if self.shelved_until is None else max(0.0, self.shelved_until - now)


AlarmList = Mapping[int, Alarm]
"""By number; those without a past are not in it."""


class NotPossible(Exception):
    """An operator's action that this alarm does not allow now; the text says why."""


def step(
    alarms: AlarmList,
    conditions: Conditions,
    rules: Catalogue,
    now: float,
    time_utc: float,
    *,
    elapsed_s: float,
) -> dict[int, Alarm]:
    """The list after one more look, `elapsed_s` after the last. What explains others goes first."""
    after: dict[int, Alarm] = {}
    numbers = alarms.keys() | {n for n, condition in conditions.items() if condition.holds}
    for number in sorted(numbers, key=lambda n: (bool(_rule(n, rules).suppressed_by), n)):
        old = alarms.get(number) or Alarm(number=number, rule=_rule(number, rules))
        causes = [number_of(code, old.source) for code in old.rule.suppressed_by]
        if any(n in after and after[n].active for n in causes):
            new = _out_of_sight(old)
        elif any(n in conditions for n in causes):
            # Nothing new is known of it, so it stands still: what follows from the same cause with a
            # shorter delay must not be told first, and what was so before may be so after.
            new = old
        else:
            new = _judged(replace(old, withdrawn=False), conditions.get(number), time_utc, elapsed_s)
        if new.shelved_until is not None and now >= new.shelved_until:
            new = replace(new, shelved_until=None)
        if new.has_past:
            after[number] = new
    return after


def _out_of_sight(old: Alarm) -> Alarm:
    stopped = replace(old, delay_run_s=None)
    return replace(stopped, withdrawn=stopped.has_past)


def _judged(old: Alarm, condition: Condition | None, time_utc: float, elapsed_s: float) -> Alarm:
    if old.active:
        return _while_active(old, condition, elapsed_s)
    return _until_active(old, condition, time_utc, elapsed_s)


def _until_active(old: Alarm, condition: Condition | None, time_utc: float, elapsed_s: float) -> Alarm:
    """The on-delay runs back as fast as forth, so that what is so for most of the time is told, too."""
    if condition is None or not condition.holds:
        return replace(old, delay_run_s=max(0.0, old.delay_run_s - elapsed_s) if old.delay_run_s else None)
    run_s = 0.0 if old.delay_run_s is None else old.delay_run_s + elapsed_s
    if run_s < old.rule.on_delay_s:
        return replace(old, delay_run_s=run_s)
    return replace(
        old,
        active=True,
        acknowledged=False,
        delay_run_s=None,
        since_utc=time_utc,
        text=old.rule.text.format_map(condition.words).rstrip(),
    )


def _while_active(old: Alarm, condition: Condition | None, elapsed_s: float) -> Alarm:
    if condition is not None:
        return replace(old, delay_run_s=None)
    run_s = 0.0 if old.delay_run_s is None else old.delay_run_s + elapsed_s
    must_stay = old.rule.latch and not old.acknowledged
    if run_s < old.rule.off_delay_s or must_stay:
        return replace(old, delay_run_s=run_s)
    return replace(old, active=False, delay_run_s=None)


def act(
    alarms: AlarmList, number: int, action: AlarmAction, now: float, shelve_s: float = 0.0
) -> dict[int, Alarm]:
    """The list after an operator's action; NotPossible, where it has none such."""
    old = alarms.get(number)
    if old is None or old.state is AlarmState.NORMAL:
        raise NotPossible(f"alarm {number} is not in the list")
    new = _acted(old, action, now, shelve_s)
    others = {n: alarm for n, alarm in alarms.items() if n != number}
    return others | ({number: new} if new.has_past else {})


def _acted(old: Alarm, action: AlarmAction, now: float, shelve_s: float) -> Alarm:
    state = old.state
    match action:
        case AlarmAction.ACKNOWLEDGE if state in OPEN:
            return replace(old, acknowledged=True)
        case AlarmAction.SHELVE if state is not AlarmState.OUT_OF_SERVICE and 0 < shelve_s <= MOST_SHELVED_S:
            return replace(old, shelved_until=now + shelve_s)
        case AlarmAction.UNSHELVE if state is AlarmState.SHELVED:
            return replace(old, shelved_until=None)
        case AlarmAction.TAKE_OUT_OF_SERVICE if state is not AlarmState.OUT_OF_SERVICE:
            return replace(old, out_of_service=True, shelved_until=None)
        case AlarmAction.RETURN_TO_SERVICE if state is AlarmState.OUT_OF_SERVICE:
            return replace(old, out_of_service=False)
    raise NotPossible(f"alarm {old.number} is {state.replace('_', ' ')}: no {action.replace('_', ' ')}")


def acknowledge_all(alarms: AlarmList) -> dict[int, Alarm]:
    """Those that are to be seen: what is on the shelf nobody has looked at."""
    acknowledged = {
        n: replace(alarm, acknowledged=True) if alarm.state in UNACKNOWLEDGED else alarm
        for n, alarm in alarms.items()
    }
    return {n: alarm for n, alarm in acknowledged.items() if alarm.has_past}


def shown(alarms: AlarmList) -> list[Alarm]:
    """What is not normal: first what nobody has acknowledged, then by priority, then the newest."""
    listed = [alarm for alarm in alarms.values() if alarm.state is not AlarmState.NORMAL]
    return sorted(listed, key=lambda a: (_RANKS[a.state], _PRIORITIES.index(a.rule.priority), -a.since_utc))


def transitions(before: AlarmList, after: AlarmList) -> Iterator[tuple[AlarmState, Alarm]]:
    """Every alarm whose state is another one, and the state that it had. What another alarm explains goes
    and comes back quietly."""
    for number in sorted(before.keys() | after.keys()):
        old, new = before.get(number), after.get(number)
        if old is new:
            continue
        alarm = new or _normal(old)
        was = old.state if old else AlarmState.NORMAL
        quiet = alarm.withdrawn or (old is not None and old.withdrawn and alarm.active == old.active)
        if was is not alarm.state and not quiet:
            yield was, alarm


def _normal(old: Alarm | None) -> Alarm:
    assert old is not None
    return Alarm(number=old.number, rule=old.rule, text=old.text, since_utc=old.since_utc)


def _rule(number: int, rules: Catalogue) -> Rule:
    return rules[CODES[number % PER_SOURCE]]
