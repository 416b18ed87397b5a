"""What an operator is shown of a master's registers, whatever they hold."""

import random

import pytest
from master_values import (
    CHARGING,
    KINDS,
    NOON,
    SIZES,
    WELDED,
    event,
    full_trend,
    image_of,
    many,
    rough,
    sight,
    values_of,
    view_of,
    with_alarms,
)

from hmi.alarm_panel import AlarmPanel
from hmi.look import Look
from hmi.master_picture import master_picture
from hmi.master_view import MasterView, master_view, trouble
from hmi.operator_panel import TABS, OperatorPanel, Question, Step
from hmi.polling import STALE_S, Latest
from hmi.texts import languages, load_texts
from register_maps.codec import decode
from register_maps.points import Point, PointType, Value, raw_range
from register_maps.register_map import load_map

TEXTS = load_texts()
READ_AT = 1000.0


@pytest.mark.parametrize(
    ("kind", "look", "state", "reason"),
    [
        ("charging", Look.CHARGING, "Charging", ""),
        ("starting", Look.CHARGING, "Starting", ""),
        ("price", Look.WAITING, "Waiting", "price above its limit"),
        ("turn", Look.WAITING, "Waiting", "waits its turn"),
        ("held", Look.WAITING, "Waiting", "held by the operator"),
        ("failsafe", Look.WAITING, "Waiting", "safe mode"),
        ("pauses", Look.WAITING, "Car pauses", ""),
        ("full", Look.FULL, "Finished", "full, please unplug"),
        ("stopped", Look.STOPPED, "Finished", "stopped by the driver"),
        ("free", Look.FREE, "Free", ""),
        ("faulted", Look.FAULT, "Out of order", "contactor did not open"),
        ("silent", Look.SILENT, "Silent", "for 42 s"),
        ("stale", Look.CHARGING, "Charging", "values stand still"),
        ("does not open", Look.FAULT, "Waiting", "does not open!"),
    ],
)
def test_how_a_station_looks(kind: str, look: Look, state: str, reason: str) -> None:
    (row,) = view_of(KINDS[kind]).stations
    assert (row.look, row.state_text(TEXTS), row.reason_text(TEXTS)) == (look, state, reason)


def test_every_kind_of_station_that_needs_attention_comes_first() -> None:
    kinds = list(KINDS)
    random.Random(7).shuffle(kinds)
    view = view_of(*(KINDS[kind] | {"name": kind} for kind in kinds))
    order = [row.name for row in view.by_attention()]
    assert set(order[:3]) == {"faulted", "silent", "does not open"}
    assert set(order[3:6]) == {"held", "failsafe", "stale"}
    assert set(order[6:8]) == {"price", "turn"}
    assert order[8:11] == ["pauses", "starting", "charging"]
    assert set(order[11:13]) == {"full", "stopped"}
    assert order[13:] == ["free"]


def test_of_two_that_need_the_same_the_first_comes_first() -> None:
    view = view_of(*[CHARGING] * 12)
    assert [row.number for row in view.by_attention()] == list(range(1, 13))


def test_a_silent_station_that_was_never_heard_has_no_age() -> None:
    (row,) = view_of(KINDS["silent"] | {"reading_age": None}).stations
    assert row.state_text(TEXTS) == "Silent"


@pytest.mark.parametrize("count", [0, 1, 5, 16, 17, 40])
def test_events_of_the_ring_in_their_order(count: int) -> None:
    view = view_of(CHARGING, events=count)
    assert [row.number for row in view.events] == list(range(max(1, count - 15), count + 1))
    if count:
        assert view.events[-1].time_s == int(NOON.timestamp()) + count


def test_an_event_may_say_what_it_wants() -> None:
    image = image_of(CHARGING)
    image.update(event(1, "site: Überspannung … 电价"))
    (row,) = master_view(values_of(image)).events
    assert row.text == "site: Überspannung … 电价"


@pytest.mark.parametrize(
    ("changes", "price", "power", "voltage"),
    [
        ({}, False, False, False),
        ({"price": 0.2}, False, False, False),
        ({"price": 0.2001}, True, False, False),
        ({"price_known": False}, True, False, False),
        ({"price": None}, True, False, False),
        ({"power": 5001}, False, True, False),
        ({"power": None}, False, True, False),
        ({"lowest_voltage": 104.4}, False, False, True),
        ({"highest_voltage": 115.6}, False, False, True),
        ({"lowest_voltage": None, "highest_voltage": None}, False, False, True),
    ],
)
def test_the_three_conditions(changes: dict[str, Value], price: bool, power: bool, voltage: bool) -> None:
    view = view_of(CHARGING, **changes)
    assert (view.price_is_over, view.power_is_over, view.voltage_is_out) == (price, power, voltage)


def latest(*, link_s: float = 0.1, counted_s: float = 0.1, scan_period_ms: int = 1000) -> Latest:
    values = values_of(image_of(CHARGING, scan_period=scan_period_ms))
    return Latest(since=0, values=values, read_at=READ_AT - link_s, counted_at=READ_AT - counted_s)


@pytest.mark.parametrize(
    ("seen", "headline", "detail"),
    [
        (latest(), "", ""),
        (latest(link_s=STALE_S - 0.01), "", ""),
        (latest(link_s=STALE_S), "The master does not answer", "Values are 1 s old"),
        (latest(link_s=90, counted_s=130), "The master does not answer", "Values are 2 min old"),
        (latest(counted_s=2.4), "", ""),
        (latest(counted_s=2.5), "The master no longer scans", "Values are 2 s old"),
        (latest(counted_s=24, scan_period_ms=10_000), "", ""),
        (latest(counted_s=25, scan_period_ms=10_000), "The master no longer scans", "Values are 25 s old"),
        (latest(counted_s=1.4, scan_period_ms=100), "", ""),
        (latest(counted_s=1.5, scan_period_ms=0), "The master no longer scans", "Values are 1 s old"),
        (Latest(since=READ_AT - 1), "Connecting to the master", ""),
        (Latest(since=READ_AT - 2), "The master does not answer", "Nothing has been read yet"),
    ],
)
def test_what_is_wrong_with_what_was_read(seen: Latest, headline: str, detail: str) -> None:
    assert trouble(seen, READ_AT, TEXTS) == (headline, detail)


PLACES = load_map("pev_master").expanded(station=3, event=16, alarm=6).points


def held_by(point: Point, chance: random.Random) -> Value:
    """Whatever a register of the master can tell: none, the ends of its range, and all between."""
    if point.type is PointType.BOOL:
        return chance.random() < 0.5
    if point.type is PointType.ENUM:
        return chance.choice(sorted(point.values.values()))
    if point.type is PointType.FLAGS:
        return frozenset(name for name in point.values.values() if chance.random() < 0.3)
    if point.type is PointType.STRING:
        return chance.choice(["", "RTS1", "W" * 2 * point.length, "充电站" * 3, "two\nlines", "a…b"])
    low, high = raw_range(point.type)
    while True:
        ends = [0, 1, low, high, low if point.nan is None else int(point.nan)]
        raw = chance.choice([*ends, chance.randint(low, high), chance.randint(0, 5000)])
        value = decode(point, encode_raw(point, raw))
        if value is not None or point.nan is not None:
            return value


def encode_raw(point: Point, number: int) -> list[int]:
    return [number >> 16 & 0xFFFF, number & 0xFFFF][2 - point.width :]


def draw_everything(view: MasterView, languages: list[str]) -> None:
    questions = [None, *(Question(subject=s, step=Step.ENTER, typed="1") for s in ("price_limit",))]
    questions.append(Question(subject="power_limit", step=Step.CONFIRM, typed="1"))
    questions.append(Question(subject="hold", step=Step.CONFIRM, station=1, name="RTS1"))
    for language in languages:
        for size in SIZES:
            for tab in TABS:
                panel = OperatorPanel(tab=tab)
                for panel.question in questions if tab == TABS[0] else [None]:
                    for headline in ("", "The master does not answer"):
                        seen = sight(view, panel, headline=headline, trend=full_trend(view.power_w)[:3])
                        master_picture(seen, size, rough, load_texts(language))
            for number in (0, *(row.number for row in view.alarms.rows)):
                panel = OperatorPanel(alarms=AlarmPanel(is_open=True, at=3, number=number))
                master_picture(sight(view, panel), size, rough, load_texts(language))


@pytest.mark.parametrize("seed", range(20))
def test_no_contents_are_too_much_for_a_picture(seed: int) -> None:
    chance = random.Random(seed)
    view = master_view({name: held_by(point, chance) for name, point in PLACES.items()})
    view.by_attention()
    draw_everything(view, ["en"])


def test_nor_are_they_in_any_language() -> None:
    draw_everything(view_of(*many(12), events=3), languages())


NEWER = ["state", "limit_reason", "fault_code", "quality", "quality_cause", "unfollowed"]


@pytest.mark.parametrize("point", NEWER)
def test_a_number_that_this_version_does_not_know_ends_no_screen(point: str) -> None:
    """As of a newer master: the map gives it no name."""
    values = values_of(image_of(CHARGING)) | {f"station_1_{point}": None}
    draw_everything(master_view(values), ["en"])


@pytest.mark.parametrize(
    "point",
    ["role", "power_quality", "voltage_quality", "worst_priority", "alarm_1_state", "alarm_1_priority"],
)
def test_nor_does_one_of_the_site_or_of_an_alarm(point: str) -> None:
    values = values_of(with_alarms(image_of(CHARGING), WELDED)) | {point: None}
    draw_everything(master_view(values), ["en"])


QUALITIES: list[tuple[dict[str, Value], str]] = [
    ({}, ""),
    ({"quality": "uncertain", "quality_cause": "stale"}, "values stand still"),
    ({"quality": "bad", "quality_cause": "no_value"}, "a value is missing"),
    ({"quality": "uncertain", "quality_cause": "contradictory"}, "values contradict"),
    ({"quality": "uncertain", "quality_cause": "none"}, "values are doubtful"),
    ({"quality": "uncertain", "quality_cause": "stale", "limit_reason": "price"}, "values stand still"),
    ({"quality": "uncertain", "quality_cause": "stale", "unfollowed": "not_opened"}, "does not open!"),
    ({"unfollowed": "not_closed"}, "does not close!"),
    ({"unfollowed": "overdraws"}, "draws too much!"),
    ({"unfollowed": "not_arrived"}, "is not reached!"),
    ({"unfollowed": "not_opened", "answers": False, "reading_age": 42}, "for 42 s"),
]


@pytest.mark.parametrize(("changes", "reason"), QUALITIES)
def test_what_weighs_most_is_told(changes: dict[str, Value], reason: str) -> None:
    (row,) = view_of({**CHARGING, **changes}).stations
    assert row.reason_text(TEXTS) == reason
    assert row.attention == (0 if "unfollowed" in changes else 1 if changes else row.attention)
    if "unfollowed" in changes and row.answers:
        assert row.look is Look.FAULT


@pytest.mark.parametrize("register", ["uncertain_values", "bad_values"])
def test_a_figure_in_doubt_has_its_mark_and_the_others_have_none(register: str) -> None:
    (row,) = view_of({**CHARGING, register: frozenset({"power"})}).stations
    assert row.marked("3.30 kW", "power") == "3.30 kW ?"
    assert row.marked("42 %", "state_of_charge") == "42 %"
    assert row.marked("–", "power") == "–"
