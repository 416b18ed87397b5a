"""What a station is, what it is told, what it remembers and what it decides: plain values."""

import math
from dataclasses import dataclass

from register_maps.vocabulary import ChargeState, FaultCode, LimitReason

MOST_ENERGY_WH = 0xFFFF_FFFE
"""As far as the register counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedBattery:
    """Whose state of charge is counted from the energy, beginning where nobody has entered a better value."""

    capacity_wh: float
    first_state_of_charge_pct: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """What the station is, from its file."""

    rated_power_w: float
    minimum_power_w: float
    nominal_voltage_v: float
    emergency_band: tuple[float, float]
    contactor_time_s: float = 0.5
    reclose_delay_s: float = 10.0
    minimum_open_s: float = 0.9
    """However wildly it is steered, the contactor does not chatter; a turn among stations is longer."""
    measurement_max_age_s: float = 2.0
    start_delay_s: float = 0.0
    """How much later than others it begins on its failsafe limit, where no master was ever heard."""
    counted_battery: CountedBattery | None = None
    """Where no gauge tells the state of charge."""

    @property
    def noise_w(self) -> float:
        """What a meter may tell, in either direction, where nothing flows."""
        return 0.05 * self.rated_power_w


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the registers and the driver ask for."""

    charge_enable: bool = False
    power_limit_w: float = 0.0
    heartbeat: int = 0
    failsafe_power_limit_w: float = 0.0
    failsafe_timeout_s: float = 10.0
    lent_w: float = 0.0
    """Of its failsafe limit, to its peers: it may not draw that, whoever steers it."""
    borrowed_w: float = 0.0
    """Of the peers' failsafe limits: on top of its own, while the failsafe is active."""
    stop: bool = False
    start: bool = False
    entered_state_of_charge_pct: float | None = None
    """What somebody has just read off the vehicle's own display, or did before it was plugged in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Since the vehicle was plugged in."""

    energy_wh: float = 0.0
    charging_time_s: float = 0.0
    first_state_of_charge_pct: float | None = None
    counted_pct: float | None = None
    """The state of charge as counted, where no gauge tells it."""
    entered_pct: float | None = None
    """What somebody entered last, from which it was counted on."""
    fallen_off: int = 0
    """How often the contactor has opened without an order."""
    stopped: bool = False
    full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the logic wants of the board, and what it tells the world."""

    close_contactor: bool = False
    power_limit_w: float = 0.0
    state: ChargeState = ChargeState.AVAILABLE
    reason: LimitReason = LimitReason.NONE
    failsafe_active: bool = False
    time_to_full_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the logic remembers from step to step."""

    started_at: float
    stepped_at: float
    heartbeat: int
    heard_at: float | None = None
    session: Session | None = None
    total_energy_wh: float = 0.0
    fault: FaultCode = FaultCode.NONE
    fault_seen_at: float = -math.inf
    switched_at: float = -math.inf
    closed_at: float = -math.inf
    """When the contactor was last seen closed."""
    held_open_until: float = -math.inf
    held_for: LimitReason = LimitReason.NONE
    decision: Decision = Decision()
