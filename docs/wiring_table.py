"""What goes from which pin of the header to where, by a station's file."""

from dataclasses import dataclass

from rtu_firmware.pi.wiring import Gauge, Ina226, Level, PiWiring

HEADER = (
    "3V3", "5V", "2", "5V", "3", "GND", "4", "14", "GND", "15",
    "17", "18", "27", "GND", "22", "23", "3V3", "24", "10", "GND",
    "9", "25", "11", "8", "GND", "7", "0", "1", "5", "GND",
    "6", "12", "13", "GND", "19", "16", "26", "20", "GND", "21",
)  # fmt: skip
"""What the 40 pins are, in their order; a number is a GPIO."""
PLUS, GROUND, LOGIC = "#d02020", "#20262c", "#e07b00"
SDA, SCL = "#1f5fd0", "#7a2fc0"
DRIVE, FEEDBACK, PLUG, STOP, GREEN, RED = "#8a4b08", "#0a8f8f", "#6f7d00", "#c2187a", "#1c9a3c", "#e2453c"
GROUND_PINS = {"contacts": 9, "bus": 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """From a pin of the header."""

    pin: int
    name: str
    to: str
    colour: str


def place(gpio: int) -> int:
    """The pin of the header."""
    return HEADER.index(str(gpio)) + 1


def contact_kind(active: Level) -> str:
    """Of a contact to ground that is pulled up: active is high where it breaks its circuit."""
    return "normally closed" if active == "high" else "normally open"


def parts(wiring: PiWiring) -> tuple[Ina226, Gauge]:
    assert isinstance(wiring.meter, Ina226)
    assert isinstance(wiring.battery, Gauge)
    assert wiring.i2c_bus == 1
    assert wiring.leds is not None
    return wiring.meter, wiring.battery


def wires(wiring: PiWiring) -> list[Wire]:
    meter, gauge = parts(wiring)
    assert wiring.leds is not None
    both = f"INA226 ({meter.address:#04x}), and by the plug MAX17048 ({gauge.address:#04x})"
    led = "330 Ω, LED (long leg to the resistor), ground"

    def gpio(number: int, to: str, colour: str) -> Wire:
        return Wire(pin=place(number), name=f"GPIO {number}", to=to, colour=colour)

    found = [
        Wire(pin=1, name="3.3 V", to="INA226, VCC", colour=LOGIC),
        Wire(pin=3, name="GPIO 2, SDA", to=f"SDA of {both}", colour=SDA),
        Wire(pin=5, name="GPIO 3, SCL", to=f"SCL of {both}", colour=SCL),
        Wire(pin=GROUND_PINS["bus"], name="ground", to="INA226, GND, and from there minus", colour=GROUND),
        Wire(pin=GROUND_PINS["contacts"], name="ground", to="contacts and LEDs", colour=GROUND),
        gpio(
            wiring.contactor.pin,
            f"driver, IN; {wiring.contactor.closes_on} closes the contactor; 10 kΩ from IN to its"
            f" {'GND' if wiring.contactor.closes_on == 'high' else 'VCC'}",
            DRIVE,
        ),
        gpio(
            wiring.feedback.pin,
            f"K1's auxiliary contact, {contact_kind(wiring.feedback.closed_is)}, to ground",
            FEEDBACK,
        ),
        gpio(wiring.plug.pin, f"plug's switch, {contact_kind(wiring.plug.present_is)}, to ground", PLUG),
        gpio(
            wiring.stop_button.pin,
            f"Stop button, {contact_kind(wiring.stop_button.pressed_is)}, to ground",
            STOP,
        ),
        gpio(wiring.leds.green, f"green: {led}", GREEN),
        gpio(wiring.leds.red, f"red: {led}", RED),
    ]
    return sorted(found, key=lambda wire: wire.pin)


def table(wiring: PiWiring) -> str:
    rows = [f"| {wire.pin} | {wire.name} | {wire.to} |\n" for wire in wires(wiring)]
    return "| pin | is | goes to |\n| --- | --- | --- |\n" + "".join(rows)
