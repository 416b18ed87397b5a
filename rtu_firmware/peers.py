"""How stations lend each other their failsafe shares while no master steers: a pure state machine.

A lease is a promise that the lender publishes and the borrower reads: so much of the share, for so long
from now. It ends by itself, so no message has to arrive for it to end. The lender keeps every promise to its
end by its own clock; the borrower counts from before it asked, and gives back early:

- clocks may be wrong by 1 % each, so it counts on 98 % of the time;
- its contactor needs a control step and its own time to open, which is `MARGIN_S`.

So no watt is in two hands, whatever is lost, late, or restarted on the way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from register_maps.vocabulary import FaultCode, LimitReason
from rtu_firmware.board import Measurement
from rtu_firmware.charging import step
from rtu_firmware.model import Orders, Ratings, State

LEASE_S = 6.0
"""A borrower that asks once a second keeps its lease through three answers lost in a row. A lender waits so
long for its share to come back; and a station so long after its start, as it may have forgotten a lease."""
MARGIN_S = 1.0
"""For a control step, 0.1 s, for the contactor, 0.5 s, and for a step that is late."""
TRUSTED_TIME = 0.98
RECENT_S = 3.0
"""Who was not heard for so long may not need it any more."""
SETTLED_S = 3.0
"""Who was given something has surely counted it in what he says after that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a peer said when it was asked, at `asked_at` by the clock of who asked. The lease is to him."""

    asked_at: float
    wanted_w: float = 0.0
    borrowed_w: float = 0.0
    lent_w: float = 0.0
    lease_left_s: float = 0.0

    def borrowed_until(self) -> float:
        """No longer than any lease is: more would be forgotten by a lender that restarts."""
        return self.asked_at + min(self.lease_left_s, LEASE_S) * TRUSTED_TIME - MARGIN_S

    def counts_w(self, now: float) -> float:
        """So much of it may be drawn now."""
        return self.lent_w if now < self.borrowed_until() else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    power_w: float
    since: float
    """When it got its size."""
    ends_at: float

    def is_over(self, now: float) -> bool:
        return now > self.ends_at


Reports = Sequence[Report | None]
Leases = tuple[Lease | None, ...]
"""Both: one for each peer, in the order of the station's file."""


def step_among_peers(
    state: State,
    leases: Leases,
    reports: Reports,
    seen: Measurement,
    orders: Orders,
    ratings: Ratings,
    now: float,
) -> tuple[State, Leases]:
    """One control step, with what is lent and borrowed; then what is lent from now on."""
    leases = without_ended(leases, now)
    lent, borrowed = lent_w(leases), borrowed_w(reports, now)
    if lent or borrowed:
        orders = replace(orders, lent_w=lent, borrowed_w=borrowed)
    state = step(state, seen, orders, ratings, now)
    return state, renewed(leases, reports, spare_w(state, seen, orders, ratings, now), now)


def without_ended(leases: Leases, now: float) -> Leases:
    return tuple(None if lease and lease.is_over(now) else lease for lease in leases)


def lent_w(leases: Leases) -> float:
    return sum(lease.power_w for lease in leases if lease)


def borrowed_w(reports: Reports, now: float) -> float:
    return sum(report.counts_w(now) for report in reports if report)


def wanted_w(state: State, orders: Orders, ratings: Ratings) -> float:
    """What it could use beyond its own share, if it were lent it."""
    decision = state.decision
    needs = decision.reason in (LimitReason.NONE, LimitReason.FAILSAFE)
    if not (decision.failsafe_active and needs and state.session):
        return 0.0
    return max(0.0, ratings.rated_power_w - orders.failsafe_power_limit_w)


def spare_w(state: State, seen: Measurement, orders: Orders, ratings: Ratings, now: float) -> float:
    """Its share, where it surely has no use for it: nothing is plugged in, or that is full, or was stopped,
    and the contactor was seen open after it had the time to open."""
    decision, session = state.decision, state.session
    idle = session is None or session.full or session.stopped
    settled = seen.at > max(state.started_at, state.switched_at) + ratings.contactor_time_s
    is_open = settled and not seen.contactor_closed and not decision.close_contactor
    kept = now <= state.held_open_until or state.fault is not FaultCode.NONE
    if not (decision.failsafe_active and idle and is_open) or kept:
        return 0.0
    return min(orders.failsafe_power_limit_w, ratings.rated_power_w)


def renewed(leases: Leases, reports: Reports, share_w: float, now: float) -> Leases:
    """Who has something keeps it for as long as it is wanted; what is left goes to the first in the file that
    lacks something. What isn't renewed stays promised until it ends."""
    free_w = share_w - lent_w(leases)
    if share_w <= 0 or free_w < 0:
        return leases
    found = list(leases)
    for n in sorted(range(len(found)), key=lambda n: (found[n] is None, n)):
        report = reports[n]
        if report and _wants(report, now):
            more_w = min(free_w, _lacks_w(report, found[n]))
            found[n] = _extended(found[n], more_w, now)
            free_w -= more_w
    return tuple(found)


def _wants(report: Report, now: float) -> bool:
    return report.wanted_w > 0 and now - report.asked_at <= RECENT_S


def _lacks_w(report: Report, lease: Lease | None) -> float:
    if lease and report.asked_at <= lease.since + SETTLED_S:
        return 0.0  # it may not have counted this lease yet
    return max(0.0, report.wanted_w - report.borrowed_w)


def _extended(lease: Lease | None, more_w: float, now: float) -> Lease | None:
    if more_w > 0:
        had_w = lease.power_w if lease else 0.0
        return Lease(power_w=had_w + more_w, since=now, ends_at=now + LEASE_S)
    return replace(lease, ends_at=now + LEASE_S) if lease else None
