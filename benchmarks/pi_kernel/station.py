"""The station's firmware, as systemd starts it, on the kernel's simulators; a master speaks to it by TCP."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from simulators import Chips, Header, Record
from steps import AS_NOBODY, NOBODY, Steps
from world import CONTACTOR, GAUGE, GREEN, METER, RED, VOLTAGE_V, World

from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.errors import LinkError
from register_maps.points import Value
from register_maps.register_map import load_map

PORT, RATED_W, FAILSAFE_S = 5021, 60, 3
NEARLY = 0.02
STATION = f"""
name: RTS1
board: pi
listen: {{host: 127.0.0.1, port: {PORT}}}
rated_power_w: {RATED_W}
minimum_power_w: {RATED_W}
nominal_voltage_v: 12
failsafe: {{timeout_s: {FAILSAFE_S}}}
pi:
  contactor: {{pin: 17, closes_on: high}}
  feedback: {{pin: 27, closed_is: low}}
  plug: {{pin: 22, present_is: low}}
  stop_button: {{pin: 23, pressed_is: low}}
  leds: {{green: 24, red: 25}}
  i2c_bus: BUS
  meter: {{chip: ina226, address: 0x40, shunt_ohm: 0.01, max_current_a: 8}}
  battery: {{gauge: max17048}}
"""


FILE, LOG = Path("/run/station.yaml"), Path("/run/station.log")
COMMAND = [sys.executable, "-m", "pev_scada", "rtu", str(FILE)]
START_S = 60.0


class Master:
    """Gives its permission over and over, as a master does, until it is told not to."""

    def __init__(self, client: ModbusClient) -> None:
        self._device = Device(client, load_map("pev_rtu"))
        self.allows, self.speaks, self._beats = True, True, 0

    async def run(self) -> None:
        while True:
            if self.speaks:
                self._beats += 1
                await self.write(
                    charge_enable=self.allows, power_limit=RATED_W, master_heartbeat=self._beats % 0x10000
                )
            await asyncio.sleep(0.3)

    async def write(self, **values: Value) -> None:
        with contextlib.suppress(LinkError):
            await self._device.write(values)

    async def reads(self, **wanted: Value) -> bool:
        try:
            values = await self._device.read()
        except LinkError:
            return False
        return all(_is_nearly(values[name], value) for name, value in wanted.items())

    async def says(self, part: str) -> tuple[bool, str]:
        """Whether it is in the sentence of the fault, and the sentence."""
        detail = str((await self._device.read())["fault_detail"])
        return part in detail, detail


def _is_nearly(value: Value, wanted: Value) -> bool:
    if isinstance(wanted, float) and isinstance(value, float | int):
        return abs(value - wanted) <= NEARLY * abs(wanted)
    return value == wanted


class Bench:
    """The world, the kernel's record of the pins, and the station's process."""

    def __init__(self, steps: Steps) -> None:
        self.steps, self.header = steps, Header()
        self.record, self.chips = Record(), Chips(METER, GAUGE)
        self.world = World(self.header, self.chips)
        self.scene = self.world.scene
        self.world.start()
        FILE.write_text(STATION.replace("BUS", str(self.chips.number)))

    @property
    def is_driven(self) -> bool:
        return self.header.level(CONTACTOR)

    def start(self) -> subprocess.Popen[bytes]:
        """It goes on by itself; what it prints is in LOG."""
        with LOG.open("ab") as log:
            return subprocess.Popen(COMMAND, stdout=log, stderr=log)

    def run(self, *options: str, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*before, *COMMAND, *options],
            cwd=NOBODY, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def dropped(self, what: str, since: float, within_s: float) -> None:
        """A step of its own: how long after `since` the pin was driven open."""
        at = [when for when, high in self.record.driven(CONTACTOR, since) if not high]
        took_s = at[0] - since if at else float("inf")
        self.steps.check(what, took_s <= within_s, f"{took_s * 1000:.0f} ms")


def main() -> int:
    steps = Steps()
    try:
        asyncio.run(story(Bench(steps)))
    except Exception:
        traceback.print_exc(file=sys.stdout)
        steps.check("the story is told to its end", False)
    if steps.failed and LOG.exists():
        print(LOG.read_text())
    return steps.exit_code


async def story(bench: Bench) -> None:
    refuses(bench)
    process = bench.start()
    async with ModbusClient("127.0.0.1", PORT, timeout_s=5) as client:
        master = Master(client)
        await bench.steps.wait("the station serves", lambda: master.reads(name="RTS1"), START_S)
        speaking = asyncio.create_task(master.run())
        await charges(bench, master)
        await stops(bench, master)
        await breaks(bench, master)
        await is_left_alone(bench, master)
        await stands_still(bench, master, process)
        await ends(bench, master, process)
        speaking.cancel()


def refuses(bench: Bench) -> None:
    """One clear line, and exit code 2."""
    denied = bench.run(before=AS_NOBODY)
    bench.steps.check("no permission: exit code 2", denied.returncode == 2, _last_line(denied))
    environment = os.environ.pop("RPI_LGPIO_REVISION")
    elsewhere = bench.run()
    os.environ["RPI_LGPIO_REVISION"] = environment
    bench.steps.check("no Pi: exit code 2", elsewhere.returncode == 2, _last_line(elsewhere))


async def charges(bench: Bench, master: Master) -> None:
    steps, scene = bench.steps, bench.scene
    driven = bench.record.driven(CONTACTOR)
    steps.check(
        "the contactor's pin was driven open, and never else", {high for _, high in driven} == {False}
    )
    await steps.wait("no vehicle, no fault", lambda: master.reads(state="available", fault=False))
    steps.check("the contactor stays open", not bench.world.closed)
    scene.plugged = True
    await steps.wait(
        "a vehicle is plugged in: the contactor closes", lambda: master.reads(contactor_closed=True)
    )
    await steps.wait(
        "what the meter and the gauge say is read",
        lambda: master.reads(
            state="charging",
            voltage=scene.voltage_v,
            current=scene.vehicle_a,
            power=scene.voltage_v * scene.vehicle_a,
            state_of_charge=scene.state_of_charge_pct,
        ),
    )
    steps.check("the green lamp is lit", bench.header.level(GREEN) and not bench.header.level(RED))


async def stops(bench: Bench, master: Master) -> None:
    steps = bench.steps
    pressed_at = time.monotonic()
    bench.scene.stop_pressed = True
    await steps.wait("the Stop button: open", lambda: master.reads(contactor_closed=False, user_stopped=True))
    bench.dropped("  the pin after the button", pressed_at, 0.2)
    bench.scene.stop_pressed = False
    await asyncio.sleep(1)
    steps.check("it stays open when the button is released", not bench.is_driven)
    await master.write(start_request=True)
    await steps.wait("Start: it closes again", lambda: master.reads(state="charging", contactor_closed=True))
    master.allows = False
    await steps.wait("the permission is withdrawn: open", lambda: master.reads(contactor_closed=False))
    master.allows = True
    await steps.wait("it is given: closed", lambda: master.reads(state="charging", contactor_closed=True))


async def breaks(bench: Bench, master: Master) -> None:
    steps, scene = bench.steps, bench.scene
    taken_at = time.monotonic()
    bench.chips.take(METER)
    await steps.wait("another driver has the meter", lambda: master.reads(fault_code="sensor_failed"))
    bench.dropped("  the pin after it was taken", taken_at, 3.0)
    steps.check("  the fault has a name", *await master.says("busy"))
    with bench.world.bus_unplugged():
        await asyncio.sleep(1)
        steps.check("the bus is gone, and that has a name", *await master.says("no such bus"))
    await steps.wait("it is back: closed", lambda: master.reads(state="charging", contactor_closed=True))
    steps.check("  the meter, which had forgotten its settings, has them again", bench.world.meter_is_set_up)
    await steps.wait("  and is read", lambda: master.reads(current=scene.vehicle_a))
    scene.voltage_v = 35.0
    await steps.wait("a voltage that can't be", lambda: master.reads(fault_code="implausible_value"))
    steps.check("  open", not bench.is_driven)
    scene.voltage_v, scene.welded, master.allows = VOLTAGE_V, True, False
    await steps.wait("a welded contactor", lambda: master.reads(fault_code="contactor_welded"))
    scene.welded, scene.plugged = False, False
    await steps.wait("it is open, and the vehicle is gone", lambda: master.reads(fault=False))
    scene.plugged, master.allows = True, True
    await steps.wait("the next one: closed", lambda: master.reads(state="charging", contactor_closed=True))


async def is_left_alone(bench: Bench, master: Master) -> None:
    silent_at = time.monotonic()
    master.speaks = False
    await bench.steps.wait("the master is silent: failsafe", lambda: master.reads(failsafe_active=True))
    bench.dropped("  the pin after the last heartbeat", silent_at, FAILSAFE_S + 0.5)
    master.speaks = True
    await bench.steps.wait("it speaks: closed", lambda: master.reads(state="charging", contactor_closed=True))


async def stands_still(bench: Bench, master: Master, process: subprocess.Popen[bytes]) -> None:
    """The whole process, and not only its control loop."""
    process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(2)
    bench.steps.check("it stands still: the pin stays, and systemd's watchdog has to act", bench.is_driven)
    went_on_at = time.monotonic()
    process.send_signal(signal.SIGCONT)
    await bench.steps.wait("it goes on: open", lambda: master.reads(contactor_closed=False))
    bench.dropped("  the pin after that", went_on_at, 0.5)
    await bench.steps.wait(
        "  and closed again", lambda: master.reads(state="charging", contactor_closed=True)
    )


async def ends(bench: Bench, master: Master, process: subprocess.Popen[bytes]) -> None:
    steps = bench.steps
    busy = await asyncio.to_thread(bench.run, "--open-contactor")
    steps.check("--open-contactor while it runs fails", busy.returncode and bench.is_driven, _last_line(busy))
    ended_at = time.monotonic()
    process.terminate()
    code = await asyncio.to_thread(process.wait, 20)
    steps.check("SIGTERM: it ends", code == 0, f"exit code {code}")
    bench.dropped("  the pin after the signal", ended_at, 1.0)
    process = bench.start()
    await steps.wait(
        "started anew: closed", lambda: master.reads(state="charging", contactor_closed=True), START_S
    )
    process.kill()
    process.wait()
    steps.check("SIGKILL: the kernel lets go of the pin, which falls", not bench.is_driven)
    since = time.monotonic()
    opened = await asyncio.to_thread(bench.run, "--open-contactor")
    steps.check("--open-contactor: exit code 0", opened.returncode == 0, _last_line(opened))
    bench.dropped("  the pin is driven open", since, START_S)


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stdout + done.stderr).strip().splitlines()
    return f"{len(lines)} lines, {lines[-1]}" if lines else "no word"


if __name__ == "__main__":
    sys.exit(main())
