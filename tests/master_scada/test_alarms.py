"""The alarms' state machine: what each step leads to, and what must be so after any steps."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from master_scada.alarm_catalogue import Rule, catalogue
from master_scada.alarm_registers import fitting
from master_scada.alarms import (
    Alarm,
    Condition,
    NotPossible,
    acknowledge_all,
    act,
    number_of,
    shown,
    step,
    transitions,
)
from register_maps.vocabulary import AlarmAction, AlarmCode, AlarmState

NORMAL, UNACKNOWLEDGED, ACKNOWLEDGED, RETURNED, SHELVED, OUT = AlarmState
SILENT = number_of(AlarmCode.RTU_SILENT, 1)
FAILSAFE = number_of(AlarmCode.STATION_FAILSAFE, 1)
WELDED = number_of(AlarmCode.CONTACTOR_WELDED, 1)
STUCK = number_of(AlarmCode.CONTACTOR_NOT_CLOSED, 1)
OVER = number_of(AlarmCode.CIRCUIT_OVER_LIMIT, 2)
PRICE = number_of(AlarmCode.PRICE_UNKNOWN, 0)
WORDS = {"counted": "3300 W", "trouble": "no reply", "power": "5100", "limit": "5000"}
IS = Condition(words=WORDS)
STILL = Condition(words=WORDS, holds=False)
RULES = {code: replace(rule, on_delay_s=3, off_delay_s=5) for code, rule in catalogue().items()}


@dataclass
class List:
    """An alarm list that is looked at every second."""

    alarms: dict[int, Alarm] = field(default_factory=dict)
    now: float = 1000.0
    told: list[tuple[int, AlarmState, AlarmState]] = field(default_factory=list)
    rules: dict[AlarmCode, Rule] = field(default_factory=lambda: dict(RULES))

    def pass_time(self, seconds: int, *numbers: int, still: tuple[int, ...] = ()) -> "List":
        """These conditions hold meanwhile."""
        for _ in range(seconds):
            self.now += 1
            found = dict.fromkeys(numbers, IS) | dict.fromkeys(still, STILL)
            self._take(step(self.alarms, found, self.rules, self.now, self.now + 1e9, elapsed_s=1))
        return self

    def do(self, action: AlarmAction, number: int, shelve_s: float = 0) -> "List":
        self._take(act(self.alarms, number, action, self.now, shelve_s))
        return self

    def state(self, number: int = PRICE) -> AlarmState:
        return self.alarms[number].state if number in self.alarms else NORMAL

    def _take(self, alarms: dict[int, Alarm]) -> None:
        self.told += [(a.number, was, a.state) for was, a in transitions(self.alarms, alarms)]
        self.alarms = alarms


def active(number: int = PRICE) -> List:
    return List().pass_time(4, number)


def test_it_begins_after_the_on_delay_and_goes_after_the_off_delay() -> None:
    alarms = List().pass_time(3, PRICE)
    assert alarms.state() is NORMAL
    assert alarms.pass_time(1, PRICE).state() is UNACKNOWLEDGED
    assert alarms.do(AlarmAction.ACKNOWLEDGE, PRICE).state() is ACKNOWLEDGED
    assert alarms.pass_time(5).state() is ACKNOWLEDGED
    assert alarms.pass_time(1).state() is NORMAL
    assert alarms.alarms == {}


def test_what_was_too_short_is_forgotten() -> None:
    alarms = List().pass_time(3, PRICE).pass_time(2)
    assert alarms.state() is NORMAL
    assert alarms.pass_time(1).alarms == {}


LOSSY = [
    ("every third scan is lost", "S.." * 10, FAILSAFE, UNACKNOWLEDGED),
    ("the first scan is lost", "S......", FAILSAFE, UNACKNOWLEDGED),
    ("two of three are lost", "SS." * 10, SILENT, UNACKNOWLEDGED),
    ("every other one is lost", "S." * 30, SILENT, NORMAL),
    ("every third one is lost", "S.." * 30, SILENT, NORMAL),
]


@pytest.mark.parametrize(("line", "number", "state"), [c[1:] for c in LOSSY], ids=[c[0] for c in LOSSY])
def test_on_a_line_that_loses_scans(line: str, number: int, state: AlarmState) -> None:
    alarms = List()
    for scan in line:
        alarms.pass_time(1, SILENT if scan == "S" else FAILSAFE)
    assert alarms.state(number) is state


def test_what_is_over_returns_on_a_lossy_line_too() -> None:
    alarms = active(FAILSAFE)
    for scan in "S.." * 4:
        alarms.pass_time(1, *([SILENT] if scan == "S" else []))
    assert alarms.state(FAILSAFE) is RETURNED


def test_what_has_gone_unseen_waits_for_somebody() -> None:
    alarms = active().pass_time(6)
    assert alarms.state() is RETURNED
    alarms.pass_time(100_00)
    assert alarms.state() is RETURNED
    assert alarms.do(AlarmAction.ACKNOWLEDGE, PRICE).alarms == {}


def test_what_comes_back_unseen_is_active_again_with_its_new_time() -> None:
    alarms = active().pass_time(6)
    first = alarms.alarms[PRICE].since_utc
    assert alarms.pass_time(4, PRICE).state() is UNACKNOWLEDGED
    assert alarms.alarms[PRICE].since_utc > first


def test_inside_the_deadband_an_alarm_goes_on_and_none_begins() -> None:
    assert List().pass_time(100, still=(OVER,)).alarms == {}
    assert active(OVER).pass_time(100, still=(OVER,)).state(OVER) is UNACKNOWLEDGED


def test_a_latched_one_stays_active_until_somebody_has_seen_it() -> None:
    alarms = active(WELDED).pass_time(1000)
    assert alarms.state(WELDED) is UNACKNOWLEDGED
    alarms.do(AlarmAction.ACKNOWLEDGE, WELDED)
    assert alarms.state(WELDED) is ACKNOWLEDGED
    assert alarms.pass_time(1).state(WELDED) is NORMAL


def test_the_shelf_ends_by_itself_in_the_state_that_is_right_by_then() -> None:
    for holds, after in (((PRICE,), UNACKNOWLEDGED), ((), RETURNED)):
        alarms = active().do(AlarmAction.SHELVE, PRICE, 60)
        assert alarms.pass_time(59, *holds).state() is SHELVED
        assert alarms.alarms[PRICE].shelved_left_s(alarms.now) == 1
        assert alarms.pass_time(1, *holds).state() is after


def test_an_acknowledged_one_on_the_shelf_that_is_over_is_gone_after_it() -> None:
    alarms = active().do(AlarmAction.ACKNOWLEDGE, PRICE).do(AlarmAction.SHELVE, PRICE, 60)
    assert alarms.pass_time(60).alarms == {}


def test_out_of_service_lasts_until_it_is_returned() -> None:
    alarms = active().do(AlarmAction.TAKE_OUT_OF_SERVICE, PRICE)
    assert alarms.pass_time(100_000 // 50).state() is OUT
    assert alarms.do(AlarmAction.RETURN_TO_SERVICE, PRICE).state() is RETURNED


def test_what_silence_explains_is_not_told() -> None:
    """Neither during silence's own delay: what has a shorter one would come just before it."""
    rules = RULES | {AlarmCode.STATION_FAILSAFE: replace(RULES[AlarmCode.STATION_FAILSAFE], on_delay_s=0)}
    alarms = List(rules=rules).pass_time(50, SILENT, FAILSAFE)
    assert [number for number, _, _ in alarms.told] == [SILENT]


def test_silence_takes_an_alarm_out_of_sight_and_gives_it_back_as_it_was() -> None:
    alarms = active(STUCK).do(AlarmAction.ACKNOWLEDGE, STUCK)
    told = len(alarms.told)
    assert alarms.pass_time(3, SILENT).state(STUCK) is ACKNOWLEDGED  # it may be nothing
    alarms.pass_time(1, SILENT)
    assert (alarms.state(STUCK), alarms.state(SILENT)) == (NORMAL, UNACKNOWLEDGED)
    assert [alarm.number for alarm in shown(alarms.alarms)] == [SILENT]
    alarms.pass_time(6, STUCK)  # silence is over after its off-delay
    assert (alarms.state(STUCK), alarms.state(SILENT)) == (ACKNOWLEDGED, RETURNED)
    assert {number for number, _, _ in alarms.told[told:]} == {SILENT}


def test_the_silence_of_one_station_hides_no_other() -> None:
    other = number_of(AlarmCode.STATION_FAILSAFE, 2)
    assert List().pass_time(10, SILENT, other).state(other) is UNACKNOWLEDGED


def test_what_chatters_does_not_flood() -> None:
    alarms = List(rules={c: replace(r, on_delay_s=0) for c, r in RULES.items()})
    for second in range(3600):
        alarms.pass_time(1, *((PRICE,) if second % 2 else ()))
    assert len(alarms.told) == 1
    for _ in range(100):
        alarms.pass_time(1, PRICE).pass_time(6)
    assert len(alarms.told) <= 1 + 2 * 700 / 6


def test_to_acknowledge_all_is_for_what_can_be_seen() -> None:
    alarms = List().pass_time(4, PRICE, WELDED, OVER)
    alarms.do(AlarmAction.SHELVE, OVER, 60)
    alarms.alarms = acknowledge_all(alarms.alarms)
    assert alarms.pass_time(60, PRICE, WELDED, OVER).state(OVER) is UNACKNOWLEDGED
    assert (alarms.state(PRICE), alarms.state(WELDED)) == (ACKNOWLEDGED, ACKNOWLEDGED)


def test_the_list_begins_with_what_nobody_has_seen_then_the_worst_then_the_newest() -> None:
    price, failsafe = number_of(AlarmCode.PRICE_UNKNOWN, 0), number_of(AlarmCode.STATION_FAILSAFE, 2)
    alarms = active(OVER).do(AlarmAction.ACKNOWLEDGE, OVER).pass_time(4, OVER, price)
    alarms.pass_time(4, OVER, price, failsafe).pass_time(4, OVER, price, failsafe, WELDED)
    assert [alarm.number for alarm in shown(alarms.alarms)] == [WELDED, failsafe, price, OVER]


def test_a_text_is_of_the_case() -> None:
    assert active(SILENT).alarms[SILENT].text == "No reading; counted as drawing 3300 W. no reply"


LONG = [
    ("x" * 120, "x" * 120),
    ("ü" * 61, "ü" * 58 + " …"),
    ("word " * 30, "word " * 23 + "…"),
    ("a name that is no UTF-8: \udcff", "a name that is no UTF-8: \udcff"),
]


@pytest.mark.parametrize(("text", "shown"), LONG)
def test_a_text_that_is_too_long_ends_behind_a_word(text: str, shown: str) -> None:
    assert fitting(text) == shown
    assert len(shown.encode(errors="replace")) <= 120


REFUSED = [
    (AlarmAction.ACKNOWLEDGE, lambda: List(), 0),
    (AlarmAction.ACKNOWLEDGE, lambda: List().pass_time(2, PRICE), 0),
    (AlarmAction.SHELVE, active, 0),
    (AlarmAction.SHELVE, active, 86_401),
    (AlarmAction.UNSHELVE, active, 0),
    (AlarmAction.RETURN_TO_SERVICE, active, 0),
    (AlarmAction.SHELVE, lambda: active().do(AlarmAction.TAKE_OUT_OF_SERVICE, PRICE), 60),
    (AlarmAction.TAKE_OUT_OF_SERVICE, lambda: active().do(AlarmAction.TAKE_OUT_OF_SERVICE, PRICE), 0),
    (AlarmAction.NONE, active, 0),
]


@pytest.mark.parametrize(("action", "make", "shelve_s"), REFUSED)
def test_what_can_t_be_done_is_refused(
    action: AlarmAction, make: Callable[[], List], shelve_s: float
) -> None:
    alarms = make()
    with pytest.raises(NotPossible):
        alarms.do(action, PRICE, shelve_s)


# What may follow from what, in one look or by one action; out of sight is `normal`.
TABLE = {
    (NORMAL, UNACKNOWLEDGED),
    (UNACKNOWLEDGED, ACKNOWLEDGED),
    (UNACKNOWLEDGED, RETURNED),
    (ACKNOWLEDGED, NORMAL),
    (RETURNED, NORMAL),
    (RETURNED, UNACKNOWLEDGED),
    *((state, other) for state in (UNACKNOWLEDGED, ACKNOWLEDGED, RETURNED) for other in (SHELVED, OUT)),
    *((SHELVED, state) for state in AlarmState),
    *((OUT, state) for state in AlarmState if state is not SHELVED),
}
NUMBERS = (PRICE, SILENT, FAILSAFE, WELDED, OVER)
look = st.tuples(st.just("look"), st.dictionaries(st.sampled_from(NUMBERS), st.booleans()), st.integers(1, 8))
action = st.tuples(
    st.just("act"), st.sampled_from(NUMBERS), st.sampled_from([*AlarmAction]), st.sampled_from([0, 1, 20, 90])
)


@dataclass
class Onlooker:
    """Keeps its own account, by counting seconds, of what nobody has acknowledged yet."""

    alarms: List = field(default_factory=List)
    held_s: Counter[int] = field(default_factory=Counter)
    gone_s: Counter[int] = field(default_factory=Counter)
    seen: set[int] = field(default_factory=set)
    unseen: set[int] = field(default_factory=set)
    shelved_until: dict[int, float] = field(default_factory=dict)

    def act(self, number: int, action: AlarmAction, shelve_s: float) -> None:
        try:
            self.alarms.do(action, number, shelve_s)
        except NotPossible:
            return
        if action is AlarmAction.SHELVE:
            self.shelved_until[number] = self.alarms.now + shelve_s
        if action is AlarmAction.ACKNOWLEDGE:
            self.unseen.discard(number)
            if number == WELDED or self.gone_s[number] <= 5:
                self.seen.add(number)

    def look(self, found: Mapping[int, bool]) -> None:
        holds = tuple(n for n, is_so in found.items() if is_so)
        self.alarms.pass_time(1, *holds, still=tuple(found.keys() - set(holds)))
        silence = SILENT in found or self._is_active(SILENT)
        for number in NUMBERS:
            explained = silence and number == FAILSAFE
            if explained and self._is_active(SILENT):
                self.held_s[number] = self.gone_s[number] = 0
            elif not explained:
                self._count(number, found)
            self._check(number, explained=explained)

    def _count(self, number: int, found: Mapping[int, bool]) -> None:
        self.held_s[number] = max(0, self.held_s[number] + (1 if found.get(number) else -1))
        self.gone_s[number] = 0 if number in found else self.gone_s[number] + 1
        if self.gone_s[number] > 5:
            self.held_s[number] = 0
            self.seen.discard(number)
        if self.held_s[number] > 3 and number not in self.seen:
            self.unseen.add(number)

    def _check(self, number: int, *, explained: bool) -> None:
        state = self.alarms.state(number)
        if explained and self._is_active(SILENT):
            assert state in (NORMAL, SHELVED, OUT), "it is told beside its cause"
        elif number in self.unseen:
            assert state in (UNACKNOWLEDGED, RETURNED, SHELVED, OUT), "it is lost"
        if state is SHELVED:
            assert self.alarms.now < self.shelved_until[number]

    def _is_active(self, number: int) -> bool:
        alarm = self.alarms.alarms.get(number)
        return alarm is not None and alarm.active


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(look, look, action), max_size=60))
def test_nothing_is_lost_and_nothing_leaves_the_table(history: list[tuple[Any, ...]]) -> None:
    onlooker = Onlooker()
    for kind, *what in history:
        if kind == "act":
            onlooker.act(*what)
            continue
        found, seconds = what
        for _ in range(seconds):
            onlooker.look(found)
    assert {(was, state) for _, was, state in onlooker.alarms.told} <= TABLE
