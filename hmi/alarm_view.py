"""The master's alarms as what an operator is shown, and what may be done about each; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hmi.texts import Texts
from register_maps.points import Value
from register_maps.vocabulary import AlarmAction, AlarmPriority, AlarmState

ALL = 65535
"""The alarm_number that means every one."""
SHELVE_FOR_S = (900, 3600, 8 * 3600)
UNACKNOWLEDGED = (AlarmState.ACTIVE_UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED)
SET_ASIDE = (AlarmState.SHELVED, AlarmState.OUT_OF_SERVICE)
"""These do not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmOrder:
    """What an operator wants done about an alarm, or about all of them."""

    action: AlarmAction
    number: int = ALL
    name: str = ""
    shelve_s: int = 0

    @property
    def subject(self) -> str:
        return "acknowledge_all" if self.number == ALL else str(self.action)

    @property
    def values(self) -> dict[str, Value]:
        """The registers that tell the master, in their order: they go in one request."""
        return {"alarm_number": self.number, "alarm_action": self.action, "shelve_time": self.shelve_s}

    def new(self, texts: Texts) -> str:
        """What comes of it."""
        if self.shelve_s:
            return texts("alarm.shelved_for", duration=texts.duration(self.shelve_s))
        return texts(f"alarm.after_{self.subject}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRow:
    number: int
    state: AlarmState
    priority: AlarmPriority
    name: str
    """The station's, the circuit's, or `site`."""
    text: str
    remedy: str
    time_s: int
    """When it became active; since 1970-01-01 UTC."""
    shelved_left_s: int

    @property
    def counts(self) -> bool:
        return self.state not in SET_ASIDE

    @property
    def is_unacknowledged(self) -> bool:
        return self.state in UNACKNOWLEDGED

    def state_text(self, texts: Texts) -> str:
        if self.state is AlarmState.SHELVED:
            return texts("alarm.shelved_for", duration=texts.duration(self.shelved_left_s))
        return texts.named("alarm_state", self.state)

    def since(self, now: datetime) -> str:
        """With its day, where that is not today."""
        began = datetime.fromtimestamp(self.time_s, now.tzinfo)
        return f"{began:%H:%M:%S}" if began.date() == now.date() else f"{began:%Y-%m-%d %H:%M}"

    def orders(self) -> list[AlarmOrder]:
        """What may be done about it now, the likeliest first."""
        orders = [self._order(AlarmAction.ACKNOWLEDGE)] if self.is_unacknowledged else []
        if self.state is AlarmState.OUT_OF_SERVICE:
            return [self._order(AlarmAction.RETURN_TO_SERVICE)]
        if self.state is AlarmState.SHELVED:
            orders.append(self._order(AlarmAction.UNSHELVE))
        else:
            orders += [self._order(AlarmAction.SHELVE, shelve_s) for shelve_s in SHELVE_FOR_S]
        return [*orders, self._order(AlarmAction.TAKE_OUT_OF_SERVICE)]

    def _order(self, action: AlarmAction, shelve_s: int = 0) -> AlarmOrder:
        return AlarmOrder(action=action, number=self.number, name=self.name, shelve_s=shelve_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsView:
    """`rows`: what the registers hold, in the master's order, the worst first. The counts are of all."""

    count: int
    unacknowledged: int
    worst_priority: AlarmPriority
    rows: tuple[AlarmRow, ...]

    @property
    def worst(self) -> AlarmRow | None:
        """Of those that count the one to be told first: one that nobody has acknowledged, if there is."""
        counted = [row for row in self.rows if row.counts]
        return min(counted, key=lambda row: (not row.is_unacknowledged, _rank(row.priority)), default=None)

    def row(self, number: int) -> AlarmRow | None:
        return next((row for row in self.rows if row.number == number), None)

    def allows(self, order: AlarmOrder) -> bool:
        """Whether it still makes sense: alarms come and go while somebody reads a question."""
        if order.number == ALL:
            return self.unacknowledged > 0
        row = self.row(order.number)
        return row is not None and order in row.orders()


def alarms_view(v: Mapping[str, Any], blocks: Iterable[Mapping[str, Any]]) -> AlarmsView:
    rows = {block["number"]: _row(block) for block in blocks if block["number"]}
    return AlarmsView(
        count=v["alarm_count"],
        unacknowledged=v["unacknowledged_count"],
        worst_priority=_priority(v["worst_priority"]),
        rows=tuple(rows.values()),
    )


def _row(v: Mapping[str, Any]) -> AlarmRow:
    return AlarmRow(
        number=v["number"],
        state=AlarmState(v["state"] or AlarmState.ACTIVE_UNACKNOWLEDGED),
        priority=_priority(v["priority"]),
        name=v["name"],
        text=v["text"],
        remedy=v["remedy"],
        time_s=v["time"],
        shelved_left_s=v["shelved_left"],
    )


def _priority(value: Value) -> AlarmPriority:
    """A number that this version does not know is the worst."""
    return AlarmPriority.URGENT if value is None else AlarmPriority(str(value))


def _rank(priority: AlarmPriority) -> int:
    return (
        list(AlarmPriority)[1:].index(priority) if priority is not AlarmPriority.NONE else len(AlarmPriority)
    )
