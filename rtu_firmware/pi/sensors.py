"""The sensors that a wiring names."""

from collections.abc import Callable

from modbus_link.clock import Clock
from rtu_firmware.pi.ads1115 import Ads1115Meter
from rtu_firmware.pi.chip import Chip
from rtu_firmware.pi.i2c import Bus, open_bus
from rtu_firmware.pi.ina219 import Ina219Registers
from rtu_firmware.pi.ina226 import Ina226Registers
from rtu_firmware.pi.max17048 import Max17048Gauge
from rtu_firmware.pi.modbus_meter import ModbusMeterSensor
from rtu_firmware.pi.power_monitor import PowerMonitor
from rtu_firmware.pi.sensing import Sensor
from rtu_firmware.pi.wiring import Ads1115, Gauge, Ina226, Meter, ModbusMeter, PiWiring

HIGHEST_BELIEVED = 2.0
"""Of the nominal voltage; what is above is implausible to the station."""


def open_sensors(
    wiring: PiWiring,
    nominal_voltage_v: float,
    clock: Clock,
    bus: Callable[[int], Bus] = open_bus,
) -> tuple[Sensor, Sensor | None]:
    """The meter, and the battery's gauge where there is one; BadInput where a library is missing. Chips
    are looked for only when they are read."""
    opened = bus(wiring.i2c_bus) if wiring.uses_i2c else None

    def chip(kind: str, address: int) -> Chip:
        assert opened is not None
        return Chip(kind, address, opened, clock)

    battery = wiring.battery
    gauge = Max17048Gauge(chip("MAX17048", battery.address)) if isinstance(battery, Gauge) else None
    return _meter(wiring.meter, nominal_voltage_v, chip), gauge


def _meter(meter: Meter, nominal_voltage_v: float, chip: Callable[[str, int], Chip]) -> Sensor:
    if isinstance(meter, ModbusMeter):
        return ModbusMeterSensor(meter)
    if isinstance(meter, Ads1115):
        return Ads1115Meter(chip("ADS1115", meter.address), meter)
    if isinstance(meter, Ina226):
        ina226 = Ina226Registers(meter.shunt_ohm, meter.max_current_a)
        return PowerMonitor(chip("INA226", meter.address), ina226, meter.max_current_a)
    highest_v = HIGHEST_BELIEVED * nominal_voltage_v
    ina219 = Ina219Registers(meter.shunt_ohm, meter.max_current_a, highest_v)
    return PowerMonitor(chip("INA219", meter.address), ina219, meter.max_current_a)
