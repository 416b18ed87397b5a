"""What deploy/install says before it touches anything; `make test-install` tries the rest."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
INSTALL = DEPLOY / "install"
NOBODY = 65534


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "deploy/install ROLE"),
        (["station"], "station is no role and no option; roles are rtu, master and hmi"),
        (["rtu", "--extras"], "--extras needs names"),
        (["rtu", "--purge"], "--purge goes with --undo"),
        (["rtu", "--undo"], "--undo removes everything: give no role and no extras"),
        (["rtu", "hmi"], "needs root: sudo deploy/install"),
        (["--undo"], "needs root: sudo deploy/install"),
    ],
)
def test_it_refuses(arguments: list[str], why: str) -> None:
    refused = as_nobody(*arguments)
    assert refused.returncode == 2
    assert why in refused.stderr
    assert refused.stdout == ""


def test_it_helps() -> None:
    helped = as_nobody("--help")
    assert helped.returncode == 0
    assert "--undo" in helped.stdout


def as_nobody(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Nothing is installed here, whatever it tries. By stdin: this user may not look everywhere."""
    return subprocess.run(
        ["sh", "-s", "--", *arguments],
        input=INSTALL.read_text(),
        user=NOBODY if os.geteuid() == 0 else None,
        extra_groups=[] if os.geteuid() == 0 else None,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_the_shell_script_is_clean() -> None:
    checked = subprocess.run(["shellcheck", INSTALL], capture_output=True, text=True, timeout=60, check=False)
    assert checked.stdout == ""


@pytest.mark.parametrize(
    "path", sorted(DEPLOY.rglob("*.service")) + sorted(DEPLOY.rglob("*.conf")), ids=lambda p: p.name
)
def test_it_knows_every_file(path: Path) -> None:
    assert f"{path.relative_to(DEPLOY)}" in INSTALL.read_text()
