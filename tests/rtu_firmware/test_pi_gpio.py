"""The header by RPi.GPIO's calls: levels and pulls, no glitch, and why it can't be had."""

import os
import sys
import tempfile
from pathlib import Path

import pytest
from gpio_header import Contactor, GpioHeader

from modbus_link.errors import BadInput
from rtu_firmware.pi.gpio import Header, PinError, open_gpio
from rtu_firmware.pi.pins import Pins
from rtu_firmware.pi.wiring import Contactor as ContactorWiring
from rtu_firmware.pi.wiring import Feedback, Ina226, Leds, PiWiring, Plug, StopButton


def wiring(*, pin: int = 17, closes_on: str = "high", **levels: str) -> PiWiring:
    return PiWiring(
        contactor=ContactorWiring(pin=pin, closes_on=closes_on),
        feedback=Feedback(pin=27, closed_is=levels.get("closed_is", "low")),
        plug=Plug(pin=22, present_is=levels.get("present_is", "low")),
        stop_button=StopButton(pin=23, pressed_is=levels.get("pressed_is", "high")),
        leds=Leds(green=24, red=25),
        meter=Ina226(chip="ina226", shunt_ohm=0.01, max_current_a=8),
    )


@pytest.fixture
def header() -> GpioHeader:
    return GpioHeader(lambda: 0.0)


@pytest.mark.parametrize(("pin", "closes_on"), [(17, "high"), (5, "low")])
def test_the_coil_sees_no_edge_but_the_ordered_ones(header, pin, closes_on):
    coil = Contactor(header, pin, closes_on=closes_on)
    pins = Pins(wiring(pin=pin, closes_on=closes_on), Header(header))
    assert header.edges_of(pin) == []
    pins.drive_contactor(True)
    pins.drive_contactor(False)
    assert header.edges_of(pin) == [closes_on == "high", closes_on == "low"]
    assert len(coil.pulls) == 1
    assert not coil.coil_is_on


@pytest.mark.parametrize(("pin", "closes_on"), [(17, "high"), (5, "low")])
def test_a_pin_that_a_killed_process_left_closed_is_opened_at_once(header, pin, closes_on):
    Pins(wiring(pin=pin, closes_on=closes_on), Header(header)).drive_contactor(True)
    coil = Contactor(header, pin, closes_on=closes_on)
    assert coil.coil_is_on
    Pins(wiring(pin=pin, closes_on=closes_on), Header(header))
    assert not coil.coil_is_on
    assert coil.pulls == []


def test_the_contactor_is_driven_open_before_anything_else(header):
    """Whatever is wrong with the other pins."""
    header.broken = {22, 23, 24, 25, 27}
    with pytest.raises(PinError):
        Pins(wiring(), Header(header))
    assert header.level_or_none(17) is False
    assert header.gpio_function(17) == header.OUT


@pytest.mark.parametrize("active", ["high", "low"])
@pytest.mark.parametrize(
    ("pin", "key", "contact"),
    [
        (27, "closed_is", "contactor_closed"),
        (22, "present_is", "vehicle_connected"),
        (23, "pressed_is", "stop_pressed"),
    ],
)
def test_contacts_pull_their_pin_to_ground(header, pin, key, contact, active):
    made = False
    header.connect(pin, lambda: False if made else None)
    pins = Pins(wiring(**{key: active}), Header(header))
    assert getattr(pins.contacts(), contact) is (active == "high")
    made = True
    assert getattr(pins.contacts(), contact) is (active == "low")


def test_lamps(header):
    pins = Pins(wiring(), Header(header))
    assert (header.level(24), header.level(25)) == (False, False)
    pins.light(green=True, red=False)
    assert (header.level(24), header.level(25)) == (True, False)
    pins.light(green=False, red=True)
    assert (header.level(24), header.level(25)) == (False, True)


@pytest.mark.parametrize(
    "call",
    [
        lambda gpio: gpio.output(4, True),
        lambda gpio: gpio.input(4, "up"),
        lambda gpio: gpio.write(4, True),
        lambda gpio: gpio.read(4),
    ],
)
def test_what_the_library_raises_names_the_pin(header, call):
    gpio = Header(header)
    header.broken = {4}
    with pytest.raises(PinError, match="GPIO 4: the chip is gone"):
        call(gpio)


@pytest.mark.parametrize(
    ("library", "told"),
    [
        ("raise RuntimeError('only on a Raspberry Pi!')", r"does not run on this machine \(only on a .*sim"),
        ("raise NotImplementedError('old-style')", r"does not run on this machine \(old-style\)"),
        ("class error(Exception): ...\nraise error('no pipe')", r"does not run on this machine \(no pipe\)"),
        ("import no_lgpio", r"needs RPi.GPIO \(No module named 'no_lgpio'\): install with the extra `pi`"),
        (
            "BCM = 11\ndef setwarnings(on): ...\n"
            "def setmode(mode): raise LookupError('can not open gpiochip')",
            r"can't get at the pins \(can not open gpiochip\): .*sudo usermod -aG gpio",
        ),
        (
            "BCM = 11\ndef setwarnings(on): ...\ndef setmode(mode): ...\n"
            "def gpio_function(pin): raise RuntimeError('No access to /dev/mem.  Try running as root!')",
            r"can't get at the pins \(No access to /dev/mem.*sudo usermod -aG gpio",
        ),
    ],
)
def test_why_there_are_no_pins(tmp_path, monkeypatch, library, told):
    package(tmp_path, library, monkeypatch)
    with pytest.raises(BadInput, match=told):
        open_gpio()


def test_the_missing_library_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "RPi", None)
    with pytest.raises(BadInput, match=r"board: pi needs RPi\.GPIO .* install with the extra `pi`"):
        open_gpio()


def test_a_library_that_goes_elsewhere_leaves_us_here(tmp_path, monkeypatch):
    """lgpio does that."""
    package(
        tmp_path,
        "import os\nos.chdir(os.environ['LG_WD'])\nopen('.lgd-nfy0', 'w').close()\n"
        "BCM = 11\ndef setwarnings(on): ...\ndef setmode(mode): ...\ndef gpio_function(pin): ...",
        monkeypatch,
    )
    monkeypatch.delenv("LG_WD", raising=False)
    here, files = os.getcwd(), os.listdir()
    open_gpio()
    assert (os.getcwd(), os.listdir()) == (here, files)
    monkeypatch.delenv("LG_WD")


def test_a_card_that_nobody_can_write_to_keeps_no_pin_from_being_driven(tmp_path, monkeypatch):
    package(
        tmp_path,
        "import os\nopen(os.environ['LG_WD'] + '/.lgd-nfy0', 'w').close()\n"
        "BCM = 11\ndef setwarnings(on): ...\ndef setmode(mode): ...\ndef gpio_function(pin): ...",
        monkeypatch,
    )
    monkeypatch.delenv("LG_WD", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "full"))
    open_gpio()
    monkeypatch.delenv("LG_WD")


def package(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """RPi.GPIO as this text has it."""
    (folder / "RPi" / "GPIO").mkdir(parents=True)
    (folder / "RPi" / "__init__.py").touch()
    (folder / "RPi" / "GPIO" / "__init__.py").write_text(text)
    for name in ("RPi", "RPi.GPIO"):
        monkeypatch.setitem(sys.modules, name, None)
        del sys.modules[name]  # and it is gone again after the test
    monkeypatch.syspath_prepend(folder)
