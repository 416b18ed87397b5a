"""A clock for tests."""

import asyncio

from modbus_link.clock import Clock


class StillClock(Clock):
    """Stands still until it is moved on."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._moved = asyncio.Event()

    def now(self) -> float:
        return self._now

    async def sleep_until(self, when: float) -> None:
        while self._now < when:
            await self._moved.wait()

    def move_on(self, seconds: float) -> None:
        """Wakes who has slept long enough, as soon as the event loop comes to them."""
        self._now += seconds
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
