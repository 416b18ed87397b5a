"""A master under a master above: the orders it takes, and the recursion over real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from live_site import WITHIN_S, LiveMaster, LiveSite, is_charging, ports, why_not
from processes import until
from virtual_site import shown

from master_scada.upstream import Upstream
from modbus_link.access import Client
from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.errors import Refused
from modbus_link.image import RegisterImage
from register_maps.register_map import load_map

SUPERVISED = "failsafe: {timeout_s: 1, power_limit_w: 0}\n"


def bench(**values: object) -> RegisterImage:
    image = RegisterImage(load_map("pev_master").expanded(station=1))
    start = {"charge_enable": True, "power_limit": 5000, "failsafe_power_limit": 0, "failsafe_timeout": 10}
    image.update({**start, **values})
    return image


def test_without_a_failsafe_nobody_is_above() -> None:
    upstream = Upstream(bench(), supervised=False, now=0)
    orders = upstream.orders(1e6)
    assert (orders.power_limit_w, orders.reason, orders.failsafe_active) == (5000, "none", False)


@pytest.mark.parametrize(
    ("enable", "told", "reason"),
    [(True, "none", "none"), (True, "price", "none"), (False, "price", "price"), (False, "none", "operator")],
)
def test_permission_and_the_reason_for_its_absence(enable: bool, told: str, reason: str) -> None:
    image = bench(charge_enable=enable, limit_reason=told)
    assert Upstream(image, supervised=False, now=0).orders(1).reason == reason


def test_permission_counts_only_with_a_heartbeat() -> None:
    image = bench()
    upstream = Upstream(image, supervised=True, now=0)
    assert upstream.orders(5).reason == "failsafe"
    image.update({"master_heartbeat": 1})
    assert upstream.orders(6).reason == "none"


def test_silence_from_above_trips_the_failsafe() -> None:
    image = bench(master_heartbeat=7)
    upstream = Upstream(image, supervised=True, now=0)
    image.update({"master_heartbeat": 8})
    assert upstream.orders(1).reason == "none"
    assert not upstream.orders(11).failsafe_active
    tripped = upstream.orders(11.01)
    assert (tripped.power_limit_w, tripped.reason, tripped.failsafe_active) == (0, "failsafe", True)
    assert (image["charge_enable"], image["power_limit"]) == (False, 0)
    # The same count again is no heartbeat; a new one is, but permission has to be given anew.
    image.update({"master_heartbeat": 8})
    assert upstream.orders(12).failsafe_active
    image.update({"master_heartbeat": 9})
    again = upstream.orders(13)
    assert (again.power_limit_w, again.reason, again.failsafe_active) == (0, "operator", False)


def test_a_failsafe_share_may_be_drawn_in_silence() -> None:
    upstream = Upstream(bench(failsafe_power_limit=2000), supervised=True, now=0)
    orders = upstream.orders(11)
    assert (orders.power_limit_w, orders.reason, orders.failsafe_active) == (2000, "none", True)


@contextlib.asynccontextmanager
async def heartbeats(master: LiveMaster) -> AsyncIterator[None]:
    """A master above that allows 5 kW again and again."""

    async def beat() -> None:
        for count in range(1, 0x10000):
            await master.write(power_limit=5000, master_heartbeat=count)
            await master.write(charge_enable=True)
            await asyncio.sleep(0.1)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_supervised_site_charges_only_with_heartbeats(live: LiveSite) -> None:
    rtu = await live.rtu()
    master = await live.master(ports(rtu), more=SUPERVISED)
    await master.until_row(why_not("failsafe"))
    async with heartbeats(master):
        await master.until_row(is_charging)
        assert shown(master.master, "failsafe_active") == (False,)
    await master.until_row(why_not("failsafe"))
    await until(lambda: not rtu.image["contactor_closed"])
    told = shown(master.master, "failsafe_active", "charge_enable", "power_limit")
    assert told == (True, False, 0)
    assert (await master.view()).power_limit_w == 0
    async with heartbeats(master):
        await master.until_row(is_charging)


async def test_a_master_is_an_rtu_to_the_master_above(live: LiveSite) -> None:
    rtus = [await live.rtu("RTS1"), await live.rtu("RTS2")]
    child = await live.master(ports(*rtus), power_limit_w=7000, more=SUPERVISED)
    parent = await live.master({"Park": child.port}, power_limit_w=4000, map="pev_master")

    def drawn_w() -> float:
        return sum(float(rtu.image["power"] or 0) for rtu in rtus)

    # The parent's 4 kW have room for one of the child's two cars.
    await parent.until_row(is_charging, "Park")
    await until(lambda: drawn_w() == 3300, WITHIN_S)
    assert (await child.view()).power_limit_w == 4000
    assert (await child.row("RTS2")).reason == "waiting_turn"
    park = await parent.row("Park")
    assert (park.power_w, park.answers) == (3300, True)
    assert park.voltage_v == pytest.approx(108.5, abs=0.11)

    await parent.write(power_limit=2000)
    await until(lambda: drawn_w() == 2000, WITHIN_S)
    assert max(scan.total_power_w for scan in parent.scans) == 3300

    # What the parent says goes down to the driver's display.
    await parent.write(station_1_hold=True)
    await until(lambda: drawn_w() == 0 and rtus[0].image["limit_reason"] == "operator", WITHIN_S)
    await parent.write(station_1_hold=False)
    await until(lambda: drawn_w() == 2000, WITHIN_S)

    await live.end(parent)
    await until(lambda: drawn_w() == 0 and rtus[0].image["limit_reason"] == "failsafe", WITHIN_S)


async def test_one_master_above_at_a_time(live: LiveSite) -> None:
    rtu = await live.rtu()
    master = await live.master(ports(rtu), more=SUPERVISED)
    async with heartbeats(master), ModbusClient("127.0.0.1", master.port) as client:
        await master.until_row(is_charging)
        await until(lambda: client.connected)
        stranger = Device(client, master.master.image.map)
        with pytest.raises(Refused, match="server device busy"):
            await stranger.write({"power_limit": 1})
        await stranger.write({"price_limit": 0.3})  # is not the master's alone
        told = "site: price_limit 0.2 → 0.3, written by 127.0.0.1:"
        await until(lambda: any(event.startswith(told) for event in master.events), WITHIN_S)
    assert master.master.image["price_limit"] == 0.3


async def test_nobody_shuts_the_master_above_out_by_a_register(live: LiveSite) -> None:
    master = await live.master(ports(await live.rtu()), more=SUPERVISED)
    hold = master.master.image.hold
    assert hold is not None
    await master.write(failsafe_timeout=3600)
    await until(lambda: not hold.why_not(Client(host="another")), WITHIN_S)
