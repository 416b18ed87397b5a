"""The `pi` section of a station's file: what it may say, and how every fault in it is told."""

from pathlib import Path

import pytest

from register_maps.yaml_file import BadFile, place_text
from rtu_firmware.pi.wiring import CountedBattery, Ina226, ModbusMeter
from rtu_firmware.station_file import StationFile, read_station

GOOD = """
name: RTS1
board: pi
listen: {port: 5021}
rated_power_w: 60
minimum_power_w: 60
nominal_voltage_v: 12
pi:
  contactor: {pin: 17, closes_on: high}
  feedback: {pin: 27, closed_is: low}
  plug: {pin: 22, present_is: low}
  stop_button: {pin: 23, pressed_is: high}
  leds: {green: 24, red: 25}
  meter: {chip: ina226, shunt_ohm: 0.01, max_current_a: 8}
  battery: {gauge: max17048}
"""
METER = "meter: {chip: ina226, shunt_ohm: 0.01, max_current_a: 8}"
ADS1115 = (
    "meter: {chip: ads1115, measures: dc, voltage: {channel: 0, volts_per_volt: 6},"
    " current: {channel: 1, amperes_per_volt: 10, zero_v: 2.5}}"
)


def station(folder: Path, text: str = GOOD) -> StationFile:
    path = folder / "station.yaml"
    path.write_text(text)
    return read_station(path)


def test_a_wired_station(tmp_path: Path) -> None:
    read = station(tmp_path)
    assert read.pi is not None
    assert isinstance(read.pi.meter, Ina226)
    assert (read.pi.meter.address, read.pi.i2c_bus) == (0x40, 1)
    assert read.ratings.counted_battery is None


def test_without_a_gauge_the_battery_is_counted(tmp_path: Path) -> None:
    counted = "battery: {capacity_kwh: 0.05, state_of_charge: 30}"
    read = station(tmp_path, GOOD.replace("battery: {gauge: max17048}", counted))
    assert read.pi is not None
    assert isinstance(read.pi.battery, CountedBattery)
    assert read.ratings.counted_battery is not None
    assert read.ratings.counted_battery.capacity_wh == 50
    assert read.ratings.counted_battery.first_state_of_charge_pct == 30


def test_a_meter_s_own_map_lies_beside_the_file(tmp_path: Path) -> None:
    points = ", ".join(
        f"{name}: {{table: input_register, address: {n}, type: uint16, about: It.}}"
        for n, name in enumerate(("voltage", "current", "power"))
    )
    (tmp_path / "my_meter.yaml").write_text(
        f"{{name: my_meter, version: 1, about: Mine., source: me, points: {{{points}}}}}"
    )
    meter = "meter: {chip: modbus, map: my_meter.yaml, serial: /dev/ttyUSB0}"
    read = station(tmp_path, GOOD.replace(METER, meter))
    assert read.pi is not None
    assert isinstance(read.pi.meter, ModbusMeter)
    assert Path(read.pi.meter.map) == tmp_path / "my_meter.yaml"


FAULTS = [
    ("board: pi", "board: sim", "pi", "is for board: pi"),
    ("minimum_power_w: 60", "minimum_power_w: 30", "minimum_power_w", "this board switches"),
    ("board: pi", "board: pi\nvehicle: {capacity_kwh: 1, state_of_charge: 5}", "vehicle", "pi.battery"),
    ("pin: 27", "pin: 17", "pi.feedback.pin", "GPIO 17 is taken by contactor.pin"),
    ("red: 25", "red: 24", "pi.leds.red", "GPIO 24 is taken by leds.green"),
    ("pin: 22", "pin: 3", "pi.plug.pin", "GPIO 3 is taken by the I²C bus"),
    ("pin: 22", "pin: 0", "pi.plug.pin", "GPIO 0 is taken by the memory of add-on boards"),
    ("pin: 22", "pin: 28", "pi.plug.pin", "less than or equal to 27"),
    (
        "pin: 17, closes_on: high",
        "pin: 5, closes_on: high",
        "pi.contactor.pin",
        "pulled high while the Pi boots",
    ),
    (
        "closes_on: high",
        "closes_on: low",
        "pi.contactor.pin",
        "take a driver that closes on high, or one of GPIO 4 to 8",
    ),
    ("pin: 17", "pin: 14", "pi.contactor.pin", "drives it high while the Pi boots"),
    ("shunt_ohm: 0.01", "shunt_ohm: 0.02", "pi.meter.max_current_a", "160 mV"),
    ("max_current_a: 8", "max_current_a: 5", "pi.meter.max_current_a", "give 5.5 A or more"),
    ("nominal_voltage_v: 12", "nominal_voltage_v: 48", "pi.meter.chip", "measures up to 36 V"),
    ("ina226", "ina219", "", ""),
    ("ina226, shunt_ohm: 0.01, max_current_a: 8", "ina219, shunt_ohm: 0.04, max_current_a: 8", "", ""),
    (METER, ADS1115.replace("per_volt: 6", "per_volt: 2"), "pi.meter.voltage.volts_per_volt", "6.9 V"),
    ("gauge: max17048", "gauge: max17048, address: 0x40", "pi.battery.address", "0x40 is the meter's"),
    ("gauge: max17048", "gauge: max17043", "pi.battery.gauge", "must be 'max17048' (got 'max17043')"),
    ("gauge: max17048", "capacity_kwh: 1", "pi.battery.state_of_charge", "is missing"),
    (METER, "meter: {chip: ina260}", "pi.meter.chip", "must be one of 'ina226', 'ina219'"),
    (METER, "meter: {shunt_ohm: 0.01}", "pi.meter.chip", "is missing"),
    ("chip: ina226", "chip: ina226, measures: dc", "pi.meter.measures", "known: chip, address, shunt_ohm"),
    (METER, ADS1115, "", ""),
    (METER, ADS1115.replace("channel: 1", "channel: 0"), "pi.meter.current.channel", "the voltage's"),
    (METER, "meter: {chip: modbus, map: pev_rtu, serial: /dev/ttyUSB0}", "", ""),
    (METER, "meter: {chip: modbus, map: pev_rtu}", "pi.meter", "either `serial`"),
    (
        METER,
        "meter: {chip: modbus, map: pev_rtu, serial: /dev/x, baud: 2401}",
        "pi.meter.baud",
        "must be 1200",
    ),
    (METER, "meter: {chip: modbus, map: nothing, host: 10.0.0.5}", "pi.meter.map", "there is no map"),
    (METER, "meter: {chip: modbus, map: x.yaml, host: 10.0.0.5}", "pi.meter.map", "can't be read"),
    (METER, "meter: {chip: modbus, map: pev_master, host: 10.0.0.5}", "pi.meter.map", "no point current"),
    ("pin: 22", "pin: 14", "", ""),
]


@pytest.mark.parametrize(("old", "new", "place", "message"), FAULTS)
def test_every_fault_has_its_place(tmp_path: Path, old: str, new: str, place: str, message: str) -> None:
    """An empty place: this is none."""
    text = GOOD.replace(old, new)
    assert text != GOOD
    if not place:
        station(tmp_path, text)
        return
    with pytest.raises(BadFile) as caught:
        station(tmp_path, text)
    told = {place_text(fault.place).removesuffix(": "): fault.message for fault in caught.value.faults}
    assert message in told[place], told


def test_the_serial_port_has_its_pins(tmp_path: Path) -> None:
    text = GOOD.replace(METER, "meter: {chip: modbus, map: pev_rtu, serial: /dev/serial0}")
    with pytest.raises(BadFile, match="GPIO 14 is taken by the serial port"):
        station(tmp_path, text.replace("pin: 22", "pin: 14"))


def test_a_pi_without_wiring(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="which pin and which chip"):
        station(tmp_path, GOOD.partition("pi:\n")[0])
