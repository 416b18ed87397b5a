"""The rule: what the master would like, station by station, and why not where not.

Charging is allowed when the price is known and at most x, the total charging power stays at most y,
and the measured voltages are within the band. The interlock then takes away what must not be.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

from master_scada.memory import Memory
from master_scada.model import Plant, Wish
from master_scada.station import Station
from master_scada.turns import Shares, share_power, shed_order, wait_order
from master_scada.voltage import (
    Extremes,
    extremes,
    limited_by_overvoltage,
    remember_voltage,
    shed_for_voltage,
)
from master_scada.voltage_room import give_way, may_join
from register_maps.vocabulary import LimitReason


def wishes(plant: Plant, memory: Memory) -> tuple[dict[str, Wish], Memory]:
    """A wish for every station, and the memory with what this scan has shown of price and voltage."""
    seen = extremes(plant)
    memory = remember_voltage(plant, seen, _remember_price(plant, memory))
    reasons = _requirements(plant, seen)
    reasons |= _not_followed(plant, memory, reasons)
    on = [s for s in plant.stations if s.is_on and reasons[s.name] is LimitReason.NONE]
    shed, memory = shed_for_voltage(plant, seen, memory, shed_order(on, memory))
    reasons |= dict.fromkeys(shed, LimitReason.VOLTAGE)
    for station in plant.stations:
        if not station.is_on and reasons[station.name] is LimitReason.NONE:
            reasons[station.name] = _why_not_join(station, plant, memory)
    gone, memory = _turns_of_voltage(plant, memory, reasons)
    reasons |= dict.fromkeys(gone, LimitReason.WAITING_TURN)
    free = [s for s in plant.stations if reasons[s.name] is LimitReason.NONE]
    shares = share_power(
        plant, memory, on=[s for s in free if s.is_on], ready=[s for s in free if not s.is_on]
    )
    return _wishes(plant, reasons, shares), memory


def requirement(station: Station, plant: Plant) -> LimitReason:
    """The first of the station's own requirements that is not met; `none` if all are."""
    seen = station.reading
    if seen is None:
        return LimitReason.NO_DATA
    grant_w = plant.grant_w(station)
    failed = [
        (seen.fault, LimitReason.FAULT),
        (station.held, LimitReason.OPERATOR),
        (not seen.vehicle_connected, LimitReason.NO_VEHICLE),
        (seen.fully_charged, LimitReason.FULL),
        (seen.user_stopped, LimitReason.USER_STOP),
        (plant.site_reason is not LimitReason.NONE, plant.site_reason),
        (plant.price is None or plant.price > plant.rules.price_limit, LimitReason.PRICE),
        (seen.voltage_v is None or seen.rated_power_w is None, LimitReason.NO_DATA),
        (grant_w < station.minimum_w or grant_w <= 0, LimitReason.POWER),
    ]
    return next((reason for holds, reason in failed if holds), LimitReason.NONE)


def _requirements(plant: Plant, seen: Mapping[str, Extremes]) -> dict[str, LimitReason]:
    too_high = limited_by_overvoltage(plant, seen)
    reasons: dict[str, LimitReason] = {}
    for station in plant.stations:
        reason = requirement(station, plant)
        if reason is LimitReason.NONE and not too_high.isdisjoint(plant.feeder.path(station.circuit)):
            reason = LimitReason.VOLTAGE
        reasons[station.name] = reason
    return reasons


def _not_followed(plant: Plant, memory: Memory, reasons: Mapping[str, LimitReason]) -> dict[str, LimitReason]:
    """Those who were told to stop for the voltage and go on all the same: they are told again, and not
    counted on for what they would give back, or nobody else would ever go."""
    told = {
        n for n, own in memory.stations.items() if own.on_since is None and own.reason is LimitReason.VOLTAGE
    }
    return {
        s.name: LimitReason.VOLTAGE
        for s in plant.stations
        if s.is_on and s.name in told and reasons[s.name] is LimitReason.NONE
    }


def _remember_price(plant: Plant, memory: Memory) -> Memory:
    if plant.price is None or plant.price > plant.rules.price_limit:
        return replace(memory, price_ok_since=None)
    if memory.price_ok_since is not None:
        return memory
    # A master that has just begun has not seen the price change: nothing to wait for.
    return replace(memory, price_ok_since=plant.now if memory.stations else -math.inf)


def _turns_of_voltage(
    plant: Plant, memory: Memory, reasons: Mapping[str, LimitReason]
) -> tuple[set[str], Memory]:
    """Who gives up its turn to one that waits for the voltage."""
    on = [s for s in plant.stations if s.is_on and reasons[s.name] is LimitReason.NONE]
    waiting = [s for s in plant.stations if not s.is_on and reasons[s.name] is LimitReason.VOLTAGE]
    return give_way(plant, memory, wait_order(waiting, plant, memory), shed_order(on, memory))


def _why_not_join(station: Station, plant: Plant, memory: Memory) -> LimitReason:
    """Closing waits: until price and voltage have been right for a while, and the contactor has rested."""
    wait_s = plant.rules.minimum_off_s
    own = memory.of_station(station.name)
    if memory.price_ok_since is None or plant.now - memory.price_ok_since < wait_s:
        return LimitReason.PRICE
    if not may_join(station, plant, memory):
        return LimitReason.VOLTAGE
    # A master that has just begun does not know how long the contactor has rested; and a station that
    # was on a scan ago has been switched off by somebody else, or by its own failsafe.
    just_off = station.name not in memory.stations or own.was_on
    if just_off or plant.now - own.off_since < wait_s:
        told = own.reason in (LimitReason.PRICE, LimitReason.VOLTAGE, LimitReason.POWER)
        return own.reason if told else LimitReason.WAITING_TURN
    return LimitReason.NONE


def _wishes(plant: Plant, reasons: Mapping[str, LimitReason], shares: Shares) -> dict[str, Wish]:
    result = {name: Wish(allow=False, reason=reason) for name, reason in reasons.items()}
    result |= {name: Wish(allow=False, reason=reason) for name, reason in shares.refused.items()}
    for turn, station in enumerate([*shares.kept, *shares.admitted]):
        result[station.name] = Wish(
            allow=True, reason=LimitReason.NONE, grant_w=plant.grant_w(station), turn=turn
        )
    return result
