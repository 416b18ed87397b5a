"""The chips read round by round, as the board does it."""

import time
from collections.abc import Callable

import pytest
from i2c_bench import INA226, I2cBench, wiring
from i2c_chips import Circuit, Ina226Chip
from i2c_wires import I2cWires
from still_clock import StillClock

from modbus_link.clock import Clock
from rtu_firmware.pi.sensing import Sensed, Sensing
from rtu_firmware.pi.sensors import open_sensors


async def test_a_sensor_that_can_not_be_read_keeps_its_last_values_and_their_age(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = I2cBench(monkeypatch)
    meter, chip = bench.ina226()
    sensing = Sensing([meter], bench.clock)
    await sensing.round()
    good = sensing.samples[0]
    assert good.values.voltage_v == 12.0
    chip.powered = False
    for _ in range(3):
        bench.clock.advance(1)
        await sensing.round()
    assert (sensing.samples[0].at, sensing.samples[0].values) == (good.at, good.values)
    assert sensing.samples[0].trouble.startswith("INA226 at 0x40: no device")
    chip.powered = True
    chip.brown_out()
    await sensing.round()
    assert sensing.samples[0].trouble == ""
    assert sensing.samples[0].at > good.at


class Faulty:
    """A driver with a mistake that shows only now and then."""

    name = "meter"
    fails = False

    async def read(self) -> Sensed:
        if self.fails:
            raise TypeError("a mistake")
        return Sensed(voltage_v=12.0)

    def close(self) -> None: ...


async def test_a_mistake_in_a_driver_costs_its_values_and_not_all_that_are_to_come(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, meter = StillClock(), Faulty()
    sensing = Sensing([meter], clock)
    await sensing.round()
    good, meter.fails = sensing.samples[0], True
    for _ in range(100):
        clock.move_on(0.2)
        await sensing.round()
    assert (sensing.samples[0].at, sensing.samples[0].values) == (good.at, good.values)
    assert sensing.samples[0].trouble == "meter: TypeError('a mistake')"
    assert "Traceback" in caplog.text
    assert caplog.text.count("meter can't be read") <= 5
    meter.fails = False
    await sensing.round()
    assert (sensing.samples[0].at, sensing.samples[0].trouble) == (clock.now(), "")


def test_in_real_time_the_first_values_are_there_after_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    wires = I2cWires()
    wires.install(monkeypatch)
    chip = wires.chips[0x40] = Ina226Chip(Circuit(12.0, 4.0), INA226.shunt_ohm, time.monotonic)
    sensing = Sensing([open_sensors(wiring(INA226), 12.0, clock := Clock())[0]], clock)
    sensing.start()
    try:
        assert sensing.samples[0].values.voltage_v == 12.0
        chip.powered = False
        wait_until(lambda: bool(sensing.samples[0].trouble))
        chip.powered = True
        wait_until(lambda: not sensing.samples[0].trouble)
    finally:
        sensing.close()
    assert wires.open_files == 0


def wait_until(holds: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < ends_at
        time.sleep(0.01)
