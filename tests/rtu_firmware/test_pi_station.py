"""The whole station on a Pi's header and bus, steered by a real master: what happens at a charging place."""

import time

import pytest
from i2c_gauge import Max17048Chip
from pi_hardware import CONTACTOR, DRAWS_A, GAUGE, LINE_OHM, METER, SUPPLY_V
from pi_station import Site, live_site, virtual_site
from processes import until

from rtu_firmware.pi.board import PiBoard

OPENS_WITHIN_S = 0.1
"""After the Stop button is pressed."""
CHARGED_V = SUPPLY_V - LINE_OHM * DRAWS_A


@pytest.fixture
async def site(tmp_path, monkeypatch):
    """It charges."""
    async with virtual_site(tmp_path, monkeypatch) as site:
        await site.until(lambda: site.is_charging)
        yield site


def reading(site: Site):
    """Of the master's last scan."""
    return site.scan.plant.stations[0].reading


async def test_it_charges(site):
    await site.pass_time(10)
    assert site.seen("voltage") == pytest.approx(CHARGED_V, abs=0.1)
    assert site.seen("power") == pytest.approx(CHARGED_V * DRAWS_A, abs=1)
    assert site.rtu.state.session.energy_wh == pytest.approx(CHARGED_V * DRAWS_A * 10 / 3600, rel=0.1)
    assert site.seen("state_of_charge") == pytest.approx(40, abs=0.1)
    assert reading(site).power_w == pytest.approx(CHARGED_V * DRAWS_A, abs=1)
    assert reading(site).state == "charging"
    assert site.hardware.lamps == (True, False)
    assert site.hardware.ordered == [True]
    assert site.hardware.header.shorts == []


async def test_a_stop_opens_and_stays_until_start(site):
    site.hardware.press_stop()
    assert await site.until(lambda: not site.hardware.contactor.coil_is_on) <= OPENS_WITHIN_S
    site.hardware.press_stop(False)
    await site.pass_time(20)
    assert not site.hardware.contactor.is_closed()
    assert (site.seen("state"), site.seen("limit_reason_local")) == ("finishing", "user_stop")
    assert reading(site).user_stopped
    assert site.hardware.lamps == (False, True)
    site.rtu.request_start()
    await site.until(lambda: site.is_charging)
    assert site.hardware.ordered == [True, False, True]


async def test_another_vehicle_is_not_stopped(site):
    site.hardware.press_stop()
    await site.pass_time(1)
    site.hardware.press_stop(False)
    site.hardware.plug.make(False)
    await site.pass_time(1)
    assert site.seen("state") == "available"
    assert site.hardware.lamps == (False, False)
    site.hardware.plug.make()
    await site.until(lambda: site.is_charging)


async def test_a_vehicle_that_is_unplugged_while_it_charges(site):
    site.hardware.plug.make(False)
    assert await site.until(lambda: not site.hardware.contactor.coil_is_on) <= 0.2
    assert site.seen("state_of_charge") is None
    assert site.seen("fault_code") == "none"


async def test_welded_contacts_are_told(site):
    site.hardware.contactor.welded = True
    site.hardware.press_stop()
    await site.until(lambda: site.seen("fault_code") == "contactor_welded", 2)
    await site.pass_time(1)
    assert site.seen("state") == "faulted"
    assert site.seen("contactor_closed")
    assert reading(site).contactor_closed
    assert site.hardware.ordered == [True, False]
    lit = set()
    for _ in range(10):
        await site.step()
        lit.add(site.hardware.lamps)
    assert lit == {(False, False), (False, True)}


async def test_a_contactor_that_stays_open_is_told(tmp_path, monkeypatch):
    async with virtual_site(tmp_path, monkeypatch) as site:
        site.hardware.contactor.stuck_open = True
        await site.until(lambda: site.seen("fault_code") == "contactor_not_closed")
        await site.pass_time(5)
        assert not site.hardware.contactor.coil_is_on


@pytest.mark.parametrize(("address", "name"), [(METER, "0x40"), (GAUGE, "0x36")])
async def test_a_sensor_is_unplugged_and_back(site, address, name):
    chip = site.hardware.wires.chips.pop(address)
    assert await site.until(lambda: not site.hardware.contactor.coil_is_on, 3) >= 1.5, "once is no fault"
    assert site.seen("fault_code") == "sensor_failed"
    assert name in site.seen("fault_detail")
    await site.pass_time(5)
    chip.brown_out()
    site.hardware.wires.chips[address] = chip
    await site.until(lambda: site.is_charging, 30)
    assert (site.seen("fault_code"), site.seen("fault_detail")) == ("none", "")
    assert site.hardware.ordered == [True, False, True]


async def test_one_failed_read_is_no_fault(site):
    chip = site.hardware.wires.chips.pop(METER)
    await site.pass_time(0.5)
    site.hardware.wires.chips[METER] = chip
    await site.pass_time(3)
    assert site.is_charging
    assert site.hardware.ordered == [True]


async def test_a_brown_out_is_survived(site):
    site.hardware.brown_out()
    await site.pass_time(0.5)
    assert not site.hardware.contactor.is_closed()
    site.hardware.recover()
    await site.pass_time(1)
    assert not site.hardware.contactor.is_closed(), "no coil is switched on while the voltage comes back"
    await site.until(lambda: site.is_charging, 30)
    await site.pass_time(3)
    assert site.seen("voltage") == pytest.approx(CHARGED_V, abs=0.1)
    assert site.seen("power") == pytest.approx(CHARGED_V * DRAWS_A, abs=1)
    assert len(site.hardware.contactor.pulls) == 2


async def test_a_full_battery_opens(site):
    site.hardware.cell.state_of_charge_pct = 100.0
    await site.until(lambda: not site.hardware.contactor.is_closed(), 2)
    await site.pass_time(20)
    assert site.seen("fully_charged")
    assert (site.seen("state"), site.seen("limit_reason_local")) == ("finishing", "full")
    assert site.hardware.ordered == [True, False]


async def test_a_vehicle_with_another_battery_begins_with_its_own_charge(site):
    site.hardware.plug.make(False)
    site.hardware.wires.chips.pop(GAUGE)
    await site.pass_time(5)
    assert site.seen("fault_code") == "none"
    site.hardware.cell.state_of_charge_pct = 70.0
    site.hardware.wires.chips[GAUGE] = Max17048Chip(site.hardware.cell, site.clock.now)
    site.hardware.plug.make()
    charges = set()
    while not site.is_charging:
        charges.add(site.seen("state_of_charge"))
        await site.step()
    assert charges <= {None, 70.0}


async def test_a_silent_master_opens(site):
    silent_from = site.clock.now()
    while site.hardware.contactor.coil_is_on:
        await site.step_without_master()
        assert site.clock.now() - silent_from < 12
    assert site.clock.now() - silent_from > 9
    assert site.seen("failsafe_active")


async def test_the_stop_button_acts_while_the_program_hangs(tmp_path, monkeypatch, record_property):
    async with live_site(tmp_path, monkeypatch) as (hardware, rtu, scans):
        hardware.press_stop()
        pressed_at = hardware.header.now()
        time.sleep(0.9)  # noqa: ASYNC251  neither the control loop nor the network runs
        assert hardware.ordered == [True, False]
        record_property("opened after, in ms", round(1000 * (hardware.opened_at - pressed_at)))
        hardware.press_stop(False)
        await until(lambda: rtu.image["state"] == "finishing", 15)
        await until(lambda: scans[-1].plant.stations[0].reading.user_stopped, 15)
        assert hardware.ordered == [True, False]
        assert rtu.image["fault_code"] == "none"


async def test_a_program_that_ends_opens_and_keeps_the_pin(tmp_path, monkeypatch):
    async with live_site(tmp_path, monkeypatch) as (hardware, rtu, _):
        pass
    assert hardware.ordered == [True, False]
    rtu.board.switch(True, 0.0)
    assert hardware.ordered == [True, False]
    assert hardware.header.gpio_function(CONTACTOR) == hardware.header.OUT
    assert hardware.wires.open_files == 0


async def test_a_bug_in_the_control_loop_opens(tmp_path, monkeypatch):
    async with live_site(tmp_path, monkeypatch) as (hardware, rtu, _):
        monkeypatch.setattr(PiBoard, "indicate", lambda board, state, now: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await rtu.run()
        assert hardware.ordered == [True, False]
