"""A scan as the registers of pev_master, for screens, third parties and the master above."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache

from master_scada.events import Event
from master_scada.model import Command, Scan, total
from master_scada.quality import MEASURED, Doubt, worst
from master_scada.station import Reading, Station
from master_scada.upstream import SiteOrders
from register_maps.points import Value
from register_maps.vocabulary import ChargeState, FaultCode, LimitReason, Quality, QualityCause


def registers(
    scan: Scan, orders: SiteOrders, last_seen: Mapping[str, float], time: datetime
) -> dict[str, Value]:
    """Every read-only point of the site and its stations. `last_seen` has the time of the last readings;
    the scan was made at the time of day `time`."""
    values, time_utc = _site(scan, orders), time.timestamp()
    for number, station in enumerate(scan.plant.stations, start=1):
        seen_at = last_seen.get(station.name)
        age_s = None if seen_at is None else min(scan.at - seen_at, 0xFFFE)
        block = _station(station, scan.commands[station.name], age_s)
        block |= _quality(station, age_s, time_utc)
        values.update(zip(_names(number, tuple(block)), block.values(), strict=True))
    return values


@cache
def _names(number: int, points: tuple[str, ...]) -> tuple[str, ...]:
    """Of a station's block; the same in every scan."""
    return tuple(f"station_{number}_{point}" for point in points)


class EventRing:
    """The last events, each in the register block that its number gives it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._newest = 0

    def add(self, events: Iterable[Event], time: datetime) -> dict[str, Value]:
        """The registers that these events change."""
        values: dict[str, Value] = {}
        for event in events:
            block = f"event_{self._newest % self._size + 1}_"
            self._newest += 1
            values[block + "number"] = self._newest
            values[block + "time"] = int(time.timestamp())
            values[block + "text"] = str(event)
        return values | {"last_event": self._newest}


def _site(scan: Scan, orders: SiteOrders) -> dict[str, Value]:
    plant, stations = scan.plant, scan.plant.stations
    seen = [s.reading for s in stations if s.reading]
    with_vehicle = [r for r in seen if r.vehicle_connected]
    main = plant.feeder.main
    voltages, nearest_pu = scan.voltages_v(), scan.voltage_nearest_edge_pu()
    may_draw_w = sum(s.may_draw_w() for s in stations)
    rated_w = [s.rating_w for s in stations if s.rating_w < math.inf]
    return {
        "vehicle_connected": bool(with_vehicle),
        "contactor_closed": any(r.contactor_closed for r in seen),
        "fully_charged": bool(with_vehicle) and all(r.fully_charged for r in with_vehicle),
        "user_stopped": bool(with_vehicle) and all(r.user_stopped for r in with_vehicle),
        "failsafe_active": orders.failsafe_active,
        "fault": all(r is None or r.fault for r in (s.reading for s in stations)),
        "price_known": plant.price is not None,
        "state": _site_state(seen, with_vehicle),
        "heartbeat": scan.number % 0x10000,
        "voltage": None if nearest_pu is None else nearest_pu * main.nominal_voltage_v,
        "lowest_voltage": min(voltages, default=None),
        "highest_voltage": max(voltages, default=None),
        "voltage_low_limit": main.voltage_band[0] * main.nominal_voltage_v,
        "voltage_high_limit": main.voltage_band[1] * main.nominal_voltage_v,
        "measurement_age": _whole_ms(max((r.measurement_age_s for r in seen), default=math.inf)),
        "power": scan.total_power_w,
        "power_may_draw": may_draw_w if may_draw_w < math.inf else None,
        "power_limit_in_force": plant.limit_w(main.name),
        "rated_power": min(sum(rated_w), main.power_limit_w),
        "minimum_power": min((s.minimum_w for s in stations), default=0.0),
        "total_energy": total(r.total_energy_wh for r in seen),
        "scan_time": _whole_ms(scan.took_s),
        "station_count": len(stations),
        "charging_count": sum(r.state is ChargeState.CHARGING for r in seen),
        "waiting_count": sum(_is_held_back(s, scan.commands[s.name]) for s in stations),
        "silent_count": len(stations) - len(seen),
        "overruns": scan.overruns,
        "scans": scan.number,
        "role": scan.role,
        "term": scan.term,
        "power_quality": _worst_of(stations, "power"),
        "voltage_quality": _worst_of(stations, "voltage"),
        "master_age": None if orders.heard_s_ago is None else _whole_ms(orders.heard_s_ago, 0xFFFF_FFFE),
    }


def _station(station: Station, command: Command, age_s: float | None) -> dict[str, Value]:
    seen = station.reading
    return {
        "vehicle_connected": seen is not None and seen.vehicle_connected,
        "contactor_closed": seen is not None and seen.contactor_closed,
        "fully_charged": seen is not None and seen.fully_charged,
        "user_stopped": seen is not None and seen.user_stopped,
        "failsafe_active": seen is not None and seen.failsafe_active,
        "fault": seen is not None and seen.fault,
        "answers": seen is not None,
        "allowed": command.charge_enable,
        "state": (seen.state if seen else None) or ChargeState.FAULTED,
        "limit_reason": command.reason,
        "fault_code": (seen.fault_code if seen else None) or FaultCode.NONE,
        "reading_age": age_s,
        "voltage": seen.voltage_v if seen else None,
        "current": seen.current_a if seen else None,
        "state_of_charge": seen.state_of_charge_pct if seen else None,
        "priority": station.priority,
        "power": seen.power_w if seen else None,
        "power_limit": command.power_limit_w,
        "session_energy": seen.session_energy_wh if seen else None,
        "charging_time": seen.charging_time_s if seen else None,
        "time_to_full": seen.time_to_full_s if seen else None,
        "rated_power": station.rating_w if station.rating_w < math.inf else None,
        "name": station.name,
    }


def _quality(station: Station, age_s: float | None, time_utc: float) -> dict[str, Value]:
    seen, last = station.reading, station.last
    doubts = seen.doubts if seen else {}
    source_age_s = math.inf if last is None or age_s is None else age_s + last.measurement_age_s
    return {
        "quality": seen.quality if seen else Quality.BAD,
        "quality_cause": seen.quality_cause if seen else QualityCause.SILENT,
        "source_time": None if math.isinf(source_age_s) else int(time_utc - source_age_s),
        "uncertain_values": _in_doubt(doubts, Quality.UNCERTAIN),
        "bad_values": _in_doubt(doubts, Quality.BAD) if seen else frozenset(MEASURED),
        "unfollowed": station.unfollowed,
    }


def _in_doubt(doubts: Mapping[str, Doubt], quality: Quality) -> frozenset[str]:
    return frozenset(n for n, doubt in doubts.items() if n in MEASURED and doubt.quality is quality)


def _worst_of(stations: Iterable[Station], name: str) -> Quality:
    """What is worked out from this value of all stations is as good as the worst; silence is bad."""
    qualities = (
        (s.reading.doubts[name].quality if name in s.reading.doubts else Quality.GOOD)
        if s.reading
        else Quality.BAD
        for s in stations
    )
    return worst(qualities)


def _site_state(seen: list[Reading], with_vehicle: list[Reading]) -> ChargeState:
    if not seen or all(r.fault for r in seen):
        return ChargeState.FAULTED
    if any(r.state is ChargeState.CHARGING for r in seen):
        return ChargeState.CHARGING
    if not with_vehicle:
        return ChargeState.AVAILABLE
    done = all(r.fully_charged or r.user_stopped for r in with_vehicle)
    return ChargeState.FINISHING if done else ChargeState.SUSPENDED_EVSE


def _is_held_back(station: Station, command: Command) -> bool:
    ended = (LimitReason.NONE, LimitReason.NO_VEHICLE, LimitReason.FULL, LimitReason.USER_STOP)
    return station.reading is not None and command.reason not in ended


def _whole_ms(seconds: float, most: int = 0xFFFE) -> int | None:
    return None if math.isinf(seconds) else min(round(seconds * 1000), most)
