"""What the power monitors INA226 and INA219 have in common.

They measure a shunt's voltage and the bus's, and work out current and power by a calibration that they
forget with their supply: then they go on, and their current reads 0.
"""

import math
from collections.abc import Mapping
from typing import Protocol

from rtu_firmware.pi.chip import Chip
from rtu_firmware.pi.sensing import Sensed

FULL_SCALE_SHARE = 0.995
"""Of the most current: so near to it, the values may be cut off."""
LOOKS = 5
"""For new values, a conversion apart."""


class Registers(Protocol):
    """What is the chip's own. Every call may raise SensorError."""

    conversion_s: float

    @property
    def settings(self) -> Mapping[int, int]:
        """In the order in which they are to be written."""
        ...

    def identify(self, chip: Chip) -> None: ...

    def has_new_values(self, chip: Chip) -> bool:
        """Since the last look."""
        ...

    def discard(self, chip: Chip) -> None:
        """What was converted so far."""
        ...

    def values(self, chip: Chip) -> tuple[float, float, float]:
        """Volts, amperes with their sign, and watts without."""
        ...


class PowerMonitor:
    def __init__(self, chip: Chip, registers: Registers, max_current_a: float) -> None:
        self.name = chip.name
        self._chip = chip
        self._registers = registers
        self._max_current_a = max_current_a
        self._is_set_up = False

    async def read(self) -> Sensed:
        """Its settings are read back after the values: whatever has happened to it, happened before."""
        if not self._is_set_up:
            self._set_up()
        self._is_set_up = False
        await self._wait_for_values()
        voltage_v, current_a, power_w = self._registers.values(self._chip)
        self._chip.check(self._registers.settings)
        self._is_set_up = True
        if abs(current_a) >= FULL_SCALE_SHARE * self._max_current_a:
            raise self._chip.fault(f"beyond {self._max_current_a:g} A: overload, or wrong shunt_ohm")
        return Sensed(voltage_v=voltage_v, current_a=current_a, power_w=math.copysign(power_w, current_a))

    def close(self) -> None:
        self._chip.close()

    def _set_up(self) -> None:
        self._registers.identify(self._chip)
        for register, word in self._registers.settings.items():
            self._chip.write(register, word)
        self._registers.discard(self._chip)

    async def _wait_for_values(self) -> None:
        for _ in range(LOOKS):
            if self._registers.has_new_values(self._chip):
                return
            await self._chip.wait(self._registers.conversion_s)
        raise self._chip.fault("gives no new values: check its supply")
