"""The sensors that a wiring names."""

from collections.abc import Callable

from rtu_firmware.pi.i2c import Bus, open_bus
from rtu_firmware.pi.sensing import Sensor
from rtu_firmware.pi.wiring import PiWiring


def open_sensors(
    wiring: PiWiring, nominal_voltage_v: float, bus: Callable[[int], Bus] = open_bus
) -> tuple[Sensor, Sensor | None]:
    """The meter, and the battery's gauge where there is one."""
    raise NotImplementedError
