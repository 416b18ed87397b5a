"""`make test-install`: the installer in a Debian of its own, once, twice and undone.

Needs root, debootstrap and Debian's archive. The Python packages are fetched beforehand, by this machine's
own pip and settings; the Debian in the folder reaches nobody.
"""

import argparse
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
ROLES = ("rtu", "master", "hmi")
EXTRAS = (*ROLES, "tls")
BUILD = ("hatchling", "editables")
DEBIAN = "python3,python3-venv,python3-tk,systemd,xserver-xorg-core"
SETTINGS, STATE = "etc/pev-scada", "var/lib/pev-scada"
WRITTEN = [f"{SETTINGS}/{name}" for name in ("RTS1.yaml", "hmi.conf", "site.yaml")]
PASSING = {"__pycache__", "tmp", "wheels", "checkout"}
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "PIP_CONFIG_FILE": "/dev/null"}
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels", "PIP_NO_CACHE_DIR": "1"}

Tree = dict[str, str]
"""What is at each path: whose, and a file's digest or where a link leads."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--suite", choices=PYTHONS, default="bookworm")
    arguments.add_argument("--mirror", default="http://deb.debian.org/debian")
    arguments.add_argument("--root", type=Path, help="a Debian with the packages; a copy of it is used")
    given = arguments.parse_args()
    if os.geteuid():
        sys.exit("needs root")
    with tempfile.TemporaryDirectory(prefix="pev-scada-debian-") as folder:
        root = Path(folder) / "root"
        with timed("a Debian in a folder"):
            make_debian(root, given.suite, given.mirror, given.root)
        with timed("the packages"):
            fetch_packages(root / "wheels", PYTHONS[given.suite])
        (root / "checkout").mkdir()
        try_all(root)


def make_debian(root: Path, suite: str, mirror: str, given: Path | None) -> None:
    if given:
        must("cp", "-a", given, root)
    else:
        must("debootstrap", "--variant=minbase", f"--include={DEBIAN}", suite, root, mirror)


def fetch_packages(folder: Path, python: str) -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*BUILD, *project["dependencies"], *(line for extra in EXTRAS for line in extras[extra])]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
    must(*pip, "--python-version", python, "--dest", folder, *wanted)


def must(*command: object) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]}: exit code {done.returncode}\n{done.stdout}{done.stderr}")


@contextlib.contextmanager
def timed(what: str) -> Iterator[None]:
    begin = time.monotonic()
    yield
    print(f"{time.monotonic() - begin:6.1f} s  {what}", flush=True)


def try_all(root: Path) -> None:
    untouched = tree_of(root)
    refuses_what_it_cannot(root)
    same(untouched, tree_of(root), "after what it refused")
    with timed("installed"):
        install(root)
    first = tree_of(root)
    print(f"{size_mb(root / 'opt/pev-scada'):6.0f} MB the program, in /opt/pev-scada")
    runs(root)
    write_as_a_person(root / WRITTEN[0])
    with timed("installed again"):
        install(root)
    assert "a person's" in (root / WRITTEN[0]).read_text()
    same(first, tree_of(root), "after the second time", but=[WRITTEN[0]])
    heals(root, first)
    undoes(root, untouched)


def heals(root: Path, whole: Tree) -> None:
    """After a power cut in the middle."""
    (found,) = root.glob("opt/pev-scada/lib/python3.*/site-packages/pip")
    shutil.rmtree(found)
    with timed("installed over the half of it"):
        install(root)
    same(whole, tree_of(root), "after half of it was gone", but=[WRITTEN[0]])


def undoes(root: Path, untouched: Tree) -> None:
    with timed("undone"):
        done(root, "/checkout/deploy/install", "--undo")
    kept = [path for path in tree_of(root) if path not in untouched]
    assert sorted(kept) == sorted([SETTINGS, STATE, *WRITTEN]), kept
    done(root, "/checkout/deploy/install", "--undo", "--purge")
    same(untouched, tree_of(root), "after --purge")
    print(f"the tree is as before: {len(untouched)} paths")


def install(root: Path) -> None:
    done(root, "/checkout/deploy/install", *ROLES, "--extras", "tls")


def write_as_a_person(path: Path) -> None:
    with path.open("a") as file:
        file.write("# a person's\n")


def refuses_what_it_cannot(root: Path) -> None:
    """By one clear line and exit code 2."""
    refused(root, "needs Python 3.11", PYTHON="/bin/false")
    with gone(next((root / "usr/lib").glob("python3.*/ensurepip"))):
        refused(root, "sudo apt-get install python3-venv")
    with gone(next((root / "usr/lib").glob("python3.*/tkinter"))):
        refused(root, "sudo apt-get install python3-tk")
    with gone(root / "usr/bin/systemctl"):
        refused(root, "needs systemd")
    with gone(root / "usr/lib/os-release"):
        refused(root, "this is unknown")


@contextlib.contextmanager
def gone(path: Path) -> Iterator[None]:
    path.rename(path.with_name("hidden"))
    yield
    path.with_name("hidden").rename(path)


def refused(root: Path, why: str, **settings: str) -> None:
    said = in_debian(root, "/checkout/deploy/install", *ROLES, **settings)
    assert said.returncode == 2, said
    assert why in said.stderr, said
    assert len(said.stderr.splitlines()) == 1, said


def runs(root: Path) -> None:
    """The command, by the services' user, with the examples that the installer laid down."""
    user = ("setpriv", "--reuid=pev-scada", "--regid=pev-scada", "--clear-groups")
    said = done(root, *user, "pev-scada", "check", f"/{SETTINGS}/RTS1.yaml", f"/{SETTINGS}/site.yaml")
    assert said.count("no fault") == 2, said
    done(root, *user, "/opt/pev-scada/bin/python", "-c", "import PySimpleGUI, cryptography, tzdata")


def done(root: Path, *command: str) -> str:
    said = in_debian(root, *command)
    assert said.returncode == 0, said
    return said.stdout


def in_debian(root: Path, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """The checkout is read-only there; what is mounted is gone with the command."""
    inside = 'mount -t proc proc "$1/proc" && mount --bind -o ro "$0" "$1/checkout" && exec chroot "$@"'
    path = f"{ENVIRONMENT['PATH']}:/usr/local/bin"
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", inside, str(CHECKOUT), str(root), *command],
        env={**ENVIRONMENT, **OFFLINE, "PATH": path, **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def tree_of(root: Path) -> Tree:
    found: Tree = {}
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = [name for name in folders if name not in PASSING]
        for path in (here / name for name in (*folders, *files)):
            if not is_copy_of_before(path.relative_to(root)):
                found[str(path.relative_to(root))] = what_is(path)
    return found


def is_copy_of_before(path: Path) -> bool:
    """useradd keeps /etc/passwd- and the like."""
    return path.parent == Path("etc") and path.name.endswith("-")


def what_is(path: Path) -> str:
    status = path.lstat()
    whose = f"{status.st_uid}:{status.st_gid} {status.st_mode:o}"
    if path.is_symlink():
        return f"{whose} -> {path.readlink()}"
    if path.is_file():
        return f"{whose} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return whose


def same(before: Tree, after: Tree, when: str, but: list[str] | None = None) -> None:
    paths = sorted((before.keys() | after.keys()) - set(but or []))
    other = [path for path in paths if before.get(path) != after.get(path)]
    if other:
        sys.exit(f"{when}, {len(other)} paths are not as before:\n" + "\n".join(other[:40]))


def size_mb(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) / 1e6


if __name__ == "__main__":
    main()
