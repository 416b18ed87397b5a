"""A scenario's clock, its homes, its roofs and its prices, by the hour and across clock changes."""

import math
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenarios import DEMAND, SHORTEST, faults, read

from grid_sim.day.calendar import Calendar
from grid_sim.day.model import Scenario
from grid_sim.day.scenario_schema import DaysFile

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOON = "2023-06-01T12:00:00"


def calendar(start: str, days: float = 1, scan_period_s: float = 900) -> Calendar:
    at = datetime.fromisoformat(start)
    file = DaysFile(start=at, time_zone="Europe/Amsterdam", days=days, scan_period_s=scan_period_s)
    return Calendar.of(file, AMSTERDAM)


@pytest.mark.parametrize(
    ("start", "days", "hours"),
    [
        ("2023-06-01T00:00:00", 1, 24),
        ("2023-06-01T12:00:00", 0.5, 12),
        ("2023-03-26T00:00:00", 1, 23),
        ("2023-10-29T00:00:00", 1, 25),
        ("2023-03-25T12:00:00", 2, 47),
        ("2023-01-01T00:00:00", 365, 8760),
    ],
)
def test_a_day_is_one_of_the_calendar(start: str, days: float, hours: float) -> None:
    found = calendar(start, days)
    assert (found.end_s, found.scans) == (hours * 3600, hours * 4)
    assert found.local(found.end_s).replace(tzinfo=None) == datetime.fromisoformat(start) + timedelta(
        days=days
    )


def test_the_clock_is_put_forward() -> None:
    found = calendar("2023-03-26T00:00:00")
    assert [found.text(h * 3600)[11:] for h in range(4)] == ["00:00", "01:00", "03:00", "04:00"]
    assert found.seconds(datetime(2023, 3, 26, 4)) == 3 * 3600
    assert list(found.hours()[4:12:4]) == [1, 3]


def test_the_clock_is_put_back() -> None:
    found = calendar("2023-10-29T00:00:00")
    assert [found.text(h * 3600)[11:] for h in range(5)] == ["00:00", "01:00", "02:00", "02:00", "03:00"]
    assert found.seconds(datetime(2023, 10, 29, 4)) == 5 * 3600
    assert list(found.hours()[4:20:4]) == [1, 2, 2, 3]


@given(st.datetimes(datetime(2023, 1, 1), datetime(2023, 12, 31)), st.floats(60, 300))
def test_the_hours_of_the_scans_are_those_of_the_wall(start: datetime, period_s: float) -> None:
    found = Calendar.of(
        DaysFile(start=start, time_zone="Europe/Amsterdam", days=1, scan_period_s=period_s), AMSTERDAM
    )
    at = [found.local(scan * period_s) for scan in range(0, found.scans, 50)]
    expected = [t.hour + t.minute / 60 + (t.second + t.microsecond / 1e6) / 3600 for t in at]
    assert list(found.hours()[::50]) == pytest.approx(expected, abs=1e-6)


def test_the_scenario_tells_the_time_across_a_clock_change(tmp_path: Path) -> None:
    found = read(tmp_path, SHORTEST.replace(NOON, "2023-03-26T00:00:00"))
    assert found.time(2 * 3600).isoformat() == "2023-03-26T03:00:00+02:00"
    assert found.scans == 23 * 360
    assert found.summary.startswith("from 2023-03-26 00:00 to 2023-03-27 00:00, ")


def test_scans_that_do_not_fill_the_days_end_before_them(tmp_path: Path) -> None:
    found = read(tmp_path, SHORTEST + "days: 0.5\nscan_period_s: 290\n")
    assert found.scans == 148
    assert (found.at_s[0], found.at_s[-1]) == (0, 147 * 290)


def with_share(folder: Path, share: str, more: str = "") -> Scenario:
    text = SHORTEST.replace(DEMAND, f"demand: {{share: {share}}}\n") + f"scan_period_s: 60\n{more}"
    return read(folder, text)


def at_hour(
    found: Scenario, values: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", hour: float
) -> list[float]:
    return [float(value) for value in values[round(((hour - 12) % 24) * 60)]]


@pytest.mark.parametrize(
    ("hour", "share"), [(12, 0.5), (18, 1), (15, 0.75), (21, 0.8), (0, 0.6), (3, 0.4), (9, 0.25), (6, 0)]
)  # fmt: skip
def test_demand_goes_straight_from_hour_to_hour_and_around_midnight(
    tmp_path: Path, hour: float, share: float
) -> None:
    around = with_share(tmp_path, "{6: 0, 12: 0.5, 18: 1, 3: 0.4}").surroundings
    found = with_share(tmp_path, "{6: 0, 12: 0.5, 18: 1, 3: 0.4}")
    assert [tap.name for tap in around.taps] == ["H1", "H2", "H3"]
    expected = [low + share * (high - low) for low, high in [(200, 2000), (100, 1000), (300, 3000)]]
    assert at_hour(found, around.demand_w, hour) == pytest.approx(expected)
    assert at_hour(found, around.demand_var, hour) == pytest.approx([20 + share * 180, 0, 0])


def test_one_share_holds_all_day(tmp_path: Path) -> None:
    found = with_share(tmp_path, "{7.5: 0.5}")
    assert (found.surroundings.demand_w == [1100, 550, 1650]).all()


@pytest.mark.parametrize(("hour", "part"), [(12, 1), (6, 0), (18, 0), (23, 0), (9, math.sqrt(0.5)), (8, 0.5)])
def test_roofs_feed_in_along_a_sine(tmp_path: Path, hour: float, part: float) -> None:
    found = with_share(tmp_path, "{0: 0}", "solar: {every: 2, peak_w: 4000, sunrise: 6, sunset: 18}\n")
    expected = [4000 * part, 0, 4000 * part]
    assert at_hour(found, found.surroundings.solar_w, hour) == pytest.approx(expected, abs=1e-6)


def priced(folder: Path, rows: list[str]) -> str:
    (folder / "prices.csv").write_text("time,price\n" + "".join(f"{row},0.1\n" for row in rows))
    return SHORTEST.replace(
        "kind: schedule, currency: EUR, default: 0.1", "kind: csv, currency: EUR, path: prices.csv"
    )


def hourly(first: str, count: int) -> list[str]:
    return [(datetime.fromisoformat(first) + timedelta(hours=h)).isoformat() for h in range(count)]


def test_prices_for_every_hour(tmp_path: Path) -> None:
    found = read(tmp_path, priced(tmp_path, hourly("2023-06-01T12:00:00+02:00", 24)))
    assert "Prices: prices.csv." in found.sources


def test_prices_on_the_day_of_a_clock_change(tmp_path: Path) -> None:
    text = priced(tmp_path, hourly("2023-10-28T22:00:00+00:00", 25)).replace(NOON, "2023-10-29T00:00:00")
    assert read(tmp_path, text).scans == 25 * 360


def test_gaps_in_prices_are_told_by_their_hours(tmp_path: Path) -> None:
    rows = hourly("2023-06-01T14:00:00+02:00", 20)
    found = faults(tmp_path, priced(tmp_path, rows[:4] + rows[5:10] + rows[12:]))
    assert [line.partition("tariff.path: there is no price ")[2] for line in found] == [
        f"{gap} (local time of the scenario)"
        for gap in (
            "from 2023-06-01 12:00 to 2023-06-01 14:00",
            "from 2023-06-01 18:00 to 2023-06-01 19:00",
            "from 2023-06-02 00:00 to 2023-06-02 02:00",
            "from 2023-06-02 10:00 to 2023-06-02 12:00",
        )
    ]


def test_prices_that_change_now_and_then_are_no_gaps(tmp_path: Path) -> None:
    rows = ["2023-06-01T07:00:00+02:00", "2023-06-01T23:00:00+02:00", "2023-06-02T07:00:00+02:00"]
    assert read(tmp_path, priced(tmp_path, rows)).scans == 8640


def test_many_gaps_are_counted(tmp_path: Path) -> None:
    rows = [
        row
        for day in range(40)
        for row in hourly(f"2023-06-{1 + day % 30:02}T12:00:00+02:00", 22)[: 22 * (day < 30)]
    ]
    text = priced(tmp_path, rows) + "days: 29\n"
    found = faults(tmp_path, text)
    assert len(found) == 21
    assert found[-1].endswith("tariff.path: and 9 more gaps like these")
