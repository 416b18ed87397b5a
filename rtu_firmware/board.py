"""The seam between the charging logic and the hardware, real or simulated."""

from dataclasses import dataclass
from typing import Protocol

from register_maps.vocabulary import ChargeState


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a board sees at `at` (seconds of the RTU's clock). None is "no value", never zero."""

    at: float
    vehicle_connected: bool
    contactor_closed: bool
    voltage_v: float | None
    current_a: float | None
    power_w: float | None
    state_of_charge_pct: float | None = None
    battery_capacity_wh: float | None = None
    """Known only where the vehicle tells it."""
    stop_pressed: bool = False
    """The station's own Stop button is pressed, or was since the contactor was last ordered open."""
    tripped: bool = False
    """The board has opened the contactor by itself, since it was last ordered open."""
    trouble: str = ""
    """A sensor that can't be read: which, why, and what to do about it."""


class Board(Protocol):
    """A charging station's hardware. Its contactor is open before the first call and after `close`."""

    def measure(self, now: float) -> Measurement:
        """The newest values; a sensor that can't be read gives None, not an exception."""
        ...

    def switch(self, closed: bool, now: float) -> None:
        """Order the contactor; `measure` tells whether it followed. One that the board has opened by itself
        closes only after it was ordered open."""
        ...

    def limit_power(self, power_w: float, now: float) -> None:
        """Tell the vehicle the most it may draw, where the hardware can (IEC 61851 pilot)."""
        ...

    def indicate(self, state: ChargeState, now: float) -> None:
        """Show the state by lamps, where there are any."""
        ...

    def close(self) -> None:
        """Open the contactor and let go of the hardware."""
        ...
