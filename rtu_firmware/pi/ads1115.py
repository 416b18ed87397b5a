"""The converter ADS1115, after its datasheet SBAS444, behind a divider and a Hall sensor, or behind
transformer modules."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rtu_firmware.pi.chip import Chip, signed
from rtu_firmware.pi.sensing import Sensed
from rtu_firmware.pi.wiring import Ads1115

CONVERSION, CONFIGURATION = 0x00, 0x01
START, IDLE = 0x8000, 0x8000
"""The same bit: written, it begins a single conversion; read, it says that none is going on."""
SINGLE_SHOT = 0x0100
NO_COMPARATOR = 0x0003
TO_GROUND = 0b100
CLIPPED = (0x7FFF, -0x8000)
BELOW_GROUND_V = -0.01
"""An offset reaches some codes below zero; nothing real is so far below."""
HEADROOM = 2.0
"""Of a range above what a quick look has seen."""
LOOKS = 6
WINDOW_S = 0.1
"""Five cycles of 50 Hz, six of 60 Hz."""
FEWEST_SAMPLES = 40
NO_BIAS_V = 0.02
"""A transformer module swings about half its supply; one that reaches the ground is loose, or cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    bits: int
    full_scale_v: float


RANGES = tuple(
    Range(bits=n, full_scale_v=volts) for n, volts in enumerate((6.144, 4.096, 2.048, 1.024, 0.512, 0.256))
)
WIDEST = RANGES[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    bits: int
    hertz: float


SLOW, FAST = Rate(bits=2, hertz=32), Rate(bits=7, hertz=860)
"""A slow conversion is a mean over 31 ms, which takes the ripple of a rectifier off."""


def configuration(channel: int, scale: Range, rate: Rate, mode: int) -> int:
    """An input against ground."""
    return (TO_GROUND | channel) << 12 | scale.bits << 9 | mode | rate.bits << 5 | NO_COMPARATOR


def volts(code: int, scale: Range) -> float:
    return code * scale.full_scale_v / 2**15


def range_for(seen_v: float) -> Range:
    """The finest that holds it with headroom."""
    return next((r for r in reversed(RANGES) if abs(seen_v) * HEADROOM <= r.full_scale_v), WIDEST)


def effective(samples: Sequence[float]) -> float:
    """About their mean."""
    mean = math.fsum(samples) / len(samples)
    return math.sqrt(math.fsum((sample - mean) ** 2 for sample in samples) / len(samples))


class Ads1115Meter:
    def __init__(self, chip: Chip, wiring: Ads1115) -> None:
        self.name = chip.name
        self._chip = chip
        self._wiring = wiring

    async def read(self) -> Sensed:
        """All of its settings go with each conversion, and are read back after it."""
        voltage, current = self._wiring.voltage, self._wiring.current
        if self._wiring.measures == "ac":
            voltage_v = await self._effective_v(voltage.channel) * voltage.volts_per_volt
            current_a = await self._effective_v(current.channel) * current.amperes_per_volt
        else:
            seen_v = await self._steady_v(voltage.channel)
            voltage_v = (seen_v - voltage.zero_v) * voltage.volts_per_volt
            seen_v = await self._steady_v(current.channel)
            current_a = (seen_v - current.zero_v) * current.amperes_per_volt
        return Sensed(voltage_v=voltage_v, current_a=current_a, power_w=voltage_v * current_a)

    def close(self) -> None:
        self._chip.close()

    async def _steady_v(self, channel: int) -> float:
        """A quick look finds the range."""
        seen_v = await self._single_v(channel, WIDEST, FAST)
        seen_v = await self._single_v(channel, range_for(seen_v), SLOW)
        if seen_v < BELOW_GROUND_V:
            raise self._chip.fault(f"input {channel} is below ground")
        return max(seen_v, 0.0)

    async def _single_v(self, channel: int, scale: Range, rate: Rate) -> float:
        config = configuration(channel, scale, rate, SINGLE_SHOT)
        self._chip.write(CONFIGURATION, config | START)
        await self._wait_until_idle(1 / rate.hertz)
        seen_v = self._converted_v(channel, scale)
        self._chip.check({CONFIGURATION: config | IDLE})
        return seen_v

    async def _wait_until_idle(self, conversion_s: float) -> None:
        """Its clock may be 10 % slow."""
        await self._chip.wait(conversion_s)
        for _ in range(LOOKS):
            if self._chip.read_flags(CONFIGURATION) & IDLE:
                return
            await self._chip.wait(conversion_s / 10)
        raise self._chip.fault("does not finish converting")

    async def _effective_v(self, channel: int) -> float:
        """In the widest range: a signal that grows within the window must not be cut off."""
        config = configuration(channel, WIDEST, FAST, mode=0)
        self._chip.write(CONFIGURATION, config)
        await self._chip.wait(3 / FAST.hertz)  # the conversion going on is the other input's
        samples = await self._samples_v(channel)
        self._chip.check({CONFIGURATION: config}, without=IDLE)
        if len(samples) < FEWEST_SAMPLES:
            raise self._chip.fault(f"read too slowly, {len(samples)} times in {WINDOW_S:g} s")
        if min(samples) < NO_BIAS_V:
            raise self._chip.fault(f"input {channel} reaches 0 V: loose, or cut off")
        return effective(samples)

    async def _samples_v(self, channel: int) -> list[float]:
        """As they come, for a whole number of cycles."""
        clock, samples = self._chip.clock, list[float]()
        next_at = clock.now()
        ends_at = next_at + WINDOW_S
        while clock.now() < ends_at:
            samples.append(self._converted_v(channel, WIDEST))
            next_at = max(next_at + 1 / FAST.hertz, clock.now())
            await clock.sleep_until(next_at)
        return samples

    def _converted_v(self, channel: int, scale: Range) -> float:
        code = signed(self._chip.read(CONVERSION))
        if code in CLIPPED:
            raise self._chip.fault(f"input {channel} is beyond {scale.full_scale_v:g} V")
        return volts(code, scale)
