"""The master's screen as text: everything that an operator must see is on it, known or not."""

import io
from dataclasses import replace

import pytest
from master_values import CHARGING, SEVERAL, WELDED, alarmed
from rich.console import Console

from hmi.alarm_view import AlarmsView
from hmi.master_view import MasterView, StationRow, master_view
from hmi.terminal import duration, screen
from hmi.texts import load_texts
from modbus_link.image import RegisterImage
from register_maps.register_map import load_map
from register_maps.vocabulary import (
    AlarmPriority,
    ChargeState,
    FaultCode,
    LimitReason,
    Quality,
    QualityCause,
    Unfollowed,
)

ROW = StationRow(
    number=1,
    name="RTS1",
    answers=True,
    held=False,
    failsafe_active=False,
    fault_code=FaultCode.NONE,
    reading_age_s=0,
    fully_charged=False,
    state=ChargeState.CHARGING,
    reason=LimitReason.NONE,
    voltage_v=108.5,
    power_w=3300,
    state_of_charge_pct=42.5,
    session_energy_wh=1234,
    charging_time_s=3725,
    time_to_full_s=7200,
    quality=Quality.GOOD,
    quality_cause=QualityCause.NONE,
    doubtful=frozenset(),
    unfollowed=Unfollowed.NONE,
)
VIEW = MasterView(
    site="Demo car park",
    currency="USD",
    price=0.12,
    price_limit=0.20,
    power_w=3300,
    power_limit_w=5000,
    power_limit_asked_w=5000,
    lowest_voltage_v=108.5,
    highest_voltage_v=110.0,
    voltage_low_limit_v=104.5,
    voltage_high_limit_v=115.5,
    scan_period_s=1,
    scans=77,
    overruns=3,
    charging=1,
    waiting=0,
    silent=0,
    is_standby=False,
    power_quality=Quality.GOOD,
    voltage_quality=Quality.GOOD,
    alarms=AlarmsView(count=0, unacknowledged=0, worst_priority=AlarmPriority.NONE, rows=()),
    stations=(ROW,),
    events=(),
)


def text(view: MasterView, *events: str, width: int = 140) -> str:
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(screen(view, "17:04", events, width))
    return console.export_text()


def test_everything_is_on_the_screen() -> None:
    shown = text(VIEW, "17:03  RTS1: allowed to charge", "17:04  site: price is 0.12")
    for words in [
        "Demo car park  17:04",
        "0.1200 USD/kWh",
        "limit 0.20",
        "3.30 kW",
        "limit 5.00 kW",
        "108.5 to 110.0 V",
        "band 104.5 to 115.5 V",
        "RTS1",
        "Charging",
        "42.5 %",
        "3300 W",
        "108.5 V",
        "1.23 kWh",
        "1:02 h",
        "2:00 h",
        "17:03  RTS1: allowed to charge",
        "77 scans, 3 overruns",
    ]:
        assert words in shown, words
    assert shown.count("ok, ") == 3


def test_a_narrow_terminal_leaves_out_the_session() -> None:
    shown = text(VIEW, width=80)
    for words in ["RTS1", "Charging", "42.5 %", "3300 W", "108.5 V", "2:00 h", "77 scans"]:
        assert words in shown, words
    assert "1.23 kWh" not in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("reason", LimitReason)
def test_every_reason_has_its_words(reason: LimitReason) -> None:
    row = replace(ROW, state=ChargeState.SUSPENDED_EVSE, reason=reason)
    assert load_texts()(f"reason.{reason}") in text(replace(VIEW, stations=(row,)))


@pytest.mark.parametrize("state", ChargeState)
def test_every_state_has_its_words(state: ChargeState) -> None:
    assert load_texts()(f"state.{state}") in text(replace(VIEW, stations=(replace(ROW, state=state),)))


def test_what_limits_is_told_in_words() -> None:
    assert "too dear" in text(replace(VIEW, price=0.2001))
    assert "too dear" not in text(replace(VIEW, price=0.20))
    assert "too much" in text(replace(VIEW, power_w=5001))
    assert "too much" not in text(replace(VIEW, power_w=5000))
    assert "out, band" in text(replace(VIEW, lowest_voltage_v=104.4))
    assert "out, band" in text(replace(VIEW, highest_voltage_v=115.6))


def test_a_silent_station_is_called_silent() -> None:
    silent = replace(ROW, answers=False, state=ChargeState.FAULTED, reason=LimitReason.NO_DATA)
    shown = text(replace(VIEW, stations=(silent, replace(ROW, name="RTS2"))))
    assert "Silent" in shown
    assert "Out of order" not in shown
    assert "RTS2" in shown


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"power_limit_w": 0, "power_w": 0}, "limit 0.00 kW"),
        ({"price": -0.05, "price_limit": 0.0}, "-0.0500 USD/kWh"),
        ({"power_w": 9000}, "9.00 kW"),
        ({"stations": ()}, "Demo car park"),
        ({"site": "[bold]Park[/x]"}, "[bold]Park[/x]"),
        ({"stations": (replace(ROW, name="[red]A[/x]"),)}, "[red]A[/x]"),
    ],
)
def test_odd_values(change: dict, words: str) -> None:
    assert words in text(replace(VIEW, **change))


def test_nothing_is_known() -> None:
    """As a master serves it whose stations are all silent."""
    image = RegisterImage(load_map("pev_master").expanded(station=2, event=16))
    points = image.map.points.values()
    image.update({point.name: None for point in points if point.nan is not None})
    image.update({"station_count": 2, "site_name": "Park", "station_1_name": "A", "station_2_name": "B"})
    view = master_view({point.name: image[point.name] for point in points if point.is_readable})
    assert (view.price, view.power_w, view.lowest_voltage_v) == (None, None, None)
    assert view.price_is_over
    assert view.voltage_is_out
    shown = text(view)
    assert shown.count("unknown") == 3
    assert shown.count("Silent") == 2
    assert " A " in shown
    assert " B " in shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, ""), (0, "0:00 h"), (59, "0:01 h"), (3725, "1:02 h"), (360_000, "100:00 h")]
)
def test_duration(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


def test_the_worst_alarm_and_how_many_there_are() -> None:
    assert "No alarms" in text(VIEW)
    shown = text(alarmed(SEVERAL, CHARGING), width=160)
    assert "! 4 alarms, 3 not acknowledged; urgent: RTS1: The contactor did not open; RTS1 may draw" in shown
    assert "! 1 alarm, 0 not acknowledged" in text(alarmed([{**WELDED, "state": "active_acknowledged"}]))
    assert all(len(line) <= 80 for line in text(alarmed(SEVERAL, CHARGING), width=80).splitlines())


def test_what_is_in_doubt_is_not_shown_as_if_it_were_good() -> None:
    shown = text(replace(VIEW, power_quality=Quality.BAD, voltage_quality=Quality.UNCERTAIN))
    assert "3.30 kW ?" in shown
    assert "partial, limit 5.00 kW" in shown
    assert "108.5 to 110.0 V ?" in shown
    assert "doubtful, band" in shown
    doubtful = frozenset({"power", "voltage", "state_of_charge", "session_energy"})
    row = replace(ROW, quality=Quality.UNCERTAIN, quality_cause=QualityCause.STALE, doubtful=doubtful)
    shown = text(replace(VIEW, stations=(row,)))
    for words in ["Charging: values stand still", "3300 W ?", "108.5 V ?", "42.5 % ?", "1.23 kWh ?"]:
        assert words in shown, words
    row = replace(ROW, unfollowed=Unfollowed.NOT_OPENED)
    assert "Charging: does not open!" in text(replace(VIEW, stations=(row,)))


def test_a_master_on_standby_says_so() -> None:
    assert "STANDBY: ANOTHER MASTER STEERS" in text(replace(VIEW, is_standby=True))
    assert "STANDBY" not in text(VIEW)
