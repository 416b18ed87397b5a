"""The picture of a bench's wiring, as SVG."""

from wiring_symbols import CONTACT_LENGTH, FAINT, INK, PAPER, Drawing
from wiring_table import (
    DRIVE,
    FEEDBACK,
    GREEN,
    GROUND,
    GROUND_PINS,
    HEADER,
    LOGIC,
    PLUG,
    PLUS,
    RED,
    SCL,
    SDA,
    STOP,
    contact_kind,
    parts,
    place,
    wires,
)

from rtu_firmware.pi.wiring import Ina226, PiWiring

RIGHT, RAIL = 250, 700
"""The Pi's edge, and the ground of contacts and LEDs."""
ROWS = {"ground": 110, "feedback": 165, "plug": 225, "stop_button": 285, "green": 345, "red": 405}
DRIVE_Y, DRIVE_GROUND_Y = 470, 510
BUS_X = {"3V3": 130, "SDA": 160, "SCL": 190, "GND": 220}
BUS_Y = {"3V3": 592, "SDA": 608, "SCL": 634, "GND": 650}
PLUS_Y, MINUS_Y = 730, 860
BRANCH_X, DRIVER_MINUS_X, METER_X = 305, 328, 350
PLUG_X = 740
VEHICLE_X = 870


def picture(wiring: PiWiring) -> str:
    drawing = Drawing(1290, 930, "Wiring of a station on the 12 V bench")
    drawing.text(30, 42, "A station on the 12 V bench", size=22, bold=True)
    drawing.text(
        30,
        64,
        "Drawn from examples/pi.yaml: pins, contacts and addresses are those of the file.",
        colour=FAINT,
    )
    _pi(drawing, wiring)
    _contacts(drawing, wiring)
    _coil(drawing, wiring)
    _power(drawing, wiring)
    _bus(drawing)
    _vehicle(drawing, wiring)
    _header(drawing, wiring)
    _legend(drawing)
    return drawing.svg()


def _pi(d: Drawing, wiring: PiWiring) -> None:
    assert wiring.leds is not None
    d.box(30, 85, RIGHT - 30, 475, fill="#eaf3ea")
    d.text(45, 140, "Raspberry Pi", size=17, bold=True)
    d.lines(45, 162, ["3 B or newer,", "with its own", "5 V supply"], size=12, colour=FAINT)
    pins = [
        (ROWS["ground"], "ground", GROUND_PINS["contacts"]),
        *((ROWS[n], f"GPIO {getattr(wiring, n).pin}", 0) for n in ("feedback", "plug", "stop_button")),
        (ROWS["green"], f"GPIO {wiring.leds.green}", 0),
        (ROWS["red"], f"GPIO {wiring.leds.red}", 0),
        (DRIVE_Y, f"GPIO {wiring.contactor.pin}", 0),
    ]
    for y, name, pin in pins:
        _pi_pin(d, y, name, pin or place(int(name.split()[1])))
    for (name, x), pin in zip(BUS_X.items(), (1, 3, 5, GROUND_PINS["bus"]), strict=True):
        d.text(x, 552, str(pin), size=12, anchor="middle", bold=True)
        d.text(x, 536, name, size=10, anchor="middle", colour=FAINT)
        d.terminal(x, 560)


def _pi_pin(d: Drawing, y: float, name: str, pin: int) -> None:
    d.text(RIGHT - 12, y + 5, str(pin), size=12, anchor="end", bold=True)
    d.text(RIGHT - 36, y + 5, name, size=12, anchor="end", colour=FAINT)
    d.terminal(RIGHT, y)


def _contacts(d: Drawing, wiring: PiWiring) -> None:
    top = ROWS["ground"]
    d.wire((RIGHT + 4, top), (RAIL, top), (RAIL, ROWS["red"]), colour=GROUND)
    d.text(RAIL - 10, top - 10, "ground", size=12, anchor="end", colour=FAINT)
    contacts = [
        ("feedback", wiring.feedback.closed_is, "K1 · 21–22", "auxiliary contact of K1", FEEDBACK),
        ("plug", wiring.plug.present_is, "S2", "switch in the plug", PLUG),
        ("stop_button", wiring.stop_button.pressed_is, "S1", "Stop button, springs back", STOP),
    ]
    for name, active, label, what, colour in contacts:
        y, x = ROWS[name], 420
        d.wire((RIGHT + 4, y), (x, y), colour=colour)
        d.contact(x, y, closed=active == "high", colour=colour)
        d.wire((x + CONTACT_LENGTH, y), (RAIL, y), colour=GROUND)
        d.node(RAIL, y, GROUND)
        d.text(x - 10, y - 10, label, anchor="end", bold=True)
        d.text(x + CONTACT_LENGTH + 12, y - 10, what, size=12)
        d.text(x + CONTACT_LENGTH + 12, y + 18, contact_kind(active), size=11, colour=FAINT)
    for name, colour in (("green", GREEN), ("red", RED)):
        y = ROWS[name]
        d.wire((RIGHT + 4, y), (400, y), colour=colour)
        d.resistor(400, y, colour)
        d.wire((440, y), (474, y), colour=colour)
        d.led(474, y, colour)
        d.wire((494, y), (RAIL, y), colour=GROUND)
        d.node(RAIL, y, GROUND)
        d.text(420, y - 12, "330 Ω", size=11, anchor="middle", colour=FAINT)
        d.text(520, y - 10, f"{name} LED", size=12)


def _coil(d: Drawing, wiring: PiWiring) -> None:
    """Driver, coil and emergency stop."""
    d.wire((RIGHT + 4, DRIVE_Y), (370, DRIVE_Y), colour=DRIVE)
    d.wire((370, DRIVE_GROUND_Y), (DRIVER_MINUS_X, DRIVE_GROUND_Y), (DRIVER_MINUS_X, MINUS_Y), colour=GROUND)
    d.resistor(DRIVER_MINUS_X, DRIVE_Y, INK, upright=True)
    d.node(DRIVER_MINUS_X, DRIVE_Y, DRIVE)
    d.node(DRIVER_MINUS_X, DRIVE_GROUND_Y, GROUND)
    d.node(DRIVER_MINUS_X, MINUS_Y, GROUND)
    d.text(DRIVER_MINUS_X - 14, DRIVE_Y + 24, "10 kΩ", size=11, anchor="end", colour=FAINT)
    d.box(370, 447, 105, 88)
    d.text(422, 439, "driver", bold=True, anchor="middle")
    d.text(378, DRIVE_Y + 5, "IN", size=12)
    d.text(378, DRIVE_GROUND_Y + 5, "GND", size=12)
    d.text(467, DRIVE_Y + 5, "OUT", size=12, anchor="end")
    d.text(422, 495, f"on at {wiring.contactor.closes_on}", size=11, anchor="middle", colour=FAINT)
    y = DRIVE_Y
    d.wire((475, y), (540, y), colour=DRIVE)
    d.box(540, y - 18, 40, 36, fill="#ffffff")
    d.text(560, y + 5, "K1", anchor="middle", bold=True)
    d.text(536, y - 24, "A2", size=11, anchor="end", colour=FAINT)
    d.text(584, y - 24, "A1", size=11, colour=FAINT)
    d.wire((580, y), (630, y), colour=PLUS)
    _flyback(d, y)
    d.wire((630, y), (740, y), (740, 565), (BRANCH_X, 565), (BRANCH_X, PLUS_Y), colour=PLUS)
    d.text(650, PLUS_Y + 26, "closes 13–14 as", size=11, anchor="middle", colour=FAINT)
    d.text(650, PLUS_Y + 41, "21–22 opens", size=11, anchor="middle", colour=FAINT)


def _flyback(d: Drawing, y: float) -> None:
    """Beside the coil: its cathode at plus."""
    d.wire((510, y), (510, y + 42), (549, y + 42), colour=DRIVE, width=1.8)
    d.diode(549, y + 42)
    d.wire((571, y + 42), (610, y + 42), (610, y), colour=PLUS, width=1.8)
    d.node(510, y, DRIVE)
    d.node(610, y, PLUS)
    d.text(618, y + 46, "flyback diode, on", size=11, colour=FAINT)
    d.text(618, y + 60, "the driver's board", size=11, colour=FAINT)


def _power(d: Drawing, wiring: PiWiring) -> None:
    meter, _ = parts(wiring)
    d.box(30, 700, 125, 190, fill="#fdf3e3")
    d.text(88, 785, "12 V supply", anchor="middle", bold=True)
    d.text(88, 804, "current limit 3 A", size=12, anchor="middle", colour=FAINT)
    d.text(145, PLUS_Y + 6, "+", size=18, anchor="end", bold=True, colour=PLUS)
    d.text(145, MINUS_Y + 6, "−", size=18, anchor="end", bold=True)
    d.wire((155, PLUS_Y), (168, PLUS_Y), colour=PLUS)
    d.fuse(168, PLUS_Y, PLUS)
    d.text(193, PLUS_Y - 18, "F1 · 3 A", anchor="middle", bold=True)
    d.wire((218, PLUS_Y), (230, PLUS_Y), colour=PLUS)
    d.contact(230, PLUS_Y, closed=True, colour=PLUS)
    d.text(248, PLUS_Y + 26, "S0 · emergency", anchor="middle", bold=True, size=12)
    d.text(248, PLUS_Y + 42, "stop, latches", anchor="middle", bold=True, size=12)
    d.wire((290, PLUS_Y), (METER_X, PLUS_Y), colour=PLUS)
    d.node(BRANCH_X, PLUS_Y, PLUS)
    _meter(d, meter)
    d.wire((540, PLUS_Y), (620, PLUS_Y), colour=PLUS)
    d.contact(620, PLUS_Y, closed=False, colour=PLUS)
    d.text(650, PLUS_Y - 24, "K1 · 13–14", anchor="middle", bold=True)
    d.wire((680, PLUS_Y), (PLUG_X, PLUS_Y), colour=PLUS)
    d.wire((155, MINUS_Y), (PLUG_X, MINUS_Y), colour=GROUND)
    d.text(390, MINUS_Y + 22, "the Pi's only joint with minus", size=11, anchor="middle", colour=FAINT)


def _meter(d: Drawing, meter: Ina226) -> None:
    d.box(METER_X, 690, 190, 110)
    d.text(440, 756, "INA226", anchor="middle", bold=True)
    d.text(440, 774, f"address {meter.address:#04x}", size=12, anchor="middle", colour=FAINT)
    d.text(440, 790, f"shunt {meter.shunt_ohm:g} Ω", size=12, anchor="middle", colour=FAINT)
    d.text(METER_X + 8, PLUS_Y + 5, "IN+", size=12)
    d.text(532, PLUS_Y + 5, "IN−", size=12, anchor="end")
    d.text(532, 784, "VBUS", size=12, anchor="end")
    d.wire((540, 780), (565, 780), (565, PLUS_Y), colour=PLUS)
    d.node(565, PLUS_Y, PLUS)
    d.wire((390, 800), (390, MINUS_Y), colour=GROUND)
    d.text(398, 816, "GND", size=11, colour=FAINT)
    d.node(390, MINUS_Y, GROUND)


def _bus(d: Drawing) -> None:
    to_meter = {"3V3": (380, LOGIC, "VCC"), "SDA": (415, SDA, "SDA"), "SCL": (450, SCL, "SCL")}
    to_meter["GND"] = (490, GROUND, "GND")
    for name, (x, colour, label) in to_meter.items():
        end = 600 if name in ("SDA", "SCL") else x
        d.wire((BUS_X[name], 564), (BUS_X[name], BUS_Y[name]), (end, BUS_Y[name]), colour=colour)
        d.wire((x, BUS_Y[name]), (x, 690), colour=colour)
        d.text(x, 706, label, size=11, anchor="middle")
        if name in ("SDA", "SCL"):
            d.node(x, BUS_Y[name], colour)
            d.resistor(600, BUS_Y[name], colour)
            d.wire((640, BUS_Y[name]), (PLUG_X, BUS_Y[name]), colour=colour)
    d.text(620, BUS_Y["SCL"] + 24, "330 Ω each", size=11, anchor="middle", colour=FAINT)


def _vehicle(d: Drawing, wiring: PiWiring) -> None:
    _, gauge = parts(wiring)
    _plug(d)
    d.box(VEHICLE_X, 575, 395, 320, fill="#f3f0fa", dashed=True)
    d.text(1250, 885, "model vehicle", size=15, bold=True, anchor="end")
    for y, colour in ((BUS_Y["SDA"], SDA), (BUS_Y["SCL"], SCL)):
        d.wire((PLUG_X + 60, y), (930, y), colour=colour)
    d.box(930, 590, 130, 64, fill=PAPER)
    d.text(995, 618, "MAX17048", anchor="middle", bold=True)
    d.text(995, 637, f"address {gauge.address:#04x}", size=12, anchor="middle", colour=FAINT)
    d.wire((PLUG_X + 60, PLUS_Y), (1150, PLUS_Y), colour=PLUS)
    d.wire((PLUG_X + 60, MINUS_Y), (1200, MINUS_Y), colour=GROUND)
    boxes = [
        (895, "converter", "12 V to 5 V"),
        (1025, "charger", "for one cell"),
        (1150, "battery", "with its BMS"),
    ]
    for x, name, what in boxes:
        d.box(x, 700, 100, 80, fill=PAPER)
        d.text(x + 50, 737, name, anchor="middle", bold=True)
        d.text(x + 50, 757, what, size=11, anchor="middle", colour=FAINT)
        d.wire((x + 50, 780), (x + 50, MINUS_Y), colour=GROUND)
        d.node(x + 50, MINUS_Y, GROUND)
    d.wire((1060, 606), (1225, 606), (1225, 700), colour=PLUS)
    d.wire((1060, 638), (1175, 638), (1175, 700), colour=GROUND)
    d.text(1068, 600, "pack +", size=11, colour=FAINT)
    d.text(1068, 632, "pack −", size=11, colour=FAINT)


def _plug(d: Drawing) -> None:
    d.box(PLUG_X + 8, 580, 44, 302, fill=PAPER, dashed=True)
    d.text(PLUG_X + 62, 680, "plug", bold=True)
    d.text(PLUG_X + 62, 697, "with S2", size=11, colour=FAINT)
    for y, colour in ((BUS_Y["SDA"], SDA), (BUS_Y["SCL"], SCL), (PLUS_Y, PLUS), (MINUS_Y, GROUND)):
        d.wire((PLUG_X, y), (PLUG_X + 24, y), colour=colour)
        d.wire((PLUG_X + 36, y), (PLUG_X + 60, y), colour=colour)
        d.add(
            f'<path d="M {PLUG_X + 24} {y - 7} L {PLUG_X + 34} {y} L {PLUG_X + 24} {y + 7}" fill="none"'
            f' stroke="{INK}" stroke-width="1.8"/>'
        )


def _header(d: Drawing, wiring: PiWiring) -> None:
    """As one sees the board with the header at its right edge."""
    used = {wire.pin: wire for wire in wires(wiring)}
    left, top, step = 882, 128, 21
    d.text(left + 18, 104, "The header, pin 1 at the corner", bold=True, anchor="middle")
    d.box(left - 16, top - 6, 68, 20 * step + 8, fill="#46525f")
    for n, what in enumerate(HEADER):
        wire, y = used.get(n + 1), top + step * (n // 2) + step / 2 - 2
        name = f"GPIO {what}" if what.isdigit() else {"3V3": "3.3 V", "5V": "5 V", "GND": "ground"}[what]
        out, anchor, x = (1, "start", left + 36) if n % 2 else (-1, "end", left)
        colour = INK if wire else "#9aa4af"
        d.add(
            f'<circle cx="{x}" cy="{y:g}" r="7" fill="{wire.colour if wire else "#7d8894"}" stroke="{PAPER}"'
            f' stroke-width="{1.6 if wire else 0}"/>'
        )
        d.text(x + 32 * out, y + 4, str(n + 1), size=11, anchor="middle", bold=True, colour=colour)
        d.text(x + 48 * out, y + 4, name, size=11, anchor=anchor, bold=wire is not None, colour=colour)


def _legend(d: Drawing) -> None:
    x, y = 1080, 104
    d.text(x, y, "Wires", bold=True)
    nets = [
        (PLUS, "plus, 12 V at the station"),
        (GROUND, "ground, minus"),
        (LOGIC, "3.3 V"),
        (SDA, "I²C data, SDA"),
        (SCL, "I²C clock, SCL"),
        (DRIVE, "order to the contactor"),
        (FEEDBACK, "feedback"),
        (PLUG, "vehicle plugged in"),
        (STOP, "Stop"),
        (GREEN, "green LED"),
        (RED, "red LED"),
    ]
    for n, (colour, name) in enumerate(nets):
        at = y + 24 + 23 * n
        d.wire((x, at), (x + 34, at), colour=colour, width=4)
        d.text(x + 44, at + 4, name, size=12)
    notes = [
        "A dot joins wires; a crossing",
        "without a dot does not.",
        "",
        "Contacts are drawn as they are",
        "without power, without a vehicle,",
        "and with no button pressed.",
        "",
        "No GPIO bears more than 3.3 V,",
        "and none drives a coil.",
    ]
    d.lines(x, y + 300, notes, size=12, colour=FAINT)
