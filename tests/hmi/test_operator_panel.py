"""What an operator's presses come to: nothing is written but what was shown and agreed to."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from master_values import CHARGING, KINDS, NO_PRICE, SEVERAL, alarmed, many, view_of

from hmi import figures
from hmi.master_view import MasterView
from hmi.operator_panel import LONGEST_NUMBER, SETTINGS, TABS, OperatorPanel, Question, Step, Write, station
from hmi.sketch import Press
from hmi.texts import load_texts
from register_maps.codec import decode, encode
from register_maps.register_map import load_map

VIEW = view_of(CHARGING, KINDS["held"])
MAP = load_map("pev_master")
TEXTS = load_texts()

SET_X, SET_Y = Press("set", text="price_limit"), Press("set", text="power_limit")
NEXT, AGREE, CANCEL = Press("next"), Press("agree"), Press("cancel")


def typed(text: str) -> list[Press]:
    return [Press("digit", text=key) for key in text]


def keys(*names: str) -> list[Press]:
    return [Press("key", text=name) for name in names]


def writes(panel: OperatorPanel, presses: list[Press]) -> list[Write]:
    return [write for press in presses if (write := panel.press(press, VIEW))]


SEQUENCES: dict[str, tuple[list[Press], Write | None]] = {
    "x": ([SET_X, *typed("0.25"), NEXT, AGREE], Write(values={"price_limit": 0.25})),
    "x below 0": ([SET_X, *typed("1.5-"), NEXT, AGREE], Write(values={"price_limit": -1.5})),
    "x below 0 and above again": ([SET_X, *typed("-1-"), NEXT, AGREE], Write(values={"price_limit": 1})),
    "y in kW": ([SET_Y, *typed("3.5"), NEXT, AGREE], Write(values={"power_limit": 3500})),
    "y is never below 0": ([SET_Y, *typed("-4"), NEXT, AGREE], Write(values={"power_limit": 4000})),
    "y of 0": ([SET_Y, *typed("0"), NEXT, AGREE], Write(values={"power_limit": 0})),
    "y by keyboard": (
        [SET_Y, *keys("4", "KP_2", "comma", "5", "BackSpace", "6", "Return", "KP_Enter")],
        Write(values={"power_limit": 42_600}),
    ),
    "hold": ([Press("station", 1), AGREE], Write(values={"station_1_hold": True})),
    "release": ([Press("station", 2), AGREE], Write(values={"station_2_hold": False})),
    "hold by keyboard": (
        [Press("station", 1), *keys("Return")],
        Write(values={"station_1_hold": True}),
    ),
    "not agreed to": ([SET_X, *typed("0.25"), NEXT], None),
    "agreed to before it was shown": ([SET_X, *typed("0.25"), AGREE], None),
    "no number": ([SET_X, *typed("."), NEXT, AGREE], None),
    "nothing typed": ([SET_X, NEXT, AGREE], None),
    "x beyond its limit": ([SET_X, *typed("20.1"), NEXT, AGREE], None),
    "y beyond its limit": ([SET_Y, *typed("100001"), NEXT, AGREE], None),
    "cancelled": ([SET_X, *typed("0.25"), CANCEL, NEXT, AGREE], None),
    "cancelled when asked": ([SET_X, *typed("0.25"), NEXT, CANCEL, AGREE], None),
    "cancelled by keyboard": ([SET_X, *typed("0.25"), NEXT, *keys("Escape", "Return")], None),
    "hold, cancelled": ([Press("station", 1), CANCEL, AGREE], None),
    "a key does not agree": ([SET_X, *typed("0.25"), NEXT, *keys("space", "y", "Tab", "F1")], None),
    "no such station": ([Press("station", 3), AGREE], None),
    "below the question": ([SET_X, Press("station", 1), AGREE], None),
    "agreed to twice": (
        [SET_X, *typed("0.25"), NEXT, AGREE, AGREE, *keys("Return")],
        Write(values={"price_limit": 0.25}),
    ),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_what_presses_come_to(name: str) -> None:
    presses, wanted = SEQUENCES[name]
    assert writes(OperatorPanel(), presses) == ([wanted] if wanted else [])


def question(panel: OperatorPanel) -> Question:
    assert panel.question
    return panel.question


def test_the_question_tells_the_old_value_and_the_new() -> None:
    panel = OperatorPanel()
    writes(panel, [SET_X, *typed("0.2501"), NEXT])
    asked = question(panel)
    assert (asked.old(VIEW, TEXTS), asked.new(TEXTS)) == ("0.20", "0.2501")
    dearer = view_of(CHARGING, price_limit=0.3)
    assert asked.old(dearer, TEXTS) == "0.30"  # another has changed it meanwhile
    panel = OperatorPanel()
    writes(panel, [SET_Y, *typed("4"), NEXT])
    lowered = view_of(CHARGING, power_limit=6000, power_limit_in_force=5000)
    assert (question(panel).old(lowered, TEXTS), question(panel).new(TEXTS)) == ("6.00 kW", "4.00 kW")
    free, held = "not held", "held by the operator"
    for number, old, new in ((1, free, held), (2, held, free)):
        panel = OperatorPanel()
        writes(panel, [Press("station", number)])
        assert (question(panel).old(VIEW, TEXTS), question(panel).new(TEXTS)) == (old, new)


def test_refused_it_says_so_until_it_is_closed() -> None:
    for close in (CANCEL, AGREE, *keys("Escape", "Return")):
        panel = OperatorPanel()
        writes(panel, [Press("station", 1), AGREE])
        assert question(panel).step is Step.SENDING
        panel.refuse("busy")
        assert (question(panel).step, question(panel).why) == (Step.REFUSED, "busy")
        assert writes(panel, [*typed("1"), NEXT, Press("nothing"), close]) == []
        assert panel.question is None


def test_what_was_written_closes_the_question() -> None:
    panel = OperatorPanel()
    writes(panel, [SET_X, *typed("1"), NEXT, AGREE])
    panel.close()
    assert panel.question is None
    panel.refuse("too late")
    assert panel.question is None


def test_while_it_is_sent_no_other_question_takes_its_place() -> None:
    panel = OperatorPanel()
    writes(panel, [SET_X, *typed("1"), NEXT, AGREE])
    sent = question(panel)
    assert writes(panel, [SET_Y, Press("station", 1), *typed("2"), NEXT, AGREE, CANCEL]) == []
    assert panel.question == sent


@pytest.mark.parametrize("back", [view_of(KINDS["free"] | {"name": "OTHER"}), view_of(), None])
def test_a_master_that_comes_back_with_other_stations_is_told_nothing(back: object) -> None:
    panel = OperatorPanel()
    panel.press(Press("station", 1), VIEW)
    assert panel.press(AGREE, back) is None  # type: ignore[arg-type]
    assert panel.question is None


def test_without_a_master_there_is_nothing_to_ask() -> None:
    panel = OperatorPanel()
    assert [panel.press(press, None) for press in (SET_X, SET_Y, Press("station", 1))] == [None] * 3
    assert panel.question is None


def test_the_list_is_turned_by_a_page_or_by_a_row() -> None:
    panel, view = OperatorPanel(page=4), view_of(*many(10))
    rows = []
    for press in (Press("scroll", 1), *keys("Down"), *[Press("scroll", 1)] * 3, *keys("Up")):
        panel.press(press, view)
        rows.append(panel.first_row)
    assert rows == [4, 5, 6, 6, 6, 5]
    panel.press(Press("scroll", -1), view_of(*many(2)))
    assert panel.first_row == 0


@pytest.mark.parametrize("tab", TABS)
def test_tabs(tab: str) -> None:
    panel = OperatorPanel()
    panel.press(Press("tab", text=tab), VIEW)
    assert panel.tab == tab


KEY_NAMES = [*"0123456789", "KP_5", "comma", "period", "KP_Decimal", "minus", "KP_Subtract", "BackSpace"]
OTHER_KEYS = [
    "Left",
    "Right",
    "a",
    "Return",
    "KP_Enter",
    "Escape",
    "Up",
    "Down",
    "Next",
    "Cancel",
    "Tab",
    "??",
    "XF86Stop",
]
PRESSES = st.one_of(
    st.sampled_from([SET_X, SET_Y, NEXT, AGREE, CANCEL, Press("nothing")]),
    st.sampled_from("0123456789.-").map(lambda key: Press("digit", text=key)),
    st.just(Press("digit", text="erase")),
    st.sampled_from([*KEY_NAMES, *OTHER_KEYS]).map(lambda name: Press("key", text=name)),
    st.sampled_from(TABS).map(lambda tab: Press("tab", text=tab)),
    st.builds(Press, st.just("station"), st.integers(0, 12)),
    st.builds(Press, st.just("scroll"), st.sampled_from([-1, 1])),
    st.sampled_from([Press("alarms"), Press("acknowledge_all"), Press("close_alarms")]),
    st.builds(Press, st.just("alarm"), st.sampled_from([0, 1, 45, 49, 81, 82, 83, 99])),
    st.builds(Press, st.just("order"), st.integers(0, 6)),
    st.builds(Press, st.just("scroll_alarms"), st.sampled_from([-1, 1])),
)
VIEWS = [
    VIEW,
    view_of(*many(12)),
    view_of(*many(3)),
    view_of(),
    alarmed(SEVERAL, CHARGING, KINDS["held"]),
    alarmed([NO_PRICE], CHARGING),
    view_of(CHARGING, role="standby"),
    None,
]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(PRESSES, st.sampled_from(range(len(VIEWS))), st.sampled_from(["", "refuse", "close"])))
)
def test_nothing_is_written_but_what_was_shown_and_agreed_to(steps: list) -> None:
    panel = OperatorPanel(page=4)
    for press, number, sent in steps:
        before, view = panel.question, VIEWS[number]
        write = panel.press(press, view)
        if write:
            assert press in (AGREE, *keys("Return", "KP_Enter"))
            assert before
            assert before.step is Step.CONFIRM
            assert_is_what_is_shown(write, before, view)
            assert panel.question
            assert panel.question.step is Step.SENDING
            if view and view.is_standby:
                assert before.order
        if press.what == "scroll" and before is None:
            assert 0 <= panel.first_row <= max(0, len(view.stations) - panel.page if view else 0)
        assert panel.first_row >= 0
        if panel.question:
            assert len(panel.question.typed) <= LONGEST_NUMBER + 1  # with its sign
        if panel.question and panel.question.step is Step.SENDING and sent:
            panel.refuse("because") if sent == "refuse" else panel.close()


def assert_is_what_is_shown(write: Write, asked: Question, view: object) -> None:
    if asked.order:
        assert isinstance(view, MasterView)
        assert view.alarms.allows(asked.order)
        assert write.values == asked.order.values
        assert list(write.values) == ["alarm_number", "alarm_action", "shelve_time"]
        return
    if asked.setting is None:
        row = station(view, asked.station)  # type: ignore[arg-type]
        assert row
        assert row.name == asked.name
        assert write.values == {f"station_{row.number}_hold": asked.subject == "hold"}
        return
    setting = SETTINGS[asked.subject]
    number = float(re.sub(r" kW$", "", asked.new(TEXTS)))
    assert setting.lowest <= number <= setting.highest
    in_units = 1000 if asked.subject == "power_limit" else 1  # watts, of kilowatts
    assert as_in_register(write) == pytest.approx(number * in_units)


def as_in_register(write: Write) -> float:
    ((name, written),) = write.values.items()
    point = MAP.points[name]
    value = decode(point, encode(point, written))
    assert isinstance(value, int | float)
    return value


@pytest.mark.parametrize("text", ["3.456", "0.004", "0.0004"])
def test_a_limit_in_kilowatts_is_shown_as_exactly_as_it_is_written(text: str) -> None:
    panel = OperatorPanel()
    writes(panel, [SET_Y, *typed(text), NEXT])
    shown = question(panel).new(TEXTS)
    (write,) = writes(panel, [AGREE])
    assert float(shown.removesuffix(" kW")) == pytest.approx(as_in_register(write) / 1000), shown


@pytest.mark.parametrize("text", ["0.1.2", "12345678901", "1.23456", "-", "-.", "--5", "1-", "0"])
def test_what_is_typed_stays_a_number_in_the_making(text: str) -> None:
    panel = OperatorPanel()
    writes(panel, [SET_X, *typed(text)])
    now = question(panel).typed
    assert re.fullmatch(r"-?\d*(\.\d{0,4})?", now)
    assert len(now.removeprefix("-")) <= LONGEST_NUMBER
    writes(panel, [Press("digit", text="erase")] * 12)
    assert question(panel).typed == ""


def test_a_price_has_the_same_number_of_decimals_as_its_register() -> None:
    assert figures.price(0.2001) == "0.2001"
    assert figures.price(-0.5) == "-0.50"
    assert figures.price(None) == figures.NO_VALUE


def test_a_master_on_standby_is_told_nothing_but_about_its_alarms() -> None:
    standby = alarmed(SEVERAL, CHARGING, KINDS["held"], role="standby")
    for presses in ([SET_X, *typed("1"), NEXT, AGREE], [Press("station", 1), AGREE, AGREE]):
        panel = OperatorPanel()
        panel.press(presses[0], standby)
        assert question(panel).step is Step.OFF
        assert [panel.press(press, standby) for press in presses[1:]] == [None] * (len(presses) - 1)
    panel = OperatorPanel()
    for press in (Press("alarms"), Press("acknowledge_all")):
        panel.press(press, standby)
    assert panel.press(AGREE, standby)


def test_a_master_that_goes_on_standby_while_it_is_asked() -> None:
    panel = OperatorPanel()
    panel.press(Press("station", 1), VIEW)
    assert panel.press(AGREE, view_of(CHARGING, KINDS["held"], role="standby")) is None
    assert question(panel).step is Step.OFF
    assert writes(panel, keys("Return")) == []
    assert panel.question is None
