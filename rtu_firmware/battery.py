"""What a battery accepts: constant power, then a taper that falls with the charge still missing.

One model for the simulated vehicle and for the time to full that every RTU shows. It stands for the
constant-current and constant-voltage phases of a lithium battery, seen from the socket.
"""

import math
from dataclasses import dataclass

FULL_PCT = 100.0
KNEE_PCT = 80.0
"""Where the taper begins, unless a battery says otherwise."""
END_SHARE = 0.05
"""Share of the full power that a battery still takes just before it is full (a C/20 cut-off)."""
EFFICIENCY = 0.92
"""Energy stored per energy metered at the socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    capacity_wh: float
    max_power_w: float
    knee_pct: float = KNEE_PCT
    """Where the taper begins; 100 for constant power until it is full."""

    @property
    def _zero_pct(self) -> float:
        """Beyond full: where the taper's straight line would reach zero."""
        return FULL_PCT + (FULL_PCT - self.knee_pct) * END_SHARE / (1 - END_SHARE)

    def accepted_power_w(self, state_of_charge_pct: float) -> float:
        """The most that it takes from the socket at this state of charge."""
        if state_of_charge_pct >= FULL_PCT:
            return 0.0
        if state_of_charge_pct <= self.knee_pct:
            return self.max_power_w
        return self.max_power_w * (self._zero_pct - state_of_charge_pct) / (self._zero_pct - self.knee_pct)

    def charged(self, state_of_charge_pct: float, energy_wh: float) -> float:
        """The state of charge, in per cent, after `energy_wh` from the socket."""
        return min(FULL_PCT, state_of_charge_pct + 100 * energy_wh * EFFICIENCY / self.capacity_wh)

    def room_wh(self, state_of_charge_pct: float) -> float:
        """What it still takes from the socket until it is full."""
        return max(0.0, FULL_PCT - state_of_charge_pct) / 100 * self.capacity_wh / EFFICIENCY

    def time_to_full_s(self, state_of_charge_pct: float, power_limit_w: float) -> float:
        """Seconds until full, at `power_limit_w` and then along the taper; infinite at 0 W."""
        if state_of_charge_pct >= FULL_PCT:
            return 0.0
        if power_limit_w <= 0:
            return math.inf
        power_w = min(power_limit_w, self.max_power_w)
        energy_per_pct_wh = self.capacity_wh / 100 / EFFICIENCY
        # From `bend` on, the battery takes less than it is offered.
        zero_pct = self._zero_pct
        bend = zero_pct - (zero_pct - self.knee_pct) * power_w / self.max_power_w
        flat_pct = max(0.0, min(bend, FULL_PCT) - state_of_charge_pct)
        start = max(bend, state_of_charge_pct)
        hours = flat_pct * energy_per_pct_wh / power_w
        if start < FULL_PCT:
            # The integral of d(soc) / power(soc) over the taper.
            slope = self.max_power_w / (zero_pct - self.knee_pct)
            hours += energy_per_pct_wh / slope * math.log((zero_pct - start) / (zero_pct - FULL_PCT))
        return hours * 3600

    @staticmethod
    def capacity_from_charge_wh(energy_wh: float, risen_pct: float) -> float:
        """The capacity of a battery that rose by `risen_pct` on `energy_wh` from the socket."""
        return 100 * energy_wh * EFFICIENCY / risen_pct
