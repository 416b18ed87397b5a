"""What an operator's presses in the list of alarms come to."""

import pytest
from master_values import CHARGING, NO_PRICE, SEVERAL, WELDED, alarmed

from hmi.master_view import MasterView
from hmi.operator_panel import OperatorPanel, Step, Write
from hmi.sketch import Press
from register_maps.points import Value
from register_maps.vocabulary import AlarmAction

VIEW = alarmed(SEVERAL, CHARGING)
OPEN, CLOSE, ALL, AGREE = (Press(what) for what in ("alarms", "close_alarms", "acknowledge_all", "agree"))


def keys(*names: str) -> list[Press]:
    return [Press("key", text=name) for name in names]


def writes(panel: OperatorPanel, presses: list[Press], view: MasterView | None = VIEW) -> list[Write]:
    return [write for press in presses if (write := panel.press(press, view))]


def order(number: int, action: AlarmAction, shelve_s: int = 0) -> dict[str, Value]:
    return {"alarm_number": number, "alarm_action": action, "shelve_time": shelve_s}


SEQUENCES: dict[str, tuple[list[Press], dict[str, Value] | None]] = {
    "acknowledge": (
        [OPEN, Press("alarm", 45), Press("order", 0), AGREE],
        order(45, AlarmAction.ACKNOWLEDGE),
    ),
    "acknowledge by keyboard": (
        keys("a", "Return", "Return", "Return"),
        order(45, AlarmAction.ACKNOWLEDGE),
    ),
    "shelve for an hour": (
        [OPEN, Press("alarm", 1), Press("order", 2), AGREE],
        order(1, AlarmAction.SHELVE, 3600),
    ),
    "shelve for eight hours by keyboard": (
        keys("a", "Down", "Return", "Right", "Down", "Down", "Return", "KP_Enter"),
        order(1, AlarmAction.SHELVE, 28_800),
    ),
    "take out of service": (
        [OPEN, Press("alarm", 81), Press("order", 3), AGREE],
        order(81, AlarmAction.TAKE_OUT_OF_SERVICE),
    ),
    "unshelve": ([OPEN, Press("alarm", 82), Press("order", 0), AGREE], order(82, AlarmAction.UNSHELVE)),
    "back in service, the last of the list": (
        keys("a", *["Down"] * 9, "Return", *["Right"] * 9, "Return", "Return"),
        order(83, AlarmAction.RETURN_TO_SERVICE),
    ),
    "all": ([OPEN, ALL, AGREE], order(65_535, AlarmAction.ACKNOWLEDGE)),
    "all by keyboard": (keys("a", "a", "Return"), order(65_535, AlarmAction.ACKNOWLEDGE)),
    "not agreed to": ([OPEN, Press("alarm", 45), Press("order", 0)], None),
    "cancelled": ([OPEN, Press("alarm", 45), Press("order", 0), Press("cancel"), AGREE], None),
    "no such alarm": ([OPEN, Press("alarm", 46), Press("order", 0), AGREE], None),
    "no such order": ([OPEN, Press("alarm", 83), Press("order", 1), AGREE], None),
    "not open": ([Press("alarm", 45), Press("order", 0), ALL, AGREE], None),
    "closed": ([OPEN, Press("alarm", 45), CLOSE, Press("order", 0), AGREE], None),
    "what lies below": ([OPEN, Press("station", 1), Press("set", text="power_limit"), AGREE], None),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_what_presses_come_to(name: str) -> None:
    presses, wanted = SEQUENCES[name]
    assert writes(OperatorPanel(), presses) == ([Write(values=wanted)] if wanted else [])


@pytest.mark.parametrize("back", [CLOSE, OPEN, *keys("Escape")])
def test_back_from_one_to_the_list_and_from_the_list(back: Press) -> None:
    panel = OperatorPanel()
    writes(panel, [OPEN, Press("alarm", 45)])
    assert panel.alarms.shown(VIEW.alarms)
    writes(panel, [back])
    assert panel.alarms.is_open
    assert not panel.alarms.shown(VIEW.alarms)
    writes(panel, [back])
    assert not panel.alarms.is_open


def test_what_is_done_leads_back_to_the_list() -> None:
    panel = OperatorPanel()
    writes(panel, [OPEN, Press("alarm", 45), Press("order", 0), AGREE])
    panel.close()
    assert panel.alarms.is_open
    assert panel.alarms.number == 0


def test_refused_it_says_so() -> None:
    panel = OperatorPanel()
    writes(panel, [OPEN, ALL, AGREE])
    panel.refuse("not allowed")
    assert panel.question
    assert (panel.question.step, panel.question.why) == (Step.REFUSED, "not allowed")
    writes(panel, keys("Escape"))
    assert panel.question is None
    assert panel.alarms.is_open


def test_nothing_is_written_about_an_alarm_that_has_gone_meanwhile() -> None:
    panel = OperatorPanel()
    writes(panel, [OPEN, Press("alarm", 45), Press("order", 0)])
    assert panel.question
    gone = alarmed([NO_PRICE], CHARGING)
    assert writes(panel, [AGREE], gone) == []
    assert panel.question is None
    assert panel.alarms.shown(gone.alarms) is None
    assert writes(panel, [Press("order", 0), AGREE], gone) == []
    writes(panel, [Press("alarm", 1)], gone)
    assert panel.alarms.number == 1


def test_with_nothing_to_acknowledge_nothing_is_asked() -> None:
    quiet = alarmed([{**WELDED, "state": "active_acknowledged"}])
    panel = OperatorPanel()
    writes(panel, [OPEN, ALL, *keys("a")], quiet)
    assert panel.question is None


def test_the_list_is_turned_by_a_page_or_by_a_row() -> None:
    panel = OperatorPanel()
    panel.alarms.page = 2
    rows = []
    for press in (OPEN, Press("scroll_alarms", 1), *keys("Down", "Up"), *[Press("scroll_alarms", 1)] * 3):
        writes(panel, [press])
        rows.append(panel.alarms.at)
    assert rows == [0, 2, 3, 2, 4, 5, 5]
    writes(panel, [Press("scroll_alarms", -1)], alarmed([]))
    assert panel.alarms.at == 0
    assert writes(panel, keys("Return", "Return"), alarmed([])) == []


def test_without_a_master_there_is_no_list() -> None:
    panel = OperatorPanel()
    writes(panel, [OPEN, *keys("a")], None)
    assert not panel.alarms.is_open
