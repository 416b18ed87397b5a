"""Everything that the operator's screen can draw, with its real fonts: nothing is cut, nothing overlaps."""

from collections.abc import Iterator
from functools import cache
from itertools import combinations, cycle

import pytest
from displays import ROOM
from master_values import (
    ACKNOWLEDGED,
    CHARGING,
    KINDS,
    OUT,
    OVER,
    SEVERAL,
    SHELVED,
    SILENT,
    SIZES,
    UNACKNOWLEDGED,
    WAITING,
    WELDED,
    alarmed,
    event,
    full_trend,
    image_of,
    sight,
    values_of,
    view_of,
    with_alarms,
)
from PIL import ImageGrab
from processes import wait_until

from hmi.alarm_panel import AlarmPanel
from hmi.alarm_view import AlarmOrder
from hmi.master_picture import MasterSight, master_picture
from hmi.master_view import MasterView, master_view
from hmi.operator_panel import TABS, OperatorPanel, Question, Step
from hmi.sketch import Align, Area, Box, Label, Measure, Picture
from hmi.texts import Texts, languages, load_texts
from hmi.window import ScreenWindow
from modbus_link.errors import ExceptionCode, Refused
from register_maps.points import Value
from register_maps.vocabulary import AlarmAction, FaultCode, LimitReason, QualityCause, Unfollowed

LINE = 1.15
"""Height of a line of text, of which no other may have a part."""
FINGER = 40
"""What can be pressed has at least so many pixels in each direction."""
ON_AN_LCD = [(480, 320), (800, 480)]
LONGEST_NAME = "Car park 2 / W16"
LONGEST_SITE = "Multi-storey car park, Wwww 16"
EVENT = "site: the price limit is 0.2500 instead of 0.2000, says 192.168.100.100 (operator: shift leader)"
ALARM = (
    "The contactor of Car park 2 / W16 did not open when told to; it counts as drawing its whole 22000 W."
    " Nobody else gets it"
)
"""As long as a register holds: 120 bytes."""
REMEDY = "Switch the station off at its breaker, mark it, and have the contactor replaced now."
IN_BANNER = f"{LONGEST_NAME}: {ALARM}"
WIDE_ALARM: dict[str, Value] = {**WELDED, "name": LONGEST_NAME, "text": ALARM, "remedy": REMEDY}
WIDEST: dict[str, Value] = {
    "voltage": 1088.8,
    "power": -88_888,
    "state_of_charge": 100.0,
    "time_to_full": 23 * 3600 + 59 * 60,
}
WIDEST_SITE: dict[str, Value] = {
    "site_name": LONGEST_SITE,
    "currency": "MMK",
    "price": -19.9999,
    "price_limit": -19.9998,
    "power": 8_888_888,
    "power_limit": 8_888_888,
    "power_limit_in_force": 8_888_887,
    "lowest_voltage": 388.8,
    "highest_voltage": 488.8,
    "voltage_low_limit": 388.8,
    "voltage_high_limit": 488.8,
    "charging_count": 88,
    "waiting_count": 88,
    "silent_count": 88,
}
DOUBTFUL: dict[str, Value] = {"voltage_quality": "uncertain"}
UNKNOWN_SITE: dict[str, Value] = {
    "price": None,
    "price_known": False,
    "power": None,
    "lowest_voltage": None,
    "highest_voltage": None,
}


def every_station() -> Iterator[dict[str, Value]]:
    """Whatever a row can say."""
    yield from KINDS.values()
    yield from ({**WAITING, "limit_reason": reason} for reason in LimitReason)
    yield from ({**KINDS["faulted"], "fault_code": code} for code in FaultCode)
    yield from ({**SILENT, "reading_age": age_s} for age_s in (59, 3599, 0xFFFE, None))
    yield from ({**CHARGING, **WIDEST, "unfollowed": unfollowed} for unfollowed in Unfollowed)
    doubtful = {"quality": "bad", "bad_values": frozenset({"power", "state_of_charge"})}
    yield from ({**CHARGING, **WIDEST, **doubtful, "quality_cause": cause} for cause in QualityCause)


def every_alarm() -> Iterator[dict[str, Value]]:
    """As many as the registers hold, in every state, as long as they can be."""
    states = cycle((UNACKNOWLEDGED, OVER, ACKNOWLEDGED, SHELVED, OUT))
    priorities = cycle(("urgent", "high", "medium", "low"))
    for number, state, priority in zip(range(1, 33), states, priorities, strict=False):
        yield {
            **WIDE_ALARM,
            "number": number,
            "state": state,
            "priority": priority,
            "shelved_left": 86_399 if state == SHELVED else 0,
        }


@cache
def views() -> list[MasterView]:
    """Two stations as they mostly are; and forty or so, with every value as wide as it can be."""
    wide = [{**station, "name": LONGEST_NAME} for station in every_station()]
    wide += [{**CHARGING, "name": "充电站五号"}] * (40 - len(wide))
    image = with_alarms(image_of(*wide, **WIDEST_SITE, **DOUBTFUL), *every_alarm())
    for number in range(1, 17):
        image.update(event(number, EVENT))
    return [
        view_of(CHARGING, KINDS["turn"], events=3),
        view_of(*every_station(), **UNKNOWN_SITE, site_name="P"),
        view_of(CHARGING, price=0.2001, power=5001, lowest_voltage=100.0),
        alarmed(SEVERAL, CHARGING, role="standby", **DOUBTFUL, power_quality="uncertain"),
        alarmed([{**WIDE_ALARM, "state": ACKNOWLEDGED}], CHARGING),
        master_view(values_of(image)),
    ]


def parts(view: MasterView) -> Iterator[OperatorPanel]:
    """Every tab, and every page of the list; a row at a time would show no row in another place."""
    yield from (OperatorPanel(tab=tab) for tab in TABS)
    yield from (OperatorPanel(first_row=row) for row in range(3, len(view.stations), 3))


def in_alarms(view: MasterView) -> Iterator[OperatorPanel]:
    """The list, page by page, and one alarm of each kind."""
    pages = range(
        0, max(1, min(len(view.alarms.rows), 20)), 3
    )  # the states and priorities come again after 20
    yield from (OperatorPanel(alarms=AlarmPanel(is_open=True, at=at)) for at in pages)
    for row in view.alarms.rows[:6]:
        yield OperatorPanel(alarms=AlarmPanel(is_open=True, number=row.number))


def questions(view: MasterView, texts: Texts) -> Iterator[OperatorPanel]:
    failed = str(Refused("write coil 1+1 of 192.168.100.100:50210", ExceptionCode.SERVER_DEVICE_FAILURE))
    whys = [texts("ask.refused", why=why) for why in (texts("ask.not_allowed"), texts("ask.busy"), failed)]
    for subject in ("price_limit", "power_limit", "hold", "release"):
        asked = {"subject": subject, "station": 1, "name": view.stations[0].name}
        for typed in ("-19.9999", "19.9999") if subject.endswith("limit") else ("",):
            shown = {"typed": "99999.99" if subject == "power_limit" else typed, **asked}
            yield OperatorPanel(question=Question(step=Step.CONFIRM, **shown))  # type: ignore[arg-type]
            yield OperatorPanel(question=Question(step=Step.SENDING, **shown))  # type: ignore[arg-type]
        for typed in ("", "1.25", "99999999", "-") if subject.endswith("limit") else ():
            yield OperatorPanel(question=Question(step=Step.ENTER, typed=typed, **asked))  # type: ignore[arg-type]
        for why in (*whys, texts("ask.not_reached")):
            yield OperatorPanel(question=Question(step=Step.REFUSED, why=why, **asked))  # type: ignore[arg-type]
        yield OperatorPanel(question=Question(step=Step.OFF, **asked))  # type: ignore[arg-type]
    orders = [order for row in view.alarms.rows[:5] for order in row.orders()]
    for order in (*orders, AlarmOrder(action=AlarmAction.ACKNOWLEDGE)):
        asked = {"subject": order.subject, "name": order.name, "order": order}
        yield OperatorPanel(question=Question(step=Step.CONFIRM, **asked))  # type: ignore[arg-type]


def sights(texts: Texts) -> Iterator[MasterSight]:
    trend = full_trend()
    age = texts("master.values_age", age=texts.duration(23 * 3600 + 59 * 60))
    yield sight(None, headline=texts("master.connecting"))
    yield sight(None, headline=texts("master.silent"), detail=texts("master.no_values"))
    for view in views():
        asked = questions(view, texts) if view in (views()[0], views()[-1]) else ()
        for panel in (*parts(view), *in_alarms(view), *asked):
            yield sight(view, panel, trend=trend)
        for headline in (texts("master.silent"), texts("master.stands_still")):
            yield sight(view, headline=headline, detail=age)
            yield sight(view, next(in_alarms(view)), headline=headline, detail=age)


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
    for seen in sights(texts):
        picture = master_picture(seen, size, measure, texts)
        for fault in (*faults_of(picture, size, measure, seen), *touch_faults(picture, size, seen)):
            faults.setdefault(fault, f"{seen.panel.tab}, {seen.panel.question or seen.headline}"[:90])
    assert not faults, "\n".join(f"{fault}   in {where}" for fault, where in faults.items())


def faults_of(picture: Picture, size: tuple[int, int], measure: Measure, seen: MasterSight) -> Iterator[str]:
    labels = [(shape, box_of(shape, measure)) for shape in uncovered(picture, size, seen)]
    whole = Box(0, 0, *size)
    for label, box in labels:
        if not is_within(box, whole):
            yield f"outside: {label.text!r}"
        if "…" in label.text and not may_be_cut(label.text):
            yield f"cut: {label.text!r} {label.size}"
    for (one, box), (other, other_box) in combinations(labels, 2):
        if overlap(box, other_box):
            yield f"over each other: {one.text!r}, {other.text!r}"


def uncovered(picture: Picture, size: tuple[int, int], seen: MasterSight) -> list[Label]:
    """A question lies over all that was drawn before."""
    shapes = list(picture.shapes)
    if seen.panel.question:
        covers = [n for n, shape in enumerate(shapes) if getattr(shape, "box", None) == Box(0, 0, *size)]
        shapes = shapes[covers[-1] :]
    return [shape for shape in shapes if isinstance(shape, Label)]


def may_be_cut(text: str) -> bool:
    """Names that others gave, and what an event or an alarm tells: these may be longer than there is room.
    Who touches the alarm sees all of it."""
    begin = text.removesuffix("…").rstrip()
    return any(begin in name for name in (LONGEST_NAME, LONGEST_SITE, "充电站五号", EVENT, IN_BANNER))


def touch_faults(picture: Picture, size: tuple[int, int], seen: MasterSight) -> Iterator[str]:
    whole = Box(0, 0, *size)
    for box, press in picture.touches:
        smaller = min(box.width, box.height)
        if size in ON_AN_LCD and smaller < FINGER:
            yield f"no room for a finger: {press.what} {press.text} has {smaller:.1f} pixels"
        if not is_within(box, whole):
            yield f"beyond the edge: {press}"
    if not seen.panel.question:
        for (box, press), (other_box, other) in combinations(picture.touches, 2):
            if overlap(box, other_box):
                yield f"over each other: {press}, {other}"


def box_of(label: Label, measure: Measure) -> Box:
    width, height = measure(label.text, label.size, label.bold), label.size * LINE
    left = {Align.LEFT: label.x, Align.CENTRE: label.x - width / 2, Align.RIGHT: label.x - width}[label.align]
    return Box(left, label.y - height / 2, width, height)


def is_within(box: Box, whole: Box) -> bool:
    """But for a pixel: places are rounded to whole ones."""
    return box.x >= -1 and box.y >= -1 and box.right <= whole.right + 1 and box.bottom <= whole.bottom + 1


def overlap(one: Box, other: Box) -> bool:
    across = min(one.right, other.right) - max(one.x, other.x)
    down = min(one.bottom, other.bottom) - max(one.y, other.y)
    return across > 1 and down > 1


@pytest.mark.parametrize("bold", [False, True])
def test_a_text_is_as_wide_as_it_is_measured(
    display: str, window: tuple[str, ScreenWindow], bold: bool
) -> None:
    """Or else nothing that is worked out by it can be trusted."""
    language, shown_in = window
    words = load_texts(language)("master.counts", charging=1, waiting=0, silent=0)
    width, height = ROOM
    wrong = {}
    for size in range(9, 25):
        label = Label(5, 100 + size, words, size, "#FFFFFF", bold, Align.LEFT)
        shown_in.paint(Picture((Area(Box(0, 0, width, height), "#000000"), label)))
        measured, painted = shown_in.measure(words, size, bold), painted_width(shown_in, display, label)
        if abs(measured - painted) > 4:
            wrong[size] = measured, painted
    assert not wrong, f"size: (measured, painted): {wrong}"


def painted_width(window: ScreenWindow, display: str, label: Label) -> int:
    """Of a white text on black, once it is there: two looks at it see the same."""
    found: list[tuple[int, int, int, int] | None] = []

    def is_steady() -> bool:
        list(window.events())
        seen = ImageGrab.grab(xdisplay=display).convert("L").point(lambda grey: 255 * (grey > 60))
        found.append(seen.getbbox())
        box = found[-1]
        return box is not None and found[-2:-1] == [box] and box[3] - box[1] <= 1.5 * label.size

    wait_until(is_steady)
    assert found[-1]
    return found[-1][2] - found[-1][0]
