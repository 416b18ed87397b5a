"""A running RTU as its master sees it, over real sockets; time passes when the test says so."""

import asyncio
from dataclasses import replace

import pytest
from station_bench import FakeMaster, SettableClock, mastered, running, station_file

from modbus_link.access import Client
from modbus_link.client import ModbusClient
from modbus_link.clock import Clock
from modbus_link.errors import Refused
from rtu_firmware.battery import Battery
from rtu_firmware.board import Measurement
from rtu_firmware.boards import sim_board
from rtu_firmware.pi.wiring import (
    Contactor,
    CountedBattery,
    Feedback,
    ModbusMeter,
    PiWiring,
    Plug,
    StopButton,
)
from rtu_firmware.rtu import Rtu
from rtu_firmware.sim_board import ResistiveLine, SimBoard, Vehicle
from rtu_firmware.station_file import Failsafe

CONTACTOR_S = 0.2
"""Two ticks: longer than the contactor and its feedback need."""


async def begin_charging(rtu: Rtu, clock: SettableClock, master: FakeMaster) -> None:
    await master.scan()
    assert rtu.state.decision.close_contactor
    await clock.advance(CONTACTOR_S)
    assert rtu.image["state"] == "charging"


async def test_it_powers_up_open_and_without_permission():
    async with mastered(station_file(), SettableClock()) as (_, _, master):
        values = await master.device.read()
        assert not values["charge_enable"]
        assert not values["contactor_closed"]
        assert values["power_limit"] == 0
        assert (values["failsafe_timeout"], values["failsafe_power_limit"]) == (10, 0)
        assert (values["rated_power"], values["minimum_power"]) == (3300, 1300)
        assert values["state"] == "suspended_evse"
        assert values["vehicle_connected"]
        assert values["state_of_charge"] == 5


async def test_permission_without_a_heartbeat_closes_nothing():
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, _, master):
        await master.device.write({"power_limit": 3300, "charge_enable": True})
        await clock.advance(5)
        assert not rtu.state.decision.close_contactor
        assert rtu.image["charge_enable"]


async def test_it_charges_until_full_and_opens_by_itself():
    clock = SettableClock()
    async with mastered(station_file(capacity_kwh=1), clock, tick_s=1.0) as (rtu, board, master):
        await master.scan()
        await clock.advance(2, tick_s=1.0)
        first = await master.scan()
        began_at, promised_s = clock.now(), first["time_to_full"]
        while not (seen := await master.scan())["fully_charged"]:
            assert seen["contactor_closed"]
            assert seen["state"] == "charging"
            assert clock.now() < 7200
            await clock.advance(5, tick_s=1.0)
        assert clock.now() - began_at == pytest.approx(promised_s, rel=0.02)
        await clock.advance(2, tick_s=1.0)
        done = await master.scan()
        assert not done["contactor_closed"]
        assert (done["state"], done["limit_reason_local"]) == ("finishing", "full")
        assert (done["power"], done["state_of_charge"]) == (0, 100)
        assert done["session_energy"] == pytest.approx(1000 * 0.95 / 0.92, abs=5)
        assert board.power_w == 0
        assert not rtu.state.decision.close_contactor


async def test_the_limit_is_followed_at_once():
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, board, master):
        await begin_charging(rtu, clock, master)
        await master.device.write({"power_limit": 1500})
        assert board.power_w == 1500
        await master.device.write({"power_limit": 1299})
        assert not rtu.state.decision.close_contactor


@pytest.mark.parametrize("order", [{"stop_request": True}, {"charge_enable": False}, {"power_limit": 0}])
async def test_an_order_to_open_is_followed_before_its_reply(order):
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, board, master):
        await begin_charging(rtu, clock, master)
        await master.device.write(order)
        assert not rtu.state.decision.close_contactor
        assert board.power_w == 0
        await clock.advance(CONTACTOR_S)
        assert not (await master.device.read())["contactor_closed"]


async def test_a_stop_by_register_holds_until_the_start():
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, _, master):
        await begin_charging(rtu, clock, master)
        await master.device.write({"stop_request": True})
        for _ in range(5):
            await clock.advance(2)
            seen = await master.scan()
            assert (seen["user_stopped"], seen["stop_request"]) == (True, False)
            assert (seen["state"], seen["limit_reason_local"]) == ("finishing", "user_stop")
            assert not seen["contactor_closed"]
        await master.device.write({"start_request": True})
        assert rtu.state.decision.close_contactor
        await clock.advance(CONTACTOR_S)
        seen = await master.device.read()
        assert (seen["contactor_closed"], seen["user_stopped"], seen["start_request"]) == (True, False, False)


async def test_the_driver_s_stop_and_start_do_the_same():
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, _, master):
        await begin_charging(rtu, clock, master)
        rtu.request_stop()
        assert not rtu.state.decision.close_contactor
        await clock.advance(CONTACTOR_S)
        assert not rtu.state.decision.close_contactor
        rtu.request_start()
        await clock.advance(rtu.station.ratings.minimum_open_s)
        assert rtu.state.decision.close_contactor


async def test_no_stop_is_lost_between_two_ticks():
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, board, master):
        car, board.vehicle = board.vehicle, None
        await clock.advance(0.1)
        await master.device.write({"stop_request": True})
        board.vehicle = car
        await master.device.write({"stop_request": True})
        await master.scan()
        await clock.advance(1)
        assert rtu.image["user_stopped"]
        assert not rtu.state.decision.close_contactor


async def test_a_silent_master_opens_it_in_time_and_loses_its_permission():
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, board, master):
        await begin_charging(rtu, clock, master)
        silent_since = clock.now()
        while board.power_w > 0:
            assert clock.now() - silent_since <= 10 + 1
            await clock.advance(0.1)
        assert clock.now() - silent_since > 9
        await clock.advance(CONTACTOR_S)
        seen = await master.device.read()
        assert not seen["contactor_closed"]
        assert not seen["charge_enable"]
        assert seen["power_limit"] == 0
        assert (seen["failsafe_active"], seen["limit_reason_local"]) == (True, "failsafe")


async def test_a_master_that_only_reads_or_repeats_itself_is_silent():
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, _, master):
        await begin_charging(rtu, clock, master)
        for _ in range(12):
            await clock.advance(1)
            count = (await master.device.read())["master_heartbeat"]
            await master.device.write({"power_limit": 3300, "master_heartbeat": count})
        assert rtu.image["failsafe_active"]
        assert not rtu.state.decision.close_contactor


async def test_after_the_failsafe_a_heartbeat_alone_permits_nothing():
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, _, master):
        await begin_charging(rtu, clock, master)
        await clock.advance(12)
        await master.device.write({"power_limit": 3300, "master_heartbeat": 999})
        await clock.advance(1)
        assert not rtu.image["failsafe_active"]
        assert not rtu.state.decision.close_contactor
        await master.scan()
        assert rtu.state.decision.close_contactor


async def test_in_failsafe_it_charges_at_its_own_limit():
    clock = SettableClock()
    station = station_file(failsafe=Failsafe(timeout_s=3, power_limit_w=1400))
    async with mastered(station, clock) as (rtu, board, master):
        await begin_charging(rtu, clock, master)
        await clock.advance(5)
        assert board.power_w == 1400
        seen = await master.device.read()
        assert (seen["failsafe_active"], seen["contactor_closed"], seen["power"]) == (True, True, 1400)


async def test_it_counts_its_heartbeat():
    clock = SettableClock()
    async with mastered(station_file(), clock) as (_, _, master):
        counts = []
        for _ in range(4):
            await clock.advance(0.5)
            counts.append((await master.device.read())["heartbeat"])
        assert counts == sorted(set(counts))


async def test_its_heartbeat_wraps():
    rtu = Rtu(station_file(), sim_board(station_file()), SettableClock())
    rtu._steps = 0xFFFE
    rtu.step()
    assert rtu.image["heartbeat"] == 0xFFFF
    rtu.step()
    assert rtu.image["heartbeat"] == 0


async def test_on_a_real_clock_a_silent_master_opens_it_too():
    clock = Clock(speed=40)
    rtu = Rtu(station_file(), board := sim_board(station_file()), clock)
    master = Client(host="test")
    async with running(rtu):
        rtu.image.write(rtu.image.map.points["power_limit"].table, 0, [0, 3300, 1], master)
        rtu.image.write(rtu.image.map.points["charge_enable"].table, 0, [1], master)
        heard_at = clock.now()
        while board.power_w == 0:
            await asyncio.sleep(0.001)
        while board.power_w > 0:
            await asyncio.sleep(0.001)
        assert clock.now() - heard_at > 9
        assert rtu.state.decision.failsafe_active


def without_gauge() -> PiWiring:
    return PiWiring(
        contactor=Contactor(pin=17, closes_on="high"),
        feedback=Feedback(pin=27, closed_is="low"),
        plug=Plug(pin=22, present_is="low"),
        stop_button=StopButton(pin=23, pressed_is="high"),
        meter=ModbusMeter(chip="modbus", map="pev_rtu", host="127.0.0.1"),
        battery=CountedBattery(capacity_kwh=10, state_of_charge=20),
    )


class WithoutGauge(SimBoard):
    """Its vehicle doesn't tell its charge."""

    def measure(self, now: float) -> Measurement:
        return replace(super().measure(now), state_of_charge_pct=None, battery_capacity_wh=None)


async def test_a_charge_that_somebody_enters_is_counted_on_until_the_vehicle_goes():
    clock = SettableClock()
    board = WithoutGauge(ResistiveLine(source_voltage_v=110, resistance_ohm=0.05), 3300)
    rtu = Rtu(replace(station_file(), pi=without_gauge()), board, clock)
    async with running(rtu), ModbusClient("127.0.0.1", rtu.server.port, timeout_s=10) as client:
        while not client.connected:
            await asyncio.sleep(0)
        master = FakeMaster(client)
        board.plug_in(Vehicle(battery=Battery(capacity_wh=24_000, max_power_w=3300), state_of_charge_pct=5))
        await clock.advance(0.2)
        seen = await master.scan()
        assert (seen["state_of_charge"], seen["state_of_charge_estimated"]) == (20, True)
        await master.device.write({"state_of_charge_entered": 40})
        seen = await master.scan()
        assert seen["state_of_charge"] == pytest.approx(40, abs=0.1)
        await master.device.write({"state_of_charge_entered": 40})
        board.unplug()
        await clock.advance(0.2)
        seen = await master.scan()
        assert (seen["state_of_charge"], seen["state_of_charge_estimated"]) == (None, False)
        assert seen["state_of_charge_entered"] is None


async def test_where_the_charge_is_measured_nobody_can_enter_one():
    async with mastered(station_file(), SettableClock()) as (_, _, master):
        with pytest.raises(Refused, match="illegal data value"):
            await master.device.write({"state_of_charge_entered": 40})
        await master.device.write({"state_of_charge_entered": None})
