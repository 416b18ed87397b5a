"""What is kept of a study that was cut off, and when it is not believed."""

import json
from pathlib import Path

import pytest
from study_double import found_of, write_study

from grid_sim.study.kept import Kept, Keys
from grid_sim.study.study_file import read_study


def keys(study: Path) -> list[str]:
    return [Keys().of(job) for job in read_study(study).jobs]


def test_what_is_kept_is_read_again_as_it_was(tmp_path: Path) -> None:
    jobs = read_study(write_study(tmp_path)).jobs
    kept = Kept(tmp_path / "runs.jsonl")
    for number, job in enumerate(jobs):
        kept.add(str(number), {"seed": number}, found_of(job))
    assert Kept(tmp_path / "runs.jsonl").found == {str(n): found_of(job) for n, job in enumerate(jobs)}


@pytest.mark.parametrize("cut", [1, 30, 400])
def test_a_line_that_was_cut_off_is_run_again(tmp_path: Path, cut: int) -> None:
    job = read_study(write_study(tmp_path)).jobs[0]
    path = tmp_path / "runs.jsonl"
    Kept(path).add("first", {}, found_of(job))
    whole = path.read_bytes()
    path.write_bytes(whole + whole.replace(b"first", b"second")[:-cut])
    kept = Kept(path)
    assert list(kept.found) == ["first"] if cut > 1 else ["first", "second"]
    kept.add("third", {}, found_of(job))
    assert {"first", "third"} <= set(Kept(path).found)


@pytest.mark.parametrize(
    "line", ["", "\0\0\0", "[]", "5", '{"key": "a"}', '{"key": "a", "found": {"cars": 1}}']
)
def test_lines_of_another_kind_count_for_nothing(tmp_path: Path, line: str) -> None:
    (tmp_path / "runs.jsonl").write_text(line + "\n")
    assert Kept(tmp_path / "runs.jsonl").found == {}


def test_a_line_says_which_setting_it_is_of(tmp_path: Path) -> None:
    study = read_study(write_study(tmp_path))
    Kept(tmp_path / "runs.jsonl").add("a", study.setting(1), found_of(study.jobs[1]))
    line = json.loads((tmp_path / "runs.jsonl").read_text())
    assert line["setting"] == {"cars.0.share": 0.2, "circuits.0.power_limit_w": 30000, "seed": 2}


def test_each_setting_has_a_key_and_keeps_it(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    assert len(set(keys(study))) == 12
    assert keys(study) == keys(study)


@pytest.mark.parametrize(
    ("name", "text"), [("prices.csv", "0.13\n"), ("feeder/lines.csv", "a,b\n"), ("feeder/x", "")]
)
def test_a_changed_file_makes_another_key(tmp_path: Path, name: str, text: str) -> None:
    study = write_study(tmp_path)
    before = keys(study)
    (tmp_path / name).write_text(text)
    assert not set(before) & set(keys(study))


def test_the_key_depends_on_nothing_but_what_is_run(tmp_path: Path) -> None:
    """Another folder, other notes in the study, more settings: what is done stays done."""
    study = write_study(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    text = study.read_text().replace("[0.2, 0.6, 1.0]", "[0.6, 1.0, 0.4, 0.2]") + "served: 0.5\n"
    assert set(keys(study)) < set(keys(write_study(other, text)))


def test_a_file_that_is_missing_is_left_to_the_scenarios_reader(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    (tmp_path / "prices.csv").unlink()
    assert len(keys(study)) == 12
