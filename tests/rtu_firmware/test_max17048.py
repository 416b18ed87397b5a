"""The fuel gauge MAX17048: its driver on the real smbus2, at a register-level double of the chip."""

import errno

import pytest
from i2c_bench import INA226, I2cBench, wiring
from i2c_chips import Ina226Chip, StrangeChip
from i2c_gauge import Max17048Chip

from rtu_firmware.pi.sensing import Sensed, Sensor
from rtu_firmware.pi.sensors import open_sensors
from rtu_firmware.pi.wiring import Gauge

FIRST_ROUNDS = 7
"""The first estimate comes after a second."""


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> I2cBench:
    return I2cBench(monkeypatch)


@pytest.fixture
async def gauge(bench: I2cBench) -> tuple[Sensor, Max17048Chip]:
    sensor, chip = bench.gauge()
    for _ in range(FIRST_ROUNDS):
        await bench.round(sensor)
    return sensor, chip


@pytest.mark.parametrize(
    ("percent", "shown"), [(0.0, 0.0), (37.5, 37.5), (99.99, 99.98828125), (100.0, 100.0), (104.0, 100.0)]
)
async def test_the_state_of_charge(
    bench: I2cBench, gauge: tuple[Sensor, Max17048Chip], percent: float, shown: float
) -> None:
    bench.cell.state_of_charge_pct = percent
    assert await bench.values(gauge[0]) == Sensed(state_of_charge_pct=shown)


@pytest.mark.parametrize(
    ("percent", "volts", "words"),
    [
        (106.0, 4.1, "no battery has 106 %"),
        (50.0, 0.0, "no cell has 0.00 V"),
        (50.0, 2.4, "no cell has 2.40 V"),
        (50.0, 5.1, "no cell has 5.10 V"),
    ],
)
async def test_what_can_not_be_is_no_value(
    bench: I2cBench, gauge: tuple[Sensor, Max17048Chip], percent: float, volts: float, words: str
) -> None:
    bench.cell.state_of_charge_pct, bench.cell.voltage_v = percent, volts
    assert words in await bench.trouble(gauge[0])


async def test_after_power_up_there_is_no_value_for_a_second(bench: I2cBench) -> None:
    """Its registers read 0 until then."""
    sensor, chip = bench.gauge()
    found = [await bench.round(sensor) for _ in range(FIRST_ROUNDS)]
    assert ["powered up just now" in str(f) for f in found] == [True] * 5 + [False] * 2
    assert [f for f in found if isinstance(f, Sensed)] == [Sensed(state_of_charge_pct=50.0)] * 2
    chip.brown_out()
    assert "powered up just now" in await bench.trouble(sensor)
    chip.brown_out()
    found = [await bench.round(sensor) for _ in range(FIRST_ROUNDS)]
    assert {f.state_of_charge_pct for f in found if isinstance(f, Sensed)} == {50.0}


async def test_one_whose_reset_flag_stays_is_used_all_the_same(
    bench: I2cBench, gauge: tuple[Sensor, Max17048Chip]
) -> None:
    sensor, chip = gauge
    chip.WRITABLE = frozenset()  # type: ignore[misc]
    chip.registers[0x1A] = 0x0100
    for _ in range(FIRST_ROUNDS):
        await bench.round(sensor)
    assert (await bench.values(sensor)).state_of_charge_pct == 50.0


async def test_one_that_was_unplugged_is_used_again(
    bench: I2cBench, gauge: tuple[Sensor, Max17048Chip]
) -> None:
    sensor, chip = gauge
    chip.powered = False
    assert await bench.trouble(sensor) == (
        "MAX17048 at 0x36: no device: check its wires and address pins (/dev/i2c-1)"
    )
    chip.powered = True
    assert (await bench.values(sensor)).state_of_charge_pct == 50.0


@pytest.mark.parametrize(
    ("word", "words"), [(0xFFFF, "reads all ones"), (0x0000, "another chip"), (0x2260, "another chip")]
)
async def test_another_chip_at_the_address(bench: I2cBench, word: int, words: str) -> None:
    sensor, _ = bench.gauge()
    bench.wires.chips[0x36] = StrangeChip(word)
    assert words in await bench.trouble(sensor)


async def test_a_glitch_costs_one_round(bench: I2cBench, gauge: tuple[Sensor, Max17048Chip]) -> None:
    for transfer in range(4):
        bench.wires.errors.extend([0] * transfer + [errno.EREMOTEIO])
        assert "no device" in await bench.trouble(gauge[0])
        await bench.values(gauge[0])


async def test_all_ones_at_any_register_are_no_value(
    bench: I2cBench, gauge: tuple[Sensor, Max17048Chip]
) -> None:
    sensor, chip = gauge
    fetch = chip.fetch
    for register in (0x02, 0x04, 0x08, 0x1A):
        chip.fetch = lambda n, broken=register: 0xFFFF if n == broken else fetch(n)  # type: ignore[method-assign, misc]
        await bench.trouble(sensor)


async def test_a_meter_and_a_gauge_share_a_bus(bench: I2cBench) -> None:
    _, _ = bench.gauge()
    bench.wires.chips[0x40] = Ina226Chip(bench.circuit, INA226.shunt_ohm, bench.clock.now)
    meter, gauge = open_sensors(wiring(INA226, Gauge(gauge="max17048")), 12.0, clock=bench.clock)
    assert gauge
    for _ in range(FIRST_ROUNDS):
        await bench.values(meter)
        await bench.round(gauge)
    assert (await bench.values(gauge)).state_of_charge_pct == 50.0
    assert bench.wires.open_files == 1
    meter.close()
    gauge.close()
    assert bench.wires.open_files == 0
