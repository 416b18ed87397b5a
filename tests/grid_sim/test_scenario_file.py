"""Scenario files: what a good one says, and that every fault is told at once, with its place and line."""

from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from scenarios import (
    AT_LOADS,
    DEMAND,
    HEAD,
    NETWORK,
    NO_CARS,
    RATINGS,
    SHORTEST,
    SITE,
    changed,
    faults,
    read,
)

from grid_sim.day.scenario_file import read_scenario, scenario_of
from register_maps.yaml_file import BadFile, read_yaml

EXAMPLES = Path(__file__).parents[2] / "examples"
DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")


SCHEDULE = "kind: schedule, currency: EUR, default: 0.1"


def stations(*entries: str) -> str:
    return "stations:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)


def test_the_bench() -> None:
    found = read_scenario(EXAMPLES / "day_bench.yaml")
    assert (found.name, found.scans, found.scan_period_s) == ("Two stations on a bench", 8_640, 5)
    assert found.start.isoformat() == "2026-03-02T15:30:00+01:00"
    assert [(s.name, s.tap.bus, s.tap.phases) for s in found.stations] == [
        ("RTS1", "RTS1", "a"),
        ("RTS2", "RTS2", "a"),
    ]
    assert found.site.rules.settle_s == 10
    assert found.site.feeder.main.power_limit_w == 5000
    assert [(s.host, s.port, s.circuit) for s in found.site.stations] == [
        ("day", 1, "feeder"),
        ("day", 2, "feeder"),
    ]
    assert (found.site.currency, set(found.site.maps), found.site.journal) == ("USD", {"pev_rtu"}, None)
    assert found.compare_uncontrolled
    assert found.summary == "from 2026-03-02 15:30 to 2026-03-03 03:30, 2 stations, 2 visits, 8640 scans"


@needs_data
def test_the_street() -> None:
    found = read_scenario(EXAMPLES / "day_street.yaml")
    assert (len(found.stations), len(found.visits), found.scans) == (28, 28, 8640)
    homes = {load.tap.name: load.tap for load in found.network.loads}
    assert all(station.tap == homes[station.name] for station in found.stations)
    assert {s.circuit for s in found.site.stations} == {"street a", "street b", "street c"}
    assert found.surroundings.demand_w.shape == (8640, 55)
    assert found.surroundings.demand_w.sum(axis=1).max() == pytest.approx(
        sum(load.high_w for load in found.network.loads)
    )


@needs_data
def test_the_car_park() -> None:
    found = read_scenario(EXAMPLES / "day_car_park.yaml")
    assert (len(found.stations), len(found.visits)) == (47, 43)
    phases = [station.tap.phases for station in found.stations]
    assert phases[:4] == ["a", "b", "c", "a"]
    assert found.stations == tuple(sorted(found.stations, key=lambda station: station.name))
    assert sum(visit.needs_wh for visit in found.visits) == pytest.approx(354_860)
    assert found.surroundings.taps == ()


def test_what_may_be_left_out(tmp_path: Path) -> None:
    found = read(tmp_path, SHORTEST)
    assert (found.scans, found.scan_period_s, found.visits, found.about) == (8640, 10, (), "")
    assert found.compare_uncontrolled
    assert [s.priority for s in found.site.stations] == [1]
    assert not found.surroundings.solar_w.any()


def test_stations_at_every_nth_load(tmp_path: Path) -> None:
    entry = "at: loads, every: 2, first: {}, circuit: street, rated_power_w: 7400, minimum_power_w: 1400"
    both = stations(entry.format(1), entry.format(2) + ", priority: 2")
    found = read(tmp_path, HEAD + NETWORK + DEMAND + SITE + both + NO_CARS)
    assert [(s.name, s.tap.phases) for s in found.stations] == [("H1", "a"), ("H3", "c"), ("H2", "b")]
    assert [(s.name, s.port, s.priority) for s in found.site.stations] == [
        ("H1", 1, 1),
        ("H3", 2, 1),
        ("H2", 3, 2),
    ]


def test_the_circuit_may_go_by_the_phase(tmp_path: Path) -> None:
    circuits = "".join(
        f"  - {{name: {name}, power_limit_w: 9000, nominal_voltage_v: 230{parent}}}\n"
        for name, parent in [("all", ""), *((f"L-{p}", ", parent: all") for p in "abc")]
    )
    site = SITE.partition("circuits")[0] + f"circuits:\n{circuits}"
    at_loads = AT_LOADS.replace("circuit: street", 'circuit: "L-{phase}"')
    found = read(tmp_path, HEAD + NETWORK + DEMAND + site + at_loads + NO_CARS)
    assert [s.circuit for s in found.site.stations] == ["L-a", "L-b", "L-c"]


def test_a_schedule_goes_by_the_clock_of_the_scenario(tmp_path: Path) -> None:
    found = read(tmp_path, SHORTEST.replace("default: 0.1", 'default: 0.1, hours: {"12-13": 0.3}'))
    prices = [found.site.tariff.price(found.time(at_s), at_s) for at_s in (0, 3599, 3600)]
    assert prices == [0.3, 0.3, 0.1]


def test_a_mapping_that_was_changed(tmp_path: Path) -> None:
    found = changed(tmp_path, SHORTEST, scan_period_s=300, compare="nothing")
    assert (found.scans, found.compare_uncontrolled) == (288, False)
    with pytest.raises(BadFile, match=r"day\.yaml: scan_period_s: must be less than or equal to 300"):
        changed(tmp_path, SHORTEST, scan_period_s=301)


FAULTS = {
    "no such bus": (
        stations(f"name: A, bus: stret, phases: a, {RATINGS}"),
        "stations[0].bus: there is no bus 'stret'; did you mean 'street'?",
    ),
    "a number for a bus": (
        stations(f"name: A, bus: 7, phases: a, {RATINGS}"),
        "stations[0].bus: there is no bus '7'; known: source, street",
    ),
    "no such circuit": (
        stations(
            f"name: A, bus: street, phases: a, {RATINGS}".replace("circuit: street", "circuit: 's {phase}'")
        ),
        "stations[0].circuit: there is no circuit 's a'; known: street",
    ),
    "the same name twice": (
        stations(*2 * [f"name: A, bus: street, phases: a, {RATINGS}"]),
        "stations[1].name: 'A' is the name of another station already",
    ),
    "more than the least is the most": (
        stations(f"name: A, bus: street, phases: a, {RATINGS}".replace("1400", "7401")),
        "stations[0].minimum_power_w: must be at most rated_power_w, 7400 W",
    ),
    "no such place": (
        stations(f"at: load, {RATINGS}"),
        "stations[0].at: there is no place for stations 'load'; did you mean 'loads'?",
    ),
    "no sessions": (
        stations(f"at: sessions, bus: street, phases: in turn, {RATINGS}"),
        "stations[0]: stands at no session: no entry of `cars` names a file with some",
    ),
    "beyond the last load": (
        stations(f"at: loads, first: 4, {RATINGS}"),
        "stations[0]: stands at no load: the network has 3",
    ),
    "no such phases": (
        stations(f"name: A, bus: street, phases: ab, {RATINGS}"),
        "stations[0].phases: must be 'a', 'b', 'c' or 'abc' (got 'ab')",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_stations(tmp_path: Path, name: str) -> None:
    entries, expected = FAULTS[name]
    found = faults(tmp_path, HEAD + NETWORK + DEMAND + SITE + entries + NO_CARS)
    assert [line.partition(": ")[2] for line in found] == [expected]


def test_two_wires_have_one_phase(tmp_path: Path) -> None:
    two_wires = NETWORK.replace("source_voltage_v: 400", "source_voltage_v: 230\n  phases: 1")
    two_wires = two_wires.replace("phases: b,", "").replace("phases: c,", "")
    entries = stations(
        f"name: A, bus: street, phases: b, {RATINGS}", f"name: B, bus: street, phases: a, {RATINGS}"
    )
    (found,) = faults(tmp_path, HEAD + two_wires + DEMAND + SITE + entries + NO_CARS)
    assert found.endswith("stations[0].phases: must be a: the network has no more phases (got 'b')")


TOP_FAULTS = {
    "compare: nothing": ("compare: nobody", "compare: must be 'uncontrolled' or 'nothing' (got 'nobody')"),
    "days: 1": ("days: 0", "days: must be greater than 0 (got 0)"),
    "days: 0.5": ("days: 0.0001", "days: must be at least one scan period, 10 s"),
    "seed: 1": ("seed: 1.5", "seed: must be a valid integer"),
    "sed": ("sed: 1", "sed: there is no key 'sed'; did you mean 'seed'?"),
    "solar: {peak_w: 1}": (
        "solar: {peak_w: 1, sunrise: 8, sunset: 8}",
        "solar.sunset: must be after sunrise, 8 o'clock",
    ),
    "solar: {peak_w: 2}": (
        "solar: {peak_w: 1, first: 4}",
        "solar: the network has no load for a roof: it has 3 loads",
    ),
}


@pytest.mark.parametrize("name", TOP_FAULTS)
def test_faults_at_the_top(tmp_path: Path, name: str) -> None:
    line, expected = TOP_FAULTS[name]
    (found,) = faults(tmp_path, SHORTEST + line + "\n")
    assert f" {expected}" in found


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (DEMAND, "\n", "demand: is missing, and the network's loads have a low and a high"),
        ("Europe/Amsterdam", "Europe/Amsterdm", "time_zone: there is no time zone 'Europe/Amsterdm'"),
        ("12:00:00", "12:00:00Z", "start: must be a local time, without an offset from UTC"),
        ("2023-06-01T12:00:00", "noon", "start: must be a time such as 2026-03-02T15:30:00 (got 'noon')"),
        ("2023-06-01T12:00:00", "2023-03-26T02:30:00", "start: is left out that day in Europe/Amsterdam"),
        (SCHEDULE, "kind: modbus, currency: EUR", "tariff.kind: nobody writes prices in a scenario"),
        ("price_limit", "price_limt", "rule.price_limt: there is no key 'price_limt'"),
        ("{share: {0: 0}}", "{share: {24: 0}}", "demand.share[24]: must be less than 24"),
        ("{share: {0: 0}}", "{share: {}}", "demand.share: "),
        ("start: 2023-06-01T12:00:00", "days: 366\nscan_period_s: 0.1\nstart: 2023-06-01T12:00:00", "days: "),
    ],
)  # fmt: skip
def test_faults_of_values(tmp_path: Path, old: str, new: str, expected: str) -> None:
    found = faults(tmp_path, SHORTEST.replace(old, new))
    assert [line for line in found if expected in line], found


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    """A station on a missing bus, an impossible visit, a gap in the prices, and a limit without a number."""
    (tmp_path / "prices.csv").write_text(
        "time,price\n2023-06-01T10:00:00Z,0.1\n2023-06-01T11:00:00Z,0.1\n2023-06-01T14:00:00Z,0.2\n"
        + "".join(f"2023-06-{2 - (h < 24):02}T{h % 24:02}:00:00Z,0.2\n" for h in range(15, 36))
    )
    text = (
        "rul: 1\n" + HEAD + NETWORK.replace("r_ohm: 0.05", "r_ohm: -1") + DEMAND.replace("0: 0", "0: -1")
        + SITE.replace(SCHEDULE, "kind: csv, currency: EUR, path: prices.csv").replace("0.2", "x")
        + stations(*(f"name: A, bus: {bus}, phases: a, {RATINGS}" for bus in ("stret", "street")))
        + "cars:\n  - kind: list\n    visits:\n"
        + "      - {station: B, arrives: 2023-06-01T14:00:00, leaves: 2023-06-01T13:00:00,"
        " capacity_kwh: 10, needs_kwh: 20, max_power_w: 3000}\n"
    )  # fmt: skip
    found = faults(tmp_path, text)
    for expected in (
        "1: rul: there is no key 'rul'",
        "8: network.lines[0].r_ohm: ",
        "13: demand.share[0]: ",
        "14: rule.price_limit: ",
        "15: tariff.path: there is no price from 2023-06-01 14:00 to 2023-06-01 16:00",
        "19: stations[1].name: 'A' is the name of another station already",
        "23: cars[0].visits[0]: there is no station 'B'; known: A, A",
        "23: cars[0].visits[0]: the car must leave after it has arrived",
        "23: cars[0].visits[0]: 20 kWh at the socket are more than the battery's 10 kWh can take",
    ):
        assert any(line.startswith(expected) for line in found), (expected, found)


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(inner for key, child in items for inner in places(child, (*place, key)))]


BENCH = EXAMPLES / "day_bench.yaml"
NOWHERE = EXAMPLES / "no_such_file.yaml"
"""So that no lines are looked up, which takes longer than all the rest."""


@pytest.mark.parametrize("odd", [None, "", [], {}, {"a": 1}, [None], -1, 1e300, True, "no", 10**30], ids=repr)
def test_no_value_anywhere_is_more_than_a_fault(odd: object) -> None:
    """Whatever stands wherever: a scenario or a list of faults, never a crash."""
    data = read_yaml(BENCH) | {"days": 0.01, "scan_period_s": 60}
    data["cars"].append({"kind": "home", "max_power_w": 3000, "share": 1, "stations": ["RTS9"]})
    data["cars"].append({"kind": "file", "path": "none.csv", "period_s": 1, "first_period": "2026-03-02"})
    data["stations"].append({"at": "loads", "circuit": "feeder", "rated_power_w": 3, "minimum_power_w": 3})
    for place in places(data)[1:]:
        tried = deepcopy(data)
        holder = tried
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = odd
        with suppress(BadFile):
            scenario_of(tried, NOWHERE)


def test_a_nominal_voltage_between_two_phases_is_a_fault(tmp_path: Path) -> None:
    text = HEAD + NETWORK + DEMAND + SITE.replace("230.9", "400") + AT_LOADS + NO_CARS
    assert faults(tmp_path, text) == [
        "15: circuits[0].nominal_voltage_v: 400 V is far from the 230.9 V between a phase and the neutral"
        " that 'H1' is connected to"
    ]


@pytest.mark.parametrize("name", ["site.yaml", "rts1.yaml", "study_street.yaml"])
def test_a_file_of_another_kind_is_one_fault(name: str) -> None:
    with pytest.raises(BadFile) as caught:
        read_scenario(EXAMPLES / name)
    assert [fault.message.partition(",")[0] for fault in caught.value.faults] == ["is no scenario"]
