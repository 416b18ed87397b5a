"""INA226 and INA219: the drivers on the real smbus2, at register-level doubles of the chips."""

import errno
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from i2c_bench import INA219, INA226, ROUND_S, I2cBench
from i2c_chips import Circuit, Ina219Chip, Ina226Chip, StrangeChip

from rtu_firmware.pi.sensing import Sensor

KINDS = ("ina226", "ina219")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> I2cBench:
    return I2cBench(monkeypatch)


@pytest.fixture(params=KINDS)
def monitor(request: pytest.FixtureRequest, bench: I2cBench) -> tuple[Sensor, Ina226Chip | Ina219Chip]:
    return bench.ina226() if request.param == "ina226" else bench.ina219()


async def test_the_first_reading_has_the_values_already(
    bench: I2cBench, monitor: tuple[Sensor, object]
) -> None:
    sensed = await bench.values(monitor[0])
    assert sensed.voltage_v == pytest.approx(12.0, abs=0.004)
    assert sensed.current_a == pytest.approx(4.0, rel=1e-3)
    assert sensed.power_w == pytest.approx(48.0, rel=2e-3)
    assert sensed.state_of_charge_pct is None


async def test_a_reading_is_at_most_a_fifth_of_a_second_old(
    bench: I2cBench, monitor: tuple[Sensor, Ina226Chip | Ina219Chip]
) -> None:
    sensor, chip = monitor
    await bench.values(sensor)
    assert chip.conversion_s < ROUND_S / 2
    bench.circuit.current_a = 1.0
    bench.clock.advance(2 * chip.conversion_s)
    assert (await bench.values(sensor)).current_a == pytest.approx(1.0, rel=1e-2)


async def test_a_shunt_the_wrong_way_round_shows_as_negative_power(
    bench: I2cBench, monitor: tuple[Sensor, object]
) -> None:
    bench.circuit.current_a = -3.0
    sensed = await bench.values(monitor[0])
    assert sensed.current_a == pytest.approx(-3.0, rel=1e-3)
    assert sensed.power_w == pytest.approx(-36.0, rel=2e-3)


async def test_the_settings_are_written_once(bench: I2cBench, monitor: tuple[Sensor, object]) -> None:
    await bench.values(monitor[0])
    bench.wires.traffic.clear()
    for _ in range(10):
        await bench.values(monitor[0])
    assert not [data for _, way, data in bench.wires.traffic if way == "write" and len(data) > 1]


async def test_a_brown_out_costs_one_round_and_never_reads_as_no_current(
    bench: I2cBench, monitor: tuple[Sensor, Ina226Chip | Ina219Chip]
) -> None:
    sensor, chip = monitor
    await bench.values(sensor)
    chip.brown_out()
    bench.clock.advance(ROUND_S)
    assert "settings lost" in await bench.trouble(sensor)
    assert (await bench.values(sensor)).current_a == pytest.approx(4.0, rel=1e-3)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_brown_out_at_any_moment_of_a_reading_gives_no_wrong_value(
    bench: I2cBench, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Between any two transfers, also while it is being set up."""
    sensor, chip = bench.ina226() if kind == "ina226" else bench.ina219()
    real, countdown = bench.wires.transfer, [0]

    def transfer(address: int, writes: bytes, reads: int = 0) -> bytes:
        countdown[0] -= 1
        if countdown[0] == 0:
            chip.brown_out()
            bench.clock.advance(0.01)  # long enough for a conversion without calibration
        return real(address, writes, reads)

    monkeypatch.setattr(bench.wires, "transfer", transfer)
    for moment in range(1, 25):
        countdown[0] = moment
        for _ in range(3):
            found = await bench.round(sensor)
            if not isinstance(found, str):
                assert found.current_a == pytest.approx(4.0, rel=1e-3), moment
                assert found.voltage_v == pytest.approx(12.0, rel=1e-3), moment
        countdown[0] = 0
        await bench.values(sensor)


async def test_one_that_was_unplugged_is_used_again(
    bench: I2cBench, monitor: tuple[Sensor, Ina226Chip | Ina219Chip]
) -> None:
    sensor, chip = monitor
    await bench.values(sensor)
    chip.powered = False
    for _ in range(3):
        assert await bench.trouble(sensor) == (
            f"{sensor.name}: no device: check its wires and address pins (/dev/i2c-1)"
        )
    chip.powered = True
    chip.brown_out()
    assert (await bench.values(sensor)).power_w == pytest.approx(48.0, rel=2e-3)


async def test_a_glitch_costs_one_round(bench: I2cBench, monitor: tuple[Sensor, object]) -> None:
    await bench.values(monitor[0])
    bench.wires.errors.extend((0, errno.EIO))
    assert "transfer disturbed" in await bench.trouble(monitor[0])
    await bench.values(monitor[0])


async def test_a_stuck_bus_costs_one_wait_in_a_round(bench: I2cBench, monitor: tuple[Sensor, object]) -> None:
    await bench.values(monitor[0])
    bench.wires.stuck = True
    began_at = bench.clock.now()
    assert "the bus hangs" in await bench.trouble(monitor[0])
    assert bench.clock.now() - began_at < 1.1
    bench.wires.stuck = False
    await bench.values(monitor[0])


async def test_all_ones_are_no_value(bench: I2cBench, monitor: tuple[Sensor, object]) -> None:
    await bench.values(monitor[0])
    bench.wires.floating = True
    for _ in range(2):
        assert "reads all ones" in await bench.trouble(monitor[0])
    bench.wires.floating = False
    await bench.values(monitor[0])


@pytest.mark.parametrize(
    ("meter", "word", "words"),
    [
        (INA226, 0x0000, "another chip is there: it says 0000 0000"),
        (INA226, 0x5449, "another chip is there: it says 5449 5449"),
        (INA226, 0xFFFF, "reads all ones"),
        (INA219, 0x0000, "gives no new values"),
        (INA219, 0x0002, "settings lost: weak supply, or another chip"),
        (INA219, 0xFFFF, "reads all ones"),
        (INA219, 0xFFFE, "its voltage can't be"),
    ],
)
async def test_another_chip_at_the_address(bench: I2cBench, meter: object, word: int, words: str) -> None:
    sensor, _ = bench.ina226() if meter is INA226 else bench.ina219()
    bench.wires.chips[0x40] = StrangeChip(word)
    assert words in await bench.trouble(sensor)


async def test_an_ina219_in_place_of_an_ina226_is_found_out(bench: I2cBench) -> None:
    sensor, _ = bench.ina226()
    bench.wires.chips[0x40] = Ina219Chip(bench.circuit, 0.002, bench.clock.now)
    assert "another chip" in await bench.trouble(sensor)


async def test_a_bus_voltage_with_its_top_bit_set_is_no_value(bench: I2cBench) -> None:
    """SBOS547 p. 20: that bit is always zero."""
    sensor, chip = bench.ina226()
    fetch = chip.fetch
    chip.fetch = lambda n: 0x8000 if n == chip.BUS else fetch(n)  # type: ignore[method-assign]
    assert "its voltage can't be" in await bench.trouble(sensor)


async def test_any_revision_of_the_ina226_will_do(bench: I2cBench) -> None:
    sensor, chip = bench.ina226()
    chip.registers[0xFF] = 0x2261
    await bench.values(sensor)


@pytest.mark.parametrize("share", [0.999, 1.0, 1.2, 3.0, -1.0, -3.0])
async def test_what_is_beyond_the_range_is_no_value(
    bench: I2cBench, monitor: tuple[Sensor, object], share: float
) -> None:
    """The values are cut off there, and would tell a smaller overload."""
    most_a = {"INA226": INA226, "INA219": INA219}[monitor[0].name[:6]].max_current_a
    bench.circuit.current_a = share * most_a
    assert "overload" in await bench.trouble(monitor[0])
    bench.circuit.current_a = 0.99 * most_a
    bench.clock.advance(ROUND_S)
    assert (await bench.values(monitor[0])).current_a == pytest.approx(0.99 * most_a, rel=1e-3)


@pytest.mark.parametrize("drop_v", [0.08192, 0.08191, 0.0800, 0.01, 0.001])
async def test_the_most_that_an_ina226_can_measure_is_beyond_its_range(
    bench: I2cBench, drop_v: float
) -> None:
    meter = replace(INA226, shunt_ohm=0.002, max_current_a=drop_v / 0.002)
    sensor, _ = bench.ina226(meter)
    bench.circuit.current_a = 10 * meter.max_current_a
    assert "overload" in await bench.trouble(sensor)


@pytest.mark.parametrize("drop_v", [0.32, 0.3, 0.16, 0.159, 0.08, 0.04, 0.01])
async def test_the_most_that_an_ina219_can_measure_is_beyond_its_range(
    bench: I2cBench, drop_v: float
) -> None:
    meter = replace(INA219, shunt_ohm=0.1, max_current_a=drop_v / 0.1)
    sensor, _ = bench.ina219(meter)
    bench.circuit.current_a = 10 * meter.max_current_a
    assert "overload" in await bench.trouble(sensor)


@pytest.mark.parametrize(("nominal_v", "volts"), [(5.0, 5.2), (8.0, 15.9), (12.0, 25.9), (24.0, 25.9)])
async def test_the_range_of_the_bus_of_an_ina219(bench: I2cBench, nominal_v: float, volts: float) -> None:
    sensor, _ = bench.ina219(volts=nominal_v)
    bench.circuit.voltage_v = volts
    assert (await bench.values(sensor)).voltage_v == pytest.approx(volts, abs=0.004)


async def test_a_chip_that_converts_no_more_gives_no_value(
    bench: I2cBench, monitor: tuple[Sensor, Ina226Chip | Ina219Chip]
) -> None:
    sensor, chip = monitor
    await bench.values(sensor)
    chip._ready_at = float("inf")
    found = [await bench.round(sensor) for _ in range(2)]  # what was converted before is new once
    assert [text for text in found if isinstance(text, str) and "gives no new values" in text]
    await bench.values(sensor)


async def test_two_chips_on_one_bus(bench: I2cBench) -> None:
    first, _ = bench.ina226()
    other = replace(INA226, address=0x41)
    second = bench.with_meter(other, Ina226Chip(Circuit(5.0, 1.0), other.shunt_ohm, bench.clock.now))
    for _ in range(3):
        assert (await bench.values(first)).voltage_v == pytest.approx(12.0, abs=0.01)
        assert (await bench.values(second)).voltage_v == pytest.approx(5.0, abs=0.01)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drop_v=st.floats(0.005, 0.0819),
    shunt_ohm=st.floats(0.0005, 0.1),
    share=st.floats(-0.99, 0.99),
    volts=st.floats(0.0, 36.0),
)
async def test_an_ina226_measures_what_flows(
    monkeypatch: pytest.MonkeyPatch, drop_v: float, shunt_ohm: float, share: float, volts: float
) -> None:
    """Within the steps of its registers: 2.5 µV at the shunt, 1.25 mV at the bus, 25 current steps."""
    bench = I2cBench(monkeypatch)
    most_a = drop_v / shunt_ohm
    sensor, _ = bench.ina226(replace(INA226, shunt_ohm=shunt_ohm, max_current_a=most_a))
    bench.circuit.voltage_v, bench.circuit.current_a = volts, share * most_a
    sensed = await bench.values(sensor)
    assert sensed.voltage_v is not None
    assert sensed.current_a is not None
    step_a = 2.5e-6 / shunt_ohm + most_a / 2**15
    assert sensed.voltage_v == pytest.approx(volts, abs=1.3e-3)
    assert sensed.current_a == pytest.approx(share * most_a, abs=2 * step_a)
    assert sensed.power_w == pytest.approx(sensed.voltage_v * sensed.current_a, abs=30 * most_a / 2**15)
