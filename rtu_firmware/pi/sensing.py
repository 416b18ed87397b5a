"""What the sensors of a board tell, read in a thread of its own.

So a bus that hangs delays neither the control step nor the driver's Stop: the values only grow old, and
old values are a fault of the charging logic's.
"""

import asyncio
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from modbus_link.clock import Clock
from modbus_link.line_limit import LineLimit

log = logging.getLogger(__name__)

PERIOD_S = 0.2
FIRST_ROUND_S = 1.0
"""The board waits so long for the first values; a station that begins without any is out of order."""


class SensorError(Exception):
    """A sensor that gives no value; the text says which, why, and what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensed:
    """What one sensor measures, None where it doesn't; current and power flow into the vehicle."""

    voltage_v: float | None = None
    current_a: float | None = None
    power_w: float | None = None
    state_of_charge_pct: float | None = None


class Sensor(Protocol):
    """`name` as an electrician finds it: "INA226 at 0x40"."""

    name: str

    async def read(self) -> Sensed:
        """The value now; SensorError where there is none. Sets the chip up where it has lost its settings."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The last good values of a sensor, true at `at`, and what is wrong with it since."""

    at: float
    values: Sensed = Sensed()
    trouble: str = ""


class Sensing:
    """Reads the sensors round by round. `samples` are in their order; each is replaced as a whole."""

    def __init__(self, sensors: Sequence[Sensor], clock: Clock) -> None:
        self._sensors = list(sensors)
        self._clock = clock
        self._lines = LineLimit(log)
        self.samples = [Sample(at=clock.now()) for _ in sensors]
        self._had_first = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="sensing", daemon=True)

    def start(self) -> None:
        """Returns with the first values, or after `FIRST_ROUND_S` without."""
        self._thread.start()
        self._had_first.wait(FIRST_ROUND_S)

    def close(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(FIRST_ROUND_S)

    async def round(self) -> None:
        """Every sensor once. One that can't be read keeps its last values, which grow old; so does one whose
        driver fails for a reason that nobody thought of, and is asked again."""
        for n, sensor in enumerate(self._sensors):
            at, before = self._clock.now(), self.samples[n]
            try:
                self.samples[n] = Sample(at=at, values=await sensor.read())
            except SensorError as error:
                self.samples[n] = replace(before, trouble=str(error))
            except Exception as error:
                self.samples[n] = replace(before, trouble=f"{sensor.name}: {error!r}")
                self._lines.warning("sensing", sensor.name, f"{sensor.name} can't be read", exc_info=True)

    async def _run(self) -> None:
        next_at = self._clock.now()
        while not self._ended.is_set():
            await self.round()
            self._had_first.set()
            next_at = max(next_at + PERIOD_S, self._clock.now())
            await self._clock.sleep_until(next_at)
        for sensor in self._sensors:
            sensor.close()
