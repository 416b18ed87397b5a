"""What one scan cycle of the master costs, against the least that a pymodbus program could spend.

One master in this process and N simulated RTUs in another, over loopback TCP. `ours` is a whole
`Master.cycle()`: it reads every RTU, decodes, decides, writes a command to every RTU, records the scan
and publishes pev_master. `bare` is pymodbus alone: one `AsyncModbusTcpClient` per RTU, all RTUs at once,
the same register blocks, no decoding and no writing. The two take turns, cycle by cycle, so that
whatever else the machine does disturbs both alike.

    python benchmarks/scan.py
    python benchmarks/scan.py --stations 2 100 1000 --cycles 20

Time is the wall clock from the start of a cycle to its end. CPU is this process's own: the RTUs', in
the other process, is not in it. But where the other process has no core to itself, its work is in the time.
At the end stands what the master costs without any wire: `scan_in_memory.py`.
"""

import argparse
import asyncio
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import TypeVar

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU
from scan_in_memory import report as report_in_memory

from master_scada.master import Master
from master_scada.model import Command, Plant, Scan
from master_scada.readings import points_to_read
from master_scada.site_file import Site, read_site
from master_scada.station import Reading
from modbus_link.access import Client
from modbus_link.clock import Clock
from register_maps.blocks import Block, plan_reads
from register_maps.points import Table
from register_maps.register_map import load_map
from rtu_firmware.boards import sim_board
from rtu_firmware.rtu import Rtu
from rtu_firmware.station_file import Listen, SimVehicle, StationFile

T = TypeVar("T")

HOST = "127.0.0.1"
READER = Client(host=HOST)
RATED_POWER_W = 3300
SCAN_PERIOD_S = 0.1
TICK_S = 1.0
TIMEOUT_S = 5.0
RAMP_UP_S = 180.0
"""The rule lets stations in bit by bit; by then all must charge."""

EXPLANATION = """\
ours  reads every RTU, decodes, decides, writes a command to every RTU, records and serves pev_master
bare  pymodbus only: reads the same blocks; it decodes nothing, decides nothing and writes nothing
"""
HEADER = f"{'RTUs':>5}  {'':<9}  {'ms per cycle':>12}  {'95 % within':>11}  {'µs CPU per RTU and cycle':>24}"

# --- The RTUs, in a process of their own ------------------------------------------------------------


@contextmanager
def rtu_process(count: int) -> Iterator[list[int]]:
    """The ports of `count` RTUs, which live as long as the block."""
    command = [sys.executable, __file__, "--serve", str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise SystemExit("the RTU process ended before it served")
            yield json.loads(line)
        finally:
            process.terminate()


async def serve(count: int) -> None:
    """Run `count` RTUs and print their ports as a JSON list; end when stdin does."""
    rtus = [_rtu(f"RTS{number}") for number in range(1, count + 1)]
    async with asyncio.TaskGroup() as group:
        tasks = []
        for rtu in rtus:
            tasks.append(group.create_task(rtu.run()))
            await asyncio.sleep(TICK_S / count)  # so that not all of them step in the same moment
        while not all(rtu.server.port for rtu in rtus):
            await asyncio.sleep(0.01)
        print(json.dumps([rtu.server.port for rtu in rtus]), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()


def _rtu(name: str) -> Rtu:
    station = StationFile(
        name=name,
        board="sim",
        listen=Listen(host=HOST, port=0),
        rated_power_w=RATED_POWER_W,
        minimum_power_w=1300,
        vehicle=SimVehicle(capacity_kwh=100, state_of_charge=10),
    )
    return Rtu(station, sim_board(station), Clock(), tick_s=TICK_S)


# --- Ours -------------------------------------------------------------------------------------------


class TimedMaster(Master):
    """Tells how long each phase of its last cycle took, in seconds."""

    phases: Mapping[str, float]
    _polling: tuple[float, float]
    _commanding: tuple[float, float]

    async def cycle(self) -> Scan:
        scan = await super().cycle()
        # The registers of pev_master are made when somebody reads them.
        self.image.read(Table.INPUT_REGISTER, 0, 1, READER)
        ended = time.perf_counter()
        poll_began, poll_ended = self._polling
        command_began, command_ended = self._commanding
        self.phases = {
            "poll": poll_ended - poll_began,
            "decide": command_began - poll_ended,
            "command": command_ended - command_began,
            "record and publish": ended - command_ended,
        }
        return scan

    async def _poll(self, now: float) -> dict[str, Reading]:
        began = time.perf_counter()
        readings = await super()._poll(now)
        self._polling = began, time.perf_counter()
        return readings

    async def _command(self, plant: Plant, commands: Mapping[str, Command]) -> None:
        began = time.perf_counter()
        await super()._command(plant, commands)
        self._commanding = began, time.perf_counter()


def site(ports: list[int]) -> Site:
    """A site with room for all to charge at once."""
    written = {
        "site": "Benchmark",
        "scan_period_s": SCAN_PERIOD_S,
        "rule": {"price_limit": 1.0, "minimum_off_s": 0},
        "tariff": {"kind": "schedule", "currency": "USD", "default": 0.1},
        "circuits": [
            {"name": "feeder", "power_limit_w": 2 * RATED_POWER_W * len(ports), "nominal_voltage_v": 110}
        ],
        "stations": [
            {"name": f"RTS{number}", "circuit": "feeder", "host": HOST, "port": port}
            for number, port in enumerate(ports, start=1)
        ],
        "server": {"host": HOST, "port": 0},
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "site.yaml"
        path.write_text(json.dumps(written))  # which is YAML too
        return read_site(path)


async def ramp_up(master: Master) -> None:
    """Scan until every station charges: the state in which a master spends its days."""
    deadline = time.monotonic() + RAMP_UP_S
    while charging(await master.cycle()) < len(master.site.stations):
        if time.monotonic() > deadline:
            raise SystemExit(f"not all stations charge after {RAMP_UP_S:g} s")
        await asyncio.sleep(SCAN_PERIOD_S)


def charging(scan: Scan) -> int:
    readings = [station.reading for station in scan.plant.stations]
    allowed = [seen for seen in readings if seen and seen.contactor_closed and seen.charge_enable]
    return len(allowed) if all(command.charge_enable for command in scan.commands.values()) else 0


# --- Bare -------------------------------------------------------------------------------------------


class BareLoop:
    """pymodbus as its documentation shows it, one client per RTU."""

    def __init__(self, ports: list[int]) -> None:
        device = load_map("pev_rtu")
        self._blocks = plan_reads(device, points_to_read(device))
        self._unit_id = device.unit_id
        self._clients = [AsyncModbusTcpClient(HOST, port=p, timeout=TIMEOUT_S, retries=0) for p in ports]

    async def open(self) -> None:
        connected = await asyncio.gather(*(client.connect() for client in self._clients))
        if not all(connected):
            raise SystemExit(f"{connected.count(False)} bare clients can't connect")

    def close(self) -> None:
        for client in self._clients:
            client.close()

    async def cycle(self) -> list[list[ModbusPDU]]:
        return await asyncio.gather(*(self._read(client) for client in self._clients))

    async def _read(self, client: AsyncModbusTcpClient) -> list[ModbusPDU]:
        return [await self._read_block(client, block) for block in self._blocks]

    def _read_block(self, client: AsyncModbusTcpClient, block: Block) -> Awaitable[ModbusPDU]:
        match block.table:
            case Table.COIL:
                read = client.read_coils
            case Table.DISCRETE_INPUT:
                read = client.read_discrete_inputs
            case Table.INPUT_REGISTER:
                read = client.read_input_registers
            case Table.HOLDING_REGISTER:
                read = client.read_holding_registers
        return read(block.address, count=block.count, device_id=self._unit_id)


# --- Measuring --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Costs:
    """Of one kind of cycle, one entry for each cycle, in seconds."""

    times: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    async def of(self, cycle: Callable[[], Awaitable[T]]) -> T:
        began, cpu_began = time.perf_counter(), time.process_time()
        result = await cycle()
        self.cpu.append(time.process_time() - cpu_began)
        self.times.append(time.perf_counter() - began)
        return result


@dataclass(slots=True)
class Measured:
    ours: Costs = field(default_factory=Costs)
    bare: Costs = field(default_factory=Costs)
    phases: list[Mapping[str, float]] = field(default_factory=list)


async def measure(ports: list[int], cycles: int) -> Measured:
    master, bare = TimedMaster(site(ports), Clock(), timeout_s=TIMEOUT_S), BareLoop(ports)
    try:
        await master.server.start()
        await master.lines.open(TIMEOUT_S)
        await bare.open()
        await ramp_up(master)
        await bare.cycle()
        gc.freeze()  # as the master does before its first scan; for the bare loop's sake too
        return await _take_turns(master, bare, cycles)
    finally:
        bare.close()
        await master.lines.close()
        await master.server.stop()


async def _take_turns(master: TimedMaster, bare: BareLoop, cycles: int) -> Measured:
    measured = Measured()
    for _ in range(cycles):
        scan = await measured.ours.of(master.cycle)
        measured.phases.append(master.phases)
        if charging(scan) < len(master.site.stations):
            raise SystemExit("a station stopped charging during the measurement")
        replies = await measured.bare.of(bare.cycle)
        if any(reply.isError() for station in replies for reply in station):
            raise SystemExit("a station refused a bare read")
    return measured


def report(count: int, measured: Measured) -> None:
    ours, bare = measured.ours, measured.bare
    for name, costs in (("ours", ours), ("bare", bare)):
        print(
            f"{count:>5}  {name:<9}  {1e3 * median(costs.times):>12.2f}"
            f"  {1e3 * within_95(costs.times):>11.2f}  {1e6 * median(costs.cpu) / count:>24.0f}"
        )
    times = median(ours.times) / median(bare.times)
    cpu = median(ours.cpu) / median(bare.cpu)
    print(f"{'':>5}  {'ours/bare':<9}  {times:>12.2f}  {'':>11}  {cpu:>24.2f}")
    phases = (f"{name} {1e3 * median(p[name] for p in measured.phases):.2f}" for name in measured.phases[0])
    print(f"{'':>5}  of ours:   {', '.join(phases)} ms\n", flush=True)


def within_95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def raise_file_limit() -> None:
    """A connection is an open file, and a thousand of them is more than most shells allow."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the master's scan cycle.")
    parser.add_argument("--stations", type=int, nargs="+", default=[2, 100, 1000], metavar="N")
    parser.add_argument("--cycles", type=int, default=20, help="of each kind, for each number of RTUs")
    parser.add_argument("--serve", type=int, metavar="N", help=argparse.SUPPRESS)
    options = parser.parse_args()
    raise_file_limit()
    if options.serve:
        asyncio.run(serve(options.serve))
        return
    print(EXPLANATION)
    print(HEADER)
    for count in options.stations:
        with rtu_process(count) as ports:
            measured = asyncio.run(measure(ports, options.cycles))
        report(count, measured)
    report_in_memory()


if __name__ == "__main__":
    main()
