"""Alarms as a client of a running master meets them: in its registers, and what he may do there."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from live_site import LiveMaster, LiveSite, ports
from processes import free_port, until
from virtual_site import VirtualSite

from master_scada.alarm_client import AlarmClient, Listed, Wish
from master_scada.alarm_registers import ALL
from master_scada.journal_reader import Wanted, read_entries
from modbus_link.access import Client, Rights
from modbus_link.certificates import Authority, Certificate
from modbus_link.client import ModbusClient
from modbus_link.errors import BadInput, Refused
from modbus_link.tls import TlsFiles
from register_maps.points import Table, Value
from register_maps.vocabulary import AlarmAction

RTU_SILENT, NOT_ARRIVED, UNAUTHORISED, OTHER_MASTER = 32 + 12, 32 + 18, 6, 8
STRANGER = Client(host="192.0.2.7", rights=Rights(read=frozenset(), write=frozenset()))
FORBIDDEN_WRITE, FORBIDDEN_READ = b"\x06\x00\x05\x00\x01", b"\x03\x00\x00\x00\x02"
NO_PRICE = "kind: modbus, currency: USD, max_age_s: 900"
WITHIN_S = 30.0


async def seen(master: LiveMaster) -> dict[int, Listed]:
    async with ModbusClient("127.0.0.1", master.port, timeout_s=5) as client:
        _, listed = await AlarmClient(client).read()
        return {alarm.number: alarm for alarm in listed if alarm.code != "scan_overrun"}  # machines are busy


async def until_state(master: LiveMaster, number: int, state: str) -> Listed:
    async with ModbusClient("127.0.0.1", master.port, timeout_s=5) as client:
        alarms, found = AlarmClient(client), list[Listed]()

        async def is_so() -> bool:
            _, listed = await alarms.read()
            found[:] = [alarm for alarm in listed if (alarm.number, alarm.state) == (number, state)]
            return bool(found)

        await until(is_so, WITHIN_S)
        return found[0]


async def test_a_station_that_dies_and_what_its_operator_does(live: LiveSite) -> None:
    rtu = await live.rtu()
    master = await live.master(ports(rtu))
    assert await seen(master) == {}
    await live.end(rtu)
    alarm = await until_state(master, RTU_SILENT, "active_unacknowledged")
    assert (alarm.name, alarm.source, alarm.priority) == ("RTS1", 1, "high")
    assert alarm.text.startswith("No reading; counted as drawing ")
    assert alarm.remedy.startswith("Look at its supply and its network.")
    await master.write(alarm_number=RTU_SILENT, alarm_action="acknowledge")
    # At once, not only with the next scan; and the registers are ready for the next one.
    assert (await seen(master))[RTU_SILENT].state == "active_acknowledged"
    assert [master.master.image[n] for n in ("alarm_number", "alarm_action", "shelve_time")] == [0, "none", 0]
    await master.write(alarm_number=RTU_SILENT, alarm_action="shelve", shelve_time=3600)
    assert 3590 < (await seen(master))[RTU_SILENT].shelved_left <= 3600
    assert (await seen(master))[RTU_SILENT].state == "shelved"
    assert master.master.image["worst_priority"] in ("none", "low")
    await master.write(alarm_number=RTU_SILENT, alarm_action="unshelve")
    await live.rtu(port=rtu.server.port)

    async def is_over() -> bool:
        return RTU_SILENT not in await seen(master)

    await until(is_over, WITHIN_S)
    told = [text for text in master.events if text.startswith("RTS1: alarm")]
    assert [text.partition(" by ")[0].partition(":")[2][:25] for text in told] == [
        " alarm (high): No reading",
        " alarm acknowledged",
        " alarm shelved",
        " alarm taken from the she",
        " alarm over: rtu silent",
    ]
    assert " by 127.0.0.1:" in told[1]


WRONG: list[Mapping[str, Value]] = [
    {"alarm_number": 8, "alarm_action": "acknowledge"},  # not in the list
    {"alarm_number": 60_000, "alarm_action": "acknowledge"},  # there is no such source
    {"alarm_number": RTU_SILENT},
    {"alarm_action": "acknowledge"},
    {"alarm_number": RTU_SILENT, "alarm_action": "shelve"},
    {"alarm_number": RTU_SILENT, "alarm_action": "acknowledge", "shelve_time": 60},
    {"alarm_number": RTU_SILENT, "alarm_action": "unshelve"},
    {"alarm_number": 65535, "alarm_action": "take_out_of_service"},
    {"shelve_time": 60},
]


async def test_what_makes_no_sense_is_refused_and_changes_nothing(live: LiveSite) -> None:
    master = await live.master({"RTS1": free_port()})
    before = await until_state(master, RTU_SILENT, "active_unacknowledged")
    for values in WRONG:
        with pytest.raises(Refused) as caught:
            await master.write(**values)
        assert caught.value.code == 3, values
    too_long = (0, 1, 2, 1, 0x5181)  # more than a day: the map itself has no such value
    async with ModbusClient("127.0.0.1", master.port, timeout_s=5) as client:
        await until(lambda: client.connected)
        with pytest.raises(Refused):
            await client.write(Table.HOLDING_REGISTER, 13, too_long[1:], 1)
    assert (await seen(master))[RTU_SILENT] == before
    await master.write(alarm_number=65535, alarm_action="acknowledge")
    assert (await seen(master))[RTU_SILENT].state == "active_acknowledged"


async def test_a_write_that_is_not_allowed_is_an_alarm_and_reading_is_not(live: LiveSite) -> None:
    rtu = await live.rtu()
    master = await live.master(ports(rtu))
    master.master.server.respond(FORBIDDEN_READ, STRANGER)
    await master.more_scans(2)
    assert await seen(master) == {}
    master.master.server.respond(FORBIDDEN_WRITE, STRANGER)
    alarm = await until_state(master, UNAUTHORISED, "active_unacknowledged")
    assert alarm.text.startswith("A write was refused: 192.0.2.7 may not write (function 6)")


async def test_who_may_only_read_is_told_what_he_lacks(live: LiveSite) -> None:
    path = live.site_file({"RTS1": free_port()})
    path.write_text(path.read_text().replace("port: 0}", "port: 0, allow: [127.0.0.1], writers: []}"))
    master = await live.master_of(path)
    async with ModbusClient("127.0.0.1", master.port, timeout_s=5) as client:
        with pytest.raises(BadInput, match="lets this one only read: its site file names"):
            await AlarmClient(client).do(Wish(action=AlarmAction.ACKNOWLEDGE, number=ALL))


async def test_every_intruder_is_in_the_journal_once(live: LiveSite) -> None:
    path = live.site_file({"RTS1": free_port()})
    master = await live.master_of(path)
    another = replace(STRANGER, host="192.0.2.8")
    for _ in range(50):
        master.master.server.respond(FORBIDDEN_WRITE, STRANGER)
        master.master.server.respond(FORBIDDEN_WRITE, another)
    await live.end(master)
    told = [e.text for e in read_entries(path.with_suffix(".journal"), Wanted(kind="write"))]
    assert [text.partition(" may")[0] for text in told] == ["refused: 192.0.2.7", "refused: 192.0.2.8"]


async def test_who_writes_without_an_end_does_not_wash_the_journal_away(live: LiveSite) -> None:
    path = live.site_file({"RTS1": free_port()})
    master = await live.master_of(path)
    for number in range(300):
        await master.write(price_limit=number / 1000)
    await master.write(station_1_hold=True)
    await live.end(master)
    told = [e.code for e in read_entries(path.with_suffix(".journal"), Wanted(kind="operator"))]
    assert 20 <= told.count("price_limit") <= 60
    assert told[-1] == "station_1_hold"


async def test_what_was_done_to_alarms_survives_a_restart(live: LiveSite) -> None:
    path = live.site_file({"RTS1": free_port()})
    master = await live.master_of(path)
    master.master.server.respond(FORBIDDEN_WRITE, STRANGER)
    await until_state(master, RTU_SILENT, "active_unacknowledged")
    await master.write(alarm_number=UNAUTHORISED, alarm_action="acknowledge")
    await master.write(alarm_number=RTU_SILENT, alarm_action="shelve", shelve_time=600)
    await live.end(master)
    again = await live.master_of(path)
    found = await seen(again)
    assert found[UNAUTHORISED].state == "active_acknowledged"
    assert found[RTU_SILENT].state == "shelved"
    assert 0 < found[RTU_SILENT].shelved_left <= 600
    told = [e for e in read_entries(path.with_suffix(".journal"), Wanted()) if e.kind == "alarm"]
    assert [e.value for e in told if e.code == "unauthorised_write"] == [
        "active_unacknowledged",
        "active_acknowledged",
    ]


async def test_what_people_and_programs_write_is_told_apart(live: LiveSite) -> None:
    rtu = await live.rtu()
    path = live.site_file(ports(rtu), tariff=NO_PRICE)
    master = await live.master_of(path)
    await master.write(price=0.1, price_limit=0.3)
    await master.write(station_1_hold=True)
    await until(lambda: any("hold off → on" in text for text in master.events), WITHIN_S)
    await live.end(master)
    told = {(e.kind, e.code, e.value) for e in read_entries(path.with_suffix(".journal"), Wanted())}
    assert told >= {
        ("write", "price", "0.1"),
        ("operator", "price_limit", "0.3"),
        ("operator", "station_1_hold", "True"),
        ("command", "", "operator"),
    }


async def test_a_clock_that_is_set_is_an_alarm_and_one_that_is_not_is_none(tmp_path: Path) -> None:
    site = VirtualSite(folder=tmp_path)
    await site.run(60)
    assert site.master.image["alarm_1_number"] == 0
    site.clock._start = site.clock.time_of_day() - timedelta(hours=1, seconds=site.clock.now())
    await site.run(20)
    assert site.master.image["alarm_1_code"] == "clock_stepped"
    assert str(site.master.image["alarm_1_text"]).startswith("The time of day jumped by -3600 s.")
    await site.run(120)
    assert site.master.image["alarm_1_state"] == "returned_unacknowledged"


async def test_summer_time_is_no_clock_that_is_set(tmp_path: Path) -> None:
    site = VirtualSite(folder=tmp_path)
    site.clock._start = datetime(2026, 3, 29, 1, 59, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    await site.run(60)
    assert site.clock.time_of_day().hour == 3
    assert site.master.image["alarm_1_number"] == 0


def test_a_certificate_s_last_days_are_counted(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.create("Bench", [Certificate(name="master", role="master")], days=20)
    files = TlsFiles(ca="ca.crt", certificate="master.crt", key="master.key").under(tmp_path)
    days = files.days_left()
    assert days is not None
    assert 19.9 < days <= 20
    authority.path("master").unlink()
    assert files.days_left() is None


async def test_a_second_master_that_knows_nothing_of_the_first_is_told_so(live: LiveSite) -> None:
    """It would not be seen by what the stations do: both masters wish the same."""
    rtu = await live.rtu()
    await live.master(ports(rtu))
    second = await live.master(ports(rtu))
    alarm = await until_state(second, OTHER_MASTER, "active_unacknowledged")
    assert alarm.text == "This site has two masters: RTS1 obeys the other one, and not this one"
    alarm = await until_state(second, NOT_ARRIVED, "active_unacknowledged")
    assert "does not take the master's commands: write " in alarm.text
    assert "exception 0x06" in alarm.text
