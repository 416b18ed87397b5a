"""A station's meter that speaks Modbus: over a serial line, and over TCP."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from serial_meters import Pzem004t, Sdm120, plugged_in

from modbus_link.clock import Clock
from modbus_link.image import RegisterImage
from modbus_link.listen import Listen
from modbus_link.server import ModbusServer
from register_maps.register_map import load_map
from rtu_firmware.pi.modbus_meter import ModbusMeterSensor
from rtu_firmware.pi.sensing import Sensed, Sensing, Sensor, SensorError
from rtu_firmware.pi.wiring import ModbusMeter

MEASURED = Sensed(voltage_v=229.5, current_a=10.5, power_w=2400.5)


@pytest.fixture
def port(tmp_path: Path) -> Path:
    return tmp_path / "ttyUSB0"


@contextlib.contextmanager
def opened(sensor: Sensor) -> Iterator[Sensor]:
    try:
        yield sensor
    finally:
        sensor.close()


def on_line(port: Path, map_name: str, **changes: object) -> ModbusMeter:
    return ModbusMeter(chip="modbus", map=map_name, serial=str(port), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("make", "map_name"), [(Pzem004t, "pzem_004t"), (Sdm120, "eastron_sdm120")])
async def test_a_meter_on_a_line(port: Path, make: type, map_name: str) -> None:
    with plugged_in(make(port, unit=7)) as meter:
        meter.measure(voltage_v=229.5, current_a=10.5, power_w=2400.5)
        with opened(ModbusMeterSensor(on_line(port, map_name, unit=7))) as sensor:
            assert sensor.name == f"{map_name} unit 7 at {Path(port).name}"
            assert await sensor.read() == MEASURED
        assert len(meter.requests) == 1


async def test_what_it_can_t_say_is_told_with_its_name(port: Path) -> None:
    with plugged_in(Pzem004t(port)) as meter, opened(ModbusMeterSensor(on_line(port, "pzem_004t"))) as sensor:
        meter.unit = 2
        with pytest.raises(SensorError, match=r"^pzem_004t unit 1 at .*ttyUSB0: no reply within 0\.57 s$"):
            await sensor.read()
        meter.unit = 1
        assert (await sensor.read()).voltage_v == 230
    unplugged = ModbusMeterSensor(on_line(port, "pzem_004t"))
    with pytest.raises(SensorError, match=r"ttyUSB0: no such port: is the adapter plugged in"):
        await unplugged.read()


async def test_a_value_that_is_none(port: Path) -> None:
    with (
        plugged_in(Sdm120(port)) as meter,
        opened(ModbusMeterSensor(on_line(port, "eastron_sdm120"))) as sensor,
    ):
        meter.measure(voltage_v=230.0, current_a=float("nan"), power_w=0.0)
        with pytest.raises(SensorError, match=r"^eastron_sdm120 unit 1 at .*ttyUSB0: gives no current$"):
            await sensor.read()


def test_in_the_thread_that_senses(port: Path) -> None:
    """With its own event loop; unplugged, and back."""
    meter = Pzem004t(port)
    meter.plug_in()
    sensing = Sensing([ModbusMeterSensor(on_line(port, "pzem_004t"))], Clock(speed=20))
    sensing.start()
    assert sensing.samples[0].values.voltage_v == 230
    meter.pull_out()
    while not sensing.samples[0].trouble:
        time.sleep(0.001)
    with plugged_in(meter):
        while sensing.samples[0].trouble:
            time.sleep(0.001)
    sensing.close()
    assert sensing.samples[0].values.voltage_v == 230


@contextlib.asynccontextmanager
async def gateway(map_name: str, listen: Listen | None = None) -> AsyncIterator[tuple[RegisterImage, int]]:
    image = RegisterImage(load_map(map_name))
    server = ModbusServer(image, listen or Listen(port=0), name="gateway")
    await server.start()
    try:
        yield image, server.port
    finally:
        await server.stop()


async def test_a_meter_behind_a_gateway() -> None:
    async with gateway("pzem_004t") as (image, port):
        image.update({"voltage": 229.5, "current": 10.5, "power": 2400.5})
        behind = ModbusMeter(chip="modbus", map="pzem_004t", host="127.0.0.1", port=port)
        with opened(ModbusMeterSensor(behind)) as sensor:
            assert sensor.name == f"pzem_004t unit 1 at 127.0.0.1:{port}"
            assert await sensor.read() == MEASURED
    refusal = pytest.raises(SensorError, match=rf"127\.0\.0\.1:{port}: Connection refused$")
    with opened(ModbusMeterSensor(behind)) as sensor, refusal:
        await sensor.read()


async def test_a_gateway_that_refuses() -> None:
    """Ours lets nobody read an address that no point declares."""
    async with gateway("eastron_sdm120") as (_, port):
        behind = ModbusMeter(chip="modbus", map="eastron_sdm120", host="127.0.0.1", port=port)
        refusal = pytest.raises(SensorError, match=r"exception 0x02, illegal data address$")
        with opened(ModbusMeterSensor(behind)) as sensor, refusal:
            await sensor.read()


def test_behind_a_gateway_in_the_thread_that_senses() -> None:
    """It ends without a connection left open."""

    async def sense() -> Sensed:
        async with gateway("pzem_004t") as (image, port):
            image.update({"voltage": 229.5, "current": 10.5, "power": 2400.5})
            meter = ModbusMeter(chip="modbus", map="pzem_004t", host="127.0.0.1", port=port)
            sensing = Sensing([ModbusMeterSensor(meter)], Clock())
            await asyncio.to_thread(sensing.start)
            await asyncio.to_thread(sensing.close)
            return sensing.samples[0].values

    assert asyncio.run(sense()) == MEASURED


async def test_a_map_of_one_s_own(port: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "{name: mine, version: 1, about: A meter., source: this test, min_interval_ms: 20, points: {"
        "voltage: {table: input_register, address: 0, type: uint16, scale: 0.1, about: V},"
        "current: {table: input_register, address: 1, type: uint16, scale: 0.001, about: A},"
        "power: {table: input_register, address: 3, type: uint16, scale: 0.1, about: W}}}"
    )
    with plugged_in(Pzem004t(port)) as meter, opened(ModbusMeterSensor(on_line(port, str(path)))) as sensor:
        assert await sensor.read() == Sensed(voltage_v=230, current_a=0, power_w=0)
        assert sensor.name.startswith("mine unit 1")
        assert len(meter.requests) == 2
