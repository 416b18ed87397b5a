"""What a station's process costs: memory, processor and time to start, beside pymodbus's own bare server.

Each is a process of its own, polled once a second by a master's client, which reads all that a station
serves and writes what a master writes. Memory is what is resident (VmRSS), CPU what the process took of one
core (user and system), the start ends with the first answered request. The bare server only answers: it
controls nothing. The Pi's board runs over doubles of its pins and chips, whose own cost (and that of pytest,
which they import) is in its figures.

    python benchmarks/footprint.py
    python benchmarks/footprint.py --seconds 20
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "rtu_firmware")]

from pi_program import STATION as ON_PI_STATION  # noqa: E402
from processes import free_port  # noqa: E402

from modbus_link.client import ModbusClient  # noqa: E402
from modbus_link.device import Device  # noqa: E402
from modbus_link.errors import LinkError  # noqa: E402
from register_maps.points import Table  # noqa: E402
from register_maps.register_map import load_map  # noqa: E402

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
STARTS = 5
ON_SIM, ON_PI, PEER = "station, sim board", "station, pi board over doubles", "pymodbus's bare server"
AIM_MIB, AIM_CPU, AIM_START_S = 60.0, 0.02, 2.0
STATION = """\
name: RTS1
board: sim
listen: {{port: {port}}}
rated_power_w: 3300
minimum_power_w: 1300
failsafe: {{timeout_s: 10, power_limit_w: 0}}
vehicle: {{capacity_kwh: 24, state_of_charge: 5}}
"""
BARE = """\
import asyncio
from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
words = [SimData(0, values=[0] * 300, datatype=DataType.REGISTERS)]
asyncio.run(StartAsyncTcpServer(SimDevice(1, simdata=words), address=("127.0.0.1", {port})))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    start_s: float
    resident_mib: float
    cpu: float


class Polled:
    """A process that serves Modbus, and a client that polls it as a master does."""

    def __init__(self, command: Sequence[str], port: int, *, steers: bool) -> None:
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sys.path[:2]))},
        )
        self._client = ModbusClient("127.0.0.1", port, timeout_s=1.0)
        self._device = Device(self._client, load_map("pev_rtu"))
        self._steers = steers
        self._beat = 0

    async def start_s(self) -> float:
        """Until the first answer."""
        self._client.start()
        while self.process.poll() is None and time.monotonic() - self.began < 30:
            try:
                await self.poll()
                return time.monotonic() - self.began
            except LinkError:
                await asyncio.sleep(0.01)
        await self.close()
        raise SystemExit(f"{self.process.args}: serves nothing")

    async def poll(self) -> None:
        if not self._steers:
            for count in (14, 70):  # one by one: it answers no second request of a segment
                await self._client.read(Table.HOLDING_REGISTER, 0, count, 1)
            return
        self._beat += 1
        await self._device.write({"power_limit": 3300, "master_heartbeat": self._beat})
        await self._device.write({"charge_enable": True})
        await self._device.read()

    async def rest(self, seconds: float) -> Footprint:
        before, at = self._cpu_s(), time.monotonic()
        while time.monotonic() - at < seconds:
            await self.poll()
            await asyncio.sleep(1.0)
        taken = (self._cpu_s() - before) / (time.monotonic() - at)
        return Footprint(start_s=0.0, resident_mib=self._resident_mib(), cpu=taken)

    async def close(self) -> None:
        await self._client.close()
        self.process.terminate()
        self.process.wait(10)

    def _cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def _resident_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


async def measured(folder: Path, seconds: float, what: str) -> Footprint:
    starts = []
    for _ in range(STARTS):
        polled = begun(folder, what)
        starts.append(await polled.start_s())
        await polled.close()
    polled = begun(folder, what)
    await polled.start_s()
    await polled.rest(3.0)
    found = await polled.rest(seconds)
    await polled.close()
    return Footprint(start_s=sorted(starts)[STARTS // 2], resident_mib=found.resident_mib, cpu=found.cpu)


def begun(folder: Path, what: str) -> Polled:
    port, path, python = free_port(), folder / "station.yaml", sys.executable
    if what == PEER:
        return Polled([python, "-c", BARE.format(port=port)], port, steers=False)
    if what == ON_SIM:
        path.write_text(STATION.format(port=port))
        return Polled([python, "-m", "pev_scada", "rtu", str(path)], port, steers=True)
    path.write_text(ON_PI_STATION % port)
    program = TESTS / "rtu_firmware" / "pi_program.py"
    return Polled([python, str(program), str(folder / "report.json"), str(path)], port, steers=True)


async def main(seconds: float) -> int:
    with tempfile.TemporaryDirectory() as folder:
        found = {what: await measured(Path(folder), seconds, what) for what in (ON_SIM, ON_PI, PEER)}
    print(f"{'':34}{'start':>10}{'resident':>12}{'of a core':>12}")
    for what, one in found.items():
        print(f"{what:34}{one.start_s:8.2f} s{one.resident_mib:8.1f} MiB{one.cpu:11.2%}")
    ours, peer = found[ON_SIM], found[PEER]
    ratios = (ours.start_s / peer.start_s, ours.resident_mib / peer.resident_mib)
    print(f"{f'{ON_SIM} / {PEER}':34}{ratios[0]:9.2f}x{ratios[1]:11.2f}x")
    kept = all(
        one.resident_mib < AIM_MIB and one.cpu < AIM_CPU and one.start_s < AIM_START_S
        for one in (found[ON_SIM], found[ON_PI])
    )
    print(f"aim: {AIM_START_S:g} s, {AIM_MIB:g} MiB, {AIM_CPU:.0%}: {'kept' if kept else 'missed'}")
    return 0 if kept else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each is watched at rest")
    sys.exit(asyncio.run(main(parser.parse_args().seconds)))
