"""The alarm list as the registers of pev_master, and a client's write as an action upon it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from master_scada.alarm_catalogue import TEXT_BYTES
from master_scada.alarms import OPEN, UNACKNOWLEDGED, Alarm, AlarmList, shown
from master_scada.conditions import Sources
from register_maps.points import Value
from register_maps.vocabulary import AlarmAction, AlarmCode, AlarmPriority, AlarmState

ALL = 65535
"""For alarm_number: every alarm."""
NO_ACTION: Mapping[str, Value] = {
    "alarm_number": 0,
    "alarm_action": AlarmAction.NONE,
    "shelve_time": 0,
}
ALARM_POINTS = NO_ACTION.keys()
_EMPTY: Mapping[str, Value] = {
    "number": 0,
    "code": AlarmCode.NONE,
    "state": AlarmState.NORMAL,
    "priority": AlarmPriority.NONE,
    "source": 0,
    "time": 0,
    "shelved_left": 0,
    "name": "",
    "text": "",
    "remedy": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a client wants done, with `number` None for all alarms."""

    action: AlarmAction
    number: int | None
    shelve_s: float = 0.0


class BadOrder(ValueError):
    """Registers that make no sense together."""


def order(values: Mapping[str, Value]) -> Order | None:
    """What a write asks for; None where it asks for nothing of alarms."""
    asked = {name: values.get(name, nothing) for name, nothing in NO_ACTION.items()}
    if asked == NO_ACTION:
        return None
    number, action, shelve_s = (
        asked["alarm_number"],
        AlarmAction(str(asked["alarm_action"])),
        asked["shelve_time"],
    )
    assert isinstance(number, int)
    assert isinstance(shelve_s, int | float)
    if number == 0 or action is AlarmAction.NONE:
        raise BadOrder("alarm_number and alarm_action are written in one request")
    if (action is AlarmAction.SHELVE) != (shelve_s > 0):
        raise BadOrder("shelve_time is for shelving, and shelving needs it")
    if number == ALL and action is not AlarmAction.ACKNOWLEDGE:
        raise BadOrder("only acknowledging is for all alarms at once")
    return Order(action=action, number=None if number == ALL else number, shelve_s=float(shelve_s))


class AlarmRegisters:
    """Shows the alarm list in `size` blocks."""

    def __init__(self, sources: Sources, size: int) -> None:
        self._sources, self._size = sources, size
        self._list: Sequence[Alarm] = ()
        self._seen: list[object] = []
        self._shelved: list[tuple[str, Alarm]] = []
        self._changes = 0

    def show(self, alarms: AlarmList, now: float) -> dict[str, Value]:
        """The registers that may have changed."""
        listed = shown(alarms)
        seen: list[object] = [(a.number, a.state, a.since_utc, a.shelved_until) for a in listed]
        if seen == self._seen:
            return self._shelf_times(now)
        self._list, self._seen = listed, seen
        self._changes += 1
        places = [f"alarm_{place}_shelved_left" for place in range(1, self._size + 1)]
        self._shelved = [(p, a) for p, a in zip(places, listed, strict=False) if a.shelved_until is not None]
        return self._counts() | self._blocks() | self._shelf_times(now)

    def _counts(self) -> dict[str, Value]:
        still_open = [alarm for alarm in self._list if alarm.state in OPEN]
        priorities = list(AlarmPriority)
        worst = min((a.rule.priority for a in still_open), key=priorities.index, default=AlarmPriority.NONE)
        return {
            "alarm_count": len(still_open),
            "unacknowledged_count": sum(alarm.state in UNACKNOWLEDGED for alarm in still_open),
            "worst_priority": worst,
            "alarm_changes": self._changes,
        }

    def _blocks(self) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for place in range(self._size):
            block = self._block(self._list[place]) if place < len(self._list) else _EMPTY
            values |= {f"alarm_{place + 1}_{name}": value for name, value in block.items()}
        return values

    def _block(self, alarm: Alarm) -> dict[str, Value]:
        source = alarm.source
        return {
            "number": alarm.number,
            "code": alarm.rule.code,
            "state": alarm.state,
            "priority": alarm.rule.priority,
            "source": source if self._sources.scope(source) == "station" else 0,
            "time": int(alarm.since_utc),
            "shelved_left": 0,
            "name": self._sources.names[source],
            "text": fitting(alarm.text),
            "remedy": alarm.rule.remedy,
        }

    def _shelf_times(self, now: float) -> dict[str, Value]:
        return {place: round(alarm.shelved_left_s(now)) for place, alarm in self._shelved}


def fitting(text: str) -> str:
    """As many whole words as the registers have room for; the journal has all of them."""
    data = text.encode(errors="replace")
    if len(data) <= TEXT_BYTES:
        return text
    head = data[: TEXT_BYTES - len(_MORE)].decode(errors="ignore")
    return (head.rpartition(" ")[0] or head) + _MORE.decode()


_MORE = " …".encode()
