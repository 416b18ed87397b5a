"""Three RTUs that read each other over real sockets; time passes when the test says so."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
from processes import free_port
from site_certificates import SiteCertificates
from station_bench import FakeMaster, SettableClock, running, station_file

from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.errors import Refused
from modbus_link.listen import Listen, Role
from modbus_link.tls import TlsFiles
from rtu_firmware.battery import Battery
from rtu_firmware.boards import sim_board
from rtu_firmware.peers import LEASE_S
from rtu_firmware.rtu import Rtu, station_map
from rtu_firmware.sim_board import SimBoard, Vehicle
from rtu_firmware.station_file import Failsafe, PeerEntry

SHARE_W = 1500.0
TICK_S = 0.1
NAMES = ("RTS1", "RTS2", "RTS3")


class Row:
    """Stations side by side; whatever happens, together they stay within their shares."""

    def __init__(self, tls: TlsFiles | None = None) -> None:
        self.tls = tls
        self.clock = SettableClock()
        self.ports = {name: free_port() for name in NAMES}
        self.boards: dict[str, SimBoard] = {}
        self.rtus: dict[str, Rtu] = {}
        self.may_draw_w = len(NAMES) * SHARE_W
        self._ends: dict[str, contextlib.AsyncExitStack] = {}

    async def start(self, name: str) -> None:
        peers = [
            PeerEntry(name=other, host="127.0.0.1", port=port, tls=self.tls is not None)
            for other, port in self.ports.items()
            if other != name
        ]
        roles = {"rtu": Role()} if self.tls else None
        station = station_file(
            name=name,
            listen=Listen(port=self.ports[name], roles=roles),
            tls=self.tls,
            failsafe=Failsafe(timeout_s=1, power_limit_w=SHARE_W),
            vehicle=None,
            peers=peers,
        )
        self.boards[name] = sim_board(station)
        self.rtus[name] = Rtu(station, self.boards[name], self.clock)
        self._ends[name] = contextlib.AsyncExitStack()
        await self._ends[name].enter_async_context(running(self.rtus[name]))

    async def start_all(self) -> None:
        """Until the first one's car draws what the others lend."""
        for name in NAMES:
            await self.start(name)
        self.plug_in("RTS1")
        await self.until(lambda: self.power_w() == {"RTS1": 3300})

    async def end(self, name: str) -> None:
        await self._ends.pop(name).aclose()

    async def end_all(self) -> None:
        for name in list(self._ends):
            await self.end(name)

    def plug_in(self, name: str) -> None:
        battery = Battery(capacity_wh=50_000, max_power_w=3300)
        self.boards[name].plug_in(Vehicle(battery=battery, state_of_charge_pct=20))

    def power_w(self) -> dict[str, float]:
        return {name: board.power_w for name, board in self.boards.items() if board.power_w}

    async def until(self, holds: Callable[[], bool], within_s: float = 30.0) -> float:
        """Seconds until it holds."""
        begin = self.clock.now()
        while not holds():
            assert self.clock.now() - begin < within_s, self.power_w()
            self.clock.move_on(TICK_S)
            await asyncio.sleep(0.002)  # so that what is on the wire arrives
            assert sum(self.power_w().values()) <= self.may_draw_w
        return self.clock.now() - begin

    async def wait(self, seconds: float) -> None:
        end = self.clock.now() + seconds
        await self.until(lambda: self.clock.now() >= end)


@pytest.fixture
async def row() -> AsyncIterator[Row]:
    row = Row()
    await row.start_all()
    yield row
    await row.end_all()


@contextlib.asynccontextmanager
async def master_of(row: Row, name: str) -> AsyncIterator[FakeMaster]:
    async with ModbusClient("127.0.0.1", row.ports[name]) as client:
        while not client.connected:
            await asyncio.sleep(0)
        master = FakeMaster(client)
        master.device = Device(client, station_map())
        yield master


async def test_the_one_with_a_car_gets_what_the_others_do_not_need(row: Row):
    await row.wait(2)  # until each has read what the others do
    async with master_of(row, "RTS1") as one, master_of(row, "RTS2") as two:
        seen, lender = await one.device.read(), await two.device.read()
    assert seen["failsafe_active"]
    assert (seen["power_wanted"], seen["lent_power"]) == (1800, 0)
    assert seen["borrowed_power"] >= 1800
    assert (seen["peer_1_name"], seen["peer_2_name"], seen["peer_3_name"]) == ("RTS2", "RTS3", "")
    assert (seen["peer_1_state"], seen["peer_1_power"], seen["peer_1_age"]) == ("available", 0, 0)
    assert seen["peer_1_voltage"] == pytest.approx(110, abs=0.1)
    assert seen["peer_1_state_of_charge"] is None
    assert lender["peer_1_lent_power"] == lender["lent_power"] > 0
    assert LEASE_S - 0.2 <= lender["peer_1_lease_left"] / 1000 <= LEASE_S
    assert (lender["peer_1_power"], lender["peer_1_state"]) == (3300, "charging")
    assert lender["peer_1_state_of_charge"] == pytest.approx(20, abs=1)


async def test_what_a_dead_peer_lent_is_given_back_in_time(row: Row):
    row.plug_in("RTS3")
    await row.until(lambda: row.power_w() == {"RTS1": SHARE_W + SHARE_W, "RTS3": SHARE_W})
    await row.end("RTS2")
    shed_s = await row.until(lambda: row.power_w() == {"RTS1": SHARE_W, "RTS3": SHARE_W})
    assert shed_s < LEASE_S
    async with master_of(row, "RTS1") as master:
        seen = await master.device.read()
    assert seen["peer_1_age"] >= 3
    assert (seen["peer_1_power"], seen["peer_1_voltage"]) == (None, None)
    assert seen["peer_2_age"] <= 1


async def test_a_lender_whose_car_comes_waits_for_its_share(row: Row):
    row.plug_in("RTS2")
    row.plug_in("RTS3")
    waited_s = await row.until(lambda: row.power_w() == dict.fromkeys(NAMES, SHARE_W))
    assert LEASE_S - 1 < waited_s < LEASE_S + 1


async def test_a_lease_is_told_when_it_begins_and_when_it_ends(row: Row, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO", logger="rtu_firmware")
    row.plug_in("RTS2")
    row.plug_in("RTS3")
    await row.until(lambda: row.power_w() == dict.fromkeys(NAMES, SHARE_W))
    told = [text for text in caplog.messages if "lends" in text or "borrows" in text]
    assert sorted(told) == [
        "RTS1: borrows 0 W from RTS2",
        "RTS1: borrows 0 W from RTS3",
        "RTS2: lends RTS1 0 W",
        "RTS3: lends RTS1 0 W",
    ]
    for name in NAMES:
        row.boards[name].unplug()
    row.plug_in("RTS3")
    await row.until(lambda: row.power_w() == {"RTS3": 3300})
    told = [text for text in caplog.messages if "RTS3: borrows" in text or "lends RTS3" in text]
    assert "RTS1: lends RTS3 1500 W" in told
    assert "RTS3: borrows 1500 W from RTS1" in told
    assert len(told) == len(set(told))


async def test_a_lender_that_was_restarted_keeps_what_it_has_forgotten(row: Row):
    await row.end("RTS2")
    await row.start("RTS2")
    row.plug_in("RTS2")
    waited_s = await row.until(lambda: "RTS2" in row.power_w())
    assert waited_s >= LEASE_S


async def test_a_share_that_is_lent_is_not_taken_away_by_a_register(row: Row):
    async with master_of(row, "RTS2") as master:
        with pytest.raises(Refused, match="busy"):
            await master.device.write({"failsafe_power_limit": 0})
        while row.rtus["RTS2"].leases != (None, None):
            await master.scan(charge_enable=False)
            await row.wait(0.5)
        await master.device.write({"failsafe_power_limit": 0})


async def test_a_stranger_at_a_peers_address_is_not_believed(row: Row):
    await row.end("RTS2")
    await row.end("RTS3")
    row.ports["RTS2"], row.ports["RTS3"] = row.ports["RTS3"], row.ports["RTS2"]
    await row.start("RTS2")
    await row.start("RTS3")
    await row.until(lambda: row.power_w() == {"RTS1": SHARE_W})
    await row.wait(12)
    assert row.power_w() == {"RTS1": SHARE_W}


async def test_they_do_the_same_over_tls(certificates: SiteCertificates):
    row = Row(tls=certificates.files("rtu"))
    try:
        await row.start_all()
    finally:
        await row.end_all()
