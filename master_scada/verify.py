"""Commands are known to have worked only when a later reading says so.

What was commanded last is held against what the station says now. A difference that lasts longer than a
contactor and a scan need is told; until it is gone the command is repeated in every scan, and the station
counts with the most that it may draw.
"""

from dataclasses import dataclass

from master_scada.model import Command
from master_scada.station import Reading
from register_maps.vocabulary import ChargeState, LimitReason, Unfollowed

CONTACTOR_TIME_S = 1.0
"""From the order at the RTU until its feedback can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a station does not follow, and since when."""

    what: Unfollowed
    since: float

    def told(self, now: float, period_s: float) -> Unfollowed:
        """What there is to say of it; nothing as long as the station may just be about to follow."""
        patience_s = max(2 * period_s, CONTACTOR_TIME_S)
        return self.what if now - self.since >= patience_s else Unfollowed.NONE


def verify(
    before: Difference | None,
    sent: Command | None,
    seen: Reading | None,
    now: float,
    *,
    refused: bool = False,
) -> Difference | None:
    """The difference as it stands now; None where there is none, or where nothing can be said. A command that
    was `refused` has not arrived, even if the station does what it says: somebody else may have said so."""
    if sent is None or seen is None:
        return None
    what = Unfollowed.NOT_ARRIVED if refused else _difference(sent, seen)
    if what is Unfollowed.NONE:
        return None
    return before if before and before.what is what else Difference(what=what, since=now)


def _difference(sent: Command, seen: Reading) -> Unfollowed:
    if seen.failsafe_active:
        return Unfollowed.NONE  # it acts by itself, and says so
    if sent.charge_enable != seen.charge_enable:
        return Unfollowed.NOT_ARRIVED
    if (seen.contactor_closed or seen.reads_open_but_draws) and not sent.charge_enable:
        return Unfollowed.NOT_OPENED
    if _draws_too_much(sent, seen):
        return Unfollowed.OVERDRAWS
    stays_open = seen.is_on and seen.vehicle_connected and not seen.contactor_closed
    return Unfollowed.NOT_CLOSED if stays_open and not _waits_by_itself(seen) else Unfollowed.NONE


def _draws_too_much(sent: Command, seen: Reading) -> bool:
    return seen.contactor_closed and seen.power_w is not None and seen.power_w > 1.05 * sent.power_limit_w


def _waits_by_itself(seen: Reading) -> bool:
    """After an emergency voltage, for one; or its vehicle does not ask; or it is a site with a rule of its
    own."""
    is_about_to = seen.state in (None, ChargeState.PREPARING, ChargeState.CHARGING)
    return not is_about_to or seen.own_reason not in (None, LimitReason.NONE)
