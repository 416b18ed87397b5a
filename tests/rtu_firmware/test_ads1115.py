"""The converter ADS1115: its driver on the real smbus2, at a register-level double of the chip."""

import errno
import math
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from i2c_bench import ROUND_S, I2cBench
from i2c_chips import StrangeChip
from i2c_converter import Ads1115Chip, Signal, mains, steady

from rtu_firmware.pi.sensing import Sensor
from rtu_firmware.pi.wiring import Ads1115, CurrentInput, VoltageInput

# 12 V by a divider of 1 to 10, and a Hall sensor with 0.1 V/A about 1.65 V.
DC = Ads1115(
    chip="ads1115",
    measures="dc",
    voltage=VoltageInput(channel=0, volts_per_volt=10),
    current=CurrentInput(channel=2, amperes_per_volt=10, zero_v=1.65),
)
# 230 V by a transformer module with 0.6 V, and a current transformer with 30 A at 1 V.
AC = Ads1115(
    chip="ads1115",
    measures="ac",
    voltage=VoltageInput(channel=1, volts_per_volt=230 / 0.6),
    current=CurrentInput(channel=3, amperes_per_volt=30),
)
OTHERS = steady(0.9)


def at_dc(volts: float, amperes: float) -> list[Signal]:
    return [steady(volts / 10), OTHERS, steady(1.65 + amperes / 10), OTHERS]


def at_ac(volts: float, amperes: float, hertz: float = 50.0) -> list[Signal]:
    return [OTHERS, mains(volts * 0.6 / 230, hertz=hertz), OTHERS, mains(amperes / 30, hertz=hertz)]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> I2cBench:
    return I2cBench(monkeypatch)


@pytest.fixture(params=["dc", "ac"])
def meter(request: pytest.FixtureRequest, bench: I2cBench) -> tuple[Sensor, Ads1115Chip]:
    return bench.ads1115(DC, at_dc(12, 5)) if request.param == "dc" else bench.ads1115(AC, at_ac(230, 5))


async def test_direct_current(bench: I2cBench) -> None:
    sensor, chip = bench.ads1115(DC, at_dc(12, 5))
    sensed = await bench.values(sensor)
    assert sensed.voltage_v == pytest.approx(12.0, rel=1e-3)
    assert sensed.current_a == pytest.approx(5.0, rel=2e-3)
    assert sensed.power_w == pytest.approx(60.0, rel=3e-3)
    chip.inputs = at_dc(12, -5)
    assert (await bench.values(sensor)).power_w == pytest.approx(-60.0, rel=3e-3)


@pytest.mark.parametrize("hertz", [49.5, 50.0, 50.5, 60.0])
async def test_mains(bench: I2cBench, hertz: float) -> None:
    """The converter takes the mean of 1.2 ms, by which 50 Hz lose half a percent."""
    sensor, _ = bench.ads1115(AC, at_ac(230, 5, hertz))
    sensed = await bench.values(sensor)
    assert sensed.voltage_v == pytest.approx(230.0, rel=0.015)
    assert sensed.current_a == pytest.approx(5.0, rel=0.015)
    assert sensed.power_w == pytest.approx(1150, rel=0.03)


async def test_power_that_is_not_in_phase_counts_in_full(bench: I2cBench) -> None:
    sensor, chip = bench.ads1115(AC, at_ac(230, 5))
    late = chip.inputs[3]
    chip.inputs[3] = lambda now: late(now - 0.004)
    assert (await bench.values(sensor)).power_w == pytest.approx(1150, rel=0.03)


async def test_a_rectifiers_ripple_is_averaged(bench: I2cBench) -> None:
    sensor, chip = bench.ads1115(DC, at_dc(12, 5))
    chip.inputs[0] = lambda now: 1.2 + 0.2 * math.sin(2 * math.pi * 100 * now)
    for _ in range(10):
        assert (await bench.values(sensor)).voltage_v == pytest.approx(12.0, rel=0.03)


async def test_a_round_takes_less_than_a_third_of_a_second(
    bench: I2cBench, meter: tuple[Sensor, Ads1115Chip]
) -> None:
    began_at = bench.clock.now()
    await bench.values(meter[0])
    assert bench.clock.now() - began_at < 0.3


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(volts=st.floats(0.0, 32.0), amperes=st.floats(-16.0, 16.0))
async def test_the_range_follows_the_value(
    monkeypatch: pytest.MonkeyPatch, volts: float, amperes: float
) -> None:
    """To half a step of a range that is at most four times too wide."""
    bench = I2cBench(monkeypatch)
    sensed = await bench.values(bench.ads1115(DC, at_dc(volts, amperes))[0])
    assert sensed.voltage_v == pytest.approx(volts, abs=10 * _half_step_v(volts / 10))
    assert sensed.current_a == pytest.approx(amperes, abs=10 * _half_step_v(1.65 + amperes / 10))


def _half_step_v(seen_v: float) -> float:
    return max(0.256, 4.1 * abs(seen_v)) / 2**16


async def test_a_brown_out_costs_one_round(bench: I2cBench, meter: tuple[Sensor, Ads1115Chip]) -> None:
    sensor, chip = meter
    before = await bench.values(sensor)
    bench.wires.errors.clear()
    real, countdown = bench.wires.transfer, [4]

    def transfer(address: int, writes: bytes, reads: int = 0) -> bytes:
        countdown[0] -= 1
        if countdown[0] == 0:
            chip.brown_out()
        return real(address, writes, reads)

    bench.wires.transfer = transfer  # type: ignore[method-assign]
    assert "settings lost" in await bench.trouble(sensor)
    assert (await bench.values(sensor)).power_w == pytest.approx(before.power_w, rel=0.03)


async def test_a_brown_out_at_any_moment_gives_no_wrong_value(bench: I2cBench) -> None:
    sensor, chip = bench.ads1115(DC, at_dc(12, 5))
    real, countdown = bench.wires.transfer, [0]

    def transfer(address: int, writes: bytes, reads: int = 0) -> bytes:
        countdown[0] -= 1
        if countdown[0] == 0:
            chip.brown_out()
        return real(address, writes, reads)

    bench.wires.transfer = transfer  # type: ignore[method-assign]
    for moment in range(1, 24):
        countdown[0] = moment
        found = await bench.round(sensor)
        if not isinstance(found, str):
            assert found.voltage_v == pytest.approx(12.0, rel=1e-3), moment
            assert found.current_a == pytest.approx(5.0, rel=2e-3), moment
        countdown[0] = 0
        await bench.values(sensor)


async def test_one_that_was_unplugged_is_used_again(
    bench: I2cBench, meter: tuple[Sensor, Ads1115Chip]
) -> None:
    sensor, chip = meter
    await bench.values(sensor)
    chip.powered = False
    assert await bench.trouble(sensor) == (
        "ADS1115 at 0x48: no device: check its wires and address pins (/dev/i2c-1)"
    )
    chip.powered = True
    chip.brown_out()
    await bench.values(sensor)


async def test_a_glitch_costs_one_round(bench: I2cBench, meter: tuple[Sensor, Ads1115Chip]) -> None:
    bench.wires.errors.extend((0, 0, errno.EIO))
    assert "transfer disturbed" in await bench.trouble(meter[0])
    await bench.values(meter[0])


async def test_all_ones_are_no_value(bench: I2cBench, meter: tuple[Sensor, Ads1115Chip]) -> None:
    bench.wires.floating = True
    assert "reads all ones" in await bench.trouble(meter[0])


@pytest.mark.parametrize(
    ("word", "words"), [(0x0000, "does not finish converting"), (0x8583, "settings lost")]
)
async def test_another_chip_at_the_address(bench: I2cBench, word: int, words: str) -> None:
    sensor, _ = bench.ads1115(DC, at_dc(12, 5))
    bench.wires.chips[0x48] = StrangeChip(word)
    assert words in await bench.trouble(sensor)


async def test_an_input_beyond_its_range_is_no_value(bench: I2cBench) -> None:
    sensor, chip = bench.ads1115(DC, at_dc(12, 5))
    chip.supply_v = 6.5
    chip.inputs[0] = steady(6.3)
    assert "input 0 is beyond 6.144 V" in await bench.trouble(sensor)


async def test_a_value_that_jumps_past_its_range_is_no_value(bench: I2cBench) -> None:
    sensor, chip = bench.ads1115(DC, at_dc(12, 5))
    jumps_at = bench.clock.now() + 0.005
    chip.inputs[0] = lambda now: 0.1 if now < jumps_at else 1.2
    assert "input 0 is beyond 0.256 V" in await bench.trouble(sensor)
    assert (await bench.values(sensor)).voltage_v == pytest.approx(12.0, rel=1e-3)


async def test_an_offset_about_zero_is_zero_and_more_is_a_fault(bench: I2cBench) -> None:
    sensor, chip = bench.ads1115(DC, at_dc(0.0, 5))
    chip.inputs[0] = steady(-0.0001)
    assert (await bench.values(sensor)).voltage_v == 0.0
    chip.inputs[0] = steady(-0.05)
    assert "input 0 is below ground" in await bench.trouble(sensor)


@pytest.mark.parametrize("loose", [steady(0.0), steady(0.01), mains(0.8, bias_v=0.8)])
async def test_a_transformer_module_that_reaches_the_ground_is_a_fault(
    bench: I2cBench, loose: Signal
) -> None:
    """A loose wire would read as no current."""
    sensor, chip = bench.ads1115(AC, at_ac(230, 5))
    chip.inputs[3] = loose
    assert "input 3 reaches 0 V" in await bench.trouble(sensor)


async def test_no_current_is_no_fault(bench: I2cBench) -> None:
    sensor, _ = bench.ads1115(AC, at_ac(230, 0))
    sensed = await bench.values(sensor)
    assert sensed.current_a == pytest.approx(0.0, abs=0.01)


async def test_a_bus_too_slow_for_mains_is_a_fault(bench: I2cBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("i2c_wires.BIT_S", 1 / 10_000)
    sensor, _ = bench.ads1115(AC, at_ac(230, 5))
    assert "read too slowly" in await bench.trouble(sensor)


async def test_one_left_converting_by_another_program_is_taken_over(bench: I2cBench) -> None:
    sensor, chip = bench.ads1115(DC, at_dc(12, 5))
    chip.wrote(1, 0x4483)
    bench.clock.advance(ROUND_S)
    await bench.round(sensor)  # may meet the other program's last conversion
    assert (await bench.values(sensor)).voltage_v == pytest.approx(12.0, rel=1e-3)


async def test_both_kinds_at_other_addresses(bench: I2cBench) -> None:
    dc, _ = bench.ads1115(DC, at_dc(12, 5))
    ac, _ = bench.ads1115(replace(AC, address=0x49), at_ac(230, 5))
    for _ in range(2):
        assert (await bench.values(dc)).voltage_v == pytest.approx(12.0, rel=1e-3)
        assert (await bench.values(ac)).voltage_v == pytest.approx(230.0, rel=0.015)
