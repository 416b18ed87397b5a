"""A real master, real RTUs, real sockets: what it polls, commands and serves, and who may disturb it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from itertools import pairwise

import pytest
from live_site import WITHIN_S, LiveMaster, LiveSite, is_charging, ports, why_not
from processes import free_port, until

from modbus_link.errors import LinkError
from register_maps.vocabulary import LimitReason

Record = Callable[[str, object], None]


async def test_it_polls_commands_and_serves(live: LiveSite) -> None:
    rtus = [await live.rtu("RTS1"), await live.rtu("RTS2")]
    master = await live.master(ports(*rtus))
    await master.until_row(is_charging)
    view = await master.view()
    assert (view.site, view.currency, view.price, view.price_limit) == ("Bench", "USD", 0.12, 0.20)
    assert (view.power_w, view.power_limit_w) == (3300, 5000)
    first, second = view.stations
    assert (first.name, first.answers, first.reason) == ("RTS1", True, LimitReason.NONE)
    assert first.voltage_v == pytest.approx(108.5, abs=0.11)
    assert first.state_of_charge_pct == pytest.approx(5, abs=0.2)
    assert (second.reason, second.power_w) == (LimitReason.WAITING_TURN, 0)
    # What the driver's display needs has reached the stations.
    assert (rtus[0].image["power_limit"], rtus[1].image["power_limit"]) == (3300, 0)
    assert rtus[1].image["limit_reason"] == "waiting_turn"
    assert (rtus[1].image["price"], rtus[1].image["price_limit"]) == (0.12, 0.20)


async def test_its_last_events_are_registers(live: LiveSite) -> None:
    rtu = await live.rtu("RTS1")
    master = await live.master(ports(rtu))
    await master.until_row(is_charging)
    for price_limit in range(1, 20):
        await master.write(price_limit=price_limit)
        await master.more_scans(2)
    await master.more_scans(2)
    shown = (await master.view()).events
    assert [event.text for event in shown] == master.events[-16:]
    assert len(master.events) > 20
    assert [event.number for event in shown] == list(range(len(master.events) - 15, len(master.events) + 1))
    assert 0 <= shown[-1].time_s - shown[0].time_s <= 60
    assert abs(shown[-1].time_s - time.time()) < 60


async def test_before_its_first_scan_it_knows_nothing(live: LiveSite) -> None:
    """Zeros would be readings: to a master above, of a feeder that has broken down."""
    begun = LiveMaster(live.site_file({"RTS1": free_port(), "RTS2": free_port()}), timeout_s=1)
    image = begun.master.image
    assert (image["station_count"], image["site_name"]) == (2, "Bench")
    for name in ("voltage", "power", "measurement_age", "price", "station_2_voltage", "station_2_power"):
        assert image[name] is None, name


async def test_a_screen_follows_a_master_that_comes_back_with_other_stations(live: LiveSite) -> None:
    one, two = await live.rtu("RTS1"), await live.rtu("RTS2")
    first = await live.master(ports(one))
    assert [row.name for row in (await first.view()).stations] == ["RTS1"]
    await live.end(first)
    with pytest.raises(LinkError):
        await first.view()
    await live.master(ports(one, two), server_port=first.port)

    async def sees_both() -> bool:
        with contextlib.suppress(LinkError):
            return [row.name for row in (await first.view()).stations] == ["RTS1", "RTS2"]
        return False

    await until(sees_both, WITHIN_S)


async def test_every_scan_is_a_heartbeat(live: LiveSite) -> None:
    rtu = await live.rtu()
    master = await live.master(ports(rtu))
    before = rtu.image["master_heartbeat"]
    scans = await master.more_scans(10)
    assert (int(rtu.image["master_heartbeat"]) - int(before)) % 0x10000 in (9, 10, 11)
    assert [after.number - scan.number for scan, after in pairwise(scans)] == [1] * 9


async def test_a_power_limit_that_is_written_counts_at_once(live: LiveSite) -> None:
    rtus = [await live.rtu("RTS1"), await live.rtu("RTS2")]
    master = await live.master(ports(*rtus), power_limit_w=7000)
    await master.until_row(is_charging, "RTS1")
    await master.until_row(is_charging, "RTS2")
    await master.write(power_limit=5000)
    await until(lambda: sum(bool(rtu.image["contactor_closed"]) for rtu in rtus) == 1, WITHIN_S)
    assert (await master.view()).power_limit_w == 5000
    await master.write(power_limit=1000)  # less than a station needs
    await master.until_row(why_not("power"), "RTS1")
    await master.until_row(why_not("power"), "RTS2")
    # More than the circuit's own limit is never in force.
    await master.write(power_limit=9000)
    await master.until_row(is_charging, "RTS1")
    assert (await master.view()).power_limit_w == 7000


async def test_a_price_limit_that_is_written_counts(live: LiveSite) -> None:
    rtu = await live.rtu()
    master = await live.master(ports(rtu))
    await master.until_row(is_charging)
    await master.write(price_limit=0.1199)
    await master.until_row(why_not("price"))
    assert (await master.view()).price_is_over
    await master.write(price_limit=0.12)
    await master.until_row(is_charging)


async def test_a_price_by_modbus(live: LiveSite) -> None:
    rtu = await live.rtu()
    master = await live.master(ports(rtu), tariff="kind: modbus, currency: EUR, max_age_s: 1.5")
    assert (await master.view()).price is None
    await master.until_row(why_not("price"))

    async def charges_at(price: float) -> bool:
        await master.write(price=price)
        return is_charging(await master.row())

    await until(lambda: charges_at(0.20), WITHIN_S)
    assert (await master.view()).price == 0.20
    await master.write(price=0.2001)
    await master.until_row(why_not("price"))
    await until(lambda: charges_at(-0.05), WITHIN_S)
    # Nobody writes any more: too old is unknown, and the register says so.
    await master.until_row(why_not("price"))
    assert (await master.view()).price is None
    assert rtu.image["price"] is None
    assert "site: price is unknown" in master.events


async def test_the_operator_s_hold(live: LiveSite) -> None:
    rtus = [await live.rtu("RTS1"), await live.rtu("RTS2")]
    master = await live.master(ports(*rtus))
    await master.until_row(is_charging, "RTS1")
    await master.write(station_1_hold=True)
    await master.until_row(why_not("operator"), "RTS1")
    await master.until_row(is_charging, "RTS2")
    await master.write(station_1_hold=False, station_2_hold=True)
    await master.until_row(is_charging, "RTS1")


async def test_a_driver_s_stop_is_never_overruled(live: LiveSite) -> None:
    rtu = await live.rtu()
    master = await live.master(ports(rtu))
    await master.until_row(is_charging)
    rtu.request_stop()
    await master.until_row(why_not("user_stop"))
    await master.more_scans(10)
    assert not rtu.image["contactor_closed"]
    assert not rtu.image["charge_enable"]
    rtu.request_start()
    await master.until_row(is_charging)


async def test_a_station_that_dies_and_comes_back(live: LiveSite, record_property: Record) -> None:
    port = free_port()
    dying, living = await live.rtu("RTS1", port=port), await live.rtu("RTS2")
    master = await live.master(ports(dying, living), power_limit_w=7000)
    await master.until_row(is_charging, "RTS1")
    await master.until_row(is_charging, "RTS2")
    overruns = master.scans[-1].overruns
    await live.end(dying)
    scans = await master.more_scans(20)
    silent = [scan.plant.stations[0].reading is None for scan in scans]
    record_property("scans until silent", silent.index(True) + 1)
    assert silent.index(True) < 3
    assert all(silent[silent.index(True) :])
    keeps_its_pace(master, since=-20, overruns=overruns)
    assert living.image["contactor_closed"]
    (silent,) = [event for event in master.events if event.startswith("RTS1: silent")]
    assert "closed by the other side" in silent or "refused" in silent or "not connected" in silent
    assert silent.endswith("counted as 3300 W")
    await live.rtu("RTS1", port=port)
    await master.until_row(is_charging, "RTS1")
    assert "RTS1: answers" in master.events


@pytest.fixture
async def black_hole() -> AsyncIterator[int]:
    """The port of a server that takes every connection and every byte, and never answers."""
    lines: list[asyncio.BaseTransport] = []

    class Hole(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            lines.append(transport)

    server = await asyncio.get_running_loop().create_server(Hole, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for line in lines:
        line.close()
    await server.wait_closed()


async def test_a_station_that_never_answers_stalls_nobody(
    live: LiveSite, black_hole: int, record_property: Record
) -> None:
    rtu = await live.rtu("RTS2")
    master = await live.master(
        {"RTS1": black_hole} | ports(rtu), power_limit_w=7000, period_s=0.4, timeout_s=None
    )
    await master.until_row(is_charging, "RTS2")
    overruns = master.scans[-1].overruns
    scans = await master.more_scans(10)
    keeps_its_pace(master, since=-10, overruns=overruns)
    assert all(scan.plant.stations[0].reading is None for scan in scans)
    assert all(scan.commands["RTS2"].charge_enable for scan in scans)
    assert not (await master.row("RTS1")).answers
    record_property("longest scan, s", round(max(scan.took_s for scan in scans), 3))


def keeps_its_pace(master: LiveMaster, *, since: int, overruns: int) -> None:
    """Within what a machine that is busy with other tests may do to it."""
    scans = master.scans[since:]
    assert scans[-1].overruns - overruns <= 2
    paces = sorted(after.at - scan.at for scan, after in pairwise(scans))
    assert paces[len(paces) // 2] == pytest.approx(master.master.period_s, rel=0.25)


async def test_another_kind_of_device_at_a_stations_address_is_no_station(live: LiveSite) -> None:
    """Its registers could be read, and would mean something else."""
    rtu = await live.rtu("RTS1")
    below = await live.master(ports(rtu))
    above = await live.master({"RTS2": below.port})
    scans = await above.more_scans(3)
    assert [scan.plant.stations[0].reading for scan in scans] == [None] * 3
    assert scans[-1].plant.stations[0].trouble == f"127.0.0.1:{below.port} serves pev_master, not pev_rtu"
    assert not (await above.row("RTS2")).answers
