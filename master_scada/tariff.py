"""What a kWh costs: by a daily schedule, by a file of prices with times, or as somebody writes by Modbus."""

import csv
import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import with_config

from register_maps.yaml_file import STRICT_KEYS, Faults, Place, Real

HIGHEST_PRICE = 200_000.0
"""What the registers can hold, either side of zero."""
MOST_BAD_LINES = 20
"""Of a file that are told one by one: a wrong separator is wrong in each of a year's hours."""
Price = Annotated[Real, Ge(-HIGHEST_PRICE), Le(HIGHEST_PRICE)]
Currency = Annotated[str, MinLen(3), MaxLen(3)]
MINUTES = 24 * 60


class Tariff(Protocol):
    """The price per kWh at a time of day, and at the same moment of the monotonic clock; None if unknown."""

    def price(self, at: datetime, now: float) -> float | None: ...


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleTariff:
    """Prices by the hour of the day: `hours` maps "17-21" (from 17:00 to 21:00) to a price.

    In the `time_zone`, or else in that of the machine.
    """

    kind: Literal["schedule"]
    currency: Currency
    default: Price
    hours: Mapping[str, Price] = field(default_factory=dict)
    time_zone: str | None = None

    def price(self, at: datetime, now: float) -> float | None:
        local = at.astimezone(ZoneInfo(self.time_zone)) if self.time_zone else at
        minute = local.hour * 60 + local.minute
        for span, price in self.hours.items():
            if minute in _minutes(span):
                return price
        return self.default


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class CsvTariff:
    """Prices from a CSV file: a line of headings, then the time (ISO 8601, with its offset from UTC) in
    the first column and the price in the second.

    A price holds until the next one, for a day at the most, and the last as long as the one before it;
    outside the file it is unknown. `per` says what the file's prices are for.
    """

    kind: Literal["csv"]
    currency: Currency
    path: str
    per: Literal["kWh", "MWh"] = "kWh"

    def load(self, base: Path, faults: Faults, place: Place) -> Tariff | None:
        """The prices; None, and every reason noted, if the file can't be used."""
        path = base / self.path
        prices: list[tuple[datetime, float]] = []
        bad_lines = 0
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                reader = csv.reader(file)
                self._note_heading(path, next(reader, []), faults, place)
                for row in filter(None, reader):
                    try:
                        prices.append(self._price(row))
                    except ValueError as error:
                        bad_lines += 1
                        if bad_lines <= MOST_BAD_LINES:
                            faults.add((*place, "path"), f"{path}:{reader.line_num}: {error}")
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            faults.add((*place, "path"), f"{path} can't be read: {error}")
            return None
        if bad_lines > MOST_BAD_LINES:
            faults.add((*place, "path"), f"{path}: and {bad_lines - MOST_BAD_LINES} more bad lines")
        if len(prices) < 2 and not bad_lines:
            faults.add((*place, "path"), f"{path} needs a line of headings and at least two prices")
        for before, after in pairwise(prices):
            if after[0] <= before[0]:
                faults.add((*place, "path"), f"{path}: {after[0].isoformat()} is not after the line before")
        return PriceList(prices) if len(prices) >= 2 and not bad_lines else None

    def _note_heading(self, path: Path, heading: list[str], faults: Faults, place: Place) -> None:
        """Where it says what a price is for, it must be that: a thousandfold price lets nobody charge."""
        head = "".join(heading[1:2])
        units = [unit for unit in ("kWh", "MWh") if unit.lower() in head.lower()]
        if len(units) == 1 and units[0] != self.per:
            faults.add((*place, "path"), f"{path} is headed {head!r}: write `per: {units[0]}`")

    def _price(self, row: list[str]) -> tuple[datetime, float]:
        if len(row) < 2:
            raise ValueError("needs a time and a price")
        time, price = datetime.fromisoformat(row[0]), float(row[1])
        if time.tzinfo is None:
            raise ValueError(f"{row[0]} needs its offset from UTC, such as +01:00 or Z")
        price /= 1000 if self.per == "MWh" else 1
        if not abs(price) <= HIGHEST_PRICE:
            raise ValueError(f"{row[1]} is no price")
        return time, price


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusTariff:
    """Somebody writes the register `price` of the master; older than `max_age_s` it is unknown."""

    kind: Literal["modbus"]
    currency: Currency
    max_age_s: Annotated[Real, Gt(0)] = 900


TariffFile = ScheduleTariff | CsvTariff | ModbusTariff
KINDS: dict[str, type[TariffFile]] = {
    "schedule": ScheduleTariff,
    "csv": CsvTariff,
    "modbus": ModbusTariff,
}


LONGEST_HOLD = timedelta(hours=25)
"""A day, if it is the longest of the year. Files have gaps: last month's price is not known to hold today."""


class PriceList:
    """Prices that hold from their time to the next, for a day at the most."""

    def __init__(self, rows: list[tuple[datetime, float]]) -> None:
        self.times = [time for time, _ in rows]
        self._prices = [price for _, price in rows]
        self._end = self.times[-1] + (self.times[-1] - self.times[-2])

    def price(self, at: datetime, now: float) -> float | None:
        index = bisect_right(self.times, at) - 1
        if index < 0 or at >= self._end or at - self.times[index] >= LONGEST_HOLD:
            return None
        return self._prices[index]


class WrittenPrice:
    """The price that was last written, as long as it is fresh."""

    def __init__(self, max_age_s: float) -> None:
        self._max_age_s = max_age_s
        self._price: float | None = None
        self._written_at = -math.inf

    def write(self, price: float | None, now: float) -> None:
        self._price, self._written_at = price, now

    def price(self, at: datetime, now: float) -> float | None:
        return self._price if now - self._written_at <= self._max_age_s else None


def note_schedule(tariff: ScheduleTariff, faults: Faults, place: Place) -> None:
    """What is wrong with a schedule's spans and its time zone."""
    taken: dict[int, str] = {}
    for span in tariff.hours:
        at = (*place, "hours", span)
        try:
            minutes = _minutes(span)
        except ValueError:
            faults.add(at, 'must be a span of the day such as "17-21", "17:30-21:00" or "22-6"')
            continue
        other = next((taken[minute] for minute in minutes if minute in taken), None)
        if other:
            faults.add(at, f"overlaps with {other!r}")
        taken |= dict.fromkeys(minutes, span)
    if tariff.time_zone:
        try:
            ZoneInfo(tariff.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # the last: the name of a folder
            faults.add((*place, "time_zone"), f"there is no time zone {tariff.time_zone!r}")


@cache
def _minutes(span: str) -> frozenset[int]:
    """The minutes of the day that "22-6:30" covers; ValueError if it is no span."""
    start, end = (_minute(text) for text in span.split("-"))
    if start == end:
        raise ValueError(span)
    return frozenset(minute % MINUTES for minute in range(start, end if end > start else end + MINUTES))


def _minute(text: str) -> int:
    hour, _, minute = text.strip().partition(":")
    value = int(hour) * 60 + int(minute or 0)
    if not (0 <= int(hour) <= 24 and 0 <= int(minute or 0) < 60 and value <= MINUTES):
        raise ValueError(text)
    return value
