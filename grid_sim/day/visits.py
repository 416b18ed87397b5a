"""Visits as a file gives them: what must not be, whoever the cars are."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from grid_sim.day.calendar import Calendar
from grid_sim.day.faults import ManyFaults, unknown_of_many
from grid_sim.day.model import Visit
from register_maps.yaml_file import Place
from rtu_firmware.battery import EFFICIENCY, FULL_PCT, Battery


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A visit, and where it is told."""

    visit: Visit
    place: Place
    line: str = ""
    """Such as "sessions.csv:12: " for a line of a file."""
    remedy: str = ""
    """Where two cars want one station."""


def battery_of(needs_wh: float, max_power_w: float, capacity_wh: float | None, knee_pct: float) -> Battery:
    """One of unknown capacity is just what it needs."""
    capacity_wh = needs_wh * EFFICIENCY if capacity_wh is None else capacity_wh
    return Battery(capacity_wh=capacity_wh, max_power_w=max_power_w, knee_pct=knee_pct)


def charge_before_pct(needs_wh: float, battery: Battery) -> float:
    """With which a battery is full when it has got `needs_wh`; below zero where it can't hold them."""
    charge_pct = FULL_PCT - 100 * needs_wh * EFFICIENCY / battery.capacity_wh
    return 0.0 if abs(charge_pct) < 1e-9 else charge_pct


def note_visits(told: Iterable[Told], stations: Collection[str] | None, faults: ManyFaults) -> None:
    """What is wrong with each by itself; `stations` None: nobody knows all of them."""
    for one in told:
        visit = one.visit
        if stations is not None and visit.station not in stations:
            faults.add(one.place, f"{one.line}{unknown_of_many('station', visit.station, stations)}")
        if visit.leaves_s <= visit.arrives_s:
            faults.add(one.place, f"{one.line}the car must leave after it has arrived")
        if visit.needs_wh <= 0:
            faults.add(
                one.place, f"{one.line}the car must need some energy (got {visit.needs_wh / 1000:g} kWh)"
            )
        elif visit.state_of_charge_pct < 0:
            faults.add(
                one.place,
                f"{one.line}{visit.needs_wh / 1000:g} kWh at the socket are more than the battery's"
                f" {visit.battery.capacity_wh / 1000:g} kWh can take",
            )


def note_overlaps(told: Iterable[Told], calendar: Calendar, faults: ManyFaults) -> None:
    """One station holds one car."""
    last: dict[str, Visit] = {}
    for one in sorted(told, key=lambda one: (one.visit.station, one.visit.arrives_s)):
        visit, before = one.visit, last.get(one.visit.station)
        if before is None or visit.leaves_s > before.leaves_s:
            last[visit.station] = visit
        if before and visit.arrives_s < before.leaves_s:
            faults.add(
                one.place,
                f"{one.line}at {visit.station!r} another car stands from {calendar.text(before.arrives_s)}"
                f" to {calendar.text(before.leaves_s)}; this one would come at"
                f" {calendar.text(visit.arrives_s)}{one.remedy}",
            )


def cut_at_end(visit: Visit, calendar: Calendar) -> Visit:
    return replace(visit, leaves_s=calendar.end_s) if visit.leaves_s > calendar.end_s else visit
