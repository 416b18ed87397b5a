"""What a screen costs: at rest while it shows a device at work, and after a day of changes.

At rest: the screen is a process of its own, on an Xvfb of its own, and shows a simulated station that
charges. CPU is what the process took of one core (user and system), and what Xvfb took for it.
A day: 86,400 pictures that all differ, a day's worth of seconds, drawn and painted in this process as fast
as it goes; nothing may pile up. Memory is what the process has resident.

    python benchmarks/screens.py
    python benchmarks/screens.py --seconds 5 --updates 5000 --size 480x320
"""

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "hmi")]

import charging_day  # noqa: E402
from processes import Program, free_port, until  # noqa: E402

from hmi.screens import width_and_height  # noqa: E402
from hmi.sketch import Measure, Picture  # noqa: E402
from hmi.texts import load_texts  # noqa: E402
from hmi.window import ScreenWindow  # noqa: E402
from modbus_link.client import ModbusClient  # noqa: E402
from modbus_link.device import Device  # noqa: E402
from register_maps.register_map import load_map  # noqa: E402

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SETTLE_S = 3.0
MOST_CPU = 0.05
WARM_SHARE = 0.05
TRIAL = 500
"""Updates, before the day, that tell how long it will take."""
STATION = """\
name: RTS1
board: sim
listen: {{port: {port}}}
rated_power_w: 3300
minimum_power_w: 1300
failsafe: {{timeout_s: 10, power_limit_w: 0}}
vehicle: {{capacity_kwh: 24, state_of_charge: 29}}
"""

Pictures = Callable[[int, tuple[int, int], Measure], Iterator[Picture]]
Serve = Callable[[Path], AbstractAsyncContextManager[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A screen to be measured: `pev-scada hmi NAME`, the device that it shows (whose port is given, and
    whose window's title has `title` once it is at work), and the pictures of a day."""

    name: str
    device: Serve
    title: str
    pictures: Pictures


# --- The devices ------------------------------------------------------------------------------------


@asynccontextmanager
async def charging_station(folder: Path) -> AsyncIterator[int]:
    """A simulated RTU as a process, and its master here."""
    port = free_port()
    (folder / "rts1.yaml").write_text(STATION.format(port=port))
    rtu = Program(folder, "rtu", "rts1.yaml")
    try:
        rtu.wait_for_port(port)
        async with ModbusClient("127.0.0.1", port, timeout_s=5) as client:
            await until(lambda: client.connected)
            beating = asyncio.create_task(beat(Device(client, load_map("pev_rtu"))))
            yield port
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
    finally:
        rtu.kill()


async def beat(device: Device) -> None:
    count = 0
    while True:
        count += 1
        await device.write({"power_limit": 3300, "master_heartbeat": count, "price": 0.12})
        await device.write({"charge_enable": True})
        await asyncio.sleep(1)


SUBJECTS = {
    subject.name: subject
    for subject in [
        Subject(
            name="station",
            device=charging_station,
            title="RTS1: Charging",
            pictures=charging_day.pictures,
        )
    ]
}


# --- Measuring --------------------------------------------------------------------------------------


@contextmanager
def display() -> Iterator[int]:
    """An Xvfb, which DISPLAY then names, and its process id."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1920x1200x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            os.environ["DISPLAY"] = f":{server.stdout.readline().strip()}"
            yield server.pid
        finally:
            server.terminate()


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def resident_mb(pid: int | str = "self") -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def window_titles() -> str:
    return subprocess.run(["xwininfo", "-root", "-tree"], capture_output=True, text=True, check=True).stdout


async def at_rest(subject: Subject, size: str, seconds: float, folder: Path) -> None:
    with display() as x_pid, contextlib.ExitStack() as stack:
        async with subject.device(folder) as port:
            began = time.monotonic()
            screen = Program(folder, "hmi", subject.name, f"127.0.0.1:{port}", "--size", size)
            stack.callback(screen.kill)
            await until(lambda: f"127.0.0.1:{port}" in window_titles() or subject.title in window_titles())
            opened_s = time.monotonic() - began
            await until(lambda: subject.title in window_titles())
            live_s = time.monotonic() - began
            await asyncio.sleep(SETTLE_S)
            pids = screen.process.pid, x_pid
            before, began = [cpu_s(pid) for pid in pids], time.monotonic()
            await asyncio.sleep(seconds)
            took = time.monotonic() - began
            own, x11 = ((cpu_s(pid) - b) / took for pid, b in zip(pids, before, strict=True))
            print(f"  at rest, over {took:.0f} s, {size}")
            print(f"    CPU of a core       {own:7.1%}   (aim: below {MOST_CPU:.0%})")
            print(f"    CPU of Xvfb         {x11:7.1%}")
            print(f"    resident memory     {resident_mb(screen.process.pid):7.1f} MB")
            print(f"    until its window    {opened_s:7.2f} s")
            print(f"    until it is live    {live_s:7.2f} s", flush=True)


def show(window: ScreenWindow, pictures: Iterator[Picture]) -> Iterator[int]:
    """After each picture that was painted, how many items are on the canvas."""
    for picture in pictures:
        window.paint(picture)
        for _ in window.events():
            pass
        yield len(window._canvas.find_all())


def a_day(subject: Subject, size: str, updates: int) -> None:
    pixels = width_and_height(size)
    with display():
        window = ScreenWindow(subject.name, pixels, font=load_texts().font)
        try:
            began = time.perf_counter()
            trial = len(list(show(window, subject.pictures(TRIAL, pixels, window.measure))))
            each_s = (time.perf_counter() - began) / trial
            print(
                f"  {updates:,} updates, {size}; {1000 * each_s:.1f} ms each: {updates * each_s:.0f} s to go"
            )
            began = time.perf_counter()
            warm_mb, most, least = 0.0, 0, sys.maxsize
            for number, items in enumerate(show(window, subject.pictures(updates, pixels, window.measure))):
                if number == int(updates * WARM_SHARE):
                    warm_mb = resident_mb()
                most, least = max(most, items), min(least, items)
            took = time.perf_counter() - began
        finally:
            window.close()
    end_mb = resident_mb()
    print(f"    ms per update       {1000 * took / updates:7.2f}   ({took:.0f} s in all)")
    print(f"    resident, {WARM_SHARE:.0%} on    {warm_mb:8.1f} MB")
    print(f"    resident at the end {end_mb:7.1f} MB   ({end_mb - warm_mb:+.1f})")
    print(f"    items on the canvas {least} to {most}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the screens cost.")
    parser.add_argument("--seconds", type=float, default=20, help="at rest")
    parser.add_argument("--updates", type=int, default=charging_day.DAY_S, help="of the day")
    parser.add_argument("--size", default="800x480", metavar="WIDTHxHEIGHT")
    parser.add_argument("--screens", nargs="+", default=list(SUBJECTS), choices=SUBJECTS, metavar="NAME")
    options = parser.parse_args()
    for name in options.screens:
        print(f"hmi {name}")
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(at_rest(SUBJECTS[name], options.size, options.seconds, Path(folder)))
        a_day(SUBJECTS[name], options.size, options.updates)


if __name__ == "__main__":
    main()
