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

from master_scada.model import Reading
from register_maps.vocabulary import MasterRole

TERM_STEP = 1000
"""Terms count in thousands. What is left over tells two masters apart that begin at the same moment: odd for
the first, even for the standby, and random, in case there are two of a kind."""
STANDBY_WAITS_PERIODS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """`term` is this master's while it steers, else the highest that it knows. A site of one master has none:
    its only master steers in term 0 for ever."""

    role: MasterRole
    term: int = 0
    mark: int = 0
    """What this master's terms leave over."""
    is_standby: bool = False
    began_at: float = 0.0

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


def one_of_two(*, is_standby: bool, now: float) -> Succession:
    mark = random.randrange(2 if is_standby else 1, TERM_STEP, 2)
    return Succession(role=MasterRole.STANDBY, mark=mark, is_standby=is_standby, began_at=now)


def succeed(
    before: Succession, readings: Iterable[Reading], stations: int, now: float, period_s: float
) -> Succession:
    """Who steers after what the site's `stations` have said; `readings` are those that answered."""
    readings = list(readings)
    if not before.mark:
        return before
    highest = max((seen.master_term for seen in readings), default=0)
    if before.steers:
        is_replaced = highest > before.term
        return replace(before, role=MasterRole.STANDBY, term=highest) if is_replaced else before
    known = replace(before, term=max(before.term, highest))
    if 2 * len(readings) < max(stations, 1):
        return known
    if not all(_is_leaderless(seen, before, now, period_s) for seen in readings):
        return known
    term = (known.term // TERM_STEP + 1) * TERM_STEP + before.mark
    return replace(before, role=MasterRole.STEERING, term=term)


def _is_leaderless(seen: Reading, own: Succession, now: float, period_s: float) -> bool:
    """Nobody has steered the station for half of its failsafe's time: somebody else can, before it trips."""
    patience_s = (seen.failsafe_timeout_s or 0.0) / 2
    if own.is_standby:
        patience_s += STANDBY_WAITS_PERIODS * period_s
    if seen.master_age_s is not None:
        return seen.master_age_s >= patience_s
    # It has just been started. The standby gives the first master the time to find it.
    return not own.is_standby or now - own.began_at >= patience_s
