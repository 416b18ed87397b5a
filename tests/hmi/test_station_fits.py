"""Everything that the driver's screen can draw, with its real fonts: nothing is cut, nothing overlaps."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from itertools import combinations

import pytest

from hmi.look import Look
from hmi.polling import Latest
from hmi.sketch import Align, Box, Label, Measure, Picture
from hmi.station_picture import station_picture
from hmi.station_view import Button, StationView, station_view
from hmi.texts import Texts, languages, load_texts
from hmi.window import ScreenWindow
from register_maps.points import Value
from register_maps.register_map import load_map
from register_maps.vocabulary import ChargeState, FaultCode, LimitReason

SIZES = [(480, 320), (800, 480), (320, 480), (480, 800), (1280, 800)]
LINE = 1.15
"""Height of a line of text, of which no other may have a part."""
NOW = 1000.0
LATE = datetime(2026, 12, 28, 23, 59)
LONGEST_NAME = "Car park 2 / W16"

USUAL: dict[str, Value] = {
    "name": "RTS1",
    "measurement_age": 20,
    "heartbeat": 7,
    "fault_code": FaultCode.NONE,
    "failsafe_active": False,
    "vehicle_connected": True,
    "contactor_closed": False,
    "user_stopped": False,
    "fully_charged": False,
    "limit_reason": LimitReason.NONE,
    "limit_reason_local": LimitReason.NONE,
    "voltage": 108.3,
    "power": 3300,
    "state_of_charge": 29.0,
    "state_of_charge_estimated": False,
    "session_energy": 5800,
    "charging_time": 3725,
    "time_to_full": 18000,
    "price": 0.12,
    "price_limit": 0.20,
}
WIDEST: dict[str, Value] = {
    **USUAL,
    "name": LONGEST_NAME,
    "voltage": 1088.8,
    "power": -88_888,
    "state_of_charge": 100.0,
    "state_of_charge_estimated": True,
    "session_energy": 888_888,
    "charging_time": 88 * 3600 + 88,
    "time_to_full": 23 * 3600 + 59 * 60,
    "price": -19.9999,
    "price_limit": -19.9998,
}
NOTHING: dict[str, Value] = {
    **USUAL,
    **dict.fromkeys(
        ["voltage", "power", "state_of_charge", "session_energy", "charging_time", "time_to_full", "price"]
    ),
}
STOPPED: dict[str, Value] = {"state": ChargeState.FINISHING, "user_stopped": True}
PEERS = [
    (state, power_w, charge)
    for state in ChargeState
    for power_w, charge in ((0, None), (-88_888, 100.0), (None, None))
]
PRICES: list[dict[str, Value]] = [
    {"price": 0.2001, "price_limit": 0.2},
    {"price": 19.9999, "price_limit": 19.9998},
    {"price": -19.9998, "price_limit": -19.9999},
    {"price": None},
    {"price": 0.1, "price_limit": 0.2},
]
AGES_S = [0.1, 3.0, 88 * 3600.0]


def test_the_widest_name_is_as_long_as_a_name_can_be() -> None:
    assert len(LONGEST_NAME) == 2 * load_map("pev_rtu").points["name"].length


def states() -> Iterator[dict[str, Value]]:
    """Whatever gives a headline or a button of its own."""
    for state in ChargeState:
        for closed in (False, True):
            yield {"state": state, "contactor_closed": closed}
        yield {"state": state, "contactor_closed": True, "failsafe_active": True}
    yield {"state": ChargeState.FINISHING, "fully_charged": True}
    yield {"state": None}
    yield from (STOPPED, {**STOPPED, "contactor_closed": True})
    yield {"state": ChargeState.AVAILABLE, "vehicle_connected": False}
    yield from ({"state": ChargeState.FAULTED, "fault_code": code} for code in (*FaultCode, None))
    waits = {"state": ChargeState.SUSPENDED_EVSE}
    for reason in (*LimitReason, None):
        yield from ({**waits, "limit_reason": reason}, {**waits, "limit_reason_local": reason})
    for prices in PRICES:
        yield {**waits, "limit_reason": LimitReason.PRICE, **prices}


def neighbours() -> Iterator[dict[str, Value]]:
    """One of them, and as many as there can be, with the longest names and the widest values."""
    for count in (1, 8):
        for state, power_w, charge in PEERS:
            yield {
                f"peer_{n}_{name}": value
                for n in range(1, count + 1)
                for name, value in {
                    "name": LONGEST_NAME,
                    "age": 9 if n == 2 else 0,
                    "state": state,
                    "power": power_w,
                    "state_of_charge": charge,
                }.items()
            }


@cache
def views(language: str) -> list[StationView]:
    texts = load_texts(language)
    found = list(unread(texts))
    for values in (USUAL, WIDEST, NOTHING):
        for state in states():
            found += aged({**values, **state}, texts)
    for values in (USUAL, WIDEST, {**WIDEST, "failsafe_active": True}):
        for peers in neighbours():
            found += aged({**values, "state": ChargeState.CHARGING, **peers}, texts)
    return [*dict.fromkeys((*found, *with_orders(found, texts)))]


def unread(texts: Texts) -> Iterator[StationView]:
    for age_s in AGES_S:
        yield station_view(Latest(since=NOW - age_s), NOW, LATE, texts)


def aged(values: dict[str, Value], texts: Texts) -> Iterator[StationView]:
    """As read just now; not read, or not counted on, for some time; and measured long ago, or never."""
    for age_s in AGES_S:
        for read_s, counted_s in ((age_s, age_s), (0.1, age_s)):
            at = Latest(since=0, values=values, read_at=NOW - read_s, counted_at=NOW - counted_s)
            yield station_view(at, NOW, LATE, texts)
    for age_ms in (2000, 0xFFFE, None):
        values = {**values, "measurement_age": age_ms}
        yield station_view(Latest(since=0, values=values, read_at=NOW, counted_at=NOW), NOW, LATE, texts)


def with_orders(found: list[StationView], texts: Texts) -> Iterator[StationView]:
    """As `StationScreen` tells what became of a press; one view of each headline will do."""
    for view in {(view.headline, view.button): view for view in found}.values():
        for doing in (texts("station.stopping"), texts("station.resuming")):
            yield replace(view, headline=doing) if view.is_live else replace(view, detail=doing)
        for order in (texts("station.stop"), texts("station.start")):
            for answer in ("overdue", "refused"):
                headline, detail = (
                    texts(f"station.{answer}", order=order),
                    texts(f"station.{answer}_what_to_do"),
                )
                yield replace(view, look=Look.FAULT, headline=headline, detail=detail)


@pytest.fixture(scope="module", params=languages())
def window(display: str, request: pytest.FixtureRequest) -> Iterator[tuple[str, ScreenWindow]]:
    window = ScreenWindow("measure", (480, 320), font=load_texts(request.param).font)
    yield request.param, window
    window.close()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_nothing_is_cut_and_nothing_overlaps(window: tuple[str, ScreenWindow], size: tuple[int, int]) -> None:
    language, shown_in = window
    texts, measure = load_texts(language), shown_in.measure
    faults: dict[str, str] = {}
    for view in views(language):
        picture = station_picture(view, "23:59", size, measure, texts)
        for fault in faults_of(picture, size, measure, view.button):
            faults.setdefault(fault, picture.title)
    assert not faults, "\n".join(f"{fault}   in {title}" for fault, title in faults.items())


def faults_of(
    picture: Picture, size: tuple[int, int], measure: Measure, button: Button | None
) -> Iterator[str]:
    labels = [(shape, box_of(shape, measure)) for shape in picture.shapes if isinstance(shape, Label)]
    whole = Box(0, 0, *size)
    for label, box in labels:
        if not is_within(box, whole):
            yield f"outside: {label.text!r}"
        if "…" in label.text:
            yield f"cut: {label.text!r}"
        if label.size < 10:
            yield f"too small, {label.size}: {label.text!r}"
    for (one, box), (other, other_box) in combinations(labels, 2):
        if overlap(box, other_box):
            yield f"over each other: {one.text!r}, {other.text!r}"
    pressed = [press.what for _, press in picture.touches]
    if pressed != ([button] if button else []):
        yield f"{pressed} can be pressed, and not {button}"
    for box, _ in picture.touches:
        if box.height < 60 or box.width < 200 or not is_within(box, whole):
            yield f"no button for a finger: {box}"


def box_of(label: Label, measure: Measure) -> Box:
    width, height = measure(label.text, label.size, label.bold), label.size * LINE
    left = {Align.LEFT: label.x, Align.CENTRE: label.x - width / 2, Align.RIGHT: label.x - width}[label.align]
    return Box(left, label.y - height / 2, width, height)


def is_within(box: Box, whole: Box) -> bool:
    return box.x >= 0 and box.y >= 0 and box.right <= whole.right and box.bottom <= whole.bottom


def overlap(one: Box, other: Box) -> bool:
    """By more than a pixel: places are rounded to whole ones."""
    across = min(one.right, other.right) - max(one.x, other.x)
    down = min(one.bottom, other.bottom) - max(one.y, other.y)
    return across > 1 and down > 1
