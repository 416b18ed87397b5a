"""Runs a screen in its window: reads, paints, and hands on what is pressed."""

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from hmi.look import BLACK, INK
from hmi.sketch import Area, Box, Line, Measure, Picture, Press, Shape

FRAME_S = 0.03
"""Between two looks at what was touched."""
PAINT_S = 0.25
BOUNCE_S = 0.3
FLASH_S = 0.15
"""How long a button that was pressed shows it."""


@dataclass(frozen=True, slots=True)
class Touch:
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Key:
    """By its X11 name: "5", "Return", "Up"."""

    name: str


class Window(Protocol):
    """Where a screen is shown; open until `is_closed`."""

    is_closed: bool
    measure: Measure

    @property
    def size(self) -> tuple[int, int]: ...

    def events(self) -> Iterator[Touch | Key]:
        """What has been touched and typed since the last call."""
        ...

    def paint(self, picture: Picture) -> None: ...

    def close(self) -> None: ...


class Screen(Protocol):
    """What a window shows."""

    async def run(self) -> None:
        """Until cancelled."""
        ...

    def picture(self, size: tuple[int, int], measure: Measure) -> Picture: ...

    def press(self, press: Press) -> None: ...


class Kiosk:
    """One screen in one window. After `blank_after_s` without a touch it goes dark where it may; the touch
    that wakes it presses nothing."""

    def __init__(
        self,
        screen: Screen,
        window: Window,
        *,
        blank_after_s: float | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._screen, self._window = screen, window
        self._blank_after_s = blank_after_s
        self._now = now
        self._touched_at = now()
        self._paint_at = -math.inf
        self._is_dark = False  # as painted last
        self._flash: tuple[Box, float] | None = None
        self._picture = Picture(())
        self._pressed = "", -math.inf

    async def run(self) -> None:
        """Until the window is closed, or the screen fails."""
        reading = asyncio.create_task(self._screen.run())
        try:
            while not self._window.is_closed:
                self.take_events()
                await asyncio.sleep(0)  # what was pressed goes out before anything is painted
                self.paint()
                if reading.done():
                    reading.result()
                await asyncio.sleep(FRAME_S)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            self._window.close()

    def take_events(self) -> None:
        now = self._now()
        for event in self._window.events():
            self._take(event, now)

    def paint(self) -> None:
        """If it is time."""
        now = self._now()
        if self._window.is_closed:
            return
        if self._flash and now >= self._flash[1]:
            self._flash, self._paint_at = None, now
        if now >= self._paint_at:
            self._paint_at = now + PAINT_S
            self._window.paint(self._drawn(now))

    def _take(self, event: Touch | Key, now: float) -> None:
        self._touched_at = self._paint_at = now
        if self._is_dark:
            return
        if isinstance(event, Key):
            self._screen.press(Press("key", text=event.name))
            return
        touch = self._picture.touch_at(event.x, event.y)
        if touch and not self._bounces(touch[1], now):
            box, press = touch
            self._pressed = press.what, now
            self._flash = box, now + FLASH_S
            self._screen.press(press)

    def _bounces(self, press: Press, now: float) -> bool:
        """Whether a finger that trembles hits what has just come up in the place of what it pressed."""
        what, at = self._pressed
        return press.what != what and now - at < BOUNCE_S

    def _drawn(self, now: float) -> Picture:
        size = self._window.size
        picture = self._picture = self._screen.picture(size, self._window.measure)
        if picture.stays_lit:
            self._touched_at = now
        self._is_dark = self._blank_after_s is not None and now - self._touched_at >= self._blank_after_s
        if self._is_dark:
            return replace(picture, shapes=(Area(Box(0, 0, *size), BLACK),))
        if self._flash:
            return replace(picture, shapes=(*picture.shapes, _frame(self._flash[0])))
        return picture


def _frame(box: Box) -> Shape:
    corners = (
        (box.x, box.y),
        (box.right, box.y),
        (box.right, box.bottom),
        (box.x, box.bottom),
        (box.x, box.y),
    )
    return Line(corners, INK, 6)
