"""The station's firmware on the Linux kernel's own simulators, in a virtual machine; README.md says more.

    python benchmarks/pi_kernel/vm.py
    python benchmarks/pi_kernel/vm.py --run facts.py      # one part alone

Exit code 0: all steps held; 1: one did not; 3: something can't be had on this machine, and its name.
"""

import argparse
import compileall
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
CODE = HERE.parents[1]
FOLDER = CODE / ".venv" / "pi_kernel"
PACKAGES = ("register_maps", "modbus_link", "rtu_firmware")
QEMU = "qemu-system-x86_64"
MISSING = 3
LONGEST_S = 1800
"""An emulated machine that has not ended by then never will."""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--run", nargs="*", default=["facts.py", "station.py"], metavar="PART")
    arguments.add_argument("--folder", type=Path, default=FOLDER, help="where the kernel is kept")
    given = arguments.parse_args()
    if not shutil.which(QEMU):
        print(f"can't be had here: {QEMU}; Debian has it as qemu-system-x86", file=sys.stderr)
        return MISSING
    folder = given.folder.absolute()
    prepared = subprocess.run([HERE / "prepare", folder, sys.executable], check=False).returncode
    if prepared:
        return prepared
    for package in PACKAGES:
        compileall.compile_dir(CODE / package, quiet=1)  # inside, nothing can be written, and time is dear
    return max(run_inside(part, folder) for part in given.run)


def run_inside(part: str, folder: Path) -> int:
    """Boots, shows what `part` says, and returns its exit code; 1 where it says nothing of that kind."""
    began, verdict = time.monotonic(), ""
    print(f"\n{part}, in the virtual machine:", flush=True)
    for line in lines_of(boot_command(part, folder)):
        if line.startswith("verdict: "):
            verdict = line.removeprefix("verdict: ")
        elif not verdict:
            print(line, flush=True)
    print(f"{part}: {time.monotonic() - began:.0f} s with booting")
    return int(verdict) if verdict.isdigit() else 1


def boot_command(part: str, folder: Path) -> list[str]:
    """By software emulation alone, which is there everywhere. The guest's clock counts instructions, 125
    million a second, so that its times don't depend on what else this machine does."""
    inside = {"CODE": CODE, "FOLDER": folder, "PYTHON": sys.executable, "RUN": part}
    settings = " ".join(f"PEV_{name}={value}" for name, value in inside.items())
    share = "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap"
    return [
        *("nice", QEMU, "-accel", "tcg", "-cpu", "max", "-icount", "shift=3", "-smp", "1", "-m", "512"),
        *("-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot", "-virtfs", share),
        *("-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initrd.gz")),
        *("-append", f"console=ttyS0 quiet panic=-1 {settings}"),
    ]


def lines_of(command: list[str]) -> Iterator[str]:
    """What it prints, while it runs; it is ended when nobody listens any more, or after `LONGEST_S`."""
    with subprocess.Popen(
        ["timeout", str(LONGEST_S), *command],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace",
    ) as machine:  # fmt: skip
        try:
            assert machine.stdout
            for line in machine.stdout:
                yield line.rstrip()
        finally:
            machine.terminate()


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    sys.exit(main())
