"""That the header's double behaves as RPi.GPIO and a Pi do, where our code relies on it."""

import pytest
from gpio_header import Contact, Contactor, GpioHeader
from still_clock import StillClock


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def header(clock) -> GpioHeader:
    header = GpioHeader(clock.now)
    header.setmode(header.BCM)
    return header


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (RuntimeError, lambda header: GpioHeader(header.now).setup(17, header.OUT)),
        (ValueError, lambda header: header.setmode(header.BOARD)),
        (ValueError, lambda header: header.setup(54, header.IN)),
        (ValueError, lambda header: header.setup(17, header.IN, initial=1)),
        (ValueError, lambda header: header.setup(17, header.OUT, pull_up_down=header.PUD_UP)),
        (RuntimeError, lambda header: header.output(17, 1)),
        (RuntimeError, lambda header: header.input(17)),
    ],
)
def test_wrong_use_is_refused(header, error, call):
    with pytest.raises(error):
        call(header)


def test_an_input_can_not_be_driven(header):
    header.setup(17, header.IN)
    with pytest.raises(RuntimeError, match="as an OUTPUT"):
        header.output(17, 1)


def test_pulls_after_a_reset(header):
    assert [pin for pin in range(28) if header.level(pin)] == list(range(9))


def test_a_pin_that_nobody_pulls_is_noise(header):
    header.setup(17, header.IN)
    assert {header.input(17) for _ in range(4)} == {0, 1}


def test_without_an_initial_level_an_output_begins_low(header):
    header.setup(5, header.OUT)
    assert header.edges_of(5) == [False]


def test_a_contact_against_an_output_is_a_short(header):
    header.connect(17, lambda: False)
    header.setup(17, header.OUT, initial=1)
    assert header.shorts == [17]


@pytest.mark.parametrize("made", [True, False])
def test_a_contact_bounces_and_then_rests(clock, made):
    contact = Contact(now=clock.now, is_made=not made)
    clock.move_on(1)
    contact.make(made)
    seen = []
    for _ in range(100):
        seen.append(contact.wire())
        clock.move_on(0.0001)
    at_rest = False if made else None
    assert len(set(seen[:50])) == 2
    assert set(seen[51:]) == {at_rest}


def test_a_contactor_follows_its_coil_after_its_time(clock, header):
    contactor = Contactor(header, 17)
    header.setup(17, header.OUT, initial=0)
    header.output(17, 1)
    assert not contactor.is_closed()
    clock.move_on(0.021)
    assert contactor.is_closed()
    clock.move_on(0.01)
    assert contactor.feedback() is False
    contactor.dip(lasting=True)
    clock.move_on(0.021)
    assert not contactor.is_closed()
    contactor.dip(lasting=False)
    clock.move_on(0.021)
    assert contactor.is_closed()
    assert len(contactor.pulls) == 2


def test_a_pin_that_is_given_back_may_pull_the_contactor_in(clock, header):
    contactor = Contactor(header, 17)
    header.setup(17, header.OUT, initial=0)
    header.cleanup()
    clock.move_on(0.1)
    assert contactor.is_closed()


@pytest.mark.parametrize(("fault", "stays"), [("welded", True), ("stuck_open", False)])
def test_broken_contacts_stay(clock, header, fault, stays):
    contactor = Contactor(header, 17)
    header.setup(17, header.OUT, initial=0)
    header.output(17, stays)
    clock.move_on(0.1)
    setattr(contactor, fault, True)
    assert contactor.is_closed() is stays
    header.output(17, not stays)
    clock.move_on(0.1)
    assert contactor.is_closed() is stays
