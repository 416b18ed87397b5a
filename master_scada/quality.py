"""How far a value can be trusted, and why not further.

The rule decides only by what is good: a value in doubt is no value to it, and its worst case is assumed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from register_maps.points import NUMBERS, Value
from register_maps.vocabulary import Quality, QualityCause

CHARGE = "state_of_charge"
MEASURED = ("voltage", "current", "power", CHARGE, "session_energy", "total_energy")
ESTIMATED = "state_of_charge_estimated"
"""Where no gauge tells the charge. That is no trouble, so the station as a whole is not in doubt for it."""
CONTACT = "contactor_closed"
"""Measured too, but a bit: it has no way to say that it is no value."""
MAY_BE_MISSING = (CHARGE, "session_energy")
"""Without a vehicle, or with one that doesn't tell, there is nothing to measure."""
DRAWS_W = 20.0
"""Above it something is drawn, and not only measured wrongly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why a value is not good."""

    quality: Quality
    cause: QualityCause


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a station's values are held against. Times in seconds; a rating of None is not known."""

    nominal_voltage_v: float
    rated_power_w: float | None = None
    max_age_s: float = 5.0


def worst(qualities: Iterable[Quality]) -> Quality:
    """What is derived from values is as good as the worst of them."""
    return max(qualities, key=_WORST_LAST.index, default=Quality.GOOD)


_WORST_LAST = tuple(Quality)


def doubts(values: Mapping[str, Value], age_s: float, expected: Expected) -> dict[str, Doubt]:
    """Of the measured values that a device has, those that are not good."""
    if age_s > expected.max_age_s:
        return everything_stale(values)
    found = {
        name: Doubt(quality=Quality.BAD, cause=cause)
        for name in MEASURED
        if name in values and (cause := _why_bad(name, values[name], expected)) is not QualityCause.NONE
    }
    if not values.get(CONTACT) and _draws(values.get("power"), expected):
        found[CONTACT] = Doubt(quality=Quality.UNCERTAIN, cause=QualityCause.CONTRADICTORY)
    elif "voltage" in found and found["voltage"].cause is QualityCause.IMPLAUSIBLE:
        # Who says that there is no voltage where he is himself supplied may say anything, as that he is open.
        found[CONTACT] = Doubt(quality=Quality.UNCERTAIN, cause=QualityCause.IMPLAUSIBLE)
    if values.get(ESTIMATED) and values.get(CHARGE) is not None and CHARGE not in found:
        found[CHARGE] = Doubt(quality=Quality.UNCERTAIN, cause=QualityCause.ESTIMATED)
    return found


def everything_stale(values: Mapping[str, Value]) -> dict[str, Doubt]:
    stale = Doubt(quality=Quality.BAD, cause=QualityCause.STALE)
    return {name: stale for name in (*MEASURED, CONTACT) if name in values}


def _why_bad(name: str, value: Value, expected: Expected) -> QualityCause:
    if not isinstance(value, NUMBERS):
        return QualityCause.NONE if name in MAY_BE_MISSING else QualityCause.NO_VALUE
    low, high = _possible(name, expected)
    return QualityCause.NONE if low <= value <= high else QualityCause.IMPLAUSIBLE


def _possible(name: str, expected: Expected) -> tuple[float, float]:
    """Beyond it a sensor is wrong, rather than the network: at half its voltage nothing would answer."""
    rated_w = expected.rated_power_w
    match name:
        case "voltage":
            return 0.5 * expected.nominal_voltage_v, 1.5 * expected.nominal_voltage_v
        case "power" if rated_w is not None:
            return -max(DRAWS_W, 0.05 * rated_w), max(DRAWS_W, 1.5 * rated_w)
        case _ if name == CHARGE:
            return 0.0, 100.0
        case _:
            return float("-inf"), float("inf")


def _draws(power: Value, expected: Expected) -> bool:
    return isinstance(power, NUMBERS) and power > max(DRAWS_W, 0.05 * (expected.rated_power_w or 0.0))


class FrozenCheck:
    """Finds sensors that stand still behind a living RTU which does not say so.

    Energy must rise with power. If not one digit of all that is measured has moved while so much energy
    must have flowed, then nothing of it is true now.
    """

    TOLERANCE_WH = 30.0

    def __init__(self, resolution_wh: float) -> None:
        self._tolerance_wh = max(self.TOLERANCE_WH, 3 * resolution_wh)
        self._last: tuple[Value, ...] = ()
        self._since = 0.0

    def is_frozen(self, values: Mapping[str, Value], now: float) -> bool:
        measured = tuple(values.get(name) for name in MEASURED)
        if measured != self._last:
            self._last, self._since = measured, now
        power = values.get("power")
        counts = any(isinstance(values.get(name), NUMBERS) for name in ("session_energy", "total_energy"))
        if not counts or not isinstance(power, NUMBERS):
            return False
        return power * (now - self._since) / 3600 > self._tolerance_wh
