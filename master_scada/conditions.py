"""Which alarm conditions hold in a scan: a pure function of it, of the scan before, and of a few facts."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from master_scada.alarm_catalogue import Catalogue
from master_scada.alarms import Condition, number_of
from master_scada.model import Circuit, Plant, Scan
from master_scada.station import Station
from register_maps.vocabulary import AlarmCode, FaultCode, MasterRole, Unfollowed

CLOCK_STEP_S = 2.0
CERTIFICATE_DAYS = 30.0
_FAULTS = {
    FaultCode.CONTACTOR_WELDED: AlarmCode.CONTACTOR_WELDED,
    FaultCode.CONTACTOR_NOT_CLOSED: AlarmCode.CONTACTOR_NOT_CLOSED,
    FaultCode.SENSOR_FAILED: AlarmCode.SENSOR_FAILED,
    FaultCode.IMPLAUSIBLE_VALUE: AlarmCode.IMPLAUSIBLE_VALUE,
}
_NOT_FOLLOWED = {
    Unfollowed.NOT_OPENED: "was told to open, and is closed",
    Unfollowed.NOT_CLOSED: "was told to close, and is open",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is not in the scans. A text says what is wrong, "" where nothing is."""

    clock_step_s: float = 0.0
    """How far the time of day moved against the monotonic time, since the scan before."""
    journal_trouble: str = ""
    failsafe_active: bool = False
    """The master above is silent."""
    refused_write: str = ""
    saw_other_master: bool = False
    """While this one watched."""
    certificate_file: str = ""
    certificate_days: float | None = None


class Sources:
    """What alarms are about, by index: the site is 0, then come the stations, then the circuits."""

    def __init__(self, stations: Iterable[str], circuits: Iterable[str]) -> None:
        self.stations, circuit_names = list(stations), list(circuits)
        self.names = ["site", *self.stations, *circuit_names]
        self._of_station = {name: index for index, name in enumerate(self.stations, start=1)}
        first = 1 + len(self.stations)
        self._of_circuit = {name: index for index, name in enumerate(circuit_names, start=first)}

    def circuit(self, name: str) -> int:
        return self._of_circuit[name]

    def find(self, scope: str, name: str) -> int | None:
        """The index of what has this name, None where there is nothing of the kind."""
        known = {"site": {"site": 0}, "station": self._of_station, "circuit": self._of_circuit}
        return known.get(scope, {}).get(name)

    def scope(self, source: int) -> str:
        if source == 0:
            return "site"
        return "station" if source <= len(self.stations) else "circuit"


Found = Iterator[tuple[AlarmCode, Condition]]


def conditions(
    before: Scan | None, scan: Scan, facts: Facts, sources: Sources, rules: Catalogue
) -> dict[int, Condition]:
    """By the alarm's number."""
    found = {number_of(code, 0): condition for code, condition in _of_site(before, scan, facts)}
    for source, station in enumerate(scan.plant.stations, start=1):
        for code, condition in _of_station(station, scan.role):
            found[number_of(code, source)] = condition
    for load in _loads(scan.plant):
        source = sources.circuit(load.circuit.name)
        for code, condition in (*_power(load, scan.plant, rules), *_voltage(load, rules)):
            found[number_of(code, source)] = condition
    return found


def _of_site(before: Scan | None, scan: Scan, facts: Facts) -> Found:
    if scan.plant.price is None:
        yield AlarmCode.PRICE_UNKNOWN, _is()
    missed = scan.overruns - before.overruns if before else 0
    if missed > 0:
        yield AlarmCode.SCAN_OVERRUN, _is(missed=missed, overruns=scan.overruns)
    if abs(facts.clock_step_s) > CLOCK_STEP_S:
        yield AlarmCode.CLOCK_STEPPED, _is(seconds=f"{facts.clock_step_s:+.0f}")
    if facts.journal_trouble:
        yield AlarmCode.JOURNAL_FAILED, _is(trouble=facts.journal_trouble)
    if facts.failsafe_active:
        limit_w = scan.plant.limit_w(scan.plant.feeder.main.name)
        yield AlarmCode.MASTER_ABOVE_SILENT, _is(limit=f"{limit_w:.0f}")
    if facts.refused_write:
        yield AlarmCode.UNAUTHORISED_WRITE, _is(who=facts.refused_write)
    days = facts.certificate_days
    if days is not None and days < CERTIFICATE_DAYS:
        when = f"expires in {days:.0f} days" if days > 0 else "has expired"
        yield AlarmCode.CERTIFICATE_EXPIRES, _is(file=facts.certificate_file, when=when)
    which = _succession(before, scan, facts) or _holder(scan.plant)
    if which:
        yield AlarmCode.OTHER_MASTER, _is(which=which)


def _succession(before: Scan | None, scan: Scan, facts: Facts) -> str:
    """Which of the two has taken over from the other, since the scan before."""
    if before is None or before.role is scan.role:
        return ""
    if scan.role is not MasterRole.STEERING:
        return f"the other one has taken over in term {scan.term}, this one steered in {before.term}"
    if not facts.saw_other_master:
        return ""
    return f"the other one is silent, so this one steers, in term {scan.term}. Nobody stands by"


def sees_other_master(before: Scan | None, scan: Scan) -> bool:
    """Some station has heard a master since the scan before, while this one only watched."""
    if before is None or MasterRole.STEERING in (before.role, scan.role):
        return False
    ages_s = {s.name: s.reading.master_age_s for s in before.plant.stations if s.reading}
    return any(
        s.reading.master_age_s < age_s
        for s in scan.plant.stations
        if s.reading and s.reading.master_age_s is not None and (age_s := ages_s.get(s.name)) is not None
    )


def _holder(plant: Plant) -> str:
    """Whose stations these are, where they refuse this master because they obey another."""
    held = [s.name for s in plant.stations if s.is_held and s.unfollowed is Unfollowed.NOT_ARRIVED]
    names = f"{', '.join(held[:5])}{' …' if held[5:] else ''}"
    return f"{names} obeys the other one, and not this one" if held else ""


def _of_station(station: Station, role: MasterRole) -> Found:
    seen = station.reading
    if seen is None:
        yield AlarmCode.RTU_SILENT, _is(counted=_counted(station), trouble=station.trouble)
        if station.last and station.last.fault_code is FaultCode.CONTACTOR_WELDED:
            yield AlarmCode.CONTACTOR_WELDED, _STILL  # silence neither explains it nor ends it
        return
    if seen.fault:
        code = seen.fault_code or FaultCode.NONE
        yield _FAULTS.get(code, AlarmCode.STATION_FAULT), _is()
    if seen.troubles:
        doubts = (f"{name} {doubt.cause.replace('_', ' ')}" for name, doubt in sorted(seen.troubles.items()))
        yield AlarmCode.DOUBTFUL_VALUES, _is(values=", ".join(doubts))
    if seen.failsafe_active and role is MasterRole.STEERING:
        yield AlarmCode.STATION_FAILSAFE, _is()
    if station.unfollowed is not Unfollowed.NONE:
        yield from _unfollowed(station)


def _unfollowed(station: Station) -> Found:
    match station.unfollowed:
        case Unfollowed.NOT_ARRIVED:
            yield AlarmCode.COMMAND_NOT_ARRIVED, _is(why=station.refusal or "they have no effect")
        case Unfollowed.NOT_OPENED | Unfollowed.NOT_CLOSED as which:
            yield AlarmCode.COMMAND_NOT_FOLLOWED, _is(what=_NOT_FOLLOWED[which], counted=_counted(station))
        case Unfollowed.OVERDRAWS:
            seen = station.reading
            power_w, limit_w = (seen.power_w, seen.power_limit_w) if seen else (None, None)
            yield AlarmCode.DRAWS_TOO_MUCH, _is(power=_watts(power_w), limit=_watts(limit_w))


def _counted(station: Station) -> str:
    counted_w = station.may_draw_w()
    return f"{counted_w:.0f} W" if counted_w < math.inf else "an unknown power"


def _watts(watts: float | None) -> str:
    return "unknown" if watts is None else f"{watts:.0f}"


@dataclass(slots=True)
class _Load:
    """On one circuit: what the stations say that they draw, what they may draw with the silent ones, and
    the lowest and the highest voltage of those that hang on it directly."""

    circuit: Circuit
    power_w: float = 0.0
    may_draw_w: float = 0.0
    lowest: tuple[float, str] | None = None
    highest: tuple[float, str] | None = None


def _loads(plant: Plant) -> Iterable[_Load]:
    loads = {name: _Load(circuit) for name, circuit in plant.feeder.circuits.items()}
    for station in plant.stations:
        seen = station.reading
        known_w = seen.power_w if seen else None
        may_draw_w = station.may_draw_w() if known_w is None else known_w
        for name in plant.feeder.path(station.circuit):
            loads[name].power_w += known_w or 0.0
            loads[name].may_draw_w += may_draw_w
        if seen and seen.voltage_v is not None:
            load, here = loads[station.circuit], (seen.voltage_v, station.name)
            load.lowest = min(load.lowest or here, here)
            load.highest = max(load.highest or here, here)
    return loads.values()


def _power(load: _Load, plant: Plant, rules: Catalogue) -> Found:
    """Begins above the limit, because stations may charge right up to it. As long as a silent station may
    be what is too much, it is not over."""
    code = AlarmCode.CIRCUIT_OVER_LIMIT
    limit_w = plant.limit_w(load.circuit.name)
    if load.power_w > limit_w * (1 + rules[code].deadband):
        yield code, _is(power=_watts(load.power_w), limit=_watts(limit_w))
    elif load.may_draw_w > limit_w:
        yield code, _STILL


def _voltage(load: _Load, rules: Catalogue) -> Found:
    """Without any voltage, nobody knows that it is back in its band."""
    nominal_v, (low_pu, high_pu) = load.circuit.nominal_voltage_v, load.circuit.voltage_band
    if load.lowest is None or load.highest is None:
        yield AlarmCode.VOLTAGE_LOW, _STILL
        yield AlarmCode.VOLTAGE_HIGH, _STILL
        return
    for code, (voltage_v, station), edge_pu, inwards in (
        (AlarmCode.VOLTAGE_LOW, load.lowest, low_pu, 1),
        (AlarmCode.VOLTAGE_HIGH, load.highest, high_pu, -1),
    ):
        room_v = inwards * (voltage_v - edge_pu * nominal_v)
        if room_v < 0:
            yield code, _is(voltage=f"{voltage_v:.1f}", station=station, edge=f"{edge_pu * nominal_v:.1f}")
        elif room_v < rules[code].deadband * nominal_v:
            yield code, _STILL


def _is(**words: object) -> Condition:
    return Condition(words=words)


_STILL = Condition(words={}, holds=False)
