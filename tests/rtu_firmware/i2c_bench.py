"""What the tests of the sensors share: chips on a bus in virtual time, and the real drivers at them."""

from datetime import UTC, datetime

import pytest
from i2c_chips import Circuit, Ina219Chip, Ina226Chip
from i2c_converter import Ads1115Chip, Signal
from i2c_gauge import Cell, Max17048Chip
from i2c_wires import I2cWires

from modbus_link.clock import VirtualClock
from rtu_firmware.pi.sensing import Sensed, Sensor, SensorError
from rtu_firmware.pi.sensors import open_sensors
from rtu_firmware.pi.wiring import (
    Contactor,
    Feedback,
    Gauge,
    Ina219,
    Ina226,
    Meter,
    PiWiring,
    Plug,
    StopButton,
)

INA226 = Ina226(chip="ina226", shunt_ohm=0.002, max_current_a=20)
INA219 = Ina219(chip="ina219", shunt_ohm=0.01, max_current_a=8)
ROUND_S = 0.2


def wiring(meter: Meter, battery: Gauge | None = None) -> PiWiring:
    return PiWiring(
        contactor=Contactor(pin=17, closes_on="high"),
        feedback=Feedback(pin=27, closed_is="low"),
        plug=Plug(pin=22, present_is="low"),
        stop_button=StopButton(pin=23, pressed_is="high"),
        meter=meter,
        battery=battery,
    )


class I2cBench:
    """A 12 V station. `circuit`, `cell` and `adc.inputs` may be changed at any time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.wires = I2cWires(self.clock)
        self.wires.install(monkeypatch)
        self.circuit = Circuit(voltage_v=12.0, current_a=4.0)
        self.cell = Cell()

    def ina226(self, meter: Ina226 = INA226) -> tuple[Sensor, Ina226Chip]:
        chip = Ina226Chip(self.circuit, meter.shunt_ohm, self.clock.now)
        return self.with_meter(meter, chip), chip

    def ina219(self, meter: Ina219 = INA219, volts: float = 12.0) -> tuple[Sensor, Ina219Chip]:
        chip = Ina219Chip(self.circuit, meter.shunt_ohm, self.clock.now)
        return self.with_meter(meter, chip, volts), chip

    def ads1115(self, meter: Meter, inputs: list[Signal]) -> tuple[Sensor, Ads1115Chip]:
        chip = Ads1115Chip(inputs, self.clock.now)
        return self.with_meter(meter, chip), chip

    def gauge(self) -> tuple[Sensor, Max17048Chip]:
        chip = self.wires.chips[0x36] = Max17048Chip(self.cell, self.clock.now)
        gauge = open_sensors(wiring(INA226, Gauge(gauge="max17048")), 12.0, clock=self.clock)[1]
        assert gauge
        return gauge, chip

    def with_meter(
        self, meter: Meter, chip: Ina226Chip | Ina219Chip | Ads1115Chip, volts: float = 12.0
    ) -> Sensor:
        assert meter.chip != "modbus"
        self.wires.chips[meter.address] = chip
        return open_sensors(wiring(meter), volts, clock=self.clock)[0]

    async def round(self, sensor: Sensor) -> Sensed | str:
        """As the station does it, every 0.2 s: the values, or what is wrong."""
        began_at = self.clock.now()
        try:
            return await sensor.read()
        except SensorError as error:
            return str(error)
        finally:
            await self.clock.sleep_until(began_at + ROUND_S)

    async def values(self, sensor: Sensor) -> Sensed:
        found = await self.round(sensor)
        assert isinstance(found, Sensed), found
        return found

    async def trouble(self, sensor: Sensor) -> str:
        found = await self.round(sensor)
        assert isinstance(found, str), found
        return found
