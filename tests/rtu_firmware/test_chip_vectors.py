"""The figures of the datasheets, at the drivers and at the doubles of the chips.

SBOS547: INA226, June 2011. SBOS448F: INA219, September 2011. SBAS444E: ADS1113/4/5, December 2024.
SBAA565: TI's application note on I²C, November 2022. 19-6171: MAX17048, rev. 7.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from i2c_chips import Circuit, Ina219Chip, Ina226Chip, RegisterChip
from i2c_converter import Ads1115Chip, steady
from i2c_gauge import Cell, Max17048Chip

from modbus_link.clock import VirtualClock
from rtu_firmware.pi import ads1115, ina219, ina226, max17048
from rtu_firmware.pi.chip import signed

RANGE = {r.full_scale_v: r for r in ads1115.RANGES}
AT_20_A, AT_2_MOHM = 20.0, 0.002


@pytest.mark.parametrize(
    ("source", "raw", "meaning", "convert"),
    [
        ("SBOS547 p. 16 table 1: bus 12 V", 0x2570, 11.98, lambda raw: raw * ina226.BUS_LSB_V),
        ("SBOS547 p. 16 table 1: current", 0x2710, 10.0, lambda raw: signed(raw) * 1e-3),
        ("SBOS547 p. 16 table 1: power", 0x12B8, 119.8, lambda raw: raw * ina226.POWER_LSBS * 1e-3),
        ("SBOS547 p. 20: two's complement", 0x8300, -0.08, lambda raw: signed(raw) * 2.5e-6),
        ("SBOS547 p. 20: full scale", 0x7FFF, 40.96, lambda raw: (raw + 1) * ina226.BUS_LSB_V),
        ("SBOS448F p. 24 table 3: bus 12 V", 0x5D98, 11.98, lambda raw: (raw >> 3) * ina219.BUS_LSB_V),
        ("SBOS448F p. 24 table 3: current", 0x2710, 10.0, lambda raw: signed(raw) * 1e-3),
        ("SBOS448F p. 24 table 3: power", 0x1766, 119.8, lambda raw: raw * ina219.POWER_LSBS * 1e-3),
        ("SBOS448F p. 30: full scale", 8000 << 3, 32.0, lambda raw: (raw >> 3) * ina219.BUS_LSB_V),
        ("SBAA565 4.2.3: full scale", 0x7FFF, 6.144, lambda raw: ads1115.volts(raw + 1, RANGE[6.144])),
        ("SBAA565 4.2.3: full scale", 0x8000, -2.048, lambda raw: ads1115.volts(signed(raw), RANGE[2.048])),
        ("SBAS444E, PGA: LSB size", 1, 187.5e-6, lambda raw: ads1115.volts(raw, RANGE[6.144])),
        ("SBAS444E, PGA: LSB size", 1, 125e-6, lambda raw: ads1115.volts(raw, RANGE[4.096])),
        ("SBAS444E, PGA: LSB size", 1, 62.5e-6, lambda raw: ads1115.volts(raw, RANGE[2.048])),
        ("SBAS444E, PGA: LSB size", 1, 31.25e-6, lambda raw: ads1115.volts(raw, RANGE[1.024])),
        ("SBAS444E, PGA: LSB size", 1, 15.625e-6, lambda raw: ads1115.volts(raw, RANGE[0.512])),
        ("SBAS444E, PGA: LSB size", 1, 7.8125e-6, lambda raw: ads1115.volts(raw, RANGE[0.256])),
        ("19-6171 table 2: VCELL LSb", 1, 78.125e-6, max17048.cell_v),
        ("19-6171 table 2: SOC LSb", 1, 1 / 256, max17048.state_of_charge_pct),
    ],
)
def test_what_a_register_means(
    source: str, raw: int, meaning: float, convert: Callable[[int], float]
) -> None:
    assert convert(raw) == pytest.approx(meaning, rel=1e-3), source


@pytest.mark.parametrize(
    ("source", "found", "word"),
    [
        # 1 mA a bit, as in both examples, is full at 32.768 A.
        ("SBOS547 p. 16 table 1: calibration", ina226.calibration(0.002, 32.768), 0x0A00),
        ("SBOS448F p. 24 table 3: calibration", ina219.calibration(0.002, 32.768), 0x5000),
        ("SBOS547 p. 17 table 2: maker", ina226.TEXAS_INSTRUMENTS, 0x5449),
        ("SBOS547 p. 17 table 2: die", ina226.INA226, 0x2260),
        # Averages 010, times 100 and 100, mode 111; bit 14 is set at power-up.
        ("SBOS547 p. 18 and 19, tables 3 to 6", ina226.SETTINGS, 0b0100_010_100_100_111),
        # The example's ranges: 40 mV and 16 V; ADC settings 1101, mode 111.
        (
            "SBOS448F p. 26 and 27, tables 5 to 7",
            ina219.configuration(0.002, 20, 16),
            0b00_0_00_1101_1101_111,
        ),
        ("SBOS448F p. 26, table 5: 80 mV", ina219.configuration(0.002, 20.1, 16), 0b00_0_01_1101_1101_111),
        ("SBOS448F p. 26, table 5: 160 mV", ina219.configuration(0.1, 1.6, 16), 0b00_0_10_1101_1101_111),
        ("SBOS448F p. 26, table 5: 320 mV", ina219.configuration(0.1, 1.61, 16), 0b00_0_11_1101_1101_111),
        ("SBOS448F p. 26, BRNG: 32 V", ina219.configuration(0.1, 3.2, 24), 0b00_1_11_1101_1101_111),
        (
            "SBAS444E, Config register: AIN2 to ground, 6.144 V, single shot, 860 SPS, no comparator",
            ads1115.configuration(2, RANGE[6.144], ads1115.FAST, ads1115.SINGLE_SHOT) | ads1115.START,
            0b1_110_000_1_111_0_0_0_11,
        ),
        (
            "SBAS444E, Config register: AIN0 to ground, 0.256 V, continuous, 32 SPS, no comparator",
            ads1115.configuration(0, RANGE[0.256], ads1115.SLOW, 0),
            0b0_100_101_0_010_0_0_0_11,
        ),
        ("19-6171 table 2: VERSION 0x001_", max17048.MAX17048, 0x0010),
        ("19-6171 table 2: STATUS 0x01__", max17048.WAS_RESET, 0x0100),
    ],
)
def test_what_is_written_or_expected(source: str, found: int, word: int) -> None:
    assert f"{found:016b}" == f"{word:016b}", source


def registers(chip: RegisterChip, *numbers: int) -> list[int]:
    return [chip.fetch(number) for number in numbers]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))


def test_the_double_of_the_ina226_works_out_the_example(clock: VirtualClock) -> None:
    """SBOS547 p. 16 table 1."""
    chip = Ina226Chip(Circuit(voltage_v=11.98, current_a=10.0), 0.002, clock.now)
    chip.wrote(5, 0x0A00)
    chip.wrote(0, 0x4127)
    clock.advance(1)
    assert registers(chip, 1, 2, 4, 3) == [0x1F40, 0x2570, 0x2710, 0x12B8]


def test_the_double_of_the_ina219_works_out_the_example(clock: VirtualClock) -> None:
    """SBOS448F p. 24 table 3; there the bus register has neither flag."""
    chip = Ina219Chip(Circuit(voltage_v=11.98, current_a=10.0), 0.002, clock.now)
    chip.wrote(5, 0x5000)
    chip.wrote(0, 0x019F)
    clock.advance(1)
    assert registers(chip, 1, 4, 3) == [0x07D0, 0x2710, 0x1766]
    assert chip.fetch(2) & ~3 == 0x5D98


@pytest.mark.parametrize(
    ("source", "chip", "reset"),
    [
        ("SBOS547 p. 17 table 2", Ina226Chip, {0: 0x4127, 5: 0, 6: 0, 7: 0, 0xFE: 0x5449, 0xFF: 0x2260}),
        ("SBOS448F p. 25 table 4", Ina219Chip, {0: 0x399F, 3: 0, 4: 0, 5: 0}),
    ],
)
def test_power_up_values_of_the_power_monitors(
    source: str, chip: type[Ina226Chip | Ina219Chip], reset: dict[int, int], clock: VirtualClock
) -> None:
    assert registers(chip(Circuit(), 0.002, clock.now), *reset) == [*reset.values()], source


def test_power_up_values_of_the_converter_and_the_gauge(clock: VirtualClock) -> None:
    """SBAS444E, Config register; 19-6171 table 2."""
    assert Ads1115Chip([steady(0)] * 4, clock.now).fetch(1) == 0x8583
    gauge = Max17048Chip(Cell(), clock.now)
    assert registers(gauge, 0x0A, 0x0C, 0x14) == [0x8030, 0x971C, 0x00FF]
    assert gauge.fetch(0x08) & 0xFFF0 == 0x0010
    assert gauge.fetch(0x1A) >> 8 == 0x01


# Whatever shunt and range the file may name, a rounded calibration is within its register, and what it
# makes of the range is not less than what was asked for by more than its rounding.
shunts = st.floats(1e-4, 1.0)


@settings(deadline=None)
@given(shunts, st.floats(0.001, 0.08192))
def test_any_calibration_of_the_ina226_reaches_the_most_current(shunt_ohm: float, drop_v: float) -> None:
    most_a = drop_v / shunt_ohm
    word = ina226.calibration(shunt_ohm, most_a)
    assert 2047 < word <= 0x7FFF
    assert ina226.current_lsb_a(word, shunt_ohm) * 2**15 >= most_a * (1 - 0.5 / word - 1e-9)


@settings(deadline=None)
@given(shunts, st.floats(0.001, 0.32))
def test_any_calibration_of_the_ina219_reaches_the_most_current(shunt_ohm: float, drop_v: float) -> None:
    most_a = drop_v / shunt_ohm
    word = ina219.calibration(shunt_ohm, most_a)
    assert word % 2 == 0
    assert 4192 <= word <= 0xFFFE
    assert ina219.current_lsb_a(word, shunt_ohm) * 2**15 >= most_a * (1 - 1 / word - 1e-9)


@settings(deadline=None)
@given(st.floats(-3.0, 3.07))
def test_a_range_holds_twice_what_was_seen(seen_v: float) -> None:
    found = ads1115.range_for(seen_v)
    assert 2 * abs(seen_v) <= found.full_scale_v
    assert found is ads1115.RANGES[-1] or 2 * abs(seen_v) > ads1115.RANGES[found.bits + 1].full_scale_v


@settings(deadline=None)
@given(st.floats(0.1, 3.0), st.floats(-1.0, 1.0), st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=99))
def test_an_effective_value_knows_no_bias_and_is_linear(
    factor: float, bias_v: float, samples: list[float]
) -> None:
    moved = ads1115.effective([factor * sample + bias_v for sample in samples])
    assert moved == pytest.approx(factor * ads1115.effective(samples), abs=1e-9)
