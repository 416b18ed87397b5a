"""A running RTU with something broken, and how it ends."""

import asyncio
import contextlib

import pytest
from station_bench import SettableClock, mastered, station_file

from modbus_link.access import Client
from modbus_link.errors import CannotListen, Refused
from modbus_link.image import RegisterImage
from modbus_link.listen import Listen
from modbus_link.server import ModbusServer
from register_maps.register_map import load_map
from rtu_firmware.boards import sim_board
from rtu_firmware.rtu import Rtu


class FixedLine:
    """Gives whatever voltage a test wants, possible or not."""

    def __init__(self, voltage_v: float) -> None:
        self._voltage_v = voltage_v

    def voltage_v(self, power_w: float) -> float:
        return self._voltage_v


async def test_dead_sensors_are_no_value_on_the_wire_and_a_fault():
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, board, master):
        await master.scan()
        await clock.advance(1)
        board.faults.sensor_dead = True
        await clock.advance(0.2)
        seen = await master.scan()
        assert (seen["voltage"], seen["current"], seen["power"]) == (None, None, None)
        assert (seen["fault"], seen["fault_code"], seen["state"]) == (True, "sensor_failed", "faulted")
        assert seen["limit_reason_local"] == "fault"
        assert not rtu.state.decision.close_contactor
        board.faults.sensor_dead = False
        for _ in range(16):
            await clock.advance(1)
            await master.scan()
        seen = await master.scan()
        assert (seen["fault"], seen["state"], seen["power"]) == (False, "charging", 3300)


@pytest.mark.parametrize("voltage_v", [-5.0, -1e9, 1e9, float("nan"), float("inf"), 6553.5])
async def test_a_voltage_that_fits_no_register_is_no_value_and_a_fault(voltage_v):
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, board, master):
        await master.scan()
        await clock.advance(1)
        board.line = FixedLine(voltage_v)
        await clock.advance(0.2)
        before = await master.scan()
        assert before["voltage"] is None
        assert (before["fault"], before["fault_code"]) == (True, "implausible_value")
        assert not rtu.state.decision.close_contactor
        await clock.advance(1)
        after = await master.scan()
        assert after["heartbeat"] > before["heartbeat"]
        assert not after["contactor_closed"]


async def test_a_frozen_board_ages_and_is_a_fault():
    clock = SettableClock()
    async with mastered(station_file(), clock) as (_, board, master):
        await master.scan()
        await clock.advance(1)
        assert (await master.scan())["measurement_age"] < 200
        board.faults.frozen = True
        await clock.advance(1)
        assert 1000 <= (await master.scan())["measurement_age"] <= 1200
        await clock.advance(2)
        seen = await master.scan()
        assert seen["measurement_age"] >= 3000
        assert (seen["fault"], seen["fault_code"]) == (True, "sensor_failed")
        assert seen["contactor_closed"], "nobody knows better"
        assert board.power_w == 0
        await clock.advance(100, tick_s=10)
        assert (await master.scan())["measurement_age"] == 0xFFFE


async def test_a_clock_that_runs_behind_the_board_s_does_not_stop_the_reading():
    clock = SettableClock()
    async with mastered(station_file(), clock) as (_, board, master):
        board.measure(clock.now() + 50)
        board.faults.frozen = True
        await clock.advance(0.2)
        seen = await master.device.read()
        assert seen["measurement_age"] == 0
        assert seen["fault_code"] == "sensor_failed"


@pytest.mark.parametrize(
    ("fault", "code"), [("welded", "contactor_welded"), ("stuck_open", "contactor_not_closed")]
)
async def test_a_broken_contactor_is_told(fault, code):
    clock = SettableClock()
    async with mastered(station_file(), clock) as (_, board, master):
        if fault == "welded":
            await master.scan()
            await clock.advance(1)
        setattr(board.faults, fault, True)
        await master.scan(charge_enable=fault == "stuck_open")
        await clock.advance(1)
        seen = await master.scan(charge_enable=fault == "stuck_open")
        assert (seen["fault"], seen["fault_code"]) == (True, code)
        assert seen["contactor_closed"] is (fault == "welded")


async def test_unplugging_while_charging_opens():
    clock = SettableClock()
    async with mastered(station_file(), clock) as (_, board, master):
        await master.scan()
        await clock.advance(1)
        board.unplug()
        await clock.advance(0.2)
        seen = await master.scan()
        assert not seen["contactor_closed"]
        assert (seen["state"], seen["limit_reason_local"]) == ("available", "no_vehicle")
        assert (seen["session_energy"], seen["state_of_charge"]) == (None, None)
        assert seen["fault_code"] == "none"


@pytest.mark.parametrize("timeout_s", [0, 3601])
async def test_the_failsafe_can_not_be_written_away(timeout_s):
    async with mastered(station_file(), SettableClock()) as (rtu, _, master):
        point = rtu.image.map.points["failsafe_timeout"]
        with pytest.raises(Refused):
            await master.client.write(point.table, point.address, [timeout_s], unit_id=1)
        assert rtu.image["failsafe_timeout"] == 10


async def test_ending_opens_the_contactor_and_frees_the_port():
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, board, master):
        await master.scan()
        await clock.advance(1)
        assert board.power_w == 3300
    assert not board.measure(clock.now()).contactor_closed
    async with ModbusServer(RegisterImage(load_map("pev_rtu")), Listen(port=rtu.server.port)):
        pass


async def test_after_the_end_no_late_order_closes_the_contactor():
    clock = SettableClock()
    async with mastered(station_file(), clock) as (rtu, board, master):
        await master.scan()
        rtu.request_stop()
        await clock.advance(1)
    start = rtu.image.map.points["start_request"]
    rtu.image.write(start.table, start.address, [1], Client(host="late"))
    rtu.request_start()
    await clock.advance(1)
    assert not board.measure(clock.now()).contactor_closed


async def test_a_board_that_fails_ends_the_rtu_with_an_open_contactor():
    clock = SettableClock()
    board = sim_board(station_file())
    rtu = Rtu(station_file(), board, clock)
    task = asyncio.create_task(rtu.run())
    while rtu.server.port == 0:
        await asyncio.sleep(0)
    board.switch(True, clock.now())
    assert board.measure(clock.now() + 0.05).contactor_closed
    board.line = BrokenLine()
    await clock.advance(0.1)
    with pytest.raises(ZeroDivisionError):
        await task
    board.line = FixedLine(110)
    assert not board.measure(clock.now()).contactor_closed


class BrokenLine:
    def voltage_v(self, power_w: float) -> float:
        return 1 / 0


async def test_a_port_in_use_is_told_and_leaves_the_contactor_open():
    async with ModbusServer(RegisterImage(load_map("pev_rtu")), Listen(port=0)) as other:
        station = station_file(listen=Listen(port=other.port))
        board = sim_board(station)
        with pytest.raises(CannotListen, match=str(other.port)):
            await Rtu(station, board, SettableClock()).run()
        assert not board.measure(1.0).contactor_closed


async def test_it_can_be_ended_before_it_listens():
    board = sim_board(station_file())
    task = asyncio.create_task(Rtu(station_file(), board, SettableClock()).run())
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert not board.measure(1.0).contactor_closed
