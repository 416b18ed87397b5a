"""How many cars a setting hosts."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from study_double import an_outcome, found_of, write_study

from grid_sim.day.outcome import Outcome
from grid_sim.study.hosting import Hosted, Verdict, _hosted, against, hosting
from grid_sim.study.model import Found, Job, Study
from grid_sim.study.results import hosted_text, hosting_row, hosting_table, write_csv
from grid_sim.study.study_file import read_study


def a_found(**figures: Any) -> Found:
    free = an_outcome(requested_kwh=100.0, delivered_kwh=80.0)
    controlled = an_outcome(**{"requested_kwh": 100.0, "delivered_kwh": 80.0, **figures})
    return Found(cars=5, controlled=controlled, uncontrolled=free, compared=True)


@pytest.mark.parametrize(
    ("figures", "reasons"),
    [
        ({}, ()),
        ({"minutes_under_band": 1.0, "minutes_over_band": 1.0}, ()),  # answered in time
        ({"minutes_out_beyond_answer": 0.5}, ("voltage",)),
        ({"minutes_over_power_limit": 0.5}, ("power limit",)),
        ({"minutes_overloaded": 0.5}, ("overload",)),
        ({"delivered_kwh": 72.0}, ()),
        ({"delivered_kwh": 71.9}, ("energy",)),
        ({"minutes_overloaded": 1.0, "delivered_kwh": 0.0}, ("overload", "energy")),
    ],
)
def test_what_is_against_a_run(figures: dict[str, float], reasons: tuple[str, ...]) -> None:
    found = a_found(**figures)
    assert against(found.controlled, found, served=0.9) == reasons


def test_without_an_uncontrolled_run_the_cars_are_to_get_what_they_ask_for() -> None:
    alone = Found(cars=5, controlled=a_found().controlled, uncontrolled=None, compared=False)
    assert against(alone.controlled, alone, served=0.9) == ("energy",)
    assert against(alone.controlled, alone, served=0.8) == ()


def test_a_run_without_a_solution_hosts_nobody() -> None:
    assert against(None, a_found(), served=0.1) == ("no solution",)


FINE, BAD = Verdict(against=(), delivered_share=1.0), Verdict(against=("voltage",), delivered_share=1.0)


@pytest.mark.parametrize(
    ("levels", "text"),
    [
        ([(4, FINE), (12, FINE)], "at least 12"),
        ([(4, FINE), (12, BAD)], "4 (voltage)"),
        ([(4, BAD), (12, FINE)], "fewer than 4 (voltage)"),
        ([(4, FINE), (8, BAD), (12, FINE)], "4 (voltage)"),
        ([(4, FINE), (8, FINE), (8, BAD)], "4 (voltage)"),
        ([(0, BAD), (4, FINE)], "0 (voltage)"),
    ],
)
def test_cars_are_hosted_as_far_as_nothing_is_against_it(
    levels: list[tuple[int, Verdict]], text: str
) -> None:
    assert hosted_text(_hosted(levels)) == text


@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1))
def test_nothing_is_ever_against_a_hosted_number(levels: list[tuple[int, bool]]) -> None:
    levels.sort(key=lambda level: level[0])
    hosted = _hosted([(cars, FINE if fine else BAD) for cars, fine in levels])
    assert all(fine for cars, fine in levels if cars <= hosted.cars)
    assert isinstance(hosted, Hosted)


def rows(folder: Path, study: str, cars_of: Any = None) -> list[list[str]]:
    read = read_study(write_study(folder, study))
    return [hosting_row(setting) for setting in hosting(read, [(cars_of or found_of)(j) for j in read.jobs])]


VARIED = """\
study: How many
scenario: day.yaml
vary:
  {vary}
"""


def test_settings_are_told_apart_from_numbers_of_cars_and_from_seeds(tmp_path: Path) -> None:
    vary = "{cars.0.share: [1.0, 0.2, 0.6], circuits.0.power_limit_w: [60000, 100000], seed: [1, 2]}"
    assert rows(tmp_path, VARIED.format(vary=vary)) == [
        ["60000", "4 (power limit)", "at least 20", "4, 12, 20"],
        ["100000", "12 (no solution)", "at least 20", "4, 12, 20"],
    ]


def test_a_narrow_terminal_shows_the_names_of_all_that_is_varied(tmp_path: Path) -> None:
    vary = (
        "{cars.0.share: [1.0], circuits.0.power_limit_w: [60000], rule.voltage_recovery: [0.01], seed: [1]}"
    )
    study = read_study(write_study(tmp_path, VARIED.format(vary=vary)))
    settings = hosting(study, [found_of(job) for job in study.jobs])
    paper = Console(width=60, file=io.StringIO())
    paper.print(hosting_table(study, settings))
    cells = [line.split("┃")[1:-1] for line in paper.file.getvalue().splitlines() if "┃" in line]
    shown = ["".join(parts).replace(" ", "") for parts in zip(*cells, strict=True)]
    assert {"circuits.0.power_limit_w", "rule.voltage_recovery"} <= set(shown)


@pytest.mark.parametrize(
    ("vary", "expected"),
    [
        (
            "{cars.0.share: [0.2, 0.6], seed: [1]}",
            ("4 (power limit)", "at least 12", "4, 12"),
        ),
        ("{seed: [1, 2]}", ("at least 4", "at least 4", "4")),
    ],
)
def test_a_study_of_one_setting(tmp_path: Path, vary: str, expected: tuple[str, ...]) -> None:
    study = VARIED.format(vary=vary) + "set: {cars.0.share: 0.2}\n" * ("share" not in vary)
    assert rows(tmp_path, study) == [list(expected)]


def test_the_worst_seed_counts(tmp_path: Path) -> None:
    def unlucky(job: Job) -> Found:
        broken = 1.0 if job.data["seed"] == 2 else 0.0
        return a_found(minutes_overloaded=broken)

    study = VARIED.format(vary="{rule.price_limit: [0.1, 0.2], seed: [1, 2]}")
    found = rows(tmp_path, study, unlucky)
    assert [(row[0], row[2]) for row in found] == [
        ("0.1", "fewer than 5 (overload)"),
        ("0.2", "fewer than 5 (overload)"),
    ]


def test_the_table_for_programs_has_a_row_for_each_run(tmp_path: Path) -> None:
    study: Study = read_study(write_study(tmp_path))
    write_csv(study, [found_of(job) for job in study.jobs], tmp_path / "study.csv")
    table = list(csv.DictReader((tmp_path / "study.csv").read_text().splitlines()))
    assert len(table) == 12
    assert list(table[0])[:5] == [
        "cars.0.share",
        "circuits.0.power_limit_w",
        "seed",
        "cars",
        "controlled_against",
    ]
    assert {f"uncontrolled_{name}" for name in Outcome.__dataclass_fields__} < set(table[0])
    last = table[-1]
    assert (last["cars"], last["controlled_delivered_share"], last["controlled_peak_loading"]) == (
        "21",
        "1.0",
        "10.0",
    )
    assert (last["uncontrolled_against"], last["uncontrolled_delivered_kwh"]) == ("no solution", "")
