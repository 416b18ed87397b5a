"""Prices by the hour, from a file, and by Modbus; and what a tariff may not say."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from master_scada.site_file import read_site
from master_scada.tariff import CsvTariff, PriceList, ScheduleTariff, Tariff, WrittenPrice
from register_maps.yaml_file import BadFile, Faults

REAL_PRICES = Path(__file__).parents[3] / "shared" / "data" / "prices" / "nl_day_ahead.csv"
WINTER = timezone(timedelta(hours=1))


def at(hour: int, minute: int = 0, *, zone: timezone = UTC) -> datetime:
    return datetime(2026, 1, 15, hour, minute, tzinfo=zone)


def schedule(hours: dict[str, float], *, time_zone: str | None = None) -> Tariff:
    return ScheduleTariff(kind="schedule", currency="EUR", default=0.1, hours=hours, time_zone=time_zone)


@pytest.mark.parametrize(
    ("span", "inside", "outside"),
    [
        ("17-21", [(17, 0), (20, 59)], [(16, 59), (21, 0)]),
        ("17:30-21:15", [(17, 30), (21, 14)], [(17, 29), (21, 15)]),
        ("22-6", [(22, 0), (23, 59), (0, 0), (5, 59)], [(21, 59), (6, 0)]),
        ("23:30-0:30", [(23, 30), (0, 29)], [(23, 29), (0, 30)]),
        ("20-24", [(20, 0), (23, 59)], [(19, 59), (0, 0)]),
        ("0-24", [(0, 0), (12, 0), (23, 59)], []),
        (" 8 - 9 ", [(8, 0), (8, 59)], [(7, 59), (9, 0)]),
    ],
)
def test_a_span_of_the_day(span: str, inside: list[tuple[int, int]], outside: list[tuple[int, int]]) -> None:
    tariff = schedule({span: 0.3})
    assert {tariff.price(at(*time), 0) for time in inside} == {0.3}
    assert {tariff.price(at(*time), 0) for time in outside} <= {0.1}


def test_several_spans() -> None:
    tariff = schedule({"7-9": 0.3, "9-17": 0.2, "22-6": -0.05})
    assert [tariff.price(at(hour), 0) for hour in (6, 7, 9, 17, 22, 3)] == [0.1, 0.3, 0.2, 0.1, -0.05, -0.05]


def test_the_hours_are_those_of_the_time_zone() -> None:
    tariff = schedule({"17-21": 0.3}, time_zone="Europe/Amsterdam")
    assert [tariff.price(at(hour), 0) for hour in (15, 16, 19, 20)] == [0.1, 0.3, 0.3, 0.1]
    summer = datetime(2026, 7, 15, 15, tzinfo=UTC)
    assert tariff.price(summer, 0) == 0.3


def test_without_a_time_zone_they_are_the_machine_s() -> None:
    assert schedule({"17-21": 0.3}).price(at(17, zone=WINTER), 0) == 0.3


def csv_prices(folder: Path, *rows: str, per: str = "kWh", heading: str = "time,price") -> Tariff:
    (folder / "prices.csv").write_text("\n".join((heading, *rows)) + "\n")
    tariff = CsvTariff(kind="csv", currency="EUR", path="prices.csv", per=per)  # type: ignore[arg-type]
    faults = Faults(folder / "site.yaml")
    found = tariff.load(folder, faults, ("tariff",))
    faults.raise_if_any()
    assert found
    return found


def test_a_price_holds_until_the_next_one(tmp_path: Path) -> None:
    tariff = csv_prices(
        tmp_path,
        "2026-01-15T10:00:00Z,0.10",
        "2026-01-15T12:00:00+01:00,0.20",  # 11:00 UTC
        "2026-01-15T13:30:00Z,0.30",  # after a gap, which the price before it fills
    )
    before_the_first, first = at(9, 59), at(10)
    assert tariff.price(before_the_first, 0) is None
    assert [tariff.price(time, 0) for time in (first, at(10, 59))] == [0.10, 0.10]
    assert [tariff.price(time, 0) for time in (at(11), at(13, 29))] == [0.20, 0.20]
    # The last holds as long as the one before it: for two and a half hours.
    assert [tariff.price(time, 0) for time in (at(13, 30), at(15, 59))] == [0.30, 0.30]
    assert tariff.price(at(16), 0) is None


def test_the_time_of_day_may_be_any_zone_s(tmp_path: Path) -> None:
    tariff = csv_prices(tmp_path, "2026-01-15T10:00:00Z,0.1", "2026-01-15T11:00:00Z,0.2")
    assert tariff.price(at(11, 30, zone=WINTER), 0) == 0.1


def test_prices_per_mwh(tmp_path: Path) -> None:
    rows = ("2026-01-15T10:00:00Z,338.81", "2026-01-15T11:00:00Z,-12")
    tariff = csv_prices(tmp_path, *rows, per="MWh")
    assert [tariff.price(at(hour), 0) for hour in (10, 11)] == pytest.approx([0.33881, -0.012])


@pytest.mark.parametrize(("price", "per", "told"), [("eur_per_mwh", "kWh", "MWh"), ("EUR/kWh", "MWh", "kWh")])
def test_a_heading_that_says_otherwise_is_a_fault(tmp_path: Path, price: str, per: str, told: str) -> None:
    rows = ("2026-01-15T10:00:00Z,33", "2026-01-15T11:00:00Z,32")
    with pytest.raises(BadFile, match=f"is headed '{price}': write `per: {told}`"):
        csv_prices(tmp_path, *rows, per=per, heading=f"time,{price}")
    assert csv_prices(tmp_path, *rows, per=told, heading=f"time,{price}")


@pytest.mark.skipif(not REAL_PRICES.exists(), reason=f"needs {REAL_PRICES.name}, day-ahead prices")
def test_real_prices() -> None:
    tariff = CsvTariff(kind="csv", currency="EUR", path=REAL_PRICES.name, per="MWh")
    faults = Faults(REAL_PRICES)
    found = tariff.load(REAL_PRICES.parent, faults, ())
    faults.raise_if_any()
    assert found
    assert found.price(datetime(2022, 8, 1, 1, 30, tzinfo=UTC), 0) == pytest.approx(0.32086)
    assert found.price(datetime(2022, 7, 31, tzinfo=UTC), 0) is None


def test_a_written_price_is_known_while_it_is_fresh() -> None:
    tariff = WrittenPrice(max_age_s=900)
    assert tariff.price(at(10), 0) is None
    tariff.write(0.15, now=100)
    assert tariff.price(at(10), 1000) == 0.15
    assert tariff.price(at(10), 1000.1) is None
    # Its age is monotonic: a time of day that is set back makes it no younger, nor older.
    assert tariff.price(at(1), 1000) == 0.15
    tariff.write(None, now=1001)
    assert tariff.price(at(10), 1001) is None


def test_the_same_price_again_is_fresh_again() -> None:
    tariff = WrittenPrice(max_age_s=10)
    tariff.write(0.15, now=0)
    tariff.write(0.15, now=9)
    assert tariff.price(at(10), 19) == 0.15


def told(folder: Path, tariff: str, prices: str | None = None) -> list[str]:
    """The faults of a site with this tariff, without the file's name in front."""
    path = folder / "site.yaml"
    path.write_text(
        f"site: Park\nrule: {{price_limit: 0.2}}\ntariff: {{{tariff}}}\n"
        "circuits: [{name: main, power_limit_w: 5000, nominal_voltage_v: 230}]\n"
        "stations: [{name: A, circuit: main, host: a}]\n"
    )
    if prices is not None:
        (folder / "p.csv").write_text(prices)
    with pytest.raises(BadFile) as caught:
        read_site(path)
    return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]


FROM_FILE = "kind: csv, currency: EUR, path: p.csv"
BY_HOURS = "kind: schedule, currency: EUR, default: 0.1"


@pytest.mark.parametrize(
    ("tariff", "message"),
    [
        ("kind: csw, currency: EUR", "kind: there is no kind of tariff 'csw'; did you mean 'csv'?"),
        ("currency: EUR", "kind: there is no kind of tariff None; known: schedule, csv, modbus"),
        ("kind: schedule, currency: EUR", "default: is missing"),
        ("kind: modbus, currency: EUR, max_age: 9", "max_age: there is no key 'max_age'; did you mean"),
        ("kind: modbus, currency: EUR, max_age_s: 0", "max_age_s: must be greater than 0 (got 0)"),
        (BY_HOURS + ', hours: {"17": 0.3}', 'hours.17: must be a span of the day such as "17-21"'),
        (BY_HOURS + ', hours: {"17-25": 0.3}', "hours.17-25: must be a span of the day"),
        (BY_HOURS + ', hours: {"8-8": 0.3}', "hours.8-8: must be a span of the day"),
        (BY_HOURS + ', hours: {"7-9": 0.3, "8:59-10": 0.2}', "hours.8:59-10: overlaps with '7-9'"),
        (BY_HOURS + ', hours: {"22-6": 0.3, "5-7": 0.2}', "hours.5-7: overlaps with '22-6'"),
        (BY_HOURS + ", time_zone: Europe/Amsterdm", "time_zone: there is no time zone 'Europe/Amsterdm'"),
        (BY_HOURS + ", time_zone: Europe", "time_zone: there is no time zone 'Europe'"),
        (BY_HOURS + ", time_zone: ../etc/passwd", "time_zone: there is no time zone '../etc/passwd'"),
    ],
)
def test_a_bad_tariff(tmp_path: Path, tariff: str, message: str) -> None:
    (line,) = told(tmp_path, tariff)
    assert f"tariff.{message}" in line


GOOD = "time,price\n2026-01-15T10:00:00Z,0.1\n2026-01-15T11:00:00Z,0.2\n"


@pytest.mark.parametrize(
    ("prices", "messages"),
    [
        (None, ["p.csv can't be read: "]),
        ("", ["p.csv needs a line of headings and at least two prices"]),
        ("time,price\n2026-01-15T10:00:00Z,0.1\n", ["p.csv needs a line of headings and at least two"]),
        (GOOD + "yesterday,0.1\n", ["p.csv:4: Invalid isoformat string: 'yesterday'"]),
        (GOOD + "2026-01-15T12:00:00Z,cheap\n", ["p.csv:4: could not convert string to float: 'cheap'"]),
        (GOOD + "2026-01-15T12:00:00Z\n", ["p.csv:4: needs a time and a price"]),
        (GOOD + "2026-01-15T12:00:00,0.1\n", ["p.csv:4: 2026-01-15T12:00:00 needs its offset from UTC"]),
        (GOOD + "2026-01-15T12:00:00Z,nan\n", ["p.csv:4: nan is no price"]),
        (
            GOOD + "2026-01-15T10:30:00Z,0.1\n",
            ["p.csv: 2026-01-15T10:30:00+00:00 is not after the line before"],
        ),
        (GOOD + "a,1\n2026-01-15T12:00:00Z,b\n", ["p.csv:4: Invalid", "p.csv:5: could not convert"]),
    ],
    ids=["missing", "empty", "one", "time", "price", "short", "naive", "nan", "descending", "two faults"],
)
def test_a_bad_file_of_prices(tmp_path: Path, prices: str | None, messages: list[str]) -> None:
    lines = told(tmp_path, FROM_FILE, prices)
    for line, message in zip(lines, messages, strict=True):
        assert line.startswith(f"3: tariff.path: {tmp_path}/{message}"), line


def test_of_many_bad_lines_the_first_are_told_and_how_many_more(tmp_path: Path) -> None:
    lines = told(tmp_path, FROM_FILE, GOOD + "2026-01-15T12:00:00Z;0.1\n" * 50)
    assert len(lines) == 21
    assert lines[-1].endswith("p.csv: and 30 more bad lines")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(b"time,price\n\xff\xfe\x00\n")
    (line,) = told(tmp_path, FROM_FILE)
    assert "can't be read" in line


def test_a_gap_of_more_than_a_day_is_unknown() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    prices = PriceList([(start, 0.1), (start + timedelta(days=30), 0.2), (start + timedelta(days=31), 0.3)])
    assert prices.price(start + timedelta(hours=24), 0) == 0.1
    assert prices.price(start + timedelta(hours=26), 0) is None
    assert prices.price(start + timedelta(days=30), 0) == 0.2
