"""A study's file: what it makes of a scenario, and its faults."""

from pathlib import Path

import pytest
from study_double import STUDY, write_study

from grid_sim.study.dotted import put
from grid_sim.study.study_file import read_study
from register_maps.yaml_file import BadFile


def test_every_value_meets_every_other_and_the_last_changes_first(tmp_path: Path) -> None:
    study = read_study(write_study(tmp_path))
    assert study.varied == ("cars.0.share", "circuits.0.power_limit_w", "seed")
    assert len(study.jobs) == 12
    assert study.settings[:3] == ((0.2, 30000, 1), (0.2, 30000, 2), (0.2, 60000, 1))
    data = study.jobs[2].data
    assert (data["cars"], data["circuits"][0]["power_limit_w"]) == ([{"kind": "home", "share": 0.2}], 60000)
    assert {job.data["scan_period_s"] for job in study.jobs} == {30}


def test_settings_share_nothing(tmp_path: Path) -> None:
    text = "study: x\nscenario: day.yaml\nvary: {cars: [[{kind: home}], []], seed: [1, 2]}\n"
    first, second, *_ = read_study(write_study(tmp_path, text)).jobs
    first.data["cars"][0]["kind"] = "work"
    assert second.data["cars"] == [{"kind": "home"}]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b", {"a": {"b": 9}, "list": [{"c": 1}], "hours": {18: 1.0}}),
        ("a.new", {"a": {"b": 1, "new": 9}, "list": [{"c": 1}], "hours": {18: 1.0}}),
        ("list.0.c", {"a": {"b": 1}, "list": [{"c": 9}], "hours": {18: 1.0}}),
        ("hours.18", {"a": {"b": 1}, "list": [{"c": 1}], "hours": {18: 9}}),
    ],
)
def test_a_value_is_put_where_its_path_leads(path: str, expected: object) -> None:
    data = {"a": {"b": 1}, "list": [{"c": 1}], "hours": {18: 1.0}}
    put(data, path, 9)
    assert data == expected


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("alist.x", "there is no key 'alist'; did you mean 'list'?"),
        ("list.1.c", "there is no item '1' in a list of 1; the first is 0"),
        ("list.first", "there is no item 'first' in a list of 1; the first is 0"),
        ("list.-1", "there is no item '-1' in a list of 1; the first is 0"),
        ("number.x", "there is no key 'x' in 5, which is a value"),
        ("number.x.y", "there is no key 'x' in 5, which is a value"),
    ],
)
def test_a_path_that_leads_nowhere(path: str, reason: str) -> None:
    with pytest.raises(LookupError) as error:
        put({"list": [{"c": 1}], "number": 5}, path, 9)
    assert error.value.args[0] == reason


FAULTS = """\
study: How many
scenari: day.yaml
scenario: day.yaml
vary:
  cars.1.share: [0.2]
  seed: []
  rule.price_limit: [0.1, 0.2, 0.1]
  circuits.0.name: 5
set: {rule.price_limit: 3, rules.x: 1}
served: 2
"""


def test_all_faults_are_told_at_once_with_their_places(tmp_path: Path) -> None:
    path = write_study(tmp_path, FAULTS)
    with pytest.raises(BadFile) as error:
        read_study(path)
    lines = str(error.value).replace(str(path), "study.yaml").splitlines()
    assert lines == [
        "study.yaml:6: vary.seed: list should have at least 1 item after validation, not 0 (got [])",
        "study.yaml:8: vary.circuits.0.name: must be a valid list (got 5)",
        "study.yaml:10: served: must be less than or equal to 1 (got 2)",
        "study.yaml:2: scenari: there is no key 'scenari'; did you mean 'scenario'?",
        "study.yaml:7: vary.rule.price_limit: is in `set` too; leave it out of one of them",
        "study.yaml:7: vary.rule.price_limit[2]: is 0.1 once more; each value needs one run",
        "study.yaml:9: set.rules.x: leads nowhere in the scenario: "
        "there is no key 'rules'; did you mean 'rule'?",
        "study.yaml:5: vary.cars.1.share: leads nowhere in the scenario: "
        "there is no item '1' in a list of 1; the first is 0",
    ]


MANY = f"study: x\nscenario: day.yaml\nvary: { {key: list(range(25)) for key in 'abc'} }\n"


@pytest.mark.parametrize(
    ("study", "scenario", "fault"),
    [
        (STUDY.replace("day.yaml", "night.yaml"), "", "scenario: night.yaml can't be read: No such file"),
        (STUDY, "a: [", "scenario: day.yaml is not valid YAML"),
        (STUDY, "- a\n", "scenario: day.yaml must hold a mapping"),
        (STUDY.replace("scenario: day.yaml", ""), "", "scenario: is missing"),
        (MANY, "a: 1\n", "vary: makes 15625 runs, every value with every other; at most 10000"),
        ("study: x\nscenario: day.yaml\nvary: {}\n", "seed: 1\n", "vary: "),
        ("study: x\nscenario: day.yaml\nvary: [seed]\n", "seed: 1\n", "vary: must be a valid dictionary"),
    ],
)
def test_a_study_without_a_scenario_or_with_too_much_of_it(
    tmp_path: Path, study: str, scenario: str, fault: str
) -> None:
    with pytest.raises(BadFile, match=fault.replace("[", r"\[")):
        read_study(write_study(tmp_path, study, scenario))


def test_a_scenario_is_told_to_be_one() -> None:
    with pytest.raises(BadFile) as caught:
        read_study(Path(__file__).parents[2] / "examples" / "day_bench.yaml")
    assert [fault.message for fault in caught.value.faults] == ["is a scenario and no study; run it by `day`"]
