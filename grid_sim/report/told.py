"""What the master told of itself over the days, summed up: months bring tens of thousands of events."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from grid_sim.day.model import Event

MOST_ROWS = 25
_NUMBER = re.compile(r"(?<![\w.])[-−]?\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All events that say the same, but for their numbers."""

    text: str
    count: int
    sources: tuple[str, ...]
    first_s: float
    last_s: float


def summed_up(events: Iterable[Event]) -> tuple[Told, ...]:
    """Alarms first, then what was told most often."""
    alike: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        alike[_NUMBER.sub("…", event.text)].append(event)
    told = [_told(text, found) for text, found in alike.items()]
    return tuple(sorted(told, key=lambda t: (not t.text.startswith("alarm ("), -t.count, t.text)))


def _told(text: str, events: list[Event]) -> Told:
    return Told(
        text=text if len(events) > 1 else events[0].text,
        count=len(events),
        sources=tuple(dict.fromkeys(event.source for event in events)),
        first_s=events[0].at_s,
        last_s=events[-1].at_s,
    )
