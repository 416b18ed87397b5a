"""`pev-scada` as processes of their own: started from files for free ports, and always ended."""

import asyncio
import contextlib
import itertools
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from modbus_link.client import ModbusClient
from modbus_link.device import Device
from register_maps.points import Value
from register_maps.register_map import load_map

EXAMPLES = Path(__file__).parents[1] / "examples"
START_S = 30.0
"""Long, for machines that are busy with other tests; nobody waits for it in vain."""

_numbers = itertools.count(1)
_random = random.SystemRandom()
_taken: set[int] = set()


def free_port() -> int:
    """Below the ports that outgoing connections take, so that it is still free when a program wants it."""
    while True:
        port = _random.randrange(10_000, 32_000)
        if port in _taken:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _taken.add(port)
            return port


def run(*args: object, within_s: float = START_S) -> subprocess.CompletedProcess[str]:
    """`pev-scada` with these arguments, to its end."""
    command = [sys.executable, "-m", "pev_scada", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=within_s, check=False)


class Program:
    """A `pev-scada` that runs until it is ended. What it prints is in `log`."""

    def __init__(
        self,
        folder: Path,
        *args: object,
        python: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._log = folder / f"{next(_numbers)}-{args[0]}.log"
        with self._log.open("wb") as out:
            command = [sys.executable, *python, "-m", "pev_scada", *map(str, args)]
            self.process = subprocess.Popen(
                command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env=environment
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def wait_for_port(self, port: int) -> None:
        wait_until(lambda: self.process.poll() is not None or answers(port), START_S)
        assert self.process.poll() is None, self.log

    def wait_for_log(self, text: str) -> None:
        wait_until(lambda: self.process.poll() is not None or text in self.log, START_S)
        assert text in self.log

    def kill(self) -> None:
        """As a power cut does: nothing is cleaned up."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """As a program that hangs: its connections stay, and nothing answers."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def terminate(self) -> float:
        """Ask it to end; how long that took."""
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(START_S)
        return time.monotonic() - began


class ExampleSite:
    """A copy of the examples on free ports, quick to act, at a price that is right at any hour."""

    def __init__(self, folder: Path, *, failsafe_s: int = 10, power_limit_w: int = 5000) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in ("master", "RTS1", "RTS2")}
        self.programs: list[Program] = []
        changes = {
            r"port: 5020": f"port: {self.ports['master']}",
            r"port: 5021": f"port: {self.ports['RTS1']}",
            r"port: 5022": f"port: {self.ports['RTS2']}",
            r"hours: {.*?}": "hours: {}",
            r"scan_period_s: [\d.]+": "scan_period_s: 0.2",
            r"minimum_off_s: [\d.]+": "minimum_off_s: 0.5",
            r"timeout_s: \d+": f"timeout_s: {failsafe_s}",
            r"power_limit_w: 5000": f"power_limit_w: {power_limit_w}",
        }
        for path in EXAMPLES.glob("*.yaml"):
            text = path.read_text()
            for old, new in changes.items():
                text = re.sub(old, new, text)
            (folder / path.name).write_text(text)

    def start(self, name: str) -> Program:
        """The master or a station; returns when its port answers."""
        program = self.launch(name)
        program.wait_for_port(self.ports[name])
        return program

    def launch(self, name: str) -> Program:
        args = ("master", "site.yaml") if name == "master" else ("rtu", f"{name.lower()}.yaml")
        program = Program(self.folder, *args)
        self.programs.append(program)
        return program

    def end(self) -> None:
        for program in self.programs:
            program.kill()


class Stations:
    """A third party's eyes on the stations of a site."""

    def __init__(self, site: ExampleSite, stack: contextlib.AsyncExitStack) -> None:
        self._site, self._stack = site, stack
        self._devices: dict[str, Device] = {}

    async def open(self) -> None:
        for name in ("RTS1", "RTS2"):
            client = ModbusClient("127.0.0.1", self._site.ports[name], timeout_s=5)
            await self._stack.enter_async_context(client)
            await until(lambda client=client: client.connected)
            self._devices[name] = Device(client, load_map("pev_rtu"))

    async def read(self) -> dict[str, dict[str, Value]]:
        return {name: await device.read() for name, device in self._devices.items()}

    async def all_are(self, **wanted: Value) -> bool:
        seen = (await self.read()).values()
        return all(values[name] == value for values in seen for name, value in wanted.items())

    async def until_all_are(self, *, within_s: float = START_S, **wanted: Value) -> float:
        """How long it took."""
        began = time.monotonic()
        await until(lambda: self.all_are(**wanted), within_s)
        return time.monotonic() - began


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def wait_until(holds: Callable[[], object], within_s: float = START_S) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


async def until(holds: Callable[[], object | Awaitable[object]], within_s: float = START_S) -> None:
    """`wait_until` in an event loop; `holds` may have to be awaited."""
    async with asyncio.timeout(within_s):
        while not (await found if isinstance(found := holds(), Awaitable) else found):
            await asyncio.sleep(0.04)
