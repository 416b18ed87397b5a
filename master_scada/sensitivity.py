"""What each station's charging does to the voltage at every station, as the master has seen it happen.

Where one station alone has changed what it draws from one scan to the next, the voltages that have changed
with it tell what each watt of it takes: from its own voltage, as much from those behind it, less from those
before it, and from another phase nothing; or it even lifts them. Other loads move the voltages in the same
seconds, so what was seen at several times is averaged.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from master_scada.model import Plant

LEAST_CHANGE = 0.2
"""Of a station's rating: a smaller change tells too little."""
OTHERS_CHANGE = 0.1
"""Of what the one has changed: if the others together have changed more, it tells nothing of the one."""
WEIGHT = 0.3
"""Of what was seen last, against all before."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A station in one scan; the voltage per unit of its circuit's nominal."""

    power_w: float
    voltage_pu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """`takes` has, by the station that draws and by the one whose voltage it takes, per unit per watt."""

    last: Mapping[str, Sight]
    takes: Mapping[str, Mapping[str, float]]

    def taken_pu(self, drawing: str, watts: float, at: str) -> float | None:
        """What `watts` of one station take from the voltage at another; None where that was never seen."""
        known = self.takes.get(drawing, {}).get(at)
        return None if known is None else watts * known


NOTHING_SEEN = Sensitivity(last={}, takes={})


def sights(plant: Plant) -> dict[str, Sight]:
    """Of the stations that tell both values."""
    found = {}
    for station in plant.stations:
        seen = station.reading
        if seen and seen.power_w is not None and station.name in plant.voltages:
            found[station.name] = Sight(seen.power_w, plant.voltages[station.name][0])
    return found


def learn(known: Sensitivity, plant: Plant) -> Sensitivity:
    """What is known after this scan, too."""
    now = sights(plant)
    changes_w = {n: now[n].power_w - last.power_w for n, last in known.last.items() if n in now}
    takes = known.takes
    one = _who_changed_alone(changes_w, plant)
    if one:
        fallen_pu = {n: known.last[n].voltage_pu - now[n].voltage_pu for n in changes_w}
        seen = {n: pu / changes_w[one] for n, pu in fallen_pu.items()}
        takes = {**takes, one: _averaged(takes.get(one, {}), seen)}
    return Sensitivity(last=now, takes=takes)


def _who_changed_alone(changes_w: Mapping[str, float], plant: Plant) -> str | None:
    if not changes_w:
        return None
    one = max(changes_w, key=lambda name: abs(changes_w[name]))
    most_w = abs(changes_w[one])
    others_w = sum(map(abs, changes_w.values())) - most_w
    rating_w = next(station.rating_w for station in plant.stations if station.name == one)
    tells = most_w > 0 and most_w >= LEAST_CHANGE * rating_w and others_w <= OTHERS_CHANGE * most_w
    return one if tells else None


def _averaged(old: Mapping[str, float], seen: Mapping[str, float]) -> dict[str, float]:
    new = {
        name: value if name not in old else old[name] + WEIGHT * (value - old[name])
        for name, value in seen.items()
    }
    return {**old, **new}
