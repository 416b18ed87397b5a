"""Values to words and back: types, byte orders, scale, limits, and the raw value that means "none"."""

import math
import struct
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from register_maps.points import NUMBERS, ByteOrder, Point, PointType, Value, raw_range

_FORMAT = {
    PointType.INT16: "h",
    PointType.UINT16: "H",
    PointType.INT32: "i",
    PointType.UINT32: "I",
    PointType.INT64: "q",
    PointType.UINT64: "Q",
    PointType.FLOAT32: "f",
    PointType.FLOAT64: "d",
    PointType.ENUM: "H",
    PointType.FLAGS: "H",
}


class EncodeError(ValueError):
    """A value that the point can't hold."""


def decode(point: Point, words: Sequence[int]) -> Value:
    """The value in `words` (bits in a bit table), which hold exactly `point.width` of them.

    None where there is no value: the point's `nan`, an IEEE NaN or infinity, an enum number without
    a name, or a number outside the point's min…max, which the device can't mean.
    """
    return decoder(point)(words)


def encode(point: Point, value: Value) -> list[int]:
    """The words (or bits) that hold `value`, rounded to the point's scale; EncodeError if none can."""
    return list(encoder(point)(value))


@lru_cache(maxsize=100_000)
def decoder(point: Point) -> Callable[[Sequence[int]], Value]:
    """`decode` for one point, prepared once: a scan decodes tens of thousands of values a second."""
    if point.type is PointType.BOOL:
        return lambda bits: bool(bits[0])
    layout, finish = unpacking(point)
    pack, unpack = struct.Struct(f">{point.width}H").pack, struct.Struct(">" + layout).unpack
    return lambda words: finish(unpack(pack(*words))[0])


def unpacking(point: Point) -> tuple[str, Callable[[Any], Value]]:
    """Of a point in registers: the format of its bytes for `struct`, and what makes a value of what that
    unpacks."""
    if point.type is not PointType.STRING and _order(point) is ByteOrder.ABCD:
        return _FORMAT[point.type], _finisher(point)
    size, pack = 2 * point.width, struct.Struct(f">{point.width}H").pack

    def in_order(data: bytes) -> bytes:
        return pack(*_ordered(point, _words(data)))

    if point.type is PointType.STRING:
        return f"{size}s", lambda data: in_order(data).rstrip(b"\0 ").decode("utf-8", "replace")
    finish, unpack = _finisher(point), struct.Struct(">" + _FORMAT[point.type]).unpack
    return f"{size}s", lambda data: finish(unpack(in_order(data))[0])


def _finisher(point: Point) -> Callable[[int | float], Value]:
    if point.type is PointType.ENUM:
        return point.values.get  # type: ignore[return-value]
    if point.type is PointType.FLAGS:
        names = point.values
        return lambda raw: frozenset(name for bit, name in names.items() if int(raw) >> bit & 1)
    return _integer_finisher(point) if point.type.is_integer else _float_finisher(point)


def _integer_finisher(point: Point) -> Callable[[int | float], Value]:
    nan, scale, digits = point.nan, point.scale, _digits(point.scale)
    low, high = _limits(point)

    def finish(raw: int | float) -> Value:
        if raw == nan:
            return None
        value = raw if scale == 1 else round(raw * scale, digits)
        return value if low <= value <= high else None

    return finish


def _float_finisher(point: Point) -> Callable[[int | float], Value]:
    scale, biggest = point.scale, sys.float_info.max
    low, high = _limits(point)
    # A limit such as 110.3 is no float32: what the point holds in its stead must pass.
    slack = 2**-23 if point.type is PointType.FLOAT32 else 2**-50
    low, high = max(low - abs(low) * slack, -biggest), min(high + abs(high) * slack, biggest)

    def finish(raw: int | float) -> Value:
        value = raw * scale
        return value if low <= value <= high else None  # NaN and infinity are never in between

    return finish


def _limits(point: Point) -> tuple[float, float]:
    low = -math.inf if point.min is None else point.min
    high = math.inf if point.max is None else point.max
    return low, high


@lru_cache(maxsize=100_000)
def encoder(point: Point) -> Callable[[Value], Sequence[int]]:
    """`encode` for one point, prepared once; it remembers values, because a master writes the same price
    to a thousand stations."""
    return lru_cache(maxsize=64, typed=True)(_encoder(point))


def _encoder(point: Point) -> Callable[[Value], Sequence[int]]:
    if point.type is PointType.BOOL:
        return lambda value: _bit(point, value)
    if point.type is PointType.STRING:
        return lambda value: _ordered(point, _words(_text_bytes(point, value)))
    raw = _raw_maker(point)
    if point.width == 1 and not _order(point).swaps_bytes:
        return lambda value: [int(raw(value)) & 0xFFFF]
    pack = struct.Struct(">" + _FORMAT[point.type]).pack
    words = struct.Struct(f">{point.width}H").unpack
    is_plain = _order(point) is ByteOrder.ABCD

    def numbers(value: Value) -> Sequence[int]:
        try:
            plain = words(pack(raw(value)))
            return plain if is_plain else _ordered(point, plain)
        except (struct.error, OverflowError) as error:
            raise EncodeError(f"{point.name} can't hold {value!r}: too large for {point.type}") from error

    return numbers


def _raw_maker(point: Point) -> Callable[[Value], int | float]:
    if point.type is PointType.ENUM:
        return lambda value: _raw_of_name(point, value)
    if point.type is PointType.FLAGS:
        return lambda value: _raw_of_flags(point, value)
    low, high = _limits(point)
    finish = _integer_maker(point) if point.type.is_integer else partial(_raw_float, point)

    def raw(value: Value) -> int | float:
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return _raw_none(point)
        if isinstance(value, bool) or not isinstance(value, NUMBERS):
            raise EncodeError(f"{point.name} takes a number, not {value!r}")
        if not low <= value <= high:
            raise EncodeError(f"{point.name} takes {low:g}…{high:g} {point.unit}, not {value:g}")
        return finish(value)

    return raw


def _integer_maker(point: Point) -> Callable[[int | float], int]:
    scale, nan = point.scale, point.nan
    low, high = raw_range(point.type)

    def raw(value: int | float) -> int:
        exact = value if scale == 1 else value / scale  # which may be infinite, and then has no round()
        number = round(exact) if low - 1 < exact < high + 1 else None
        if number is None or number == nan or not low <= number <= high:
            raise EncodeError(f"{point.name} can't hold {value!r} {point.unit}: outside {point.type}")
        return number

    return raw


def _raw_float(point: Point, value: int | float) -> float:
    raw = value / point.scale
    if math.isinf(raw):
        raise OverflowError("infinity means 'no value'")
    return raw


def _raw_none(point: Point) -> int | float:
    if not point.type.is_integer:
        return math.nan
    if point.nan is None:
        raise EncodeError(f"{point.name} has no way to say 'no value': its map declares no nan")
    return point.nan


def _raw_of_flags(point: Point, value: Value) -> int:
    names = value if isinstance(value, frozenset) else frozenset([value])
    return sum(1 << _raw_of_name(point, name) for name in names)


def _raw_of_name(point: Point, name: object) -> int:
    for raw, known in point.values.items():
        if known == name:
            return raw
    raise EncodeError(f"{point.name} takes one of {', '.join(point.values.values())}, not {name!r}")


def _bit(point: Point, value: Value) -> list[int]:
    if not isinstance(value, bool):
        raise EncodeError(f"{point.name} takes true or false, not {value!r}")
    return [int(value)]


def _words(data: bytes) -> list[int]:
    return list(struct.unpack(f">{len(data) // 2}H", data))


def _text_bytes(point: Point, value: Value) -> bytes:
    """UTF-8, cut at a whole character, filled up with zeros."""
    room = 2 * point.width
    cut = ("" if value is None else str(value)).encode(errors="replace")[:room]
    text = cut.decode(errors="ignore").encode()
    return text.ljust(room, b"\0")


def _ordered(point: Point, words: Sequence[int]) -> list[int]:
    """Words from the wire's order to ABCD, or back: each order undoes itself."""
    order = _order(point)
    result = list(words)
    if order.swaps_words and point.type is not PointType.STRING:
        result.reverse()
    if order.swaps_bytes:
        result = [(word & 0xFF) << 8 | word >> 8 for word in result]
    return result


def _order(point: Point) -> ByteOrder:
    return point.byte_order or ByteOrder.ABCD


def _digits(scale: float) -> int:
    """Decimals that a scaled value can carry, so that 1103 * 0.1 is 110.3 and not 110.30000000000001."""
    exponent = Decimal(repr(scale)).normalize().as_tuple().exponent
    return max(0, -int(exponent))
