"""A whole RTU that loses its power without a word, and comes back."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from station_bench import FakeMaster, SettableClock, mastered, running, station_file

from modbus_link.client import ModbusClient
from modbus_link.errors import BadInput, Refused
from rtu_firmware.boards import sim_board
from rtu_firmware.kept import ENERGY_EVERY_S, Kept
from rtu_firmware.kept_file import KeptFile
from rtu_firmware.rtu import Rtu
from rtu_firmware.station_file import StationFile

RATED_W = 3300
MOST_LOST_WH = RATED_W * ENERGY_EVERY_S / 3600


@pytest.fixture
def station(tmp_path: Path) -> StationFile:
    return station_file(keep=tmp_path / "kept.json")


async def charge(master: FakeMaster, clock: SettableClock, seconds: float) -> None:
    for _ in range(round(seconds / 5)):
        await master.scan()
        await clock.advance(5, tick_s=1.0)


async def on_the_disk(station: StationFile, is_there: Callable[[Kept], bool], clock: SettableClock) -> None:
    """Waits until what is kept is so."""
    while not is_there(kept_by(station)):
        await clock.advance(1, tick_s=1.0)
        await asyncio.sleep(0.001)


def kept_by(station: StationFile) -> Kept:
    assert station.keep
    return KeptFile(station.keep, station.name).load() if station.keep.exists() else Kept()


def after_power_loss(station: StationFile) -> StationFile:
    """With what is on the disk now; the station that runs still may write to its own."""
    assert station.keep
    folder = station.keep.with_name("after")
    folder.mkdir()
    for file in (station.keep, station.keep.with_name("kept.json.old")):
        if file.exists():
            shutil.copy(file, folder)
    return station_file(keep=folder / "kept.json")


async def test_energy_and_session_go_on(station: StationFile) -> None:
    clock = SettableClock()
    async with mastered(station, clock, tick_s=1.0) as (rtu, _, master):
        await charge(master, clock, 700)
        await on_the_disk(station, lambda kept: kept.total_energy_wh > MOST_LOST_WH, clock)
        total_wh = rtu.state.total_energy_wh
        lost = after_power_loss(station)
    async with mastered(lost, SettableClock(), tick_s=1.0) as (rtu, _, master):
        values = await master.device.read()
        assert total_wh - MOST_LOST_WH - 5 <= rtu.state.total_energy_wh <= total_wh
        assert values["total_energy"] == pytest.approx(rtu.state.total_energy_wh, abs=0.5)
        assert values["session_energy"] == values["total_energy"]
        assert values["charging_time"] > ENERGY_EVERY_S - 10
        assert not values["contactor_closed"]
        assert not values["charge_enable"]


async def test_a_clean_end_opens_first_and_loses_nothing(station: StationFile) -> None:
    clock = SettableClock()
    closed_while_writing = []
    async with mastered(station, clock, tick_s=1.0) as (rtu, board, master):
        await charge(master, clock, 50)

        class WatchedFile(KeptFile):
            def save(self, kept: Kept) -> None:
                closed_while_writing.append(board._closed)
                super().save(kept)

        assert board._closed
        rtu._keeper._store = WatchedFile(station.keep, station.name)
    assert closed_while_writing == [False]
    assert kept_by(station).total_energy_wh == rtu.state.total_energy_wh > 40
    assert kept_by(station).session == rtu.state.session


async def stopped_and_lost(station: StationFile) -> StationFile:
    clock = SettableClock()
    async with mastered(station, clock, tick_s=1.0) as (_, _, master):
        await charge(master, clock, 10)
        await master.device.write({"stop_request": True})
        await on_the_disk(station, lambda kept: bool(kept.session and kept.session.stopped), clock)
        return after_power_loss(station)


async def test_a_stop_is_not_forgotten(station: StationFile) -> None:
    lost = await stopped_and_lost(station)
    clock = SettableClock()
    async with mastered(lost, clock, tick_s=1.0) as (rtu, _, master):
        await charge(master, clock, 30)
        values = await master.device.read()
        assert (values["user_stopped"], values["contactor_closed"]) == (True, False)
        await master.device.write({"start_request": True})
        await charge(master, clock, 5)
        assert rtu.state.decision.close_contactor


async def test_a_full_battery_is_not_forgotten(station: StationFile) -> None:
    nearly = station_file(keep=station.keep, state_of_charge=99.9)
    clock = SettableClock()
    async with mastered(nearly, clock, tick_s=1.0) as (_, _, master):
        await charge(master, clock, 600)
        await on_the_disk(nearly, lambda kept: bool(kept.session and kept.session.full), clock)
        lost = after_power_loss(nearly)
    clock = SettableClock()
    async with mastered(lost, clock, tick_s=1.0) as (_, _, master):
        await charge(master, clock, 10)  # its gauge says 5 %, but a session that was full stays so
        assert (await master.device.read())["limit_reason_local"] == "full"


async def test_another_vehicle_s_session_does_not_go_on(station: StationFile) -> None:
    """Nobody is there when the power is back: who comes next is somebody else."""
    lost = await stopped_and_lost(station)
    clock = SettableClock()
    board = sim_board(lost)
    car, board.vehicle = board.vehicle, None
    rtu = Rtu(lost, board, clock, tick_s=1.0)
    async with running(rtu):
        assert rtu.state.session is None
        assert rtu.state.total_energy_wh > 0
        board.vehicle = car
        await clock.advance(1, tick_s=1.0)
        assert not rtu.image["user_stopped"]
        assert rtu.image["session_energy"] == 0


async def test_a_replaced_master_stays_replaced(station: StationFile) -> None:
    clock = SettableClock()
    async with mastered(station, clock, tick_s=1.0) as (_, _, master):
        await master.device.write({"master_term": 512})
        await on_the_disk(station, lambda kept: kept.master_term == 512, clock)
        lost = after_power_loss(station)
    async with mastered(lost, SettableClock(), tick_s=1.0) as (rtu, _, old):
        assert (await old.device.read())["master_term"] == 512
        for orders in ({"master_term": 511}, {"charge_enable": True}):
            with pytest.raises(Refused) as refusal:
                await old.device.write(orders)
            assert refusal.value.code == 6
        async with ModbusClient("127.0.0.1", rtu.server.port, timeout_s=10) as client:
            while not client.connected:
                await asyncio.sleep(0)
            new = FakeMaster(client)
            await new.device.write({"master_term": 512})
            await new.scan()
            assert rtu.image["charge_enable"]


async def test_the_counter_stops_where_its_register_ends(station: StationFile) -> None:
    assert station.keep
    KeptFile(station.keep, station.name).save(Kept(total_energy_wh=2.0**32 - 2.5))
    clock = SettableClock()
    async with mastered(station, clock, tick_s=1.0) as (_, _, master):
        await charge(master, clock, 20)
        assert (await master.device.read())["total_energy"] == 2**32 - 2
    assert kept_by(station).total_energy_wh == 2**32 - 2


async def test_a_folder_that_goes_away_stops_nothing(
    station: StationFile, caplog: pytest.LogCaptureFixture
) -> None:
    assert station.keep
    clock = SettableClock()
    folder, away = station.keep.parent, station.keep.parent.with_name("away")
    async with mastered(station, clock, tick_s=1.0) as (rtu, _, master):
        folder.rename(away)
        while not any("can't be kept" in text for text in caplog.messages):
            await charge(master, clock, 5)
        assert rtu.state.decision.close_contactor
        away.rename(folder)
        await on_the_disk(station, lambda kept: kept.session is not None, clock)
    assert sum("can't be kept" in text for text in caplog.messages) == 1


def test_without_keep_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Rtu(station_file(), sim_board(station_file()), SettableClock())
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_place_is_told_at_the_start(tmp_path: Path) -> None:
    station = station_file(keep=tmp_path / "missing" / "kept.json")
    with pytest.raises(BadInput, match=r"keep: the folder .*missing can't be written"):
        Rtu(station, sim_board(station), SettableClock())
