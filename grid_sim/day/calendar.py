"""The days of a scenario: local times of the clock on the wall, and seconds since the start.

Differences are taken in UTC: on the day of a clock change an hour of the wall is missing or comes twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from grid_sim.arrays import Floats
from grid_sim.day.model import later
from grid_sim.day.scenario_schema import DaysFile
from register_maps.yaml_file import Faults, Place

QUARTER_S = 900
"""Clocks change on a quarter of an hour, everywhere and always."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    start: datetime
    """With its zone."""
    end_s: float
    scan_period_s: float

    @classmethod
    def of(cls, days: DaysFile, zone: ZoneInfo) -> "Calendar":
        """From the start to the same time of the wall's clock some days later."""
        start = days.start.replace(tzinfo=zone)
        end = (days.start + timedelta(days=days.days)).replace(tzinfo=zone)
        end_s = end.timestamp() - start.timestamp()
        return cls(start=start, end_s=end_s, scan_period_s=days.scan_period_s)

    @property
    def scans(self) -> int:
        """How many whole scan periods there are."""
        return int(self.end_s / self.scan_period_s + 1e-9)

    def seconds(self, local: datetime, zone: ZoneInfo | None = None) -> float:
        """Since the start; `local` is in `zone`, or else in the scenario's. An hour that comes twice is
        taken for the first."""
        return local.replace(tzinfo=zone or self.start.tzinfo).timestamp() - self.start.timestamp()

    def has(self, at_s: float) -> bool:
        return 0 <= at_s < self.end_s

    def midnights(self) -> Iterator[datetime]:
        """Of each day that the scenario touches; local, without the zone."""
        day = self.start.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
        while self.seconds(day) < self.end_s:
            yield day
            day += timedelta(days=1)

    def local(self, at_s: float) -> datetime:
        return later(self.start, at_s)

    def text(self, at_s: float) -> str:
        return self.local(at_s).strftime("%Y-%m-%d %H:%M")

    def hours(self) -> Floats:
        """(scans,): the hour of the day by the clock on the wall, with its fraction."""
        unix_s = np.arange(self.scans) * self.scan_period_s + self.start.timestamp()
        quarters, where = np.unique(np.floor_divide(unix_s, QUARTER_S), return_inverse=True)
        offsets = [_offset_s(float(quarter) * QUARTER_S, self.start) for quarter in quarters]
        hours: Floats = (unix_s + np.array(offsets)[where]) % 86_400 / 3600
        return hours


def zone_of(name: str, faults: Faults, place: Place) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the last: the name of a folder
        faults.add(place, f"there is no time zone {name!r}")
        return None


def exists(local: datetime, zone: ZoneInfo) -> bool:
    """Whether the clock on the wall ever shows it: one that is put forward leaves an hour out."""
    aware = local.replace(tzinfo=zone)
    return aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local


def _offset_s(unix_s: float, like: datetime) -> float:
    offset = datetime.fromtimestamp(unix_s, like.tzinfo).utcoffset()
    return offset.total_seconds() if offset else 0.0
