"""The seam between the charging logic and the hardware, real or simulated."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a board sees at `at` (seconds of the RTU's clock). None is "no value", never zero.

    `battery_capacity_wh` is known only where the vehicle tells it.
    """

    at: float
    vehicle_connected: bool
    contactor_closed: bool
    voltage_v: float | None
    current_a: float | None
    power_w: float | None
    state_of_charge_pct: float | None = None
    battery_capacity_wh: float | None = None


class Board(Protocol):
    """A charging station's hardware. Its contactor is open before the first call and after `close`."""

    def measure(self, now: float) -> Measurement:
        """The newest values; a sensor that can't be read gives None, not an exception."""
        ...

    def switch(self, closed: bool, now: float) -> None:
        """Order the contactor; `measure` tells whether it followed."""
        ...

    def limit_power(self, power_w: float, now: float) -> None:
        """Tell the vehicle the most it may draw, where the hardware can (IEC 61851 pilot)."""
        ...

    def close(self) -> None:
        """Open the contactor and let go of the hardware."""
        ...
