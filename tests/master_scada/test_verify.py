"""A command has worked only when a later reading says so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from plants import charging, waiting
from virtual_site import VirtualSite, shown

from master_scada.model import Command
from master_scada.station import Reading, Station
from master_scada.verify import verify
from register_maps.vocabulary import ChargeState, LimitReason, Unfollowed

CLOSE = Command(charge_enable=True, power_limit_w=3300, reason=LimitReason.NONE)
OPEN = Command(charge_enable=False, power_limit_w=0, reason=LimitReason.PRICE)
LESS = Command(charge_enable=True, power_limit_w=2000, reason=LimitReason.NONE)
TOLD = {"charge_enable": True, "power_limit_w": 3300.0}


def reading(make: Callable[..., Station], **seen: Any) -> Reading:
    found = make("A", **seen).reading
    assert found
    return found


@pytest.mark.parametrize(
    ("sent", "seen", "what"),
    [
        (CLOSE, reading(charging), "none"),
        (OPEN, reading(waiting), "none"),
        (CLOSE, reading(waiting), "not_arrived"),
        (OPEN, reading(charging), "not_arrived"),
        (OPEN, reading(charging, charge_enable=False), "not_opened"),
        (OPEN, reading(charging, charge_enable=False, power_w=0.0), "not_opened"),
        (CLOSE, reading(waiting, **TOLD, state=ChargeState.PREPARING), "not_closed"),
        (CLOSE, reading(waiting, **TOLD, state=None), "not_closed"),
        (CLOSE, reading(waiting, **TOLD, state=None, own_reason=LimitReason.VOLTAGE), "none"),
        (CLOSE, reading(waiting, **TOLD), "none"),  # suspended by the station itself
        (CLOSE, reading(waiting, **TOLD, state=None, vehicle_connected=False), "none"),
        (CLOSE, reading(waiting, **TOLD, state=None, fully_charged=True), "none"),
        (LESS, reading(charging, power_w=2101.0), "overdraws"),
        (LESS, reading(charging, power_w=2099.0), "none"),
        (LESS, reading(charging, power_w=None), "none"),
        (OPEN, reading(charging, charge_enable=False, failsafe_active=True), "none"),
    ],
)
def test_what_is_not_followed(sent: Command, seen: Reading, what: str) -> None:
    found = verify(None, sent, seen, 100.0)
    assert (found.what if found else Unfollowed.NONE) == what


def test_the_contactor_has_its_time() -> None:
    stuck = reading(charging, charge_enable=False)
    first = verify(None, OPEN, stuck, 100.0)
    assert first
    assert first.told(101.9, 1.0) is Unfollowed.NONE
    assert first.told(102.0, 1.0) is Unfollowed.NOT_OPENED
    assert first.told(100.9, 0.1) is Unfollowed.NONE
    assert first.told(101.0, 0.1) is Unfollowed.NOT_OPENED


def test_it_counts_from_the_first_scan_on_and_anew_for_another_command() -> None:
    stuck = reading(charging, charge_enable=False)
    first = verify(None, OPEN, stuck, 100.0)
    again = verify(first, OPEN, stuck, 105.0)
    assert again == first
    other = verify(again, CLOSE, stuck, 106.0)
    assert other
    assert (other.what, other.since) == (Unfollowed.NOT_ARRIVED, 106.0)
    assert verify(other, CLOSE, reading(charging), 107.0) is None


def test_a_refused_command_has_not_arrived_even_if_it_looks_followed() -> None:
    found = verify(None, OPEN, reading(waiting), 100.0, refused=True)
    assert found
    assert found.what is Unfollowed.NOT_ARRIVED


@pytest.mark.parametrize(("sent", "seen"), [(None, reading(charging)), (OPEN, None)])
def test_nothing_to_hold_it_against(sent: Command | None, seen: Reading | None) -> None:
    assert verify(None, sent, seen, 0.0) is None


async def test_a_welded_contactor_takes_its_rating_out_of_the_headroom(tmp_path: Path) -> None:
    site = VirtualSite(folder=tmp_path, stations=3, scan_period_s=1.0, power_limit_w=7000)
    for name in site.names:
        site.plug_in(name, capacity_wh=1e6)
    await site.run(150)
    on = [name for name in site.names if site.board(name).power_w > 0]
    assert len(on) == 2
    site.board(on[0]).faults.welded = True
    site.rtus[on[0]].request_stop()
    await site.run(1)
    for _ in range(200):
        await site.run(1)
        assert sum(site.board(name).power_w for name in site.names) <= 7000
        (stuck,) = (s for s in site.scans[-1].plant.stations if s.name == on[0])
        assert stuck.may_draw_w() >= 3300
    # Its vehicle keeps to the pilot signal and draws nothing; but nobody else gets its room.
    assert shown(site.master, "power_may_draw") == (6600,)
    assert [name for name in site.names if site.board(name).power_w > 0] == [on[1]]


async def test_a_station_that_does_not_follow_is_told_again_in_every_scan(tmp_path: Path) -> None:
    site = VirtualSite(folder=tmp_path, stations=1, scan_period_s=1.0)
    site.plug_in("RTS1", capacity_wh=1e6)
    await site.run(90)
    image, follow = site.rtus["RTS1"].image, site.rtus["RTS1"].image.on_written
    image.on_written = None  # a control loop that pays no attention: its registers change, and no more
    site.master.image.update({"station_1_hold": True})
    site.rtus["RTS1"].step = lambda: None  # type: ignore[method-assign]
    heard = []
    for beat in range(6):
        image.update({"charge_enable": True, "heartbeat": 100 + beat})
        await site.run(1)
        heard.append(image["charge_enable"])
    assert heard == [False] * 6
    assert site.scans[-1].plant.stations[0].unfollowed is Unfollowed.NOT_ARRIVED
    assert shown(site.master, "station_1_unfollowed") == ("not_arrived",)
    image.on_written = follow
