"""A station with a screen, and a stranger who plays its master: every state can be brought about."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Self

from displays import Screen
from processes import Program, free_port, until

from hmi.look import BLUE
from hmi.station_screen import NO_START_S
from modbus_link.client import ModbusClient
from modbus_link.clock import Clock
from modbus_link.device import Device
from modbus_link.errors import LinkError
from modbus_link.listen import Listen
from register_maps.points import Value
from register_maps.register_map import load_map
from rtu_firmware.battery import Battery
from rtu_firmware.boards import sim_board
from rtu_firmware.rtu import Rtu
from rtu_firmware.sim_board import SimBoard, Vehicle
from rtu_firmware.station_file import Failsafe, StationFile

BEAT_S = 0.15
LOOK_S = 0.04
WITHIN_S = 10.0
"""For what takes a second or two on a machine that has nothing else to do."""
CHARGE: Mapping[str, Value] = {
    "charge_enable": True,
    "power_limit": 3300,
    "limit_reason": "none",
    "price": 0.12,
    "price_limit": 0.20,
}
HOLD: Mapping[str, Value] = {"charge_enable": False, "power_limit": 0}

Start = Callable[..., Program]


class Station:
    """`pev-scada rtu` with a file of its own, on a port that it keeps."""

    def __init__(self, folder: Path, start: Start) -> None:
        self._folder, self._start = folder, start
        self.port = free_port()

    def begin(
        self,
        *,
        state_of_charge: float | None = 29,
        failsafe: str = "{timeout_s: 10, power_limit_w: 0}",
    ) -> Program:
        """Without a state of charge there is no vehicle. Returns when the port answers."""
        vehicle = f"vehicle: {{capacity_kwh: 24, state_of_charge: {state_of_charge}}}\n"
        path = self._folder / "station.yaml"
        path.write_text(
            f"name: RTS1\nboard: sim\nlisten: {{host: 127.0.0.1, port: {self.port}}}\n"
            f"rated_power_w: 3300\nminimum_power_w: 1300\nfailsafe: {failsafe}\n"
            + (vehicle if state_of_charge is not None else "")
        )
        self.program = self._start("rtu", path)
        self.program.wait_for_port(self.port)
        return self.program


class StrangersMaster:
    """Beats the station's heartbeat and repeats its orders, as long as it isn't told to be silent."""

    def __init__(self, port: int) -> None:
        self._client = ModbusClient("127.0.0.1", port, timeout_s=1)
        self._device = Device(self._client, load_map("pev_rtu"))
        self._closed = Device(self._client, load_map("pev_rtu"), ["contactor_closed"])
        self._orders = dict(CHARGE)
        self._beats = 0
        self.is_silent = False

    async def __aenter__(self) -> Self:
        self._client.start()
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._client.close()

    def give(self, orders: Mapping[str, Value]) -> None:
        """From the next beat on."""
        self._orders |= orders

    async def press(self, button: str) -> None:
        """As by the driver."""
        await self._device.write({f"{button}_request": True})

    async def read(self) -> dict[str, Value]:
        return await self._device.read()

    async def contactor_is_closed(self) -> bool:
        return bool((await self._closed.read())["contactor_closed"])

    async def until(self, **wanted: Value) -> None:
        """Patient with a station that does not answer yet."""

        async def holds() -> bool:
            with contextlib.suppress(LinkError):
                seen = await self.read()
                return all(seen[name] == value for name, value in wanted.items())
            return False

        await until(holds, WITHIN_S)

    async def _run(self) -> None:
        while True:
            if not self.is_silent:
                self._beats = (self._beats + 1) % 0x10000
                with contextlib.suppress(LinkError):
                    await self._device.write({**self._orders, "master_heartbeat": self._beats})
            await asyncio.sleep(BEAT_S)


@contextlib.asynccontextmanager
async def staged_rtu(port: int) -> AsyncIterator[SimBoard]:
    """The same RTU within the test, so that its board's faults and its vehicle can be staged."""
    station = StationFile(
        name="RTS1",
        board="sim",
        listen=Listen(port=port),
        rated_power_w=3300,
        minimum_power_w=1300,
        failsafe=Failsafe(timeout_s=10),
    )
    board = sim_board(station)
    task = asyncio.create_task(Rtu(station, board, Clock()).run())
    try:
        yield board
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def vehicle(state_of_charge: float, capacity_wh: float = 24_000) -> Vehicle:
    return Vehicle(
        battery=Battery(capacity_wh=capacity_wh, max_power_w=3300), state_of_charge_pct=state_of_charge
    )


async def until_seen(holds: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    """`until`, but for looks at a display, which take their time."""
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(LOOK_S)


async def until_title(screen: Screen, *parts: str, within_s: float = WITHIN_S) -> str:
    """The first title that has all these parts."""
    title = ""

    def has_them() -> bool:
        nonlocal title
        title = screen.title
        return all(part in title for part in parts)

    try:
        await until_seen(has_them, within_s)
    except TimeoutError:
        raise AssertionError(f"{parts} not in the title, which is {title!r}") from None
    return title


async def until_button(screen: Screen, colour: str) -> None:
    """Later than the title: Stop stays until the contactor is open."""
    x, y = screen.button_at
    left = screen.box[0] + (x - screen.box[0]) // 8
    await until_seen(lambda: screen.colours((left, y, left + 2, y + 2)) == {colour})


async def start_again(screen: Screen, stopped_at: float) -> None:
    """Press Start, once it is taken for more than a second press of Stop."""
    await until_button(screen, BLUE)
    await until_seen(lambda: time.monotonic() > stopped_at + NO_START_S + BEAT_S)
    screen.press()
