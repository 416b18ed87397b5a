"""The cars: listed, from a file of sessions, and by habit."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import AT_LOADS, DEMAND, HEAD, NETWORK, RATINGS, SITE, STATIONS, faults, read

from grid_sim.day.calendar import Calendar
from grid_sim.day.habits import visits_by_habit
from grid_sim.day.model import Scenario, Station, Visit
from grid_sim.day.scenario_schema import (
    DaysFile,
    Habit,
    HomeCars,
    PublicCars,
    SpreadFile,
    WorkCars,
)
from grid_sim.network.model import Tap
from rtu_firmware.battery import EFFICIENCY

ONE = HEAD + NETWORK + DEMAND + SITE + STATIONS
HOMES = HEAD + NETWORK + DEMAND + SITE + AT_LOADS
STAY = "station: A, arrives: 2023-06-01T18:00:00, leaves: 2023-06-02T07:00:00, max_power_w: 3700"


def listed(*visits: str) -> str:
    return "cars:\n  - kind: list\n    visits:\n" + "".join(f"      - {{{visit}}}\n" for visit in visits)


def messages(found: list[str]) -> list[str]:
    return [line.partition(": ")[2] for line in found]


def test_a_listed_car_tells_its_charge_or_its_need(tmp_path: Path) -> None:
    other = STAY.replace("18:00", "12:00").replace("06-02T07", "06-01T18")
    found = read(
        tmp_path,
        ONE
        + listed(
            f"{STAY}, capacity_kwh: 40, state_of_charge: 20", f"{other}, capacity_kwh: 40, needs_kwh: 10"
        ),
    )
    early, late = found.visits
    assert (early.arrives_s, early.leaves_s, early.needs_wh) == (0, 6 * 3600, 10_000)
    assert early.state_of_charge_pct == pytest.approx(100 - 25 * EFFICIENCY)
    assert (late.arrives_s, late.leaves_s, late.state_of_charge_pct) == (6 * 3600, 19 * 3600, 20)
    assert late.needs_wh == pytest.approx(32_000 / EFFICIENCY)
    assert (late.battery.capacity_wh, late.battery.max_power_w, late.battery.knee_pct) == (40_000, 3700, 80)


def test_times_may_be_written_shorter(tmp_path: Path) -> None:
    stay = "station: A, arrives: 2023-06-01T18:00, leaves: 2023-06-02, max_power_w: 3700"
    (visit,) = read(tmp_path, ONE + listed(f"{stay}, capacity_kwh: 40, state_of_charge: 20")).visits
    assert (visit.arrives_s, visit.leaves_s) == (6 * 3600, 12 * 3600)


IMPOSSIBLE = {
    f"{STAY}, capacity_kwh: 40": "cars[0].visits[0]: give either state_of_charge, on arrival, or needs_kwh",
    f"{STAY}, capacity_kwh: 40, state_of_charge: 5, needs_kwh: 5": (
        "cars[0].visits[0]: give either state_of_charge, on arrival, or needs_kwh"
    ),
    f"{STAY}, capacity_kwh: 40, needs_kwh: 44": (
        "cars[0].visits[0]: 44 kWh at the socket are more than the battery's 40 kWh can take"
    ),
    f"{STAY}, capacity_kwh: 40, state_of_charge: 100": (
        "cars[0].visits[0]: the car must need some energy (got 0 kWh)"
    ),
    f"{STAY}, capacity_kwh: 40, needs_kwh: 4".replace("06-02T07", "06-01T18"): (
        "cars[0].visits[0]: the car must leave after it has arrived"
    ),
    f"{STAY}, capacity_kwh: 40, needs_kwh: 4".replace("06-02T07", "06-02T13"): (
        "cars[0].visits[0].leaves: must be within the days, from 2023-06-01 12:00 to 2023-06-02 12:00"
    ),
    f"{STAY}, capacity_kwh: 40, needs_kwh: 4".replace("01T18", "01T11"): (
        "cars[0].visits[0].arrives: must be within the days, from 2023-06-01 12:00 to 2023-06-02 12:00"
    ),
    f"{STAY}, capacity_kwh: 40, needs_kwh: 4".replace("station: A", "station: a"): (
        "cars[0].visits[0]: there is no station 'a'; known: A"
    ),
}


@pytest.mark.parametrize("visit", IMPOSSIBLE)
def test_impossible_visits(tmp_path: Path, visit: str) -> None:
    assert messages(faults(tmp_path, ONE + listed(visit))) == [IMPOSSIBLE[visit]]


def test_two_cars_at_one_station(tmp_path: Path) -> None:
    need = "capacity_kwh: 40, needs_kwh: 4"
    found = faults(tmp_path, ONE + listed(f"{STAY}, {need}", f"{STAY}, {need}".replace("18:00", "19:30")))
    assert messages(found) == [
        "cars[0].visits[1]: at 'A' another car stands from 2023-06-01 18:00 to 2023-06-02 07:00;"
        " this one would come at 2023-06-01 19:30"
    ]


def test_an_unknown_kind(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, ONE + "cars: [{kind: hom}]\n")
    assert found.endswith("cars[0].kind: there is no kind of cars 'hom'; did you mean 'home'?")


# Sessions from a file

FROM_FILE = (
    "cars: [{kind: file, path: s.csv, period_s: 300, first_period: 2023-06-01T00:00:00, max_power_w: 6600}]\n"
)
AT_SESSIONS = f"stations: [{{at: sessions, bus: street, phases: in turn, {RATINGS}}}]\n"
GARAGE = HEAD + NETWORK + DEMAND + SITE + AT_SESSIONS + FROM_FILE


def sessions(folder: Path, text: str, *rows: str) -> Scenario:
    write_sessions(folder, *rows)
    return read(folder, text)


def write_sessions(folder: Path, *rows: str) -> None:
    head = "station,arrival_period,departure_period,requested_kwh"
    (folder / "s.csv").write_text("\n".join([head, *rows]) + "\n")


def test_sessions_within_the_days(tmp_path: Path) -> None:
    """Twelve hours after the first period the days begin, and last for 288 periods."""
    rows = ("B,143,150,1.5", "A,144,145,2", "C,431,500,3", "D,432,500,4", "A,150,160,5")
    found = sessions(tmp_path, GARAGE, *rows)
    assert [(s.name, s.tap.phases) for s in found.stations] == [
        ("A", "a"),
        ("B", "b"),
        ("C", "c"),
        ("D", "a"),
    ]
    assert [(v.station, v.arrives_s, v.leaves_s, v.needs_wh) for v in found.visits] == [
        ("A", 0, 300, 2000),
        ("A", 1800, 4800, 5000),
        ("C", 86_100, 86_400, 3000),
    ]
    assert found.sources[-1] == (
        "s.csv: the 3 of 5 sessions that begin within the days; 1 of them last longer and are cut at the end,"
        " and 1 that began before are left out. A car takes at most 6.6 kW; its battery is taken to be full"
        " with what its driver asked for."
    )


def test_a_car_of_a_file_is_full_with_what_its_driver_asked_for(tmp_path: Path) -> None:
    (visit,) = sessions(tmp_path, GARAGE, "A,144,150,2.3").visits
    assert (visit.state_of_charge_pct, visit.battery.knee_pct) == (0, 100)
    assert visit.battery.charged(0, 2300) == pytest.approx(100)
    assert visit.battery.accepted_power_w(99.9) == 6600


def test_a_file_with_a_capacity(tmp_path: Path) -> None:
    text = GARAGE.replace("max_power_w: 6600", "max_power_w: 6600, capacity_kwh: 46, taper_from_pct: 90")
    (visit,) = sessions(tmp_path, text, "A,144,150,25").visits
    assert visit.state_of_charge_pct == pytest.approx(50)
    assert (visit.battery.capacity_wh, visit.battery.knee_pct) == (46_000, 90)
    write_sessions(tmp_path, "A,144,150,51")
    assert messages(faults(tmp_path, text)) == [
        "cars[0].path: s.csv:2: 51 kWh at the socket are more than the battery's 46 kWh can take"
    ]


def test_a_file_with_a_clock_of_its_own(tmp_path: Path) -> None:
    text = GARAGE.replace("period_s: 300", "period_s: 300, time_zone: America/Los_Angeles")
    assert sessions(tmp_path, text, "A,36,40,2").visits[0].arrives_s == 0  # 3:00 there, noon here


def test_periods_are_of_equal_length_when_the_clock_changes(tmp_path: Path) -> None:
    text = GARAGE.replace("2023-06-01T00", "2023-03-25T00").replace("2023-06-01T12", "2023-03-26T12")
    assert sessions(tmp_path, text, "A,420,430,2").visits[0].arrives_s == 0  # 35 hours later


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("A,150,150,2", "departure_period must be after arrival_period 150 (got 150)"),
        ("A,150,160,0", "requested_kwh must be above 0 (got 0)"),
        ("A,150,160,", "requested_kwh must be a number (got '')"),
        ("A,150,160", "requested_kwh must be a number (got None)"),
        ("A,150,nan,1", "departure_period must be a number (got 'nan')"),
        (",150,160,1", "station is missing"),
    ],
)
def test_faults_of_lines(tmp_path: Path, row: str, expected: str) -> None:
    write_sessions(tmp_path, "A,144,145,2", row)
    assert messages(faults(tmp_path, GARAGE)) == [f"cars[0].path: s.csv:3: {expected}"]


def test_faults_of_files(tmp_path: Path) -> None:
    named = GARAGE.replace(AT_SESSIONS, STATIONS)
    assert messages(faults(tmp_path, named)) == [
        "cars[0].path: s.csv can't be read: No such file or directory"
    ]
    (tmp_path / "s.csv").write_text("station,arrival\n")
    assert messages(faults(tmp_path, named)) == [
        "cars[0].path: s.csv:1: the line of headings lacks arrival_period, departure_period, requested_kwh"
    ]
    write_sessions(tmp_path)
    assert messages(faults(tmp_path, named)) == ["cars[0].path: s.csv has no sessions"]
    write_sessions(tmp_path, "A,144,146,2", "A,145,147,2", "X,200,210,1")
    assert messages(faults(tmp_path, named)) == [
        "cars[0].path: s.csv:4: there is no station 'X'; known: A",
        "cars[0].path: s.csv:3: at 'A' another car stands from 2023-06-01 12:00 to 2023-06-01 12:10;"
        " this one would come at 2023-06-01 12:05",
    ]


def test_of_many_faults_the_first_are_listed(tmp_path: Path) -> None:
    write_sessions(tmp_path, *5000 * ["A,150,150,2"])
    found = messages(faults(tmp_path, GARAGE.replace(AT_SESSIONS, STATIONS)))
    assert len(found) == 21
    assert found[-1] == "cars[0].path: and 4980 more faults like these"


# Cars by habit

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
PLACES = tuple(
    Station(tap=Tap(name=f"S{n}", bus="b", phases="a"), rated_power_w=7400, minimum_power_w=1400)
    for n in range(40)
)
KINDS = {"home": HomeCars, "work": WorkCars, "public": PublicCars}
kinds = st.sampled_from(sorted(KINDS))
spreads = st.builds(SpreadFile, mean=st.floats(0, 24), sd=st.floats(0, 6))


def week(start: str = "2023-06-01T00:00:00", days: float = 7) -> Calendar:
    at = datetime.fromisoformat(start)
    return Calendar.of(DaysFile(start=at, time_zone="Europe/Amsterdam", days=days), AMSTERDAM)


def habit(kind: str, **settings_: object) -> Habit:
    return KINDS[kind](**{"kind": kind, "max_power_w": 7400, **settings_})


def of(cars: Habit, seed: int = 1, calendar: Calendar | None = None) -> list[Visit]:
    return visits_by_habit(cars, (seed, 0), PLACES, calendar or week())


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_cars_and_another_others(kind: str) -> None:
    assert of(habit(kind)) == of(habit(kind)) != of(habit(kind), seed=2)


@given(kinds, st.floats(0, 1), st.floats(0, 1), st.integers(0, 99))
@settings(max_examples=20)
def test_a_larger_share_only_adds_cars(kind: str, one: float, other: float, seed: int) -> None:
    low, high = sorted((one, other))
    few, many = (of(habit(kind, share=share), seed, week(days=1)) for share in (low, high))
    assert set(few) <= set(many)


@pytest.mark.parametrize(("share", "cars"), [(0, 0), (0.2, 8), (0.5, 20), (1, 40)])
def test_so_many_stations_have_a_car(share: float, cars: int) -> None:
    found = of(habit("home", share=share), calendar=week("2023-06-01T12:00:00", days=1))
    assert len(found) == len({visit.station for visit in found}) == cars


@given(kinds, st.builds(dict, arrives=spreads, leaves=spreads), spreads, st.integers(0, 99))
@settings(max_examples=40)
def test_no_habit_makes_an_impossible_visit(
    kind: str, times: dict[str, SpreadFile], needs: SpreadFile, seed: int
) -> None:
    """Across a clock change, too."""
    times = {"stays_h": times["arrives"]} if kind == "public" else times
    calendar = week("2023-03-25T06:00:00", days=3)
    found = visits_by_habit(
        habit(kind, needs_kwh=needs, capacity_kwh=SpreadFile(mean=20, sd=15), **times),
        (seed, 0), PLACES[:5], calendar,
    )  # fmt: skip
    free_s = dict.fromkeys((s.name for s in PLACES), 0.0)
    for visit in found:
        assert free_s[visit.station] <= visit.arrives_s < visit.leaves_s <= calendar.end_s
        assert visit.needs_wh > 0
        assert 0 <= visit.state_of_charge_pct < 100
        assert visit.battery.charged(visit.state_of_charge_pct, visit.needs_wh) == pytest.approx(100)
        free_s[visit.station] = visit.leaves_s


def test_home_and_work_come_and_go_when_said() -> None:
    home, work = of(habit("home")), of(habit("work"))
    calendar = week()
    assert {calendar.local(visit.arrives_s).hour for visit in home} <= set(range(12, 24))
    assert {calendar.local(visit.leaves_s).hour for visit in home} <= set(range(3, 13)) | {0}
    assert {calendar.local(visit.arrives_s).hour for visit in work} <= set(range(5, 13))
    assert {calendar.local(visit.leaves_s).hour for visit in work} <= set(range(12, 22))
    assert len(home) == len(work) == 7 * 40
    assert sum(visit.needs_wh for visit in home) / len(home) == pytest.approx(12_000, rel=0.1)


def test_a_public_station_is_open_by_day() -> None:
    calendar = week()
    found = of(habit("public"))
    assert all(8 <= calendar.local(visit.arrives_s).hour < 22 for visit in found)
    assert all(visit.leaves_s - visit.arrives_s <= 5 * 3600 for visit in found)
    assert 7 * 40 < len(found) <= 4 * 7 * 40


def test_plain_numbers_are_exact(tmp_path: Path) -> None:
    cars = (
        "cars: [{kind: home, max_power_w: 3700, arrives: 17.5, leaves: 6, needs_kwh: 5, capacity_kwh: 46}]\n"
    )
    found = read(tmp_path, HOMES + cars)
    assert {(v.arrives_s, v.leaves_s, v.needs_wh) for v in found.visits} == {(5.5 * 3600, 18 * 3600, 5000)}
    assert found.visits[0].state_of_charge_pct == pytest.approx(90)
    assert [visit.station for visit in found.visits] == ["H1", "H2", "H3"]
    assert "cars come at 17.5 o'clock and leave at 6;" in found.sources[-1]
    assert "100 % of the stations have such cars" in found.sources[-1]


def test_the_report_tells_whose_cars_they_are(tmp_path: Path) -> None:
    found = read(tmp_path, HOMES + "cars: [{kind: home, max_power_w: 3700, stations: ['H*'], share: 0.5}]\n")
    assert "50 % of the stations H* have such cars" in found.sources[-1]


def test_another_entry_changes_none_of_the_others(tmp_path: Path) -> None:
    one = "  - {kind: home, max_power_w: 3700, stations: [H1, H2]}\n"
    before = read(tmp_path, f"{HOMES}cars:\n{one}").visits
    others = "  - {kind: work, max_power_w: 3700, stations: ['*3']}\n"
    after = read(tmp_path, f"{HOMES}days: 2\ncars:\n{others}{one}").visits
    assert {visit for visit in after if visit.station != "H3"} >= set(before)
    assert {visit.station for visit in after} == {"H1", "H2", "H3"}


def test_two_habits_at_one_station(tmp_path: Path) -> None:
    at_six = "{kind: home, max_power_w: 3700, arrives: 18, leaves: 7}"
    found = faults(tmp_path, f"{HOMES}cars: [{at_six}, {at_six}]\n")
    assert messages(found)[0] == (
        "cars[1]: at 'H1' another car stands from 2023-06-01 18:00 to 2023-06-02 07:00; this one would come"
        " at 2023-06-01 18:00; say with `stations` at which the cars of this entry stand"
    )


def test_a_habit_at_a_station_that_is_not_there(tmp_path: Path) -> None:
    found = faults(tmp_path, f"{HOMES}cars: [{{kind: home, max_power_w: 3700, stations: [H9, 'X*']}}]\n")
    assert messages(found) == [
        "cars[0].stations: there is no station 'H9'; known: H1, H2, H3",
        "cars[0].stations: there is no station 'X*'; known: H1, H2, H3",
    ]


@pytest.mark.parametrize(
    ("spread", "expected"),
    [
        ("{mean: 1}", "cars[0].arrives.sd: is missing"),
        ("{mean: 1, sd: -1}", "cars[0].arrives.sd: must be greater than or equal to 0 (got -1)"),
        ("early", "cars[0].arrives: must be a mapping of keys to values (got 'early')"),
        ("-1", "cars[0].arrives.mean: must be greater than or equal to 0 (got -1)"),
    ],
)
def test_faults_of_distributions(tmp_path: Path, spread: str, expected: str) -> None:
    cars = f"cars: [{{kind: home, max_power_w: 3700, arrives: {spread}}}]\n"
    assert messages(faults(tmp_path, HOMES + cars)) == [expected]
