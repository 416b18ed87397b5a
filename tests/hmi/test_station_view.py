"""What a driver is shown of every state that a station can be in, and of values that are no longer true."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmi.look import Look
from hmi.polling import STALE_S, Latest
from hmi.station_picture import station_picture
from hmi.station_view import MEASURED_S, Button, StationView, station_view
from hmi.texts import load_texts
from modbus_link.image import RegisterImage
from register_maps.codec import decode
from register_maps.points import Point, PointType, Value
from register_maps.register_map import load_map
from register_maps.vocabulary import ChargeState, FaultCode, LimitReason

MAP = load_map("pev_rtu")
TEXTS = load_texts("en")
NOW = 1000.0
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
CHARGING: dict[str, Value] = {
    "name": "RTS1",
    "vehicle_connected": True,
    "contactor_closed": True,
    "state": "charging",
    "heartbeat": 7,
    "measurement_age": 40,
    "voltage": 108.5,
    "current": 30.41,
    "state_of_charge": 29.9,
    "power": 3300,
    "session_energy": 980,
    "total_energy": 12_000,
    "charging_time": 725,
    "time_to_full": 3900,
    "power_limit": 3300,
    "price": 0.12,
    "price_limit": 0.20,
    "failsafe_timeout": 10,
}


def registers(**changes: Value) -> dict[str, Value]:
    """As they are read: what was set, through the registers and back."""
    image = RegisterImage(MAP)
    image.update(CHARGING | changes)
    return {name: image[name] for name in MAP.points}


def view(
    values: dict[str, Value],
    *,
    read_s: float = 0,
    counted_s: float = 0,
    at: datetime = NOON,
    speed: float = 1,
) -> StationView:
    latest = Latest(since=0, values=values, read_at=NOW - read_s, counted_at=NOW - counted_s)
    return station_view(latest, NOW, at, TEXTS, speed=speed)


def waiting(**changes: Value) -> dict[str, Value]:
    return {"state": "suspended_evse", "contactor_closed": False, "power": 0, "time_to_full": None} | changes


def stopped(**changes: Value) -> dict[str, Value]:
    return waiting(state="finishing", limit_reason_local="user_stop", user_stopped=True) | changes


def because(reason: str, **changes: Value) -> dict[str, Value]:
    """Its master's reason, while the station has none of its own."""
    return waiting(limit_reason=reason, **changes)


def by_itself(reason: str, **changes: Value) -> dict[str, Value]:
    return waiting(limit_reason_local=reason, limit_reason="price", price=0.3, **changes)


SAFE = "No contact with the master: safe mode"
STOP, START = Button.STOP, Button.START
FULL: dict[str, Value] = waiting(state="finishing", fully_charged=True, limit_reason_local="full")
FREE: dict[str, Value] = waiting(state="available", vehicle_connected=False, limit_reason_local="no_vehicle")
FAULTED: dict[str, Value] = waiting(state="faulted", fault=True, limit_reason_local="fault")

WELDED = FAULTED | {"fault_code": "contactor_welded", "contactor_closed": True}
NOT_CLOSED = FAULTED | {"fault_code": "contactor_not_closed", "failsafe_active": True}
IMPLAUSIBLE = FAULTED | {"fault_code": "implausible_value"}

WAITS = [
    # From its master
    (because("none"), "Waiting for permission"),
    (because("price", price=0.32), "Waiting: price 0.32 is above 0.20"),
    (because("price", price=0.2001), "Waiting: price 0.2001 is above 0.20"),
    (because("price", price=0.20), "Waiting: the price has just fallen"),
    (because("price", price=-0.05), "Waiting: the price has just fallen"),
    (because("price", price=-0.05, price_limit=-0.1), "Waiting: price -0.05 is above -0.10"),
    (because("price", price=None), "Waiting: the price is unknown"),
    (because("price", price_limit=None), "Waiting: the price is unknown"),
    (because("power"), "Waiting: no power left for now"),
    (because("voltage"), "Limited by the feeder's voltage"),
    (because("waiting_turn"), "Waiting its turn"),
    (because("no_data"), "Waiting: the master has no readings"),
    (because("operator"), "Held by the operator"),
    (because("failsafe"), SAFE),
    (because("fault"), "Waiting after a fault"),
    (because("user_stop"), "Waiting for permission"),
    (because("full"), "Waiting for permission"),
    (because("no_vehicle"), "Waiting for permission"),
    # By itself, which comes first
    (by_itself("none"), "Waiting: price 0.30 is above 0.20"),
    (by_itself("price"), "Waiting: price 0.30 is above 0.20"),
    (by_itself("power"), "Waiting: no power left for now"),
    (by_itself("voltage"), "Limited by the feeder's voltage"),
    (by_itself("waiting_turn"), "Waiting its turn"),
    (by_itself("no_data"), "Waiting: the master has no readings"),
    (by_itself("operator"), "Held by the operator"),
    (by_itself("failsafe", failsafe_active=True), SAFE),
    (by_itself("failsafe"), "Waiting some seconds for its power"),
    (by_itself("fault"), "Waiting after a fault"),
    (by_itself("user_stop"), "Waiting for permission"),
    (by_itself("full"), "Waiting for permission"),
    (by_itself("no_vehicle"), "Waiting for permission"),
]
SHOWN: list[tuple[dict[str, Value], Look, str, str, Button | None]] = [
    (FREE, Look.FREE, "Free: please plug in", "", None),
    (FREE | {"failsafe_active": True}, Look.FREE, "Free: please plug in", SAFE, None),
    ({"state": "preparing"}, Look.CHARGING, "Starting", "", STOP),
    ({}, Look.CHARGING, "Charging", "", STOP),
    ({"failsafe_active": True}, Look.CHARGING, "Charging", SAFE, STOP),
    ({"state": "suspended_ev", "power": 0}, Look.WAITING, "The vehicle pauses", "", STOP),
    (FULL, Look.FULL, "Full: please unplug", "", None),
    (FULL | {"user_stopped": True}, Look.FULL, "Full: please unplug", "", None),
    (FULL | {"contactor_closed": True}, Look.FULL, "Full: please unplug", "", STOP),
    (stopped(), Look.STOPPED, "Stopped by you", "", START),
    (stopped(contactor_closed=True), Look.STOPPED, "Stopped by you", "", STOP),
    (stopped(failsafe_active=True), Look.STOPPED, "Stopped by you", SAFE, START),
    (FAULTED | {"fault_code": "sensor_failed"}, Look.FAULT, "Out of order: a sensor failed", "", STOP),
    (WELDED, Look.FAULT, "Out of order: contactor did not open", "", STOP),
    (WELDED | {"user_stopped": True}, Look.FAULT, "Out of order: contactor did not open", "", STOP),
    (NOT_CLOSED, Look.FAULT, "Out of order: contactor did not close", SAFE, STOP),
    (IMPLAUSIBLE, Look.FAULT, "Out of order: sensor value impossible", "", STOP),
    (
        FAULTED | {"fault_code": "hardware_failed"},
        Look.FAULT,
        "Out of order: station hardware failed",
        "",
        STOP,
    ),
    (FAULTED | {"fault_code": "none"}, Look.FAULT, "Out of order: cause unknown", "", STOP),
    (FAULTED | {"vehicle_connected": False}, Look.FAULT, "Out of order: cause unknown", "", STOP),
    *((changes, Look.WAITING, headline, "", STOP) for changes, headline in WAITS),
]


@pytest.mark.parametrize(("changes", "look", "headline", "detail", "button"), SHOWN)
def test_what_is_shown(
    changes: dict[str, Value], look: Look, headline: str, detail: str, button: Button | None
) -> None:
    seen = view(registers(**changes))
    assert (seen.look, seen.headline, seen.detail, seen.button) == (look, headline, detail, button)
    assert seen.is_live


def test_the_table_has_every_name() -> None:
    reasons = {"limit_reason": LimitReason, "limit_reason_local": LimitReason}
    rows = [registers(**changes) for changes, *_ in SHOWN]
    for point, names in ({"state": ChargeState, "fault_code": FaultCode} | reasons).items():
        assert {row[point] for row in rows} == set(names)


def test_a_state_that_no_map_knows_says_no_more_than_it_knows() -> None:
    unknown = registers() | {"state": None, "limit_reason": None, "limit_reason_local": None}
    seen = view(unknown)
    assert (seen.look, seen.headline, seen.button) == (Look.WAITING, "Waiting for permission", STOP)
    odd = registers(**because("operator")) | {"limit_reason_local": None}
    assert view(odd).headline == "Held by the operator"
    broken = registers(**FAULTED) | {"fault_code": None}
    assert view(broken).headline == "Out of order: cause unknown"


def test_the_values_of_a_station_that_charges() -> None:
    seen = view(registers())
    assert (seen.name, seen.state_of_charge_pct, seen.charge) == ("RTS1", 29.9, "29 %")
    assert seen.to_full == ("Full in 1 h 05 min", "at 13:05")
    assert seen.fields == (
        ("Charging time", "12 min"),
        ("Power", "3.30 kW"),
        ("Voltage", "108.5 V"),
        ("Energy", "980 Wh"),
        ("Price per kWh", "0.12"),
    )


def test_values_that_are_not_there_are_dashes() -> None:
    nothing = {name: None for name, point in MAP.points.items() if point.nan is not None}
    seen = view(registers(**nothing | {"measurement_age": 0}))
    assert seen.is_live
    assert (seen.state_of_charge_pct, seen.charge, seen.to_full) == (None, "–", ())
    assert [value for _, value in seen.fields] == ["–"] * 5


TO_FULL = [
    (0, ("Full in 0 s", "at 23:30")),
    (45, ("Full in 45 s", "at 23:30")),
    (1799, ("Full in 29 min", "at 23:59")),
    (1800, ("Full in 30 min", "at 00:00")),
    (3900, ("Full in 1 h 05 min", "at 00:35")),
    (86_399, ("Full in 23 h 59 min", "at 23:29")),
    (86_400, ("Full in 24 h 00 min",)),
    (2**32 - 2, ("Full in 1193046 h 28 min",)),
]


@pytest.mark.parametrize(("seconds", "lines"), TO_FULL)
def test_when_it_is_full(seconds: int, lines: tuple[str, ...]) -> None:
    """Over midnight the time of day still is clear; a day on, it would be another day's."""
    seen = view(registers(time_to_full=seconds), at=NOON.replace(hour=23, minute=30))
    assert seen.to_full == lines


# --- Values that are old --------------------------------------------------------------------------------

SILENT, HANGS = "The station does not answer", "The station's control stands still"
OLD = [
    (STALE_S, 0, SILENT, "Values are 1 s old"),
    (75, 75, SILENT, "Values are 1 min old"),
    (0, STALE_S, HANGS, "Values are 1 s old"),
    (0.3, 40, HANGS, "Values are 40 s old"),
    (STALE_S, 3700, SILENT, "Values are 1 h 01 min old"),
]


@pytest.mark.parametrize(("read_s", "counted_s", "headline", "detail"), OLD)
def test_an_old_reading_is_never_live(read_s: float, counted_s: float, headline: str, detail: str) -> None:
    seen = view(registers(), read_s=read_s, counted_s=counted_s)
    assert (seen.look, seen.headline, seen.detail) == (Look.SILENT, headline, detail)
    assert not seen.is_live
    assert seen.button is STOP
    assert seen.to_full == ()  # it goes on counting down only where the station does
    assert (seen.name, seen.charge, seen.fields) == ("RTS1", "29 %", view(registers()).fields)


def test_just_before_a_reading_is_old_it_is_live() -> None:
    assert view(registers(), read_s=STALE_S - 0.01, counted_s=STALE_S - 0.01).is_live


@pytest.mark.parametrize(
    ("age_ms", "speed", "detail"),
    [
        (MEASURED_S * 1000, 1, "Values are 2 s old"),
        (0xFFFE, 1, "Values are 1 min old"),
        (None, 1, "Nothing has been read yet"),
        (MEASURED_S * 60_000, 60, "Values are 2 min old"),
        (None, 60, "Nothing has been read yet"),
    ],
)
def test_a_station_that_answers_but_does_not_measure(age_ms: float | None, speed: float, detail: str) -> None:
    """Its state is of now, its values are not."""
    values = registers() | {"measurement_age": age_ms}
    seen = view(values, speed=speed)
    assert (seen.look, seen.headline, seen.detail) == (Look.CHARGING, "Charging", detail)
    assert not seen.is_live
    assert (seen.to_full, seen.button) == ((), STOP)


def test_a_simulation_s_ages_are_of_its_own_time() -> None:
    assert view(registers(measurement_age=0xFFFE), speed=60).is_live
    assert not view(registers(measurement_age=2000), speed=1).is_live
    assert view(registers(measurement_age=1999), speed=1).is_live


@pytest.mark.parametrize(
    ("waited_s", "headline", "detail"),
    [(0, "Connecting", ""), (1.4, "Connecting", ""), (1.5, SILENT, "Nothing has been read yet")],
)
def test_before_the_first_reading(waited_s: float, headline: str, detail: str) -> None:
    seen = station_view(Latest(since=NOW - waited_s), NOW, NOON, TEXTS)
    assert (seen.look, seen.headline, seen.detail) == (Look.SILENT, headline, detail)
    assert not seen.is_live
    assert seen.button is STOP
    assert (seen.charge, seen.fields) == ("–", ())


# --- Whatever the registers hold ------------------------------------------------------------------------


def any_value(point: Point) -> st.SearchStrategy[Value]:
    """What its words may decode to; often a name that it has, no value, or a limit."""
    if point.type is PointType.BOOL:
        return st.booleans()
    if point.type.is_named:
        return st.sampled_from([*point.values.values(), None])
    word = st.one_of(st.integers(0, 0xFFFF), st.sampled_from([0, 1, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF]))
    words = st.lists(word, min_size=point.width, max_size=point.width).map(lambda w: decode(point, w))
    return words if point.nan is None else st.one_of(words, st.none())


def measure(text: str, size: int, bold: bool) -> int:
    return len(text) * size // 2


any_registers = st.fixed_dictionaries({name: any_value(point) for name, point in MAP.points.items()})
ages = st.one_of(st.floats(0, 3), st.floats(0, 1e7), st.sampled_from([0.0, STALE_S]))


@settings(deadline=None)
@given(any_registers, ages, ages, st.sampled_from([0.5, 1.0, 60.0]), st.sampled_from(["en", "zh"]))
def test_any_registers_have_a_view(
    values: dict[str, Any], read_s: float, counted_s: float, speed: float, language: str
) -> None:
    latest = Latest(since=0, values=values, read_at=NOW - read_s, counted_at=NOW - counted_s)
    seen = station_view(latest, NOW, NOON, load_texts(language), speed=speed)
    assert seen.headline
    age_ms = values["measurement_age"]
    measures = age_ms is not None and age_ms / 1000 / speed < MEASURED_S
    answers = latest.read_age_s(NOW) < STALE_S and latest.counted_age_s(NOW) < STALE_S
    assert seen.is_live == (measures and answers)
    assert seen.is_live or seen.detail
    if values["contactor_closed"]:
        assert seen.button is Button.STOP
    for size in ((800, 480), (320, 480)):
        picture = station_picture(seen, "12:00", size, measure, load_texts(language))
        assert [press.what for _, press in picture.touches] == ([seen.button] if seen.button else [])
        assert picture.stays_lit == (seen.button is Button.STOP)


def test_the_neighbours_are_shown_with_what_they_do():
    peers = {
        "peer_1_name": "RTS2",
        "peer_1_age": 1,
        "peer_1_state": "charging",
        "peer_1_power": 3300,
        "peer_1_state_of_charge": 29.4,
        "peer_2_name": "RTS3",
        "peer_2_age": None,
        "peer_3_name": "RTS4",
        "peer_3_age": 0,
        "peer_3_state": "available",
        "peer_3_power": 0,
        "peer_3_state_of_charge": None,
        "peer_4_name": "",
    }
    shown = view(registers() | peers)
    assert shown.neighbours == (("RTS2", "Charging  3.30 kW  29 %"), ("RTS3", "Silent"), ("RTS4", "Free"))
    assert view(registers()).neighbours == ()
