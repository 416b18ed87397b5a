"""A screen in a window: when it paints, what a press does, when it goes dark. The window is hand-made."""

import asyncio
from collections.abc import Iterator

import pytest
from processes import until

from hmi.kiosk import BOUNCE_S, FLASH_S, PAINT_S, Key, Kiosk, Touch
from hmi.look import BLACK
from hmi.sketch import Area, Box, Line, Measure, Picture, Press, Shape

STOP = Box(0, 200, 480, 80)
STATE = Area(Box(0, 0, 480, 200), "#0072B2")
ON_STOP, BESIDE = Touch(100, 240), Touch(100, 50)
DARK = (Area(Box(0, 0, 480, 320), BLACK),)


class HandMadeWindow:
    """Gives the events that it was given, and keeps what was painted."""

    size = (480, 320)

    def __init__(self) -> None:
        self.is_closed = False
        self.closes = 0
        self.waiting: list[Touch | Key] = []
        self.painted: list[Picture] = []
        self.user_closes = False

    def measure(self, text: str, size: int, bold: bool) -> int:
        return len(text) * size

    def events(self) -> Iterator[Touch | Key]:
        self.is_closed = self.is_closed or self.user_closes
        while self.waiting:
            yield self.waiting.pop(0)

    def paint(self, picture: Picture) -> None:
        assert not self.is_closed
        self.painted.append(picture)

    def close(self) -> None:
        self.is_closed = True
        self.closes += 1

    @property
    def shown(self) -> tuple[Shape, ...]:
        return self.painted[-1].shapes


class StopScreen:
    """One button, and a state that the test sets."""

    def __init__(self) -> None:
        self.presses: list[Press] = []
        self.button = Press("stop")
        self.stays_lit = False
        self.fails_with: Exception | None = None
        self.is_running = False

    async def run(self) -> None:
        self.is_running = True
        try:
            while not self.fails_with:
                await asyncio.sleep(0)
            raise self.fails_with
        finally:
            self.is_running = False

    def picture(self, size: tuple[int, int], measure: Measure) -> Picture:
        assert size == HandMadeWindow.size
        return Picture((STATE,), ((STOP, self.button),), "Charging", self.stays_lit)

    def press(self, press: Press) -> None:
        self.presses.append(press)


class Stage:
    """A kiosk, stepped by the test, whose time is the test's."""

    def __init__(self, blank_after_s: float | None = None) -> None:
        self.now = 1000.0
        self.screen, self.window = StopScreen(), HandMadeWindow()
        self.kiosk = Kiosk(self.screen, self.window, blank_after_s=blank_after_s, now=lambda: self.now)

    def step(self, after_s: float = 0.0, *events: Touch | Key) -> tuple[Shape, ...]:
        """What is shown then."""
        self.now += after_s
        self.window.waiting += events
        self.kiosk.take_events()
        self.kiosk.paint()
        return self.window.shown

    def run(self, seconds: float) -> int:
        """In frames; how often it painted."""
        before = len(self.window.painted)
        for _ in range(round(seconds / 0.03125)):
            self.step(0.03125)
        return len(self.window.painted) - before

    @property
    def is_dark(self) -> bool:
        return self.window.shown == DARK


def test_it_paints_at_once_and_then_every_quarter_of_a_second() -> None:
    stage = Stage()
    assert stage.step() == (STATE,)
    assert stage.window.painted[0].title == "Charging"
    assert stage.run(10) == round(10 / PAINT_S)


def test_a_press_reaches_the_screen_and_shows_at_once() -> None:
    stage = Stage()
    stage.step()
    shown = stage.step(0.01, ON_STOP)
    assert stage.screen.presses == [Press("stop")]
    assert shown[0] == STATE
    (frame,) = shown[1:]
    assert isinstance(frame, Line)
    assert set(frame.points) == {(0, 200), (480, 200), (480, 280), (0, 280)}


def test_a_flash_ends_in_time() -> None:
    stage = Stage()
    stage.step()
    stage.step(0.01, ON_STOP)
    assert len(stage.step(FLASH_S - 0.01)) == 2
    assert stage.step(0.01) == (STATE,)


def test_every_press_counts() -> None:
    stage = Stage()
    stage.step()
    stage.step(0.01, ON_STOP, ON_STOP)
    stage.step(0.01, ON_STOP)
    assert stage.screen.presses == 3 * [Press("stop")]


def test_a_finger_that_trembles_presses_nothing_that_has_just_come_up() -> None:
    stage = Stage()
    stage.step()
    stage.step(0.01, ON_STOP)
    stage.screen.button = Press("start")
    stage.run(BOUNCE_S - 0.05)
    stage.step(0, ON_STOP)
    assert stage.screen.presses == [Press("stop")]
    stage.step(0.1, ON_STOP)
    assert stage.screen.presses == [Press("stop"), Press("start")]


def test_beside_the_button_nothing_is_pressed() -> None:
    stage = Stage()
    stage.step()
    assert stage.step(0.01, BESIDE) == (STATE,)
    assert stage.screen.presses == []


def test_before_the_first_picture_there_is_no_button() -> None:
    stage = Stage()
    stage.step(0, ON_STOP)
    assert stage.screen.presses == []


def test_keys_are_handed_on() -> None:
    stage = Stage()
    stage.step(0, Key("Up"), Key("7"))
    assert stage.screen.presses == [Press("key", text="Up"), Press("key", text="7")]


def test_without_blanking_it_never_goes_dark() -> None:
    stage = Stage()
    stage.step()
    assert stage.step(1e6) == (STATE,)


def test_it_goes_dark_when_nobody_touched_it_for_so_long() -> None:
    stage = Stage(blank_after_s=10)
    stage.step()
    stage.run(9.5)
    assert not stage.is_dark
    stage.run(1)
    assert stage.is_dark
    assert stage.window.painted[-1].title == "Charging"


@pytest.mark.parametrize("event", [BESIDE, Key("space")])
def test_a_touch_keeps_it_lit(event: Touch | Key) -> None:
    stage = Stage(blank_after_s=10)
    stage.step()
    stage.step(9, event)
    stage.run(9)
    assert not stage.is_dark
    stage.run(2)
    assert stage.is_dark


@pytest.mark.parametrize("event", [ON_STOP, BESIDE, Key("space")])
def test_the_touch_that_wakes_it_presses_nothing(event: Touch | Key) -> None:
    stage = Stage(blank_after_s=10)
    stage.step()
    stage.run(20)
    assert stage.is_dark
    assert stage.step(0.01, event) == (STATE,)
    assert stage.screen.presses == []
    stage.step(0.2, ON_STOP)
    assert stage.screen.presses == [Press("stop")]


def test_what_must_stay_in_sight_keeps_it_lit() -> None:
    stage = Stage(blank_after_s=10)
    stage.screen.stays_lit = True
    stage.step()
    stage.run(60)
    assert not stage.is_dark
    stage.screen.stays_lit = False
    stage.run(9)
    assert not stage.is_dark
    stage.run(2)
    assert stage.is_dark


def test_it_wakes_when_there_is_something_that_must_be_in_sight() -> None:
    stage = Stage(blank_after_s=10)
    stage.step()
    stage.run(20)
    assert stage.is_dark
    stage.screen.stays_lit = True
    stage.run(PAINT_S)
    assert stage.window.shown == (STATE,)
    stage.step(0.01, ON_STOP)
    assert stage.screen.presses == [Press("stop")]


def test_a_window_that_was_closed_is_not_painted() -> None:
    stage = Stage()
    stage.step()
    stage.window.user_closes = True
    stage.step(1)
    assert len(stage.window.painted) == 1


async def test_closing_the_window_ends_it_and_the_screen_s_reading() -> None:
    stage = Stage()
    running = asyncio.create_task(stage.kiosk.run())
    await until(lambda: stage.screen.is_running and stage.window.painted)
    stage.window.user_closes = True
    await asyncio.wait_for(running, 5)
    assert not stage.screen.is_running
    assert stage.window.closes == 1


async def test_a_screen_that_fails_ends_it_with_its_error() -> None:
    stage = Stage()
    running = asyncio.create_task(stage.kiosk.run())
    await until(lambda: stage.screen.is_running and stage.window.painted)
    stage.screen.fails_with = KeyError("staged")
    with pytest.raises(KeyError, match="staged"):
        await asyncio.wait_for(running, 5)
    assert stage.window.is_closed


async def test_cancelling_it_closes_the_window() -> None:
    stage = Stage()
    running = asyncio.create_task(stage.kiosk.run())
    await until(lambda: stage.screen.is_running)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (stage.window.closes, stage.screen.is_running) == (1, False)
