"""What the alarms' registers come to: which is told first, and what may be done about each."""

from datetime import timedelta

import pytest
from master_values import (
    ACKNOWLEDGED,
    NO_PRICE,
    NOON,
    OUT,
    OVER,
    SEVERAL,
    SHELVED,
    UNACKNOWLEDGED,
    WELDED,
    alarmed,
)

from hmi.alarm_view import ALL, AlarmOrder, AlarmRow
from hmi.texts import languages, load_texts
from register_maps.codec import decode, encode
from register_maps.points import Value
from register_maps.register_map import load_map
from register_maps.vocabulary import AlarmAction, AlarmPriority

TEXTS = load_texts()
SHELVES = ["shelve 900", "shelve 3600", "shelve 28800"]


def only(**changes: Value) -> AlarmRow:
    (row,) = alarmed([{**WELDED, **changes}]).alarms.rows
    return row


def test_the_rows_are_the_blocks_that_are_full_in_their_order() -> None:
    alarms = alarmed(SEVERAL).alarms
    assert [row.number for row in alarms.rows] == [alarm["number"] for alarm in SEVERAL]
    assert (alarms.count, alarms.unacknowledged, alarms.worst_priority) == (4, 3, AlarmPriority.URGENT)
    assert alarmed([]).alarms.rows == ()


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        ([], None),
        ([SHELVED, OUT], None),
        ([UNACKNOWLEDGED, UNACKNOWLEDGED], "urgent"),
        ([ACKNOWLEDGED, UNACKNOWLEDGED], "high"),
        ([ACKNOWLEDGED, OVER], "high"),
        ([ACKNOWLEDGED, ACKNOWLEDGED], "urgent"),
        ([SHELVED, ACKNOWLEDGED], "high"),
    ],
)
def test_the_worst_is_one_that_nobody_has_acknowledged(states: list[str], worst: str | None) -> None:
    alarms = [{**alarm, "state": state} for alarm, state in zip([WELDED, NO_PRICE], states, strict=False)]
    found = alarmed(alarms).alarms.worst
    assert (found.priority if found else None) == worst


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        (UNACKNOWLEDGED, ["acknowledge 0", *SHELVES, "take_out_of_service 0"]),
        (OVER, ["acknowledge 0", *SHELVES, "take_out_of_service 0"]),
        (ACKNOWLEDGED, [*SHELVES, "take_out_of_service 0"]),
        (SHELVED, ["unshelve 0", "take_out_of_service 0"]),
        (OUT, ["return_to_service 0"]),
    ],
)
def test_what_may_be_done(state: str, wanted: list[str]) -> None:
    orders = only(state=state).orders()
    assert [f"{order.action} {order.shelve_s}" for order in orders] == wanted
    assert {(order.number, order.name) for order in orders} == {(45, "RTS1")}


def test_an_order_stands_as_long_as_it_makes_sense() -> None:
    (acknowledge, *_, take_out) = only().orders()
    acknowledge_all = AlarmOrder(action=AlarmAction.ACKNOWLEDGE)
    for alarms, wanted in (
        ([WELDED], [True, True, True]),
        ([{**WELDED, "state": ACKNOWLEDGED}], [False, True, False]),
        ([{**WELDED, "state": OUT}, NO_PRICE], [False, False, True]),
        ([{**WELDED, "name": "RTS9"}], [False, False, True]),  # another site's
        ([], [False, False, False]),
    ):
        found = alarmed(alarms).alarms
        assert [found.allows(order) for order in (acknowledge, take_out, acknowledge_all)] == wanted


@pytest.mark.parametrize("order", [*only().orders(), AlarmOrder(action=AlarmAction.ACKNOWLEDGE)])
def test_every_order_fits_its_registers_and_has_its_words(order: AlarmOrder) -> None:
    points = load_map("pev_master").points
    assert {n: decode(points[n], encode(points[n], v)) for n, v in order.values.items()} == order.values
    assert (order.number == ALL) == (order.subject == "acknowledge_all")
    for language in languages():
        texts = load_texts(language)
        assert order.new(texts)
        assert texts(f"ask.{order.subject}", station="RTS1")
        assert texts(f"ask.do_{order.subject}")


def test_words() -> None:
    assert only().state_text(TEXTS) == "Not acknowledged"
    assert only(state=OVER).state_text(TEXTS) == "Over, not acknowledged"
    assert only(state=SHELVED, shelved_left=780).state_text(TEXTS) == "Shelved for 13 min"
    assert only().orders()[1].new(TEXTS) == "Shelved for 15 min"


def test_since_when_with_the_day_where_it_is_another() -> None:
    assert only().since(NOON) == "12:31:56"
    assert only().since(NOON + timedelta(days=1)) == "2026-12-28 12:31"
