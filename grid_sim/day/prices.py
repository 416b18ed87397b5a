"""Whether a tariff knows the price all through a scenario's days.

A master that knows no price lets nobody charge. In a study that is a hole in the data, not a result.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from grid_sim.day.calendar import QUARTER_S, Calendar
from master_scada.tariff import PriceList, Tariff
from register_maps.yaml_file import Faults, Place

REGULAR_SHARE = 0.75
"""A file is regular if so many of its prices hold equally long; then one that holds longer hides a gap."""
MOST_SPANS = 20

Span = tuple[float, float]
"""From and to, in seconds since the start."""


def note_gaps(tariff: Tariff, calendar: Calendar, faults: Faults, place: Place) -> None:
    spans = list(_gaps(tariff, calendar))
    for begin_s, end_s in spans[:MOST_SPANS]:
        faults.add(
            place,
            f"there is no price from {calendar.text(begin_s)} to {calendar.text(end_s)}"
            " (local time of the scenario)",
        )
    if len(spans) > MOST_SPANS:
        faults.add(place, f"and {len(spans) - MOST_SPANS} more gaps like these")


def _gaps(tariff: Tariff, calendar: Calendar) -> Iterator[Span]:
    usual = _usual_step(tariff.times) if isinstance(tariff, PriceList) else None
    begin_s: float | None = None
    for at_s in _quarters(calendar):
        at = calendar.local(at_s)
        is_known = tariff.price(at, at_s) is not None and not _is_late(tariff, at, usual)
        if is_known and begin_s is not None:
            yield begin_s, at_s
            begin_s = None
        elif not is_known and begin_s is None:
            begin_s = at_s
    if begin_s is not None:
        yield begin_s, calendar.end_s


def _quarters(calendar: Calendar) -> Iterator[float]:
    """The start, and every quarter of an hour by the clock."""
    yield 0.0
    at_s = QUARTER_S - calendar.start.timestamp() % QUARTER_S
    while at_s < calendar.end_s:
        yield at_s
        at_s += QUARTER_S


def _usual_step(times: list[datetime]) -> timedelta | None:
    steps = Counter(after - before for before, after in pairwise(times))
    step, count = steps.most_common(1)[0]
    return step if count >= REGULAR_SHARE * steps.total() else None


def _is_late(tariff: Tariff, at: datetime, usual: timedelta | None) -> bool:
    """Whether the file should have had another price since the one that holds."""
    if usual is None or not isinstance(tariff, PriceList):
        return False
    index = bisect_right(tariff.times, at) - 1
    return index >= 0 and at - tariff.times[index] >= usual
