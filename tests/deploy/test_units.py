"""The units for systemd: that it understands them, and how little they may do, by its own measure."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted(path.name for path in (DEPLOY / "units").iterdir())
HIGHEST_EXPOSURE = 3.0
PROGRAM = "/opt/pev-scada/bin/pev-scada"
XORG = "/usr/lib/xorg/Xorg"

pytestmark = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed"
)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """A copy of them, whose programs are there."""
    for path in (DEPLOY / "units").iterdir():
        text = path.read_text().replace(PROGRAM, sys.executable).replace(XORG, sys.executable)
        (tmp_path / path.name).write_text(text)
    return tmp_path


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", "--no-pager", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_all_of_it(units: Path, name: str) -> None:
    verified = analyze("verify", "--man=no", "--recursive-errors=no", units / name)
    said = [line for line in verified.stderr.splitlines() if "pev-scada" in line or str(units) in line]
    assert (verified.returncode, said) == (0, [])


@pytest.mark.parametrize("name", UNITS)
def test_it_may_do_little(name: str, record_property: Callable[[str, object], None]) -> None:
    judged = analyze(
        "security", "--offline=true", f"--threshold={HIGHEST_EXPOSURE * 10:.0f}", DEPLOY / "units" / name
    )
    (exposure,) = re.findall(r"exposure level for \S+: ([\d.]+)", judged.stdout)
    record_property("exposure", exposure)
    assert judged.returncode == 0, judged.stdout
    assert float(exposure) < HIGHEST_EXPOSURE
