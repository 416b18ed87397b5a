"""The master's own cost: whole scans of many stations in virtual time, without wire and waiting.

Every second station has a car, and the power limit lets half of those charge, so that the others wait for
their turns. `scan` is a `Master.cycle()` over in-memory lines, `decide` the rule and the interlock in it,
`registers` what the first one who reads them afterwards brings about, `steps` one control step of every RTU.
"""

import asyncio
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

from master_scada.master import Master
from master_scada.model import Command, Plant
from master_scada.site_file import read_site
from modbus_link.access import Client
from modbus_link.clock import VirtualClock
from modbus_link.in_memory import InMemoryLink
from register_maps.points import Table
from rtu_firmware.boards import sim_board
from rtu_firmware.rtu import Rtu
from rtu_firmware.station_file import Failsafe, Listen, SimVehicle, StationFile

STATIONS = 55
SCAN_PERIOD_S = 10.0
RATED_POWER_W = 3300
SETTLING_SCANS, MEASURED_SCANS = 120, 200


class DecisionTimed(Master):
    """Tells how long its last decision took."""

    decided_s = 0.0

    def _decide(self, plant: Plant) -> dict[str, Command]:
        began = time.perf_counter()
        commands = super()._decide(plant)
        self.decided_s = time.perf_counter() - began
        return commands


async def measure() -> dict[str, list[float]]:
    """Seconds, of every measured scan."""
    clock = VirtualClock(datetime(2026, 3, 2, tzinfo=UTC))
    rtus = [_rtu(number, clock) for number in range(STATIONS)]
    lines = {number: InMemoryLink(rtu.image) for number, rtu in enumerate(rtus, start=1)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "site.yaml"
        path.write_text(json.dumps(_site()))  # which is YAML too
        master = DecisionTimed(read_site(path), clock, connect=lambda host, port, *, tls: lines[port])
    reader = Client(host="in memory")
    times: dict[str, list[float]] = {"scan": [], "decide": [], "registers": [], "steps": []}
    for _ in range(SETTLING_SCANS + MEASURED_SCANS):
        began = time.perf_counter()
        await master.cycle()
        scanned = time.perf_counter()
        master.image.read(Table.INPUT_REGISTER, 0, 1, reader)
        read = time.perf_counter()
        clock.advance(SCAN_PERIOD_S)
        for rtu in rtus:
            rtu.step()
        times["scan"].append(scanned - began)
        times["decide"].append(master.decided_s)
        times["registers"].append(read - scanned)
        times["steps"].append(time.perf_counter() - read)
    return {name: taken[SETTLING_SCANS:] for name, taken in times.items()}


def report() -> None:
    print(f"In memory, {STATIONS} stations, half of them with cars, half of those charging; ms:")
    for name, taken in asyncio.run(measure()).items():
        within_95 = quantiles(taken, n=20)[-1]
        print(f"  {name:<10}{1e3 * median(taken):>6.2f}, 95 % within {1e3 * within_95:.2f}")


def _site() -> dict[str, object]:
    charging = STATIONS // 4
    return {
        "site": "Benchmark",
        "scan_period_s": SCAN_PERIOD_S,
        "rule": {"price_limit": 1.0, "minimum_off_s": 60},
        "tariff": {"kind": "schedule", "currency": "USD", "default": 0.1},
        "circuits": [{"name": "feeder", "power_limit_w": charging * RATED_POWER_W, "nominal_voltage_v": 110}],
        "stations": [
            {"name": f"RTS{number}", "circuit": "feeder", "host": "here", "port": number}
            for number in range(1, STATIONS + 1)
        ],
        "server": {"port": 0},
    }


def _rtu(number: int, clock: VirtualClock) -> Rtu:
    station = StationFile(
        name=f"RTS{number + 1}",
        board="sim",
        listen=Listen(port=0),
        rated_power_w=RATED_POWER_W,
        minimum_power_w=1300,
        failsafe=Failsafe(timeout_s=60),
        vehicle=SimVehicle(capacity_kwh=1000, state_of_charge=10) if number % 2 else None,
    )
    return Rtu(station, sim_board(station), clock)


if __name__ == "__main__":
    report()
