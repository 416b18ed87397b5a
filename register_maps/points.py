"""A point: one named value of a device, where it stands and how it is written there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from pydantic import with_config

from register_maps.yaml_file import STRICT_KEYS, Real, Whole

Value = bool | int | float | str | frozenset[str] | None
"""What a point can hold. None is "no value": the device says so (`nan`), or what it says can't be true."""


NUMBERS = (int, float)
"""For `isinstance`, where it is asked ten thousand times a second: `int | float` is made anew each time."""


class Table(StrEnum):
    """The four tables of Modbus."""

    COIL = "coil"
    DISCRETE_INPUT = "discrete_input"
    INPUT_REGISTER = "input_register"
    HOLDING_REGISTER = "holding_register"

    @property
    def holds_bits(self) -> bool:
        return self in (Table.COIL, Table.DISCRETE_INPUT)

    @property
    def is_writable(self) -> bool:
        return self in (Table.COIL, Table.HOLDING_REGISTER)


class PointType(StrEnum):
    BOOL = "bool"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    STRING = "string"
    ENUM = "enum"
    FLAGS = "flags"

    @property
    def is_integer(self) -> bool:
        return self.value.startswith(("int", "uint"))

    @property
    def is_number(self) -> bool:
        return self.is_integer or self.value.startswith("float")

    @property
    def is_named(self) -> bool:
        """Whether its raw values have names: enum (one of them) and flags (any of 16 bits)."""
        return self in (PointType.ENUM, PointType.FLAGS)


class ByteOrder(StrEnum):
    """How a value's bytes A (highest) B C D (lowest) stand in its words.

    A string is never turned round: BADC and DCBA only swap the two characters in each word.
    """

    ABCD = "ABCD"
    CDAB = "CDAB"
    BADC = "BADC"
    DCBA = "DCBA"

    @property
    def swaps_words(self) -> bool:
        return self in (ByteOrder.CDAB, ByteOrder.DCBA)

    @property
    def swaps_bytes(self) -> bool:
        return self in (ByteOrder.BADC, ByteOrder.DCBA)


_WORDS = {"int32": 2, "uint32": 2, "float32": 2, "int64": 4, "uint64": 4, "float64": 4}


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """As declared in a map. `scale` turns the raw number into `unit`: value = raw * scale.

    `exclusive` points take writes from one client at a time: the master that holds the device.
    """

    name: str = ""
    table: Table
    address: Whole
    type: PointType
    about: str
    access: Literal["ro", "rw", "wo"] = "ro"
    exclusive: bool = False
    unit: str = ""
    scale: Real = 1
    min: Real | None = None
    max: Real | None = None
    nan: Whole | None = None
    values: Mapping[int, str] = field(default_factory=dict, hash=False)
    length: Whole | None = None
    byte_order: ByteOrder | None = None

    @property
    def width(self) -> int:
        """Addresses taken: words in a register table, bits in a bit table."""
        if self.type is PointType.STRING:
            return self.length or 1
        return _WORDS.get(self.type, 1)

    @property
    def end(self) -> int:
        return self.address + self.width

    @property
    def is_readable(self) -> bool:
        return self.access != "wo"

    @property
    def is_writable(self) -> bool:
        return self.access != "ro"

    def faults(self) -> list[str]:
        """What contradicts itself, a sentence each."""
        return [text for broken, text in self._rules() if broken]

    def _rules(self) -> list[tuple[bool, str]]:
        kind, bits = self.type, self.type is PointType.BOOL
        low, high = raw_range(kind)
        return [
            (not 0 <= self.address <= 65536 - self.width, f"address {self.address} is outside 0…65535"),
            (self.table.holds_bits != bits, f"type {kind} can't stand in table {self.table}"),
            (self.is_writable and not self.table.is_writable, f"table {self.table} can only be read"),
            (kind.is_named != bool(self.values), f"type {kind} and `values` belong together or not at all"),
            (
                not all(0 <= raw <= (15 if kind is PointType.FLAGS else 0xFFFF) for raw in self.values),
                "`values` has a number that the type can't hold",
            ),
            (len(set(self.values.values())) != len(self.values), "`values` names something twice"),
            (
                (kind is PointType.STRING) != (self.length is not None),
                "strings, and no others, need a length",
            ),
            (self.length is not None and not 1 <= self.length <= 123, "length must be 1…123 registers"),
            (self.scale == 0, "scale can't be 0"),
            (self.scale != 1 and not kind.is_number, f"type {kind} takes no scale"),
            (
                not kind.is_number and (self.min is not None or self.max is not None),
                f"type {kind} takes no min or max",
            ),
            (self.exclusive and not self.is_writable, "a point that can only be read can't be exclusive"),
            (
                self.min is not None and self.max is not None and self.min > self.max,
                f"min {self.min} is above max {self.max}",
            ),
            (
                self.nan is not None and not (kind.is_integer and low <= self.nan <= high),
                f"nan {self.nan} is no raw value of type {kind}",
            ),
        ]


def raw_range(kind: PointType) -> tuple[int, int]:
    """Lowest and highest raw number of an integer type; (0, 65535) for any other."""
    if not kind.is_integer:
        return 0, 0xFFFF
    bits = int(kind.value.lstrip("uint"))
    return (0, 2**bits - 1) if kind.value.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
