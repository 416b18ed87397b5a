"""Stations that lend each other their shares, in virtual time: the real logic, a world that does its worst.

Every station has a clock of its own, which may run 1 % wrong, and forgets everything when it restarts. Its
contactor closes at once and opens late; its control step comes as late as it may. Readings of the peers take
their time on the way there and on the way back, or never arrive.

After everything that happens, `power_w` of all is held against what they may draw together.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import count

from rtu_firmware import peers
from rtu_firmware.board import Measurement
from rtu_firmware.charging import first_state
from rtu_firmware.model import Orders, Ratings, State
from rtu_firmware.peers import Leases, Report

STEP_S = 0.45
OPENING_S = 0.5
"""Together as much as `MARGIN_S` leaves room for, on a clock that is 1 % slow."""
READ_EVERY_S = 1.0
TIMEOUT_S = 1.0
RATINGS = Ratings(
    rated_power_w=3300, minimum_power_w=1300, nominal_voltage_v=110, emergency_band=(0.85, 1.15)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """From one station to another and back; a request, or its reply, may get lost there."""

    there_s: float = 0.01
    back_s: float = 0.01
    is_cut: bool = False


USUAL_WAY = Way()


@dataclass(slots=True, kw_only=True)
class Station:
    number: int
    share_w: float
    rate: float = 1.0
    has_car: bool = False
    is_full: bool = False
    master_w: float | None = None
    stop: bool = False
    start: bool = False
    is_up: bool = True
    contacts_closed: bool = False
    power_w: float = 0.0
    moves: int = 0
    claims: list[tuple[float, float]] = field(default_factory=list)
    zero: float = 0.0
    orders: Orders = field(default_factory=Orders)
    state: State = field(init=False)
    leases: Leases = ()
    reports: list[Report | None] = field(default_factory=list)


class World:
    def __init__(self, stations: list[Station], usual_way: Way = USUAL_WAY) -> None:
        self.now = 0.0
        self.stations = stations
        self.ways: dict[tuple[int, int], Way] = {}
        """Those that are not as usual."""
        self._usual_way = usual_way
        self._shares_w = sum(station.share_w for station in stations)
        self.most_borrowed_w = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        for station in stations:
            # They have been silent, and up, for long enough to lend at once.
            self._forget(station, started_s=20.0)
            self._at(STEP_S * station.number / len(stations), lambda s=station: self._tick(s))
            for other in stations:
                if other is not station:
                    self._at(0.3 * other.number, lambda s=station, o=other: self._read(s, o))

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self._events[0][0] <= end:
            self.now, _, happen = heappop(self._events)
            happen()
        self.now = end

    def way(self, reader: int, other: int) -> Way:
        return self.ways.get((reader, other), self._usual_way)

    def local(self, station: Station) -> float:
        return station.zero + station.rate * self.now

    def let_master(self, station: Station, order_w: float | None) -> None:
        """From now on a master orders so much; None, that it is silent."""
        linger_s = TIMEOUT_S / 0.99 + 2 * STEP_S + OPENING_S
        if station.master_w is not None:
            station.claims.append((self.now + linger_s, min(station.master_w, RATINGS.rated_power_w)))
        station.master_w = order_w

    def restart(self, station: Station, down_s: float) -> None:
        """Its contactor falls open without the program, as late as ever."""
        station.is_up = False
        self.let_master(station, None)
        self._move(station, closed=False)
        self._at(down_s, lambda: self._come_up(station))

    def may_draw_w(self) -> float:
        """The shares, and what a master orders beyond: it counts every station at least at its share."""
        return sum(self._account_w(station) for station in self.stations)

    def power_w(self) -> float:
        return sum(station.power_w for station in self.stations if station.contacts_closed)

    def has_promises(self) -> bool:
        """Whether somebody lends, or counts on it, or waits for what he may have lent before he restarted."""
        return any(self._is_bound(station) for station in self.stations)

    def _is_bound(self, station: Station) -> bool:
        now = self.local(station)
        is_held = not station.is_up or now <= station.state.held_open_until
        return is_held or any(station.leases) or peers.borrowed_w(station.reports, now) > 0

    def _account_w(self, station: Station) -> float:
        station.claims = [claim for claim in station.claims if claim[0] >= self.now]
        ordered = [watts for _, watts in station.claims]
        if station.master_w is not None:
            ordered.append(min(station.master_w, RATINGS.rated_power_w))
        return max([station.share_w, *ordered])

    def _check(self) -> None:
        power_w = self.power_w()
        if power_w > self._shares_w:  # else a master's orders need not be counted, which takes longer
            assert power_w <= self.may_draw_w(), f"at {self.now:.2f} s"

    def _at(self, seconds: float, happen: Callable[[], None]) -> None:
        heappush(self._events, (self.now + seconds, next(self._order), happen))

    def _forget(self, station: Station, *, started_s: float = 0.0) -> None:
        now = self.local(station)
        station.orders = Orders(failsafe_power_limit_w=station.share_w, failsafe_timeout_s=TIMEOUT_S)
        station.state = first_state(station.orders, now - started_s, hold_s=peers.LEASE_S)
        station.leases = (None,) * len(self.stations)
        station.reports = [None] * len(self.stations)

    def _come_up(self, station: Station) -> None:
        if not station.is_up:
            station.is_up = True
            station.zero -= 1000.0  # a clock of its own begins anew
            self._forget(station)

    def _tick(self, station: Station) -> None:
        self._at(STEP_S, lambda: self._tick(station))
        if station.is_up:
            self._step(station)
            self._check()

    def _step(self, station: Station) -> None:
        now, before = self.local(station), station.state
        orders = self._hear_master(station)
        if station.stop or station.start:
            orders = replace(orders, stop=station.stop, start=station.start)
            station.stop = station.start = False
        station.state, station.leases = peers.step_among_peers(
            before, station.leases, station.reports, self._measure(station, now), orders, RATINGS, now
        )
        decision = station.state.decision
        if decision.close_contactor:
            station.power_w = decision.power_limit_w
            self.most_borrowed_w = max(self.most_borrowed_w, station.power_w - station.share_w)
        if decision.close_contactor != before.decision.close_contactor:
            self._move(station, closed=decision.close_contactor)

    def _hear_master(self, station: Station) -> Orders:
        """The registers, that keep what a master wrote until the failsafe withdraws it."""
        if station.master_w is not None:
            station.orders = Orders(
                heartbeat=station.orders.heartbeat + 1,
                charge_enable=station.master_w > 0,
                power_limit_w=station.master_w,
                failsafe_power_limit_w=station.share_w,
                failsafe_timeout_s=TIMEOUT_S,
            )
        elif station.orders.charge_enable and station.state.decision.failsafe_active:
            station.orders = replace(station.orders, charge_enable=False, power_limit_w=0.0)
        return station.orders

    def _measure(self, station: Station, now: float) -> Measurement:
        power_w = station.power_w if station.contacts_closed else 0.0
        return Measurement(
            at=now,
            vehicle_connected=station.has_car,
            contactor_closed=station.contacts_closed,
            voltage_v=110.0,
            current_a=power_w / 110,
            power_w=power_w,
            state_of_charge_pct=100.0 if station.is_full else 50.0,
        )

    def _move(self, station: Station, *, closed: bool) -> None:
        station.moves += 1
        if closed:
            station.contacts_closed = True
            return
        move = station.moves
        self._at(OPENING_S, lambda: self._open(station, move))

    def _open(self, station: Station, move: int) -> None:
        if station.moves == move:
            station.contacts_closed = False

    def _read(self, reader: Station, other: Station) -> None:
        self._at(READ_EVERY_S, lambda: self._read(reader, other))
        way = self.way(reader.number, other.number)
        if reader.is_up and not way.is_cut:
            asked_at = self.local(reader)
            run = reader.state.started_at
            self._at(way.there_s, lambda: self._answer(reader, other, asked_at, run, way.back_s))

    def _answer(self, reader: Station, other: Station, asked_at: float, run: float, back_s: float) -> None:
        if other.is_up:
            report = self._report(other, reader.number, asked_at)
            self._at(back_s, lambda: self._take(reader, other, report, run))

    def _report(self, station: Station, number: int, asked_at: float) -> Report:
        now = self.local(station)
        lease = peers.without_ended(station.leases, now)[number]
        return Report(
            asked_at=asked_at,
            wanted_w=peers.wanted_w(station.state, station.orders, RATINGS),
            borrowed_w=peers.borrowed_w(station.reports, now),
            lent_w=lease.power_w if lease else 0.0,
            lease_left_s=lease.ends_at - now if lease else 0.0,
        )

    def _take(self, reader: Station, other: Station, report: Report, run: float) -> None:
        """A reply to a program that has ended since reaches nobody."""
        if reader.is_up and reader.state.started_at == run:
            reader.reports[other.number] = report
