"""`pev-scada day` and `study` as a user calls them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
COMMAND = str(Path(sys.executable).with_name("pev-scada"))
LINE = "r_ohm: 0.04"


def command(*arguments: object, folder: Path, hash_seed: str = "0") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
    )


def bench(folder: Path, **changed: str) -> Path:
    """Half an hour of the bench, with some of its lines otherwise."""
    text = (EXAMPLES / "day_bench.yaml").read_text().replace("days: 0.5", "days: 0.02")
    text = text.replace("2026-03-03T03:00:00", "2026-03-02T15:58:00")
    for old, new in changed.values():
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "bench.yaml"
    path.write_text(text)
    return path


def test_a_day_gives_a_report_and_the_same_bytes_again(tmp_path: Path) -> None:
    scenario = bench(tmp_path)
    first = command("day", scenario, folder=tmp_path)
    assert (first.returncode, first.stderr) == (0, "")
    assert "over a power limit" in first.stdout
    again = command("day", scenario, "--out", "again", folder=tmp_path, hash_seed="7")
    assert again.returncode == 0
    files = sorted(path.relative_to(tmp_path / "bench") for path in (tmp_path / "bench").rglob("*.*"))
    assert {"report.html", "series.csv", "cars.csv", "outcome.json"} <= {str(path) for path in files}
    for path in files:
        assert (tmp_path / "bench" / path).read_bytes() == (tmp_path / "again" / path).read_bytes(), path
    found = json.loads((tmp_path / "bench" / "outcome.json").read_text())
    assert found["controlled"]["metered_share"] == pytest.approx(1, abs=0.001)
    assert found["controlled"]["scans_over_power_limit"] == 0


def test_every_fault_of_a_scenario_is_told_and_nothing_is_run(tmp_path: Path) -> None:
    scenario = bench(
        tmp_path,
        bus=("bus: RTS2, phases: a", "bus: RTS9, phases: a"),
        visit=("arrives: 2026-03-02T15:50:00", "arrives: 2026-03-02T16:10:00"),
        tariff=("{kind: schedule, currency: USD, default: 0.12", "{kind: modbus, currency: USD"),
    )
    done = command("day", scenario, folder=tmp_path)
    assert done.returncode == 2
    assert "there is no bus 'RTS9'" in done.stderr
    assert "cars[0].visits[1]" in done.stderr
    assert "tariff" in done.stderr
    assert not (tmp_path / "bench").exists()


def test_a_network_that_can_not_carry_it_is_one_line(tmp_path: Path) -> None:
    scenario = bench(tmp_path, line=(LINE, "r_ohm: 3"), share=("{0: 0, 17: 0.2", "{0: 1, 17: 1"))
    done = command("day", scenario, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("at 2026-03-02 15:30:00: ")
    assert "Traceback" not in done.stderr


def test_where_nothing_can_be_written_nothing_is_run(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    done = command("day", bench(tmp_path), "--out", "taken/results", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "taken/results can't be written: Not a directory; name another --out\n"


def test_what_can_not_be_written_at_the_end_is_one_line_after_the_figures(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "figures").touch()
    scenario = bench(tmp_path, period=("scan_period_s: 5", "scan_period_s: 60"))
    done = command("day", scenario, "--out", "results", folder=tmp_path)
    assert done.returncode == 1
    assert "energy delivered" in done.stdout
    assert done.stderr == "results/figures can't be written: File exists\n"
