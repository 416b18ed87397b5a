"""What can't work in a `pi` section, and what could hurt; each fault with its place."""

import math
from dataclasses import replace
from pathlib import Path

from register_maps.register_map import load_map
from register_maps.yaml_file import BadFile, Faults
from rtu_firmware.model import Ratings
from rtu_firmware.pi.wiring import Ads1115, Contactor, Gauge, Ina226, ModbusMeter, PiWiring

BUS_PINS = {0: (0, 1), 1: (2, 3)}
"""SDA and SCL of the I²C buses that the header has."""
SERIAL_PORTS, SERIAL_PINS = ("/dev/serial0", "/dev/ttyAMA0", "/dev/ttyS0"), (14, 15)
PULLED_UP_AT_RESET = range(9)
"""Until the firmware runs, GPIO 0 to 8 are pulled up and all others down (BCM2835 ARM Peripherals, table
6-31)."""
SERIAL_CONSOLE_OUT = 14
"""Where the console is on, the Pi itself drives it high, long before the firmware runs."""
METER_POINTS = ("voltage", "current", "power")
ID_EEPROM_PINS = (0, 1)
INA226_SHUNT_V, INA219_SHUNT_V = 0.08192, 0.32
INA226_BUS_V, INA219_BUS_V = 36.0, 26.0
ADS1115_INPUT_V = 3.3
"""Its supply, because its I²C pins are pulled up to it, and a Pi's bear no more."""


def note_wiring(wiring: PiWiring, ratings: Ratings, faults: Faults) -> None:
    """What can't work, and what could hurt, with its place under `pi`."""
    _note_pins(wiring, faults)
    _note_level_at_reset(wiring.contactor, faults)
    _note_meter(wiring, ratings, faults)


def _note_pins(wiring: PiWiring, faults: Faults) -> None:
    taken = dict.fromkeys(ID_EEPROM_PINS, "the memory of add-on boards")
    if wiring.uses_i2c:
        taken |= dict.fromkeys(BUS_PINS.get(wiring.i2c_bus, ()), "the I²C bus")
    if isinstance(wiring.meter, ModbusMeter) and wiring.meter.serial in SERIAL_PORTS:
        taken |= dict.fromkeys(SERIAL_PINS, "the serial port")
    for place, pin in wiring.pins:
        if pin in taken:
            faults.add(("pi", *place), f"GPIO {pin} is taken by {taken[pin]}")
        taken.setdefault(pin, ".".join(str(part) for part in place))


def _note_level_at_reset(contactor: Contactor, faults: Faults) -> None:
    if contactor.pin == SERIAL_CONSOLE_OUT:
        why = "drives it high while the Pi boots, where it is on: take another"
        faults.add(("pi", "contactor", "pin"), f"GPIO {contactor.pin} is the serial console's, which {why}")
        return
    level = "high" if contactor.pin in PULLED_UP_AT_RESET else "low"
    if contactor.closes_on == level:
        other = (
            "one of GPIO 9 to 27"
            if level == "high"
            else "a driver that closes on high, or one of GPIO 4 to 8"
        )
        faults.add(
            ("pi", "contactor", "pin"),
            f"GPIO {contactor.pin} is pulled {level} while the Pi boots, and {level} closes the contactor:"
            f" take {other}",
        )


def _note_meter(wiring: PiWiring, ratings: Ratings, faults: Faults) -> None:
    meter = wiring.meter
    rated_current_a = ratings.rated_power_w / ratings.nominal_voltage_v
    highest_voltage_v = ratings.emergency_band[1] * ratings.nominal_voltage_v
    if isinstance(meter, ModbusMeter):
        _note_modbus_meter(meter, faults)
        return
    if isinstance(wiring.battery, Gauge) and wiring.battery.address == meter.address:
        faults.add(("pi", "battery", "address"), f"{meter.address:#04x} is the meter's already")
    if isinstance(meter, Ads1115):
        if meter.voltage.channel == meter.current.channel:
            faults.add(("pi", "meter", "current", "channel"), "is the voltage's already")
        _note_high_input(meter, highest_voltage_v, faults)
        return
    is_226 = isinstance(meter, Ina226)
    bus_v, most_v = (INA226_BUS_V, INA226_SHUNT_V) if is_226 else (INA219_BUS_V, INA219_SHUNT_V)
    if highest_voltage_v > bus_v:
        faults.add(
            ("pi", "meter", "chip"),
            f"{meter.chip} measures up to {bus_v:g} V, and emergency_band reaches {highest_voltage_v:.4g} V",
        )
    drop_v = meter.shunt_ohm * meter.max_current_a
    if drop_v > most_v + 1e-9:
        faults.add(
            ("pi", "meter", "max_current_a"),
            f"{meter.max_current_a:g} A through {meter.shunt_ohm:g} ohm are {drop_v * 1000:.4g} mV,"
            f" and the chip measures up to {most_v * 1000:g} mV: take a smaller shunt",
        )
    if meter.max_current_a < 1.1 * rated_current_a:
        faults.add(
            ("pi", "meter", "max_current_a"),
            f"{meter.max_current_a:g} A is too near to the rated {rated_current_a:.3g} A to see an overload:"
            f" give {1.1 * rated_current_a:.3g} A or more",
        )


def _note_high_input(meter: Ads1115, highest_voltage_v: float, faults: Faults) -> None:
    peak = math.sqrt(2) if meter.measures == "ac" else 1.0
    input_v = peak * highest_voltage_v / meter.voltage.volts_per_volt + meter.voltage.zero_v
    if input_v > ADS1115_INPUT_V:
        faults.add(
            ("pi", "meter", "voltage", "volts_per_volt"),
            f"at {highest_voltage_v:.4g} V the input would see {input_v:.3g} V, and the chip stands"
            f" {ADS1115_INPUT_V:g} V at most: take a larger divider",
        )


def _note_modbus_meter(meter: ModbusMeter, faults: Faults) -> None:
    if (meter.serial is None) == (meter.host is None):
        faults.add(("pi", "meter"), "give either `serial` (a device such as /dev/ttyUSB0) or `host`")
    try:
        known = load_map(meter.map).points
    except (LookupError, BadFile) as error:
        faults.add(("pi", "meter", "map"), str(error.args[0]))
        return
    missing = [name for name in METER_POINTS if name not in known]
    if missing:
        faults.add(("pi", "meter", "map"), f"{meter.map} has no point {', '.join(missing)}")


def beside(wiring: PiWiring, folder: Path) -> PiWiring:
    """A meter's own map lies beside the station's file."""
    meter = wiring.meter
    if not isinstance(meter, ModbusMeter) or not meter.map.endswith(".yaml"):
        return wiring
    return replace(wiring, meter=replace(meter, map=str(folder / meter.map)))
