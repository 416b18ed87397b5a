"""The interlock: what must not be. It may only take away from what the rule wishes.

Short on purpose, and on its own feet: it shares no judgement with the rule, only the facts of the plant.
No permission without a reading, a vehicle and a known price at most x; none for a stopped, full or
faulted station; and no contactor closes unless what may be drawn already, plus what it may draw,
stays within the limit of every circuit up to the main one.
"""

from collections.abc import Mapping

from master_scada.model import Command, Loads, Plant, Wish
from master_scada.station import Station
from register_maps.vocabulary import LimitReason


def guard(plant: Plant, wishes: Mapping[str, Wish]) -> dict[str, Command]:
    """A command for every station; a station without a wish is not allowed."""
    wishes = {s.name: wishes.get(s.name, _NO_WISH) for s in plant.stations}
    forbidden = {s.name: _forbidden(s, plant) for s in plant.stations}
    commands = {s.name: _refuse(forbidden[s.name] or wishes[s.name].reason) for s in plant.stations}
    wanted = [s for s in plant.stations if wishes[s.name].allow and forbidden[s.name] is None]
    for station in _keep(plant, wishes, [s for s in wanted if s.is_on]):
        commands[station.name] = _allow(plant, station, wishes)
    for station in _join(plant, wishes, [s for s in wanted if not s.is_on]):
        commands[station.name] = _allow(plant, station, wishes)
    return commands


def _forbidden(station: Station, plant: Plant) -> LimitReason | None:
    seen = station.reading
    if seen is None:
        return LimitReason.NO_DATA
    forbidden = [
        (seen.fault, LimitReason.FAULT),
        (seen.fully_charged, LimitReason.FULL),
        (seen.user_stopped, LimitReason.USER_STOP),
        (station.held, LimitReason.OPERATOR),
        (not seen.vehicle_connected, LimitReason.NO_VEHICLE),
        (plant.site_reason is not LimitReason.NONE, plant.site_reason),
        (plant.price is None or not plant.price <= plant.rules.price_limit, LimitReason.PRICE),
        (seen.voltage_v is None or seen.rated_power_w is None, LimitReason.NO_DATA),
    ]
    return next((reason for holds, reason in forbidden if holds), None)


def _keep(plant: Plant, wishes: Mapping[str, Wish], on: list[Station]) -> list[Station]:
    """Those that charge and may go on: as many as fit beside what can't be switched off."""
    kept = {s.name for s in on}
    loads = Loads(plant)
    for station in plant.stations:
        if station.name not in kept and not station.is_unheard:
            loads.add(station, station.told_to_stop_w())
    result = []
    for station in sorted(on, key=lambda s: (s.priority, wishes[s.name].turn)):
        watts = plant.kept_w(station)
        fits = loads.has_room(station, watts)
        loads.add(station, watts if fits else station.told_to_stop_w())
        if fits:
            result.append(station)
    return result


def _join(plant: Plant, wishes: Mapping[str, Wish], waiting: list[Station]) -> list[Station]:
    """Those that may close: beside everything that may draw at this moment, opening contactors too."""
    loads = Loads(plant)
    for station in plant.stations:
        loads.add(station, station.may_draw_w())
    result = []
    for station in sorted(waiting, key=lambda s: wishes[s.name].turn):
        more_w = max(0.0, plant.grant_w(station) - station.may_draw_w())
        if _voltage_is_in_band(station, plant) and loads.has_room(station, more_w):
            loads.add(station, more_w)
            result.append(station)
    return result


def _voltage_is_in_band(station: Station, plant: Plant) -> bool:
    circuit = plant.feeder.circuits[station.circuit]
    low_pu, high_pu = circuit.voltage_band
    voltage_v = station.reading.voltage_v if station.reading else None
    if voltage_v is None or voltage_v < low_pu * circuit.nominal_voltage_v:
        return False
    return plant.rules.overvoltage == "charge" or voltage_v <= high_pu * circuit.nominal_voltage_v


def _allow(plant: Plant, station: Station, wishes: Mapping[str, Wish]) -> Command:
    watts = min(wishes[station.name].grant_w, plant.grant_w(station))
    return Command(charge_enable=True, power_limit_w=watts, reason=LimitReason.NONE)


def _refuse(reason: LimitReason) -> Command:
    """A wish that the interlock takes away, though nothing is forbidden, is one for too much power."""
    told = LimitReason.POWER if reason is LimitReason.NONE else reason
    return Command(charge_enable=False, power_limit_w=0.0, reason=told)


_NO_WISH = Wish(allow=False, reason=LimitReason.POWER)
