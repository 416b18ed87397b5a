"""The installer's walk through the wiring: a good bench passes, and each miswiring is named."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from gpio_header import Contactor
from i2c_chips import Ina219Chip, Ina226Chip
from installers_bench import CONTACTOR, FEEDBACK, GREEN, PLUG, RED, STOP, Installer, World, ground, walk
from processes import EXAMPLES
from ruamel.yaml import YAML

from register_maps.yaml_file import Faults, read_yaml
from rtu_firmware.pi.self_test.walk import as_yaml
from rtu_firmware.pi.wiring import Ads1115, CurrentInput, PiWiring, VoltageInput
from rtu_firmware.station_file import read_station


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


@pytest.fixture
def installer(world: World) -> Installer:
    return Installer(world)


def section(text: str) -> dict[str, object]:
    """The `pi` section that was printed last."""
    lines = text[text.rindex("pi:") :].splitlines()
    body = [line for line in lines[1:] if line.startswith("  ")]
    return YAML(typ="safe").load("\n".join([lines[0], *body]))["pi"]


def test_a_good_bench_passes(world: World, installer: Installer) -> None:
    assert walk(world, installer) == 0, installer.text
    assert "ALL IN ORDER" in installer.text
    assert not world.contactor.coil_is_on
    assert installer.told_under_power == []
    assert len(world.contactor.pulls) == 2  # once without a vehicle, once with it
    given = YAML(typ="safe").load((EXAMPLES / "pi.yaml").read_text())["pi"]
    assert section(installer.text) == given
    assert "address: 0x40" in installer.text


@dataclass(frozen=True, kw_only=True)
class Miswiring:
    """`key` is the value in the printed section, by its path."""

    name: str
    do: Callable[[World], None]
    says: tuple[str, ...]
    key: tuple[str, object] | None = None


def wire(pin: int, level: bool | None) -> Callable[[World], None]:
    return lambda world: world.wires.update({pin: lambda: level})


def no_wire_to_driver(world: World) -> None:
    world.contactor.is_supplied = False


def set_contactor(**how: object) -> Callable[[World], None]:
    def do(world: World) -> None:
        world.contactor = Contactor(world.header, CONTACTOR, **how)  # type: ignore[arg-type]

    return do


def weld_later(world: World) -> None:
    world.contactor.welded = True


def welded(world: World) -> None:
    world.contactor._closed = world.contactor.welded = True


def contact_as_make(world: World) -> None:
    world.wires[FEEDBACK] = lambda: ground(world.contactor.is_closed())


def button_as_make(world: World) -> None:
    world.wires[STOP] = lambda: ground(world.is_pressed)


def plug_as_break(world: World) -> None:
    world.wires[PLUG] = lambda: ground(not world.plugged)


def finds_its_place(world: World) -> None:
    """The feedback is off until the first click shakes it."""
    world.wires[FEEDBACK] = lambda: ground(bool(world.contactor.pulls) and not world.contactor.is_closed())


def put(**values: object) -> Callable[[World], None]:
    def do(world: World) -> None:
        for name, value in values.items():
            setattr(world, name, value)

    return do


def chip_elsewhere(world: World) -> None:
    world.i2c.chips[0x44] = world.i2c.chips.pop(0x40)


def other_chip(world: World) -> None:
    world.i2c.chips[0x40] = Ina219Chip(world, 0.01, world.clock.now)


def two_chips_elsewhere(world: World) -> None:
    chip_elsewhere(world)
    world.i2c.chips[0x45] = Ina226Chip(world, 0.01, world.clock.now)


def no_chip(address: int) -> Callable[[World], None]:
    return lambda world: world.i2c.chips.pop(address) and None


def bus_stuck(world: World) -> None:
    world.i2c.stuck = True


MISWIRINGS = [
    Miswiring(
        name="feedback_makes",
        do=contact_as_make,
        says=("feedback.closed_is is low: the file has it the wrong way round",),
        key=("feedback.closed_is", "low"),
    ),
    Miswiring(
        name="driver_turned",
        do=set_contactor(closes_on="low"),
        says=("contactor.closes_on is low: the file has it the wrong way", "pulled low while the Pi boots"),
        key=("contactor.closes_on", "low"),
    ),
    Miswiring(name="feedback_wire_off", do=wire(FEEDBACK, None), says=("GPIO 27 stays high: a wire is off",)),
    Miswiring(name="feedback_to_ground", do=wire(FEEDBACK, False), says=("GPIO 27 stays low",)),
    Miswiring(
        name="coil_without_supply",
        do=no_wire_to_driver,
        says=("the relay does not get its order", "emergency stop that is pressed", "GPIO 17"),
    ),
    Miswiring(name="welds", do=weld_later, says=("SWITCH THE SUPPLY OFF", "NOT TESTED: plug")),
    Miswiring(name="welded", do=welded, says=("Or the relay is welded", "NOT TESTED: plug")),
    Miswiring(name="slow", do=set_contactor(takes_s=0.7), says=("the coil gets too little voltage",)),
    Miswiring(name="unsteady", do=finds_its_place, says=("changes without an order",)),
    Miswiring(
        name="leds_exchanged",
        do=put(led_pins={"green": RED, "red": GREEN}),
        says=("exchange the two pins",),
        key=("leds.green", RED),
    ),
    Miswiring(
        name="led_turned", do=put(led_pins={"green": GREEN, "red": 26}), says=("should be: red", "long leg")
    ),
    Miswiring(
        name="button_makes",
        do=button_as_make,
        says=("stop_button.pressed_is is low",),
        key=("stop_button.pressed_is", "low"),
    ),
    Miswiring(name="button_off", do=wire(STOP, None), says=("GPIO 23 stays high",)),
    Miswiring(name="button_to_ground", do=wire(STOP, False), says=("GPIO 23 stays low",)),
    Miswiring(name="button_latches", do=put(latches=True), says=("springs back",)),
    Miswiring(
        name="plug_breaks",
        do=plug_as_break,
        says=("plug.present_is is high",),
        key=("plug.present_is", "high"),
    ),
    Miswiring(name="plug_off", do=wire(PLUG, None), says=("GPIO 22 stays high", "NOT TESTED: charging")),
    Miswiring(
        name="chip_elsewhere", do=chip_elsewhere, says=("it is INA226 at 0x44",), key=("meter.address", 0x44)
    ),
    Miswiring(name="other_chip", do=other_chip, says=("it is INA219 at 0x40",), key=("meter.chip", "ina219")),
    Miswiring(
        name="two_chips",
        do=two_chips_elsewhere,
        says=("ina226 at 0x44, ina226 at 0x45", "NOT TESTED: charging"),
    ),
    Miswiring(
        name="no_chip",
        do=no_chip(0x40),
        says=("WRONG: INA226 at 0x40. no device", "there is max17048 at 0x36"),
    ),
    Miswiring(name="no_gauge", do=no_chip(0x36), says=("WRONG: MAX17048 at 0x36", "SDA and SCL")),
    Miswiring(name="bus_stuck", do=bus_stuck, says=("the bus hangs", "None of our chips answers")),
    Miswiring(name="no_supply", do=put(voltage_v=0.0), says=("no voltage: the supply is off",)),
    Miswiring(name="low_supply", do=put(voltage_v=9.0), says=("9 V is outside 10.2 to 13.8 V",)),
    Miswiring(
        name="load_behind_meter", do=put(leak_a=0.5), says=("W flow though the contactor is ordered open",)
    ),
    Miswiring(name="shunt_turned", do=put(shunt_sign=-1), says=("exchange the shunt's two wires",)),
    Miswiring(name="no_charger", do=put(load_a=0.0), says=("no power flows: the battery is full",)),
    Miswiring(name="too_much", do=put(load_a=2.5), says=("more than rated_power_w, 24 W",)),
]


@pytest.mark.parametrize("wrong", MISWIRINGS, ids=lambda wrong: wrong.name)
def test_each_miswiring_is_named(world: World, installer: Installer, wrong: Miswiring) -> None:
    wrong.do(world)
    assert walk(world, installer) == 1
    assert [part for part in wrong.says if part not in installer.text] == [], installer.text
    assert "NOT YET IN ORDER" in installer.text
    assert not world.contactor.coil_is_on
    assert world.i2c.open_files == 0
    if wrong.key:
        place, value = wrong.key
        name, key = place.split(".")
        assert section(installer.text)[name][key] == value


def test_driver_and_feedback_both_turned_show_when_a_vehicle_is_there(
    world: World, installer: Installer
) -> None:
    """Each tells the opposite of the other's opposite, and no order opens the relay."""
    set_contactor(closes_on="low")(world)
    contact_as_make(world)
    assert walk(world, installer) == 1
    assert "PULL THE PLUG; 5.997 W flow though the contactor is ordered open" in installer.text


def interrupt(_n: int) -> None:
    raise KeyboardInterrupt


def connection_breaks(_n: int) -> None:
    raise EOFError


def terminate(_n: int) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def hang_up(_n: int) -> None:
    os.kill(os.getpid(), signal.SIGHUP)


QUESTIONS = 8


@pytest.mark.parametrize("end", [interrupt, connection_breaks, terminate, hang_up])
@pytest.mark.parametrize("at", range(1, QUESTIONS + 1))
def test_an_end_at_any_question_opens_the_relay(
    world: World, installer: Installer, end: Callable[[int], None], at: int
) -> None:
    installer.at_question = lambda n: end(n) if n == at else None
    assert walk(world, installer) == 1
    assert len(installer.questions) == at
    assert installer.told[-2:] == ["The relay is ordered open.", "Ended before all was tested."]
    assert not world.contactor.coil_is_on
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_an_end_while_the_relay_is_closed_opens_it(world: World, installer: Installer) -> None:
    def interrupt_if_closed() -> bool | None:
        if world.contactor.is_closed():
            raise KeyboardInterrupt
        return False

    world.wires[FEEDBACK] = interrupt_if_closed
    assert walk(world, installer) == 1
    assert world.contactor.pulls
    assert not world.contactor.coil_is_on


def test_whoever_agrees_to_nothing_moves_nothing(world: World, installer: Installer) -> None:
    installer.refuses = {""}
    assert walk(world, installer) == 1
    assert installer.told[-2] == "Nothing was tested."
    assert world.contactor.pulls == []


@pytest.mark.parametrize(
    ("refused", "says"),
    [
        ("The relay closes", "NOT TESTED: contactor"),
        ("plug out", "NOT TESTED: plug contact"),
        ("Plug the vehicle in", "NOT TESTED: plug contact"),
        ("battery connected", "NOT TESTED: MAX17048"),
        ("gets power", "NOT TESTED: charging"),
    ],
)
def test_what_was_left_out_is_not_passed(world: World, installer: Installer, refused: str, says: str) -> None:
    installer.refuses = {refused}
    assert walk(world, installer) == 1
    assert says in installer.text
    assert "NOT YET IN ORDER. Not tested:" in installer.text


def test_who_mistakes_the_relay_does_not_leave_it_closed(world: World, installer: Installer) -> None:
    """The feedback is turned, and somebody says that the relay is pulled in, which it is not."""
    contact_as_make(world)
    agrees = installer.agrees
    installer.agrees = lambda question: agrees(question) or "pulled in" in question  # type: ignore[method-assign]
    assert walk(world, installer) == 1
    assert "feedback.closed_is is low" in installer.text
    assert not world.contactor.coil_is_on


def test_who_mistakes_the_relay_and_ends_it_then_does_not_leave_it_closed(
    world: World, installer: Installer
) -> None:
    contact_as_make(world)
    agrees = installer.agrees

    def mistakes(question: str) -> bool:
        if "let go" in question:
            assert world.contactor.coil_is_on
            raise KeyboardInterrupt
        return agrees(question) or "pulled in" in question

    installer.agrees = mistakes  # type: ignore[method-assign]
    assert walk(world, installer) == 1
    assert installer.told[-2] == "The relay is ordered open."
    assert not world.contactor.coil_is_on


def test_pins_that_fail_end_it(world: World, installer: Installer) -> None:
    installer.at_question = lambda n: world.header.broken.update(range(28)) if n == 3 else None
    assert walk(world, installer) == 1
    assert "THE RELAY COULD NOT BE OPENED" in installer.text
    assert "the chip is gone" in installer.told[-1]


ADS1115 = Ads1115(
    chip="ads1115",
    address=0x49,
    measures="ac",
    voltage=VoltageInput(channel=0, volts_per_volt=230.5),
    current=CurrentInput(channel=1, amperes_per_volt=30, zero_v=1.65),
)


@pytest.mark.parametrize(
    "wiring",
    [
        read_station(EXAMPLES / "pi.yaml").pi,
        read_station(EXAMPLES / "pi_mains.yaml").pi,
        replace(read_station(EXAMPLES / "pi.yaml").pi, meter=ADS1115, battery=None, leds=None),
    ],
)
def test_the_printed_section_is_what_was_read(tmp_path: Path, wiring: PiWiring) -> None:
    path = tmp_path / "station.yaml"
    path.write_text(as_yaml(wiring))
    faults = Faults(path)
    read = faults.parse(PiWiring, read_yaml(path)["pi"])
    faults.raise_if_any()
    assert read == wiring


def test_a_meter_on_a_line_that_is_not_there(world: World, installer: Installer) -> None:
    assert walk(world, installer, "pi_mains.yaml") == 1
    assert "WRONG: eastron_sdm120" in installer.text
    assert "the wires A and B, which may be exchanged" in installer.text
    assert "NOT TESTED: charging" in installer.text
