"""The last minutes, as much as a chart shows and no more."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from hmi.master_view import MasterView
from register_maps.vocabulary import Quality

SAMPLE_S = 1.0
SAMPLES = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """None: not known then. What is not sure is drawn as such."""

    time: datetime
    power_w: float | None
    lowest_voltage_v: float | None
    power_is_sure: bool = True
    voltage_is_sure: bool = True


class Trend:
    def __init__(self) -> None:
        self.samples: deque[Sample] = deque(maxlen=SAMPLES)
        self._next_at = 0.0

    def add(self, view: MasterView | None, now: float, time_of_day: datetime) -> None:
        """At most one sample in `SAMPLE_S`; None while the master is not heard leaves a gap. `now` is in
        seconds, monotonic."""
        if now < self._next_at:
            return
        self._next_at = now + SAMPLE_S
        self.samples.append(
            Sample(
                time=time_of_day,
                power_w=view.power_w if view else None,
                lowest_voltage_v=view.lowest_voltage_v if view else None,
                power_is_sure=view is not None and view.power_quality is Quality.GOOD,
                voltage_is_sure=view is not None and view.voltage_quality is Quality.GOOD,
            )
        )
