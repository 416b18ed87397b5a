"""After an outage stations come back one by one, so that the voltage can answer, and not all in one scan."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from virtual_site import VirtualSite

from register_maps.blocks import Span

SCAN_S = 1.0
SETTLE_S = 2 * SCAN_S
STATIONS = 10


@pytest.fixture
async def site(tmp_path: Path) -> VirtualSite:
    """Ten cars, and room for all of them."""
    site = VirtualSite(
        folder=tmp_path,
        stations=STATIONS,
        scan_period_s=SCAN_S,
        power_limit_w=50_000,
        rule="price_limit: 0.20, rotation_s: 900, minimum_off_s: 5",
    )
    for name in site.names:
        site.plug_in(name, capacity_wh=1e6)
    await site.run(60)
    assert closed(site) == STATIONS
    return site


def closed(site: VirtualSite) -> int:
    return sum(bool(rtu.image["contactor_closed"]) for rtu in site.rtus.values())


async def assert_they_come_back_one_by_one(site: VirtualSite) -> None:
    assert closed(site) == 0
    counts = []
    for _ in range(60):
        await site.run(SCAN_S)
        counts.append(closed(site))
    assert counts[-1] == STATIONS
    rises = [n for n, (before, after) in enumerate(pairwise(counts)) if after > before]
    assert all(after - before <= 1 for before, after in pairwise(counts))
    assert min((b - a) * SCAN_S for a, b in pairwise(rises)) >= SETTLE_S


async def test_after_the_master_was_cut_off(site: VirtualSite) -> None:
    for link in site.links.values():
        link.cut()
    await site.run(70)
    for link in site.links.values():
        link.mend()
    await assert_they_come_back_one_by_one(site)


async def test_after_the_master_was_gone(site: VirtualSite) -> None:
    site.pass_time(70, 70)
    site.restart_master()
    await assert_they_come_back_one_by_one(site)


async def test_after_a_blackout(site: VirtualSite) -> None:
    for name in site.names:
        vehicle = site.board(name).vehicle
        site.rtus[name].board.close()
        site.rtus[name] = site._rtu(name)
        site.board(name).vehicle = vehicle
        site.links[name]._image = site.rtus[name].image
    site.restart_master()
    await assert_they_come_back_one_by_one(site)


async def test_a_short_cut_opens_nobody_and_needs_no_ramp(site: VirtualSite) -> None:
    for link in site.links.values():
        link.cut()
    await site.run(30)
    assert closed(site) == STATIONS
    for link in site.links.values():
        link.mend()
    await site.run(5)
    assert closed(site) == STATIONS


async def test_a_master_that_slept_in_the_midst_of_its_poll_tells_nobody_anything(site: VirtualSite) -> None:
    """What it has read is minutes old by then; the next scan is of now."""
    link = site.links["RTS1"]
    read_all = link.read_all

    async def slept(spans: Sequence[Span], unit_id: int) -> list[Sequence[int]]:
        words = await read_all(spans, unit_id)
        site.clock.advance(600)
        return words

    before = [rtu.image["master_heartbeat"] for rtu in site.rtus.values()]
    link.read_all = slept  # type: ignore[method-assign]
    await site.master.cycle()
    link.read_all = read_all  # type: ignore[method-assign]
    assert [rtu.image["master_heartbeat"] for rtu in site.rtus.values()] == before
    site.pass_time(1, 2)
    await assert_they_come_back_one_by_one(site)
