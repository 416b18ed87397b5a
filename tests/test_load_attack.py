"""Hundreds of bad clients at a station's server and at the master's: the site goes on as without them."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from processes import ExampleSite, until

from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.errors import LinkError
from register_maps.register_map import RegisterMap, load_map

MakeSite = Callable[..., ExampleSite]
Record = Callable[[str, object], None]

ATTACKERS = Path(__file__).with_name("attackers.py")
ATTACKED = ("RTS1", "master")
ATTACK_S = 7.0
SCAN_PERIOD_S = 1.0
STEPS_PER_S = 10
"""Of a station's control; each of them counts its heartbeat up."""
FAILSAFE_S = 3
ROOM_FOR_TWO_W = 7000
SAMPLE_S = 0.1
MOST_WAIT_S = 5.0
MOST_GROWTH_MB = 50
MOST_LINES = 100
OTHER_FILES = 3
"""That a program may have opened for reasons of its own."""
MAPS: Mapping[str, RegisterMap] = {
    "master": load_map("pev_master").expanded(station=2),
    "RTS1": load_map("pev_rtu"),
    "RTS2": load_map("pev_rtu"),
}


@dataclass(slots=True)
class Watch:
    """What a well-behaved client of one server sees, and how fast."""

    device: Device
    samples: list[dict[str, Any]] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    async def look(self) -> dict[str, Any]:
        began = time.monotonic()
        self.samples.append(await self.device.read())
        self.took_s.append(time.monotonic() - began)
        return self.samples[-1]

    async def try_to_look(self) -> bool:
        try:
            await self.look()
        except LinkError as error:
            self.failures.append(str(error))
            return False
        return True

    async def follow(self) -> None:
        while True:
            await self.try_to_look()
            await asyncio.sleep(SAMPLE_S)

    def forget(self) -> None:
        self.samples.clear()
        self.took_s.clear()
        self.failures.clear()

    def seen(self, name: str) -> set[Any]:
        return {sample[name] for sample in self.samples}

    def counted(self, name: str) -> int:
        """From the first sample to the last, of a count that goes on at 0 after 65535."""
        return int(self.samples[-1][name] - self.samples[0][name]) % 0x10000


class Process:
    """What the system says of a running program."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        self._files_before = self._open_files()
        self.memory_mb = [self._memory_mb()]

    def look(self) -> None:
        self.memory_mb.append(self._memory_mb())

    @property
    def growth_mb(self) -> float:
        return max(self.memory_mb) - self.memory_mb[0]

    @property
    def memory(self) -> str:
        return f"{self.memory_mb[0]:.1f} MB, at most {self.growth_mb:.1f} more"

    def _memory_mb(self) -> float:
        status = (self._folder / "status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    @property
    def has_closed_files(self) -> bool:
        """All but as many as it had at first, or nearly."""
        return self._open_files() <= self._files_before + OTHER_FILES

    def _open_files(self) -> int:
        return len(list((self._folder / "fd").iterdir()))


@contextlib.contextmanager
def attack(log: Path, ports: list[int]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, str(ATTACKERS), str(ATTACK_S), *map(str, ports)]
    # Its input is never used: where it ends, so do the attackers.
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def start(site: ExampleSite) -> None:
    """All programs at once, and the master scans as in the examples."""
    file = site.folder / "site.yaml"
    file.write_text(file.read_text().replace("scan_period_s: 0.2", f"scan_period_s: {SCAN_PERIOD_S}"))
    for name in site.ports:
        site.launch(name)
    for program, port in zip(site.programs, site.ports.values(), strict=True):
        program.wait_for_port(port)


@contextlib.asynccontextmanager
async def watching(site: ExampleSite) -> AsyncIterator[dict[str, Watch]]:
    async with contextlib.AsyncExitStack() as stack:
        watches = {}
        for name, port in site.ports.items():
            client = await stack.enter_async_context(ModbusClient("127.0.0.1", port, timeout_s=MOST_WAIT_S))
            await until(lambda client=client: client.connected)
            watches[name] = Watch(Device(client, MAPS[name]))
        yield watches


@contextlib.asynccontextmanager
async def following(watches: Mapping[str, Watch]) -> AsyncIterator[None]:
    """They look as long as the block lasts, and once more before it and after it."""
    for watch in watches.values():
        watch.forget()
        await watch.look()
    tasks = [asyncio.create_task(watch.follow()) for watch in watches.values()]
    try:
        yield
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for watch in watches.values():
        await watch.look()


async def serve_newcomer(site: ExampleSite, name: str) -> float:
    """How long somebody who comes in the midst of it waits for his first reading."""
    began = time.monotonic()
    async with ModbusClient("127.0.0.1", site.ports[name], timeout_s=MOST_WAIT_S) as client:
        watch = Watch(Device(client, MAPS[name]))
        await until(watch.try_to_look)
    return time.monotonic() - began


async def under_attack(
    site: ExampleSite, processes: Mapping[str, Process]
) -> tuple[dict[str, Any], list[float]]:
    """What the attackers did, and how long each newcomer waited meanwhile."""
    log, waited_s = site.folder / "attack.log", []
    with attack(log, [site.ports[name] for name in ATTACKED]) as attackers:
        while attackers.poll() is None:
            for process in processes.values():
                process.look()
            waited_s += [await serve_newcomer(site, name) for name in ATTACKED]
            await asyncio.sleep(SAMPLE_S)
    assert attackers.returncode == 0, log.read_text()
    return json.loads(log.read_text().splitlines()[-1]), waited_s


async def both_charge(master: Watch) -> bool:
    return bool((await master.look())["charging_count"] == 2)


@pytest.mark.alone
async def test_bad_clients_cost_the_site_nothing(example_site: MakeSite, record_property: Record) -> None:
    site = example_site(failsafe_s=FAILSAFE_S, power_limit_w=ROOM_FOR_TWO_W)
    start(site)
    async with watching(site) as watches:
        await until(lambda: both_charge(watches["master"]))
        programs = dict(zip(site.ports, site.programs, strict=True))
        processes = {name: Process(program.process.pid) for name, program in programs.items()}
        began = time.monotonic()
        async with following(watches):
            did, waited_s = await under_attack(site, processes)
        lasted_s = time.monotonic() - began
        await until(lambda: all(process.has_closed_files for process in processes.values()))

    record_property("540 bad clients", did)
    record_property("a newcomer waited at most, s", round(max(waited_s), 3))
    record_property("longest scan, ms", max(watches["master"].seen("scan_time")))
    for name, watch in watches.items():
        record_property(f"{name}, longest read, s", round(max(watch.took_s), 3))
        record_property(f"{name}, memory", processes[name].memory)
    check_servers(did, waited_s, watches)
    check_site(watches, lasted_s)
    for name, program in programs.items():
        assert processes[name].growth_mb < MOST_GROWTH_MB, name
        assert len(program.log.splitlines()) < MOST_LINES, program.log


def check_servers(did: Mapping[str, int], waited_s: list[float], watches: Mapping[str, Watch]) -> None:
    """They were attacked, and went on serving those who behave."""
    assert did["bytes read"] > 1_000_000
    assert did["dropped"] > 100
    assert max(waited_s) < MOST_WAIT_S
    assert [watch.failures for watch in watches.values()] == [[], [], []]


def check_site(watches: Mapping[str, Watch], lasted_s: float) -> None:
    """It was scanned and steered all the time."""
    master = watches["master"]
    assert master.counted("overruns") == 0
    assert master.counted("scans") > lasted_s / SCAN_PERIOD_S - 1.5
    assert master.seen("silent_count") == {0}
    for station in (watches["RTS1"], watches["RTS2"]):
        assert station.counted("heartbeat") > 0.8 * STEPS_PER_S * lasted_s
        assert station.seen("failsafe_active") == {False}
        assert station.seen("charge_enable") == station.seen("contactor_closed") == {True}
