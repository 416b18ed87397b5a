"""The time that control loops run on: this machine's, or a simulation's, which may run faster."""

import asyncio
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Seconds that never jump, and the time of day that goes with them.

    With `speed` 60 a minute of the site passes in a second of this machine; `start` is then the time
    of day at which the simulation begins. Without `start`, the time of day is this machine's.
    """

    def __init__(self, *, speed: float = 1.0, start: datetime | None = None) -> None:
        self.speed = speed
        self._start = start
        self._zero = time.monotonic()

    def now(self) -> float:
        """Seconds, monotonic; only differences mean something."""
        return (time.monotonic() - self._zero) * self.speed

    def time_of_day(self) -> datetime:
        """With its time zone: this machine's, or that of `start`."""
        if self._start is None:
            return datetime.now().astimezone()
        # By way of UTC, because on the local clock a day may have 23 hours.
        passed = self._start.astimezone(UTC) + timedelta(seconds=self.now())
        return passed.astimezone(self._start.tzinfo)

    async def sleep_until(self, when: float) -> None:
        await asyncio.sleep(max(0.0, (when - self.now()) / self.speed))


class VirtualClock(Clock):
    """Time that passes only when it is told to, or slept through."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start=start)
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds

    async def sleep_until(self, when: float) -> None:
        self._now = max(self._now, when)
        await asyncio.sleep(0)
