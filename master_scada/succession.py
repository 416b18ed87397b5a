"""Two masters of one site, and which of them steers.

The stations decide it. Each says how long ago it has heard a master, and keeps the highest term that it was
ever written; who steers in an older term is refused. So a master takes over only where at least half of the
site's stations answer and none of those has heard a master for half of its failsafe's time, and it does so
in a term that is higher than all that they know. A master that finds a higher term than its own steps down.

Both masters run this; the standby only waits a little longer, so that the first is the one that steers.
No quorum keeps the power within its limit: that a master does, which counts every station that has not yet
taken its term with its full rating (`Station.has_other_master`).
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace

from master_scada.station import Reading
from register_maps.vocabulary import MasterRole

TERM_STEP = 1000
"""Terms count in thousands. What is left over tells two masters apart that begin at the same moment: odd for
the first, even for the standby, and random, in case there are two of a kind."""
STANDBY_WAITS_PERIODS = 3
MOST_TERMS_AHEAD = 1_000_000_000
HIGHEST_TERM = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """`term` is this master's while it steers, else the highest that it knows. A site of one master has none:
    its only master steers in term 0 for ever."""

    role: MasterRole
    term: int = 0
    mark: int = 0
    """What this master's terms leave over."""
    is_standby: bool = False
    quiet_since: float | None = None
    """So long no station has said that it has a master."""

    @property
    def steers(self) -> bool:
        return self.role is MasterRole.STEERING

    @property
    def written_term(self) -> int | None:
        """What is written before each command; None where there is no other master."""
        return self.term if self.mark else None

    def owns(self, last: Reading | None) -> bool:
        """Whether the station, when last heard, followed this master and nobody else."""
        return not self.mark or (last is not None and last.master_term == self.term)


ONLY_MASTER = Succession(role=MasterRole.STEERING)


def one_of_two(*, is_standby: bool) -> Succession:
    mark = random.randrange(2 if is_standby else 1, TERM_STEP, 2)
    return Succession(role=MasterRole.STANDBY, mark=mark, is_standby=is_standby)


def succeed(
    before: Succession, readings: Iterable[Reading], stations: int, now: float, period_s: float
) -> Succession:
    """Who steers after what the site's `stations` have said; `readings` are those that answered."""
    if not before.mark:
        return before
    readings = list(readings)
    highest = _highest_term(readings, before)
    if before.steers:
        is_replaced = highest > before.term
        return replace(before, role=MasterRole.STANDBY, term=highest) if is_replaced else before
    known = replace(before, term=max(before.term, highest))
    enough = 2 * len(readings) >= max(stations, 1)
    if not enough or any(_has_master(seen, known, period_s) for seen in readings):
        return replace(known, quiet_since=None)
    since = now if known.quiet_since is None else known.quiet_since
    if any(now - since < _unheard_wait_s(seen, known, period_s) for seen in readings):
        return replace(known, quiet_since=since)
    return _taking_over(known)


def _taking_over(known: Succession) -> Succession:
    term = (known.term // TERM_STEP + 1) * TERM_STEP + known.mark
    if term > HIGHEST_TERM:
        return known
    return replace(known, role=MasterRole.STEERING, term=term, quiet_since=None)


def _highest_term(readings: Iterable[Reading], own: Succession) -> int:
    """Of those that can be true: one station that lies must not use up the terms of all."""
    possible = own.term + MOST_TERMS_AHEAD
    return max((seen.master_term for seen in readings if seen.master_term <= possible), default=0)


def _patience_s(seen: Reading, own: Succession, period_s: float) -> float:
    """Half of the failsafe's time: somebody else can steer the station before it trips."""
    extra_s = STANDBY_WAITS_PERIODS * period_s if own.is_standby else 0.0
    return (seen.failsafe_timeout_s or 0.0) / 2 + extra_s


def _has_master(seen: Reading, own: Succession, period_s: float) -> bool:
    return seen.master_age_s is not None and seen.master_age_s < _patience_s(seen, own, period_s)


def _unheard_wait_s(seen: Reading, own: Succession, period_s: float) -> float:
    """A station that has just been started has heard nobody yet: whoever steers gets the time to find it.
    Only where there was never a master the first one begins at once."""
    if seen.master_age_s is not None or not (own.is_standby or own.term):
        return 0.0
    return _patience_s(seen, own, period_s)
