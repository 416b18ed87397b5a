"""The guard over the contactor: what it opens for, what it lets close again, and its thread."""

import threading
import time
from dataclasses import replace

import pytest
from gpio_header import Contact, GpioHeader
from hypothesis import given
from hypothesis import strategies as st
from processes import wait_until
from test_pi_gpio import wiring

from modbus_link.clock import Clock
from rtu_firmware.pi.gpio import Header, PinError
from rtu_firmware.pi.guard import LOOK_EVERY_S, SAMPLES, SILENCE_S, Guard, Watch
from rtu_firmware.pi.pins import Contacts, Pins

AT_REST = Contacts(contactor_closed=False, vehicle_connected=True, stop_pressed=False)
PRESSED = replace(AT_REST, stop_pressed=True)
STEP_S = 0.1
WITHIN_S = 15.0


class Line:
    """A guard with its pin, looked at and stepped through time."""

    def __init__(self, first: Contacts = AT_REST) -> None:
        self.now = 100.0
        self.is_closed = False
        self.fails = False
        self.guard = Guard(self.drive, first, self.now)

    def drive(self, closed: bool) -> None:
        if self.fails:
            raise PinError("GPIO 17: the chip is gone")
        self.is_closed = closed

    def looks(self, *contacts: Contacts) -> None:
        for seen in contacts:
            self.now += LOOK_EVERY_S
            self.guard.look(seen, self.now)

    def steps(self, closed: bool) -> None:
        """As the control loop does: it is told, then it orders."""
        self.guard.tell()
        self.guard.order(closed, self.now)


@pytest.fixture
def closed() -> Line:
    line = Line()
    line.steps(True)
    assert line.is_closed
    return line


def test_it_follows_orders():
    line = Line()
    assert not line.is_closed
    for ordered in (True, True, False, True):
        line.steps(ordered)
        assert line.is_closed is ordered


@pytest.mark.parametrize(
    ("samples", "counts"),
    [("1", False), ("11", False), ("111", True), ("11011", False), ("1011", False), ("10111", True)],
)
def test_a_press_counts_when_it_does_not_bounce(closed, samples, counts):
    closed.looks(*(PRESSED if sample == "1" else AT_REST for sample in samples))
    assert closed.is_closed is not counts
    assert closed.guard.tell().stopped is counts


def test_after_a_stop_only_an_order_to_open_releases(closed):
    closed.looks(*[PRESSED] * SAMPLES, *[AT_REST] * SAMPLES)
    closed.steps(True)
    assert not closed.is_closed
    assert closed.guard.tell().stopped
    closed.steps(False)
    assert not closed.guard.tell().stopped
    closed.steps(True)
    assert closed.is_closed


def test_a_button_that_is_held_releases_nothing(closed):
    closed.looks(*[PRESSED] * SAMPLES)
    closed.steps(False)
    closed.steps(True)
    assert not closed.is_closed
    assert closed.guard.tell().stopped


def test_a_stop_that_nobody_was_told_of_is_not_forgotten(closed):
    """It came between measuring and switching, and the order to open had another reason."""
    closed.guard.tell()
    closed.looks(*[PRESSED] * SAMPLES, *[AT_REST] * SAMPLES)
    closed.guard.order(False, closed.now)
    assert closed.guard.tell().stopped


def test_a_trip_that_nobody_was_told_of_is_not_forgotten(closed):
    closed.guard.tell()
    closed.guard.trip("GPIO 23: the chip is gone")
    closed.guard.order(False, closed.now)
    assert closed.guard.tell().tripped


def test_a_button_that_is_pressed_from_the_start_is_a_stop():
    line = Line(PRESSED)
    line.steps(True)
    assert not line.is_closed
    assert line.guard.tell().stopped


def test_an_order_that_is_not_repeated_ends(closed):
    silent_for_s = 0.0
    while closed.is_closed and silent_for_s < 2 * SILENCE_S:
        closed.looks(AT_REST)
        silent_for_s += LOOK_EVERY_S
    assert silent_for_s == pytest.approx(SILENCE_S, abs=2 * LOOK_EVERY_S)
    closed.steps(True)
    assert not closed.is_closed
    assert "no order" in closed.guard.tell().tripped
    closed.steps(False)
    closed.steps(True)
    assert closed.is_closed
    assert not closed.guard.tell().tripped


def test_a_silent_loop_with_an_open_contactor_is_nothing(closed):
    closed.steps(False)
    closed.looks(*[AT_REST] * 200)
    assert not closed.guard.tell().tripped


def test_a_pin_that_can_not_be_closed_is_open_and_told():
    line = Line()
    line.fails = True
    line.steps(True)
    assert line.guard.tell().tripped == "GPIO 17: the chip is gone"
    line.fails = False
    line.steps(True)
    assert not line.is_closed
    line.steps(False)
    line.steps(True)
    assert line.is_closed


def test_opening_is_tried_until_it_works(closed):
    closed.fails = True
    closed.steps(False)
    assert closed.is_closed, "nobody could help it"
    assert closed.guard.tell().tripped
    closed.looks(AT_REST)
    closed.fails = False
    closed.looks(AT_REST)
    assert not closed.is_closed


def test_after_the_end_nothing_closes(closed):
    closed.guard.end()
    assert not closed.is_closed
    for ordered in (True, False, True):
        closed.steps(ordered)
        closed.looks(AT_REST)
        assert not closed.is_closed


def test_ending_with_a_pin_that_fails_raises_nothing(closed):
    closed.fails = True
    closed.guard.end()
    assert closed.guard.tell().tripped


def test_other_contacts_settle_alike(closed):
    moved = replace(AT_REST, contactor_closed=True, vehicle_connected=False)
    closed.looks(moved, AT_REST, moved, moved)
    assert closed.guard.tell().contacts == AT_REST
    closed.looks(moved)
    assert closed.guard.tell().contacts == moved
    assert closed.guard.tell().at == closed.now


@given(st.lists(st.sampled_from(["press", "rest", "close", "open", "hang", "trip"]), max_size=60))
def test_it_is_closed_only_by_an_order_that_nothing_speaks_against(events):
    line = Line()
    samples, ordered, released = [False] * SAMPLES, False, True
    for event in events:
        was_closed = line.is_closed
        if event in ("press", "rest"):
            samples.append(event == "press")
            line.looks(PRESSED if samples[-1] else AT_REST)
        elif event == "trip":
            line.guard.trip("GPIO 23: the chip is gone")
        elif event == "hang":
            line.now += SILENCE_S
            line.looks(AT_REST)
            samples.append(False)
        else:
            ordered = event == "close"
            line.steps(ordered)
        pressed = all(samples[-SAMPLES:])
        if pressed or event == "trip" or (event == "hang" and was_closed):
            released = False
        elif event == "open":
            released = True
        assert not line.is_closed or (ordered and released)


def test_a_press_while_the_loop_closes_comes_after_it_and_opens():
    """Neither may slip in between the other's decision and its pin."""
    line, meanwhile = Line(), threading.Event()
    looking = threading.Thread(target=lambda: (line.looks(*[PRESSED] * SAMPLES), meanwhile.set()))

    def slow_drive(closed: bool) -> None:
        if closed:
            looking.start()
            meanwhile.wait(0.1)
        line.is_closed = closed

    line.drive = slow_drive
    line.guard = Guard(slow_drive, AT_REST, line.now)
    line.steps(True)
    looking.join(WITHIN_S)
    assert not line.is_closed


class Hardware:
    """A watched pin on the header's double, in real time."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.header = GpioHeader(self.clock.now)
        self.stop = Contact(now=self.clock.now, is_made=True, bounce_s=0.01)
        self.header.connect(23, self.stop.wire)
        self.pins = Pins(wiring(), Header(self.header))
        self.guard = Guard(self.pins.drive_contactor, self.pins.contacts(), self.clock.now())
        self.watch = Watch(self.guard, self.pins, self.clock)
        self.watch.start()
        self.guard.order(True, self.clock.now())

    @property
    def is_closed(self) -> bool:
        return self.header.level(17)


@pytest.fixture
def hardware():
    running = Hardware()
    assert running.is_closed
    yield running
    running.watch.close()


def test_the_thread_opens_for_a_bouncing_button(hardware):
    hardware.stop.make(False)
    pressed_at = hardware.clock.now()
    while hardware.is_closed:  # and orders keep coming
        hardware.guard.order(True, hardware.clock.now())
        assert hardware.clock.now() - pressed_at < WITHIN_S
        time.sleep(0.001)
    for _ in range(50):
        hardware.guard.order(True, hardware.clock.now())
    assert hardware.header.edges_of(17) == [True, False]


def test_the_thread_opens_where_no_order_comes(hardware):
    wait_until(lambda: not hardware.is_closed, WITHIN_S)
    first, last = (edge.at for edge in hardware.header.edges if edge.pin == 17)
    assert last - first > SILENCE_S


def test_pins_that_can_not_be_read_open_and_come_back(hardware):
    hardware.header.broken = {23}
    wait_until(lambda: not hardware.is_closed, WITHIN_S)
    assert hardware.guard.tell().tripped == "GPIO 23: the chip is gone"
    hardware.header.broken = set()
    before = hardware.guard.tell().at
    wait_until(lambda: hardware.guard.tell().at > before, WITHIN_S)
    hardware.guard.order(False, hardware.clock.now())
    hardware.guard.order(True, hardware.clock.now())
    assert hardware.is_closed


def test_a_thread_that_dies_leaves_the_contactor_open(hardware, caplog):
    hardware.pins.contacts = lambda: 1 / 0
    wait_until(lambda: not hardware.watch.is_alive(), WITHIN_S)
    assert not hardware.is_closed
    hardware.guard.tell()
    hardware.guard.order(False, hardware.clock.now())
    hardware.guard.order(True, hardware.clock.now())
    assert not hardware.is_closed
    assert "nobody watches the Stop button" in hardware.guard.tell().tripped
    assert "ZeroDivisionError" in caplog.text


def test_it_ends_with_an_open_contactor(hardware):
    hardware.watch.close()
    assert not hardware.watch.is_alive()
    assert not hardware.is_closed
