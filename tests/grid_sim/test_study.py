"""A study from its file to its page: in processes of its own, cut off and taken up again."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import study_double as double
from processes import wait_until

from grid_sim.study.cores import on_cores
from grid_sim.study.model import Job, StudyStopped
from grid_sim.study.study import run_study
from modbus_link.errors import BadInput
from register_maps.yaml_file import BadFile

RESULTS = ("study.csv", "study.html")


def run_all(folder: Path, out: str = "out", **settings: object) -> dict[str, bytes]:
    keywords = {"check": double.no_faults, "run": double.run, "workers": 1, **settings}
    run_study(double.write_study(folder), folder / out, **keywords)  # type: ignore[arg-type]
    return {name: (folder / out / name).read_bytes() for name in RESULTS}


def ran(folder: Path) -> dict[str, int]:
    """The settings that were run, and in which process."""
    return {note.name: int(note.read_text()) for note in (folder / "ran").glob("*")}


def forget_ran(folder: Path) -> None:
    for note in (folder / "ran").glob("*"):
        note.unlink()


def lines(folder: Path) -> list[str]:
    kept = folder / "out" / "runs.jsonl"
    return kept.read_text().splitlines() if kept.exists() else []


def test_two_processes_do_what_one_does_to_the_byte(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two = run_all(tmp_path, "two", workers=2)
    assert len(ran(tmp_path)) == 12
    assert os.getpid() not in ran(tmp_path).values()
    assert run_all(tmp_path, "one") == two
    assert "at least 20" in capsys.readouterr().out


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    whole = run_all(tmp_path)
    (tmp_path / "out" / "runs.jsonl").write_text("\n".join(sorted(lines(tmp_path))[:7]) + "\n")
    forget_ran(tmp_path)
    assert run_all(tmp_path) == whole
    assert len(ran(tmp_path)) == 5
    forget_ran(tmp_path)
    assert run_all(tmp_path) == whole
    assert ran(tmp_path) == {}
    check_page(tmp_path, whole["study.html"].decode())


def check_page(tmp_path: Path, page: str) -> None:
    """It stands by itself, and names no place of this machine."""
    assert page.count("<svg") == 2
    assert not re.search(r'(src|href)="(?!#)|@import|url\((?!#)', page)
    assert str(tmp_path) not in page
    assert "4 (power limit)" in page
    # On a telephone a path needs more lines than one, and in a figure there is no room for all of it.
    assert page.count("circuits.<wbr>0.<wbr>power_<wbr>limit_<wbr>w") == 2
    assert "power_limit_w 60000" in page


def one_is_faulty(job: Job) -> tuple[str, ...]:
    wrong = ("day.yaml:2: seed: is odd",) if job.data["seed"] == 1 else ()
    return (*wrong, "day.yaml:1: about: is missing")


def test_faults_of_all_settings_are_told_before_the_first_one_runs(tmp_path: Path) -> None:
    with pytest.raises(BadFile) as error:
        run_all(tmp_path, check=one_is_faulty)
    assert str(error.value).replace(str(tmp_path), "") == (
        "/study.yaml:2: scenario: with seed = 1: day.yaml:2: seed: is odd\n"
        "/study.yaml:2: scenario: day.yaml:1: about: is missing"
    )
    assert ran(tmp_path) == {}


def test_a_worker_that_is_killed_ends_the_study_which_goes_on_later(tmp_path: Path) -> None:
    with pytest.raises(StudyStopped, match="the same command goes on from here"):
        run_all(tmp_path, run=double.run_and_die, workers=2)
    assert 0 < len(lines(tmp_path)) < 12
    forget_ran(tmp_path)
    left = 12 - len(lines(tmp_path))
    run_all(tmp_path)
    assert len(ran(tmp_path)) == left


PROGRAM = """
if __name__ == "__main__":
    from pathlib import Path

    import study_double as double
    from grid_sim.study.cores import on_cores
    from grid_sim.study.study_file import read_study

    with on_cores(2) as cores:
        for _ in cores.each(double.run_for_ever, read_study(Path("study.yaml")).jobs):
            pass
"""


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Two workers in a program of their own, which are done with two settings and never with the others."""
    double.write_study(tmp_path)
    (tmp_path / "program.py").write_text(PROGRAM)
    paths = [str(Path(double.__file__).parent), *filter(None, sys.path)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "program.py"],
            cwd=tmp_path,
            stdout=log,
            stderr=log,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )
    wait_until(lambda: process.poll() is not None or len(ran(tmp_path)) == 4, 60)
    assert process.poll() is None, (tmp_path / "log").read_text()
    yield process
    process.kill()
    process.wait()


def is_alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_study_that_is_ended_leaves_no_process(
    tmp_path: Path, endless: subprocess.Popen[bytes], number: signal.Signals
) -> None:
    pids = set(ran(tmp_path).values())
    if number == signal.SIGINT:
        os.killpg(endless.pid, number)  # as a terminal does
    else:
        endless.send_signal(number)
    endless.wait(20)
    wait_until(lambda: not any(map(is_alive, pids)), 20)
    log = (tmp_path / "log").read_text()
    assert log.count("Traceback") == (number == signal.SIGINT)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(BadInput, match="out can't be written: File exists; name another --out"):
        run_all(tmp_path)


def test_workers_are_of_this_machine_or_of_a_cluster(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="give one of them"):
        run_all(tmp_path, scheduler="tcp://127.0.0.1:8786")


def fail(job: Job) -> tuple[str, ...]:
    raise ZeroDivisionError(job.path.name)


def test_what_fails_in_a_worker_fails_here(tmp_path: Path) -> None:
    job = Job(data={}, path=tmp_path / "day.yaml")
    with pytest.raises(ZeroDivisionError, match=r"day\.yaml"), on_cores(1) as cores:
        list(cores.each(fail, [job]))
