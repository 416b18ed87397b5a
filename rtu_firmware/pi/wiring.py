"""The `pi` section of a station's file: what is wired to which pin, and which chips measure."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import Discriminator, Tag, with_config

from register_maps.yaml_file import STRICT_KEYS, Place, Real, Whole

Level = Literal["high", "low"]
Pin = Annotated[Whole, Ge(0), Le(27)]
"""By its GPIO number (BCM), not by its place on the header."""
Address = Annotated[Whole, Ge(0x08), Le(0x77)]
Positive = Annotated[Real, Gt(0)]


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Contactor:
    pin: Pin
    closes_on: Level


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """The contactor's auxiliary contact."""

    pin: Pin
    closed_is: Level


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Plug:
    """A contact that tells that a vehicle is plugged in."""

    pin: Pin
    present_is: Level


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class StopButton:
    """`pressed_is: high` is a button that breaks its circuit to ground: a loose wire stops, too."""

    pin: Pin
    pressed_is: Level


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Leds:
    green: Pin
    red: Pin


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Ina226:
    chip: Literal["ina226"]
    address: Annotated[Whole, Ge(0x40), Le(0x4F)] = 0x40
    shunt_ohm: Positive
    max_current_a: Positive
    """The most that is to be measured; the shunt's voltage there must stay within 81.92 mV."""


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Ina219:
    chip: Literal["ina219"]
    address: Annotated[Whole, Ge(0x40), Le(0x4F)] = 0x40
    shunt_ohm: Positive
    max_current_a: Positive
    """The most that is to be measured; the shunt's voltage there must stay within 320 mV."""


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class VoltageInput:
    """An input of the ADS1115 and what stands before it: a divider, or a transformer module."""

    channel: Annotated[Whole, Ge(0), Le(3)]
    volts_per_volt: Positive
    """Volts at the station for each volt at the input."""
    zero_v: Annotated[Real, Ge(0), Le(5)] = 0.0
    """What the input sees at 0 V; for `ac` it is worked out."""


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentInput:
    """An input of the ADS1115 and what stands before it: a Hall sensor, or a current transformer."""

    channel: Annotated[Whole, Ge(0), Le(3)]
    amperes_per_volt: Positive
    """Amperes into the vehicle for each volt at the input."""
    zero_v: Annotated[Real, Ge(0), Le(5)] = 0.0
    """What the input sees at 0 A; for `ac` it is worked out."""


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Ads1115:
    chip: Literal["ads1115"]
    address: Annotated[Whole, Ge(0x48), Le(0x4B)] = 0x48
    measures: Literal["dc", "ac"]
    """`ac`: effective values, and as power their product, which is never less than the real one."""
    voltage: VoltageInput
    current: CurrentInput


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusMeter:
    """A meter with a register map: behind a serial line, or behind a gateway."""

    chip: Literal["modbus"]
    map: Annotated[str, MinLen(1)]
    unit: Annotated[Whole, Ge(1), Le(248)] = 1
    """248 is what a PZEM-004T answers to, whatever its own address is."""
    serial: Annotated[str, MinLen(1)] | None = None
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    parity: Literal["none", "even", "odd"] = "none"
    host: Annotated[str, MinLen(1)] | None = None
    port: Annotated[Whole, Ge(1), Le(65535)] = 502


Meter = Annotated[Ina226 | Ina219 | Ads1115 | ModbusMeter, Discriminator("chip")]


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A fuel gauge at the battery."""

    gauge: Literal["max17048"]
    address: Address = 0x36


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class CountedBattery:
    """No gauge: the state of charge is counted from the energy, and is an estimate."""

    capacity_kwh: Positive
    state_of_charge: Annotated[Real, Ge(0), Le(100)]
    """At the beginning of a session, where nobody enters a better value."""


def _kind_of_battery(given: Any) -> str:
    """So that a fault is told of the kind that was meant, and not of both."""
    has_gauge = isinstance(given, Gauge) or (isinstance(given, dict) and "gauge" in given)
    return "Gauge" if has_gauge else "CountedBattery"


Battery = Annotated[
    Annotated[Gauge, Tag("Gauge")] | Annotated[CountedBattery, Tag("CountedBattery")],
    Discriminator(_kind_of_battery),
]


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class PiWiring:
    contactor: Contactor
    feedback: Feedback
    plug: Plug
    stop_button: StopButton
    leds: Leds | None = None
    i2c_bus: Annotated[Whole, Ge(0), Le(31)] = 1
    meter: Meter
    battery: Battery | None = None

    @property
    def pins(self) -> Iterator[tuple[Place, int]]:
        for name in ("contactor", "feedback", "plug", "stop_button"):
            yield (name, "pin"), getattr(self, name).pin
        if self.leds:
            for led in fields(self.leds):
                yield ("leds", led.name), getattr(self.leds, led.name)

    @property
    def uses_i2c(self) -> bool:
        return not isinstance(self.meter, ModbusMeter) or isinstance(self.battery, Gauge)

    @property
    def counted(self) -> CountedBattery | None:
        return self.battery if isinstance(self.battery, CountedBattery) else None
