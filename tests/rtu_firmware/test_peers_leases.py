"""The rules of a lease, one by one."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from peer_world import OPENING_S, RATINGS, STEP_S, Station, Way, World
from station_bench import Bench

from register_maps.vocabulary import LimitReason
from rtu_firmware.peers import (
    LEASE_S,
    MARGIN_S,
    RECENT_S,
    SETTLED_S,
    Lease,
    Leases,
    Report,
    borrowed_w,
    renewed,
    spare_w,
    wanted_w,
)

NOW = 1000.0
SHARE_W = 1500.0


def wants(watts: float = 1800.0, **changes: Any) -> Report:
    return replace(Report(asked_at=NOW - 0.5, wanted_w=watts), **changes)


def lease(watts: float, *, left_s: float = 5.0, since: float = NOW - 10) -> Lease:
    return Lease(power_w=watts, since=since, ends_at=NOW + left_s)


def watts_of(leases: Leases) -> list[float]:
    return [lease.power_w if lease else 0.0 for lease in leases]


def silent_bench(**orders: Any) -> Bench:
    bench = Bench(replace(RATINGS), failsafe_power_limit_w=SHARE_W, **orders)
    bench.master_is_alive = False
    bench.run(11)
    return bench


@pytest.mark.parametrize(
    ("reports", "leases", "lent"),
    [
        ([None, None], [None, None], [0, 0]),
        ([wants(0), wants(0)], [None, None], [0, 0]),
        ([wants(), wants()], [None, None], [1500, 0]),
        ([wants(1000), wants()], [None, None], [1000, 500]),
        ([wants(), wants()], [None, lease(1500)], [0, 1500]),
        ([wants(), wants()], [None, lease(700)], [0, 1500]),
        ([wants(1800, borrowed_w=1500), wants()], [None, None], [300, 1200]),
        ([wants(1800, borrowed_w=4500), wants()], [None, None], [0, 1500]),
        ([wants(0), wants()], [lease(1500), None], [1500, 0]),
        ([wants(0), wants()], [lease(600), None], [600, 900]),
        ([wants(asked_at=NOW - RECENT_S - 0.1), wants(500)], [None, None], [0, 500]),
        ([wants(), None], [lease(300, since=NOW - 1), None], [300, 0]),
        ([wants(asked_at=NOW), None], [lease(300, since=NOW - SETTLED_S - 0.1), None], [1500, 0]),
    ],
)
def test_who_is_lent_what(reports, leases, lent):
    assert watts_of(renewed(tuple(leases), reports, SHARE_W, NOW)) == lent


def test_a_lease_is_renewed_as_long_as_it_is_wanted():
    had = (lease(700), lease(800))
    found = renewed(had, [wants(), wants(0)], SHARE_W, NOW)
    assert [one and one.ends_at for one in found] == [NOW + LEASE_S, NOW + 5]


def test_without_a_share_to_spare_nothing_is_renewed():
    had = (lease(700), None)
    assert renewed(had, [wants(), wants()], 0.0, NOW) == had


@pytest.mark.parametrize(
    ("left_s", "until_s"),
    [(LEASE_S, 0.98 * LEASE_S - MARGIN_S), (2.0, 0.96), (1.0, -0.02), (3600.0, 0.98 * LEASE_S - MARGIN_S)],
)
def test_a_borrower_gives_back_early(left_s, until_s):
    report = Report(asked_at=NOW, lent_w=700, lease_left_s=left_s)
    assert report.borrowed_until() == pytest.approx(NOW + until_s)
    assert borrowed_w([report, None], NOW + until_s - 0.01) == 700
    assert borrowed_w([report, None], NOW + until_s + 0.01) == 0


@pytest.mark.parametrize("left_s", [1.5, 3.0, LEASE_S])
@pytest.mark.parametrize(("borrower", "lender"), [*product((0.99, 1.0, 1.01), repeat=2)])
def test_whatever_the_clocks_do_it_is_open_before_the_lender_takes_its_share(left_s, borrower, lender):
    left_off_s = Report(asked_at=0.0, lent_w=700, lease_left_s=left_s).borrowed_until() / borrower
    assert left_off_s + STEP_S + OPENING_S <= left_s / lender


def spare_of(bench: Bench) -> float:
    return spare_w(bench.state, bench.measurement(), bench.orders, RATINGS, bench.now)


def test_a_share_is_spare_without_a_vehicle():
    bench = silent_bench()
    assert spare_of(bench) == 0
    bench.broken = {"vehicle_connected": False}
    bench.step()
    assert not bench.is_closed
    assert spare_of(bench) == 0, "the contactor has not had its time"
    bench.run(1)
    assert spare_of(bench) == SHARE_W


@pytest.mark.parametrize(
    "trouble",
    [
        {"contactor_closed": True},
        {"power_w": 3000.0},
        {"voltage_v": None},
        {"vehicle_connected": True},
        {"at": 0.0},
    ],
)
def test_what_is_wrong_or_not_known_is_not_spare(trouble):
    bench = silent_bench()
    bench.broken = {"vehicle_connected": False}
    bench.run(2)
    assert spare_of(bench) == SHARE_W
    bench.broken |= trouble
    bench.step()
    assert spare_of(bench) == 0


def test_with_a_master_nothing_is_spare():
    bench = silent_bench()
    bench.broken = {"vehicle_connected": False}
    bench.run(2)
    bench.master_is_alive = True
    bench.step()
    assert spare_of(bench) == 0


@pytest.mark.parametrize("broken", [{"state_of_charge_pct": 100.0}, {}])
def test_a_full_or_a_stopped_vehicle_leaves_the_share_to_others(broken):
    bench = silent_bench()
    bench.broken = broken
    bench.step(stop=not broken)
    bench.run(1)
    assert spare_of(bench) == SHARE_W
    assert wanted_w(bench.state, bench.orders, RATINGS) == 0


def test_who_charges_wants_more_and_uses_it_without_a_master_alone():
    bench = silent_bench()
    assert wanted_w(bench.state, bench.orders, RATINGS) == 1800
    assert bench.step(borrowed_w=1500.0).power_limit_w == 3000
    assert bench.step(borrowed_w=4000.0).power_limit_w == 3300
    bench.master_is_alive = True
    assert bench.step(charge_enable=True, power_limit_w=1400.0).power_limit_w == 1400
    assert wanted_w(bench.state, bench.orders, RATINGS) == 0


@pytest.mark.parametrize(
    ("order_w", "lent", "limit_w", "reason"),
    [
        (3300.0, 1500.0, 1800.0, LimitReason.NONE),
        (5000.0, 1500.0, 1800.0, LimitReason.NONE),
        (2700.0, 1500.0, 0.0, LimitReason.FAILSAFE),
        (1000.0, 1500.0, 0.0, LimitReason.NONE),
    ],
)
def test_what_is_lent_is_missing_under_a_master_too(order_w, lent, limit_w, reason):
    bench = Bench(charge_enable=True, power_limit_w=order_w, failsafe_power_limit_w=SHARE_W, lent_w=lent)
    decision = bench.run(1)
    assert (decision.power_limit_w, decision.reason) == (limit_w, reason)


def test_after_its_start_a_station_with_peers_waits_for_the_leases_that_it_may_have_forgotten():
    world = World([Station(number=n, share_w=SHARE_W) for n in range(2)])
    station = world.stations[0]
    station.has_car, station.master_w = True, 3300.0
    world.restart(station, down_s=0.0)
    station.master_w = 3300.0
    world.advance(LEASE_S - 0.5)
    assert station.state.decision.reason is LimitReason.FAILSAFE
    assert world.power_w() == 0
    world.advance(1.5)
    assert world.power_w() == 3300


def test_a_fault_does_not_shorten_that():
    bench = Bench(replace(RATINGS, reclose_delay_s=1.0))
    bench.state = replace(bench.state, held_open_until=bench.now + LEASE_S)
    bench.broken = {"voltage_v": 0.0}
    bench.step()
    assert bench.state.held_open_until == pytest.approx(bench.now + LEASE_S - 0.1)


@pytest.mark.parametrize(("heard_s", "begins_s"), [(0.0, 17.0), (1.0, 10.0)])
def test_after_a_blackout_stations_without_a_master_begin_at_their_own_times(heard_s, begins_s):
    bench = Bench(replace(RATINGS, start_delay_s=7.0), failsafe_power_limit_w=SHARE_W)
    bench.run(heard_s)
    bench.master_is_alive = False
    assert bench.seconds_until(lambda: bench.is_closed) == pytest.approx(begins_s, abs=0.25)


def two_stations(**ways: Any) -> World:
    """One with a car, that draws both shares; the other one's comes later."""
    world = World([Station(number=n, share_w=SHARE_W, has_car=n == 0) for n in range(2)], Way(**ways))
    world.advance(8)
    assert world.power_w() == 2 * SHARE_W
    return world


@pytest.mark.parametrize("back_s", [0.01, 0.9])
@pytest.mark.parametrize("cut", [False, True])
def test_the_lender_has_its_share_back_when_the_lease_is_over(cut, back_s):
    world = two_stations(back_s=back_s)
    lender = world.stations[1]
    if cut:
        world.ways[0, 1] = Way(is_cut=True)
    lender.has_car = True
    world.advance(LEASE_S - 0.5)
    assert not lender.contacts_closed
    world.advance(1.5)
    assert [station.power_w for station in world.stations] == [SHARE_W, SHARE_W]
    assert lender.contacts_closed


def test_a_borrower_lives_through_three_answers_lost_in_a_row():
    world = two_stations()
    world.ways[0, 1] = Way(is_cut=True)
    world.advance(3.2)
    world.ways.clear()
    world.advance(0.8)
    assert world.power_w() == 2 * SHARE_W
    world.ways[0, 1] = Way(is_cut=True)
    world.advance(6)
    assert world.power_w() == SHARE_W
