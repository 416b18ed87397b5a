"""What the operator does in the list of alarms: looks about, opens one, and asks for something. Pure."""

from dataclasses import dataclass, field

from hmi.alarm_view import AlarmOrder, AlarmRow, AlarmsView
from register_maps.vocabulary import AlarmAction

STEPS = {"Up": -1, "Left": -1, "Down": 1, "Right": 1}


@dataclass(slots=True)
class AlarmPanel:
    """Whether the list is open, which row is marked, and the alarm that is shown with all it has."""

    is_open: bool = False
    at: int = 0
    """The marked row; the page that is shown has it."""
    number: int = 0
    """Of the alarm that is shown; 0: the list is."""
    button: int = 0
    """The marked one of the alarm's orders."""
    page: int = field(default=1)
    """Rows that fit, as drawn last."""

    def shown(self, alarms: AlarmsView) -> AlarmRow | None:
        """The alarm that is open, as long as it is one."""
        return alarms.row(self.number) if self.number else None

    def press(self, what: str, number: int, alarms: AlarmsView) -> AlarmOrder | None:
        """Takes a press or a key's name; what the operator is to be asked."""
        if what in ("alarms", "a") and not self.is_open:
            self.is_open, self.at, self.number = True, 0, 0
        elif what in ("close_alarms", "alarms", "Escape"):
            self._back(alarms)
        elif what in ("acknowledge_all", "a"):
            order = AlarmOrder(action=AlarmAction.ACKNOWLEDGE)
            return order if alarms.allows(order) else None
        elif row := self.shown(alarms):
            return self._in_alarm(what, number, row.orders())
        else:
            self._in_list(what, number, alarms)
        return None

    def _back(self, alarms: AlarmsView) -> None:
        self.is_open = self.shown(alarms) is not None
        self.number = 0

    def _in_alarm(self, what: str, number: int, orders: list[AlarmOrder]) -> AlarmOrder | None:
        self.button = min(max(self.button + STEPS.get(what, 0), 0), len(orders) - 1)
        if what == "order" and number < len(orders):
            return orders[number]
        return orders[self.button] if what == "Return" else None

    def _in_list(self, what: str, number: int, alarms: AlarmsView) -> None:
        self.number = self.button = 0
        last = max(0, len(alarms.rows) - 1)
        rows = number * self.page if what == "scroll_alarms" else STEPS.get(what, 0)
        self.at = min(max(0, self.at + rows), last)
        if what == "alarm":
            self.number = number
        elif what == "Return" and alarms.rows:
            self.number = alarms.rows[self.at].number
