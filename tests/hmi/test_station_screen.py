"""The driver's Stop and Start on their way to a real station; the screen's time is the test's."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from ipaddress import ip_network
from typing import Any

import pytest
from processes import free_port, until
from site_certificates import SiteCertificates

from hmi.sketch import Press
from hmi.station_screen import NO_START_S, TELL_S, TRY_FOR_S, StationScreen
from hmi.texts import load_texts
from modbus_link.client import ModbusClient
from modbus_link.clock import Clock
from modbus_link.device import Device
from modbus_link.errors import BadInput, ExceptionCode
from modbus_link.image import Refusal, RegisterImage
from modbus_link.listen import Listen, Role
from modbus_link.server import ModbusServer
from modbus_link.tls import TlsFiles
from modbus_link.writes import Write
from register_maps.points import Value
from register_maps.register_map import load_map
from rtu_firmware.boards import sim_board
from rtu_firmware.rtu import Rtu, station_map
from rtu_firmware.station_file import Failsafe, SimVehicle, StationFile

TEXTS = load_texts("en")
STOP, START = Press("stop"), Press("start")
CHARGING = {
    "name": "RTS1",
    "vehicle_connected": True,
    "contactor_closed": True,
    "state": "charging",
    "heartbeat": 1,
}
REFUSED = f"{TEXTS('station.refused', order='STOP')}: {TEXTS('station.refused_what_to_do')}"
NO_ANSWER = f"{TEXTS('station.overdue', order='STOP')}: {TEXTS('station.overdue_what_to_do')}"


class Stage:
    """A screen, and the stations that it finds at its port: RTUs, or registers alone that tell of writes."""

    def __init__(self, stack: contextlib.AsyncExitStack) -> None:
        self._stack = stack
        self._running: dict[object, asyncio.Task[None]] = {}
        self.port = free_port()
        self.now = 50.0
        self.written: list[dict[str, Value]] = []

    async def screen(self, **client: Any) -> StationScreen:
        link = ModbusClient("127.0.0.1", self.port, **({"timeout_s": 5.0} | client))
        screen = StationScreen(link, TEXTS, Clock(), lambda: self.now)
        await self._start(screen, screen.run())
        return screen

    async def rtu(self) -> Rtu:
        """Charges without a master, by its failsafe limit."""
        station = StationFile(
            name="RTS1",
            board="sim",
            listen=Listen(port=self.port),
            rated_power_w=3300,
            minimum_power_w=1300,
            failsafe=Failsafe(timeout_s=1, power_limit_w=2000, spread_s=0),
            vehicle=SimVehicle(capacity_kwh=24, state_of_charge=29.5),
        )
        rtu = Rtu(station, sim_board(station), Clock(), tick_s=0.02)
        await self._start(rtu, rtu.run())
        return rtu

    async def registers(
        self, name: str = "pev_rtu", *, tls: TlsFiles | None = None, **listen: Any
    ) -> RegisterImage:
        image = RegisterImage(load_map(name))
        image.update({point: value for point, value in CHARGING.items() if point in image.map.points})
        image.on_written = lambda write: self.written.append(dict(write.values))
        listening = Listen(port=self.port, **listen)
        server = ModbusServer(image, listening, tls=tls.load() if tls else None)
        await self._stack.enter_async_context(server)
        return image

    async def _start(self, key: object, program: Coroutine[Any, Any, None]) -> None:
        self._running[key] = asyncio.create_task(program)
        self._stack.push_async_callback(self.end, key)
        await asyncio.sleep(0)

    async def end(self, key: object) -> None:
        task = self._running[key]
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with contextlib.AsyncExitStack() as stack:
        yield Stage(stack)


async def until_headline(screen: StationScreen, text: str) -> None:
    await until(lambda: screen.view().headline == text, 10)


def said(screen: StationScreen) -> str:
    view = screen.view()
    return f"{view.headline}: {view.detail}"


async def until_said(screen: StationScreen, text: str) -> None:
    await until(lambda: text in said(screen), 10)


async def test_stop_and_start_reach_a_real_station(stage: Stage) -> None:
    rtu, screen = await stage.rtu(), await stage.screen()
    await until_headline(screen, "Charging")
    assert rtu.board.power_w == 2000
    screen.press(STOP)
    await until(lambda: REFUSED not in said(screen))
    await until_headline(screen, "Stopped by you")
    assert rtu.board.power_w == 0
    assert not rtu.state.decision.close_contactor
    await until(lambda: screen.view().button == "start")
    stage.now += NO_START_S
    screen.press(START)
    assert "Starting again" in said(screen)
    await until_headline(screen, "Charging")
    assert rtu.state.decision.close_contactor


async def test_a_stop_that_has_arrived_is_not_sent_again(stage: Stage) -> None:
    """Nor is it told for longer than it is news, where the station does not obey."""
    await stage.registers()
    screen = await stage.screen()
    await until_headline(screen, "Charging")
    screen.press(STOP)
    await until(lambda: stage.written)
    stage.now += TRY_FOR_S
    await until(lambda: REFUSED not in said(screen))
    stage.now += 0.1
    assert "Stopping" not in said(screen)
    screen.press(STOP)
    await until(lambda: len(stage.written) > 1)
    assert stage.written == 2 * [{"stop_request": True}]


async def test_a_press_waits_for_a_station_that_comes_back(stage: Stage) -> None:
    first, screen = await stage.rtu(), await stage.screen()
    await until_headline(screen, "Charging")
    await stage.end(first)
    screen.press(STOP)
    await until_said(screen, "Stopping")
    stage.now += TRY_FOR_S - 0.5
    await until(lambda: REFUSED not in said(screen))
    second = await stage.rtu()
    await until(lambda: second.image["user_stopped"])
    assert not second.state.decision.close_contactor
    await until_headline(screen, "Stopped by you")


async def test_a_press_on_a_screen_that_has_read_nothing_yet(stage: Stage) -> None:
    screen = await stage.screen()
    screen.press(STOP)
    assert screen.view().headline == "Connecting"
    rtu = await stage.rtu()
    await until(lambda: rtu.image["user_stopped"])


async def test_a_press_is_given_up_in_time_and_the_driver_is_told(stage: Stage) -> None:
    screen = await stage.screen(timeout_s=0.3)
    screen.press(STOP)
    stage.now += TRY_FOR_S + 0.1
    await until_said(screen, NO_ANSWER)
    await stage.registers()
    await until(lambda: screen.view().is_live)
    assert NO_ANSWER in said(screen)
    assert stage.written == []  # so late it would surprise
    stage.now += TELL_S
    assert NO_ANSWER not in said(screen)


async def test_a_second_press_replaces_the_first(stage: Stage) -> None:
    screen = await stage.screen()
    screen.press(STOP)
    await asyncio.sleep(0)  # it is being tried
    stage.now += NO_START_S
    screen.press(START)
    image, reads = await stage.registers(), []
    image.on_read = reads.append
    await until(lambda: stage.written and len(reads) > 10)  # three readings, so many tries more
    assert stage.written == [{"start_request": True}]


async def test_who_hits_stop_twice_means_stop(stage: Stage) -> None:
    """Start comes up where Stop was; who presses it at once after that means Stop again."""
    rtu, screen = await stage.rtu(), await stage.screen()
    await until_headline(screen, "Charging")
    screen.press(STOP)
    await until(lambda: screen.view().button == "start")
    stage.now += NO_START_S - 0.1
    screen.press(START)
    await asyncio.sleep(0)
    assert "Starting" not in said(screen)
    stage.now += NO_START_S  # from the second press on, which was a Stop too
    assert rtu.image["user_stopped"]
    screen.press(START)
    await until(lambda: not rtu.image["user_stopped"])


async def test_a_screen_for_another_kind_of_device_ends_with_the_command_to_use(stage: Stage) -> None:
    await stage.registers("pev_master")
    screen = StationScreen(ModbusClient("127.0.0.1", stage.port, timeout_s=5), TEXTS, Clock())
    with pytest.raises(
        BadInput, match=f"serves pev_master, .*: pev-scada hmi master 127.0.0.1:{stage.port}$"
    ):
        await asyncio.wait_for(screen.run(), 10)


async def test_a_second_press_is_tried_for_as_long_as_the_first(stage: Stage) -> None:
    screen = await stage.screen()
    screen.press(STOP)
    stage.now += TRY_FOR_S - 1
    screen.press(STOP)
    stage.now += TRY_FOR_S - 1
    await stage.registers()
    await until(lambda: stage.written == [{"stop_request": True}])


async def test_a_screen_that_may_not_write_says_so(stage: Stage) -> None:
    await stage.registers(writers=[ip_network("10.0.0.0/8")])
    screen = await stage.screen()
    await until_headline(screen, "Charging")
    screen.press(STOP)
    await until_said(screen, REFUSED)
    assert screen.view().button == "stop"
    assert stage.written == []


async def test_a_role_that_may_not_stop_says_so(stage: Stage, certificates: SiteCertificates) -> None:
    roles = {"viewer": Role()}
    await stage.registers(tls=certificates.files("rtu"), roles=roles)
    screen = await stage.screen(tls=certificates.files("viewer").load().client)
    await until_headline(screen, "Charging")
    screen.press(STOP)
    await until_said(screen, REFUSED)
    assert stage.written == []


def refuse(code: ExceptionCode) -> Callable[[Write], None]:
    def judge(write: Write) -> None:
        raise Refusal(code)

    return judge


async def test_a_refusal_of_another_kind_is_told_and_logged(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    image = await stage.registers()
    image.on_write = refuse(ExceptionCode.SERVER_DEVICE_FAILURE)
    screen = await stage.screen()
    await until_headline(screen, "Charging")
    screen.press(STOP)
    await until_said(screen, REFUSED)
    assert "exception 0x04, server device failure" in caplog.text


async def test_after_a_refusal_the_next_press_is_tried(stage: Stage) -> None:
    image = await stage.registers()
    image.on_write = refuse(ExceptionCode.SERVER_DEVICE_FAILURE)
    screen = await stage.screen()
    await until_headline(screen, "Charging")
    screen.press(STOP)
    await until_said(screen, REFUSED)
    image.on_write = None
    screen.press(STOP)
    await until(lambda: stage.written == [{"stop_request": True}])
    await until(lambda: REFUSED not in said(screen))


@pytest.mark.parametrize("press", [Press("key", text="space"), Press("hold", 1), Press("")])
async def test_what_is_no_button_is_no_order(stage: Stage, press: Press) -> None:
    await stage.registers()
    screen = await stage.screen()
    await until_headline(screen, "Charging")
    screen.press(press)
    screen.press(START)
    await until(lambda: stage.written)
    assert stage.written == [{"start_request": True}]


async def test_ending_the_screen_ends_what_is_being_tried(stage: Stage) -> None:
    screen = await stage.screen()
    screen.press(STOP)
    await asyncio.sleep(0)
    await stage.end(screen)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    image = await stage.registers()
    async with ModbusClient("127.0.0.1", stage.port, timeout_s=5) as client:
        await until(lambda: client.connected)
        assert (await Device(client, image.map).read())["name"] == "RTS1"
    assert stage.written == []


async def test_it_draws_what_it_has_read(stage: Stage) -> None:
    await stage.rtu()
    screen = await stage.screen()
    await until_headline(screen, "Charging")
    picture = screen.picture((480, 320), lambda text, size, _: len(text) * size // 2)
    assert picture.title.startswith("RTS1: Charging")
    assert picture.stays_lit
    assert [press for _, press in picture.touches] == [STOP]
    assert "29 %" in [getattr(shape, "text", "") for shape in picture.shapes]


async def test_it_shows_the_neighbours_that_the_station_has(stage: Stage) -> None:
    image = RegisterImage(station_map())
    image.update(CHARGING | {"peer_1_name": "RTS2", "peer_1_age": 0, "peer_1_state": "preparing"})
    async with ModbusServer(image, Listen(port=stage.port)):
        screen = await stage.screen()
        await until(lambda: [name for name, _ in screen.view().neighbours] == ["RTS2"], 10)
