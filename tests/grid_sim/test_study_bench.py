"""Studies of the bench that ships, through the real code: by the command, and on a Dask worker."""

import csv
from pathlib import Path

import pytest
from distributed import LocalCluster
from processes import EXAMPLES, run

from grid_sim.study.study import run_study

BENCH = """\
study: Two cars on a bench
scenario: {scenario}
vary:
  circuits.0.power_limit_w: [3500, 7000]
set:
  days: 0.1
  scan_period_s: 60
  rule.price_limit: 0.5
  cars.0.visits.0.leaves: 2026-03-02T17:30:00
  cars.0.visits.1.leaves: 2026-03-02T17:30:00
"""


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    path = tmp_path / "bench.yaml"
    path.write_text(BENCH.format(scenario=EXAMPLES / "day_bench.yaml"))
    return path


def rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "study.csv").read_text().splitlines()))


def test_the_command_runs_the_bench_in_two_processes(bench: Path, tmp_path: Path) -> None:
    done = run("study", bench, "--out", tmp_path / "out", "--workers", 2, within_s=120)
    assert done.returncode == 0, done.stderr
    assert "at least 2" in done.stdout
    tight, wide = rows(tmp_path / "out")
    assert (tight["cars"], tight["controlled_minutes_over_power_limit"]) == ("2", "0.0")
    assert float(tight["uncontrolled_minutes_over_power_limit"]) > 60
    assert float(tight["controlled_delivered_kwh"]) < 0.9 * float(wide["controlled_delivered_kwh"])
    assert (tight["controlled_against"], wide["controlled_against"]) == ("energy", "")


def test_faults_of_a_setting_end_the_command_before_it_runs(bench: Path, tmp_path: Path) -> None:
    bench.write_text(bench.read_text().replace("[3500, 7000]", "[3500, -1]"))
    done = run("study", bench, "--out", tmp_path / "out", "--workers", 1, within_s=120)
    assert done.returncode == 2
    assert "with circuits.0.power_limit_w = -1: " in done.stderr
    assert "circuits[0].power_limit_w: must be greater than 0 (got -1)" in done.stderr
    assert not (tmp_path / "out" / "runs.jsonl").exists()


def test_a_dask_worker_finds_the_same(bench: Path, tmp_path: Path) -> None:
    bench.write_text(bench.read_text().replace("[3500, 7000]", "[7000]"))
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://",
        host="127.0.0.1", dashboard_address=None,
    ) as cluster:  # fmt: skip
        run_study(bench, tmp_path / "far", scheduler=cluster.scheduler_address)
    run_study(bench, tmp_path / "near", workers=1)
    assert rows(tmp_path / "far") == rows(tmp_path / "near")
