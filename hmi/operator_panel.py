"""What the operator does at the master's screen: looks about, and asks for changes. Pure.

A change is a question with the old value and the new one; it is written when the operator agrees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from hmi import figures
from hmi.alarm_panel import AlarmPanel
from hmi.alarm_view import AlarmOrder
from hmi.master_view import MasterView, StationRow
from hmi.sketch import Press
from hmi.texts import Texts
from register_maps.points import Value

TABS = ("stations", "trend", "events")
OPENS_ALARMS = ("alarms", "a")
LONGEST_NUMBER = 8
KEYS = {
    "comma": ".",
    "period": ".",
    "KP_Decimal": ".",
    "KP_Separator": ".",
    "minus": "-",
    "KP_Subtract": "-",
    "BackSpace": "erase",
}
"""Of a keyboard, by X11's names."""


class Step(Enum):
    ENTER = auto()
    CONFIRM = auto()
    SENDING = auto()
    REFUSED = auto()
    OFF = auto()
    """There is nothing to ask: a master on standby steers nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A number that the operator may change. `factor`: from what is typed to what is written, which has so
    many `decimals`."""

    point: str
    lowest: float
    highest: float
    factor: float = 1.0
    decimals: int = 4


SETTINGS = {
    "price_limit": Setting(point="price_limit", lowest=-20, highest=20),
    "power_limit": Setting(point="power_limit", lowest=0, highest=100_000, factor=1000, decimals=0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`subject` is a setting's name, "hold" or "release" for a station's, or that of an alarm's `order`."""

    subject: str
    step: Step
    station: int = 0
    name: str = ""
    typed: str = ""
    why: str = ""
    order: AlarmOrder | None = None

    @property
    def setting(self) -> Setting | None:
        return SETTINGS.get(self.subject)

    @property
    def number(self) -> float | None:
        """What is typed, where it is a number within the limits."""
        try:
            value = float(self.typed)
        except ValueError:
            return None
        setting = self.setting
        return value if setting and setting.lowest <= value <= setting.highest else None

    @property
    def values(self) -> Mapping[str, Value]:
        """What is to be written."""
        if self.order:
            return self.order.values
        if self.setting:
            return {self.setting.point: self._in_register(self.setting)}
        return {f"station_{self.station}_hold": self.subject == "hold"}

    def _in_register(self, setting: Setting) -> float:
        assert self.number is not None
        return round(self.number * setting.factor, setting.decimals)

    def old(self, view: MasterView, texts: Texts) -> str:
        """As it is now, and not as it was when the question came up."""
        match self.subject:
            case "price_limit":
                return figures.price(view.price_limit)
            case "power_limit":
                return figures.kilowatt_limit(view.power_limit_asked_w)
            case "acknowledge_all":
                return texts("alarm.unacknowledged", count=view.alarms.unacknowledged)
        if self.order:
            alarm = view.alarms.row(self.order.number)
            return alarm.state_text(texts) if alarm else ""
        row = station(view, self.station)
        return texts("ask.hold_new" if row and row.held else "ask.hold_old")

    def new(self, texts: Texts) -> str:
        if self.order:
            return self.order.new(texts)
        if self.setting is None:
            return texts("ask.hold_new" if self.subject == "hold" else "ask.hold_old")
        value = self._in_register(self.setting)
        return figures.kilowatt_limit(value) if self.subject == "power_limit" else figures.price(value)

    def still_stands(self, view: MasterView) -> bool:
        """A master that came back may have other stations, and alarms come and go."""
        if self.order:
            return view.alarms.allows(self.order)
        row = station(view, self.station)
        return not self.station or (row is not None and row.name == self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What the operator agreed to; points that stand next to each other go in one request."""

    values: Mapping[str, Value]


@dataclass(slots=True)
class OperatorPanel:
    """Which part is shown, from which row on, the alarms, and the question that is open."""

    tab: str = TABS[0]
    first_row: int = 0
    alarms: AlarmPanel = field(default_factory=AlarmPanel)
    question: Question | None = None
    page: int = field(default=1)
    """Rows that fit, as drawn last."""

    def press(self, press: Press, view: MasterView | None) -> Write | None:
        """Takes a press; what has to be written now, if it was the operator's agreement to that."""
        what, text = press.what, press.text
        if what == "key":
            what, text = self._of_key(press.text)
        if self.question:
            return None if self.question.step is Step.SENDING else self._answer(what, text, view)
        if view and (self.alarms.is_open or what in OPENS_ALARMS):
            if order := self.alarms.press(what, press.number, view.alarms):
                self.question = Question(
                    subject=order.subject, step=Step.CONFIRM, name=order.name, order=order
                )
            return None
        match what:
            case "tab":
                self.tab = text
            case "scroll" | "Up" | "Down":
                self._scroll({"Up": -1, "Down": 1}.get(what, press.number * self.page), view)
            case "set" if view:
                self.question = Question(subject=text, step=Step.OFF if view.is_standby else Step.ENTER)
            case "station" if view and (row := station(view, press.number)):
                subject = "release" if row.held else "hold"
                step = Step.OFF if view.is_standby else Step.CONFIRM
                self.question = Question(subject=subject, step=step, station=row.number, name=row.name)
        return None

    def refuse(self, why: str) -> None:
        if self.question:
            self.question = replace(self.question, step=Step.REFUSED, why=why)

    def close(self) -> None:
        """What was agreed to is done; of an alarm the list tells what came of it."""
        self.question = None
        self.alarms.number = 0

    def _answer(self, what: str, text: str, view: MasterView | None) -> Write | None:
        question = self.question
        assert question
        match what, question.step:
            case ("cancel" | "Escape", _) | ("agree" | "Return", Step.REFUSED | Step.OFF):
                self.question = None
            case ("digit", Step.ENTER):
                self.question = replace(question, typed=_typed(question, text))
            case ("next" | "Return", Step.ENTER) if question.number is not None:
                self.question = replace(question, step=Step.CONFIRM)
            case ("agree" | "Return", Step.CONFIRM):
                return self._agreed(question, view)
        return None

    def _agreed(self, question: Question, view: MasterView | None) -> Write | None:
        if view is None or not question.still_stands(view):
            self.question = None
            return None
        if view.is_standby and not question.order:
            self.question = replace(question, step=Step.OFF)
            return None
        self.question = replace(question, step=Step.SENDING)
        return Write(values=question.values)

    def _scroll(self, rows: int, view: MasterView | None) -> None:
        last = max(0, len(view.stations) - self.page) if view else 0
        self.first_row = min(max(0, self.first_row + rows), last)

    def _of_key(self, name: str) -> tuple[str, str]:
        digit = name.removeprefix("KP_")
        if digit.isdigit() and len(digit) == 1:
            return "digit", digit
        if name in KEYS:
            return "digit", KEYS[name]
        return ("Return" if name == "KP_Enter" else name), ""


def station(view: MasterView, number: int) -> StationRow | None:
    return next((row for row in view.stations if row.number == number), None)


def _typed(question: Question, key: str) -> str:
    """What is typed after this key; one that would make no number changes nothing."""
    typed, setting = question.typed, question.setting
    if key == "erase":
        return typed[:-1]
    if key == "-":
        can_be_negative = setting is not None and setting.lowest < 0
        return (
            typed
            if not can_be_negative
            else typed.removeprefix("-")
            if typed.startswith("-")
            else "-" + typed
        )
    if key == "." and "." in typed:
        return typed
    decimals = typed.partition(".")[2]
    return typed if len(decimals) == 4 or len(typed) >= LONGEST_NUMBER else typed + key
