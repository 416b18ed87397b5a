"""A station as the master knows it: what it said, and the worst that follows from it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from master_scada.quality import CONTACT, Doubt, worst
from register_maps.vocabulary import (
    ChargeState,
    FaultCode,
    LimitReason,
    Quality,
    QualityCause,
    Unfollowed,
)

METER_TOLERANCE = 1.01
"""What a station measures above its limit may be its meter's error; beyond it, it draws too much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a station said in this scan. None is "no value", never zero."""

    vehicle_connected: bool
    contactor_closed: bool
    fully_charged: bool
    user_stopped: bool
    failsafe_active: bool
    fault: bool
    fault_code: FaultCode | None
    state: ChargeState | None
    charge_enable: bool
    power_limit_w: float | None
    voltage_v: float | None
    current_a: float | None
    power_w: float | None
    state_of_charge_pct: float | None
    session_energy_wh: float | None
    total_energy_wh: float | None
    charging_time_s: float | None
    time_to_full_s: float | None
    rated_power_w: float | None
    minimum_power_w: float | None
    failsafe_power_limit_w: float
    heartbeat: int | None
    measurement_age_s: float
    own_reason: LimitReason | None = None
    """Why the station itself stays open; None where it can't say."""
    told_reason: LimitReason | None = None
    failsafe_timeout_s: float | None = None
    master_age_s: float | None = None
    """Since it last heard a master; None if it has not since it was started, or can't say."""
    master_term: int = 0
    doubts: Mapping[str, Doubt] = field(default_factory=dict)
    """By the name of the point: values that are not good. Those that are bad stand as None above."""

    @property
    def is_on(self) -> bool:
        """It charges, or may begin to at any moment, on the master's permission."""
        return self.charge_enable and not (self.fault or self.fully_charged or self.user_stopped)

    @property
    def may_be_welded(self) -> bool:
        """Its contactor does not open, or nobody can tell whether it is open."""
        return self.fault_code is FaultCode.CONTACTOR_WELDED or CONTACT in self.doubts

    @property
    def reads_open_but_draws(self) -> bool:
        doubt = self.doubts.get(CONTACT)
        return doubt is not None and doubt.cause is QualityCause.CONTRADICTORY

    @property
    def quality(self) -> Quality:
        """Of the worst of its values."""
        return worst(doubt.quality for doubt in self.troubles.values())

    @property
    def quality_cause(self) -> QualityCause:
        worst_first = sorted(self.troubles.values(), key=lambda doubt: doubt.quality is not Quality.BAD)
        return worst_first[0].cause if worst_first else QualityCause.NONE

    @property
    def troubles(self) -> dict[str, Doubt]:
        """The doubts that somebody should do something about; a station may well have no gauge."""
        return {n: d for n, d in self.doubts.items() if d.cause is not QualityCause.ESTIMATED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A station in one scan: its place in the plant, its reading if it gave one, its last one if ever.

    `told_to_charge` says that the last command sent, whether or not it arrived, was to charge. `held` is
    the operator's doing; `trouble` says why there is no reading.
    """

    name: str
    circuit: str
    priority: int = 1
    rated_power_w: float | None = None
    held: bool = False
    reading: Reading | None = None
    last: Reading | None = None
    told_to_charge: bool = False
    trouble: str = ""
    unfollowed: Unfollowed = Unfollowed.NONE
    """The command that it has not followed, though it has had the time."""
    refusal: str = ""
    """Why the last command did not arrive."""
    is_held: bool = False
    """It did not, because the station obeys somebody else."""
    has_other_master: bool = False
    """When last heard it had not taken this master's term: another one may let it charge at any moment."""
    throttles: bool = True
    """It keeps to a power limit below its rating; else it can only be switched, and draws what it wants."""

    @property
    def rating_w(self) -> float:
        """The most that it can draw; infinite where nobody has said."""
        last = self.last
        known = last.rated_power_w if last else None
        if known is None:
            known = self.rated_power_w
        return math.inf if known is None else known

    @property
    def minimum_w(self) -> float:
        return (self.last.minimum_power_w if self.last else None) or 0.0

    @property
    def is_on(self) -> bool:
        return self.reading is not None and self.reading.is_on

    @property
    def drawn_w(self) -> float:
        """As measured; as rated where nobody knows."""
        seen = self.reading
        return self.rating_w if seen is None or seen.power_w is None else seen.power_w

    @property
    def overdraw_w(self) -> float:
        """What it draws where that is more than it was allowed; else 0."""
        seen = self.reading
        if seen is None or seen.power_w is None:
            return 0.0
        limit_w = self.rating_w if seen.power_limit_w is None else seen.power_limit_w
        exceeds = seen.power_w > METER_TOLERANCE * limit_w
        return seen.power_w if exceeds or self.unfollowed is Unfollowed.OVERDRAWS else 0.0

    @property
    def is_unheard(self) -> bool:
        """Silent since this master began to steer. Nobody may join on what it may draw; but nobody is shed
        for it either: the master that let the others in has counted it."""
        return self.last is None or (self.reading is None and self.has_other_master)

    @property
    def disobeys(self) -> bool:
        """It may draw although it has been told not to, or can't be told: no command makes room here."""
        seen = self.reading
        if seen is None or self.unfollowed in (Unfollowed.NOT_ARRIVED, Unfollowed.NOT_OPENED):
            return True
        return not seen.charge_enable and self._under_orders_w() > self.failsafe_share_w

    @property
    def is_unmeasured(self) -> bool:
        """It may draw, and nobody knows how much: not even that it keeps to its limit."""
        seen = self.reading
        return seen is not None and seen.power_w is None and (seen.contactor_closed or seen.charge_enable)

    def may_draw_w(self) -> float:
        """The most that it may be drawing now or begin to draw without being asked: the worst case."""
        if self.has_other_master:
            return max(self.rating_w, self._under_orders_w())
        return max(self._under_orders_w(), self.failsafe_share_w)

    def told_to_stop_w(self) -> float:
        """The most that it may be drawing once it has followed an order to stop, if it will."""
        return self.may_draw_w() if self.disobeys else self.failsafe_share_w

    def _under_orders_w(self) -> float:
        seen = self.reading
        if seen is None:
            return self._silent_w()
        if seen.may_be_welded or self.is_unmeasured:
            return max(self.rating_w, seen.power_w or 0.0)
        if not seen.contactor_closed and not seen.charge_enable:
            return max(0.0, seen.power_w or 0.0)
        obeys = seen.charge_enable and self.throttles and seen.power_limit_w is not None
        limit_w = min(self.rating_w, seen.power_limit_w or 0.0) if obeys else self.rating_w
        return max(limit_w, seen.power_w or 0.0)

    def _silent_w(self) -> float:
        """Counted at its rating unless it was last seen open, and has not been told to close since."""
        last = self.last
        if last is None or last.contactor_closed or last.charge_enable or last.may_be_welded:
            return self.rating_w
        return self.rating_w if self.told_to_charge else 0.0

    @property
    def failsafe_share_w(self) -> float:
        """What it may always draw by itself, because any station may lose its master at any time."""
        return min(self.rating_w, self.last.failsafe_power_limit_w) if self.last else 0.0
