"""A meter that speaks Modbus, by its register map: behind a serial line, or behind a gateway by TCP."""

import asyncio
from dataclasses import replace
from pathlib import Path

from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.errors import LinkError
from modbus_link.serial_client import BITS, SerialClient
from register_maps.points import Value
from register_maps.register_map import load_map
from rtu_firmware.pi.sensing import Sensed, SensorError
from rtu_firmware.pi.wiring import ModbusMeter
from rtu_firmware.pi.wiring_faults import METER_POINTS

REPLY_S = 0.5
"""How long a meter may think."""
CHARACTERS = 60
"""Of a request and its reply, at the most."""


class ModbusMeterSensor:
    """Nothing is connected before the first reading."""

    def __init__(self, meter: ModbusMeter) -> None:
        """BadInput where pyserial is missing."""
        meter_map = replace(load_map(meter.map), unit_id=meter.unit)
        self._client = _client(meter, meter_map.min_interval_ms / 1000)
        where = Path(meter.serial).name if meter.serial else str(self._client)
        self.name = f"{Path(meter.map).stem} unit {meter.unit} at {where}"
        self._device = Device(self._client, meter_map, METER_POINTS)
        self._started = False

    async def read(self) -> Sensed:
        try:
            await self._start()
            values = await self._device.read()
        except LinkError as error:
            # Its text is "what was done: what came of it", and the name says the first in fewer words.
            raise SensorError(f"{self.name}: {str(error).partition(': ')[2] or error}") from error
        return Sensed(
            voltage_v=self._number(values, "voltage"),
            current_a=self._number(values, "current"),
            power_w=self._number(values, "power"),
        )

    def close(self) -> None:
        self._client.abandon()

    async def _start(self) -> None:
        """Here, because a client belongs to the event loop that asks by it."""
        if self._started:
            return
        self._started = True
        self._client.start()
        try:
            async with asyncio.timeout(REPLY_S):
                while isinstance(self._client, ModbusClient) and not self._client.connected:
                    await asyncio.sleep(0.01)
        except TimeoutError:
            return  # the reading says why

    def _number(self, values: dict[str, Value], name: str) -> float:
        value = values[name]
        if not isinstance(value, int | float):
            raise SensorError(f"{self.name}: gives no {name}")
        return float(value)


def _client(meter: ModbusMeter, pause_s: float) -> ModbusClient | SerialClient:
    if meter.host is not None:
        return ModbusClient(meter.host, meter.port, timeout_s=REPLY_S, min_interval_s=pause_s)
    assert meter.serial is not None, "the station's file was checked"
    timeout_s = REPLY_S + CHARACTERS * BITS / meter.baud
    return SerialClient(
        meter.serial, baud=meter.baud, parity=meter.parity, timeout_s=timeout_s, min_interval_s=pause_s
    )
