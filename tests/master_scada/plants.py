"""Plants made in one line, for tables of cases."""

from dataclasses import replace
from typing import Any

from master_scada.model import Circuit, Feeder, Plant, Rules
from master_scada.station import Reading, Station
from register_maps.vocabulary import ChargeState, FaultCode

READING = Reading(
    vehicle_connected=True,
    contactor_closed=False,
    fully_charged=False,
    user_stopped=False,
    failsafe_active=False,
    fault=False,
    fault_code=FaultCode.NONE,
    state=ChargeState.SUSPENDED_EVSE,
    charge_enable=False,
    power_limit_w=0.0,
    voltage_v=110.0,
    current_a=0.0,
    power_w=0.0,
    state_of_charge_pct=50.0,
    session_energy_wh=0.0,
    total_energy_wh=0.0,
    charging_time_s=0.0,
    time_to_full_s=None,
    rated_power_w=3300.0,
    minimum_power_w=1300.0,
    failsafe_power_limit_w=0.0,
    heartbeat=1,
    measurement_age_s=0.0,
)
RULES = Rules(price_limit=0.20)


def circuit(name: str = "feeder", limit_w: float = 5000, parent: str | None = None) -> Circuit:
    return Circuit(
        name=name, power_limit_w=limit_w, nominal_voltage_v=110, voltage_band=(0.95, 1.05), parent=parent
    )


def waiting(name: str = "A", *, place: str = "feeder", priority: int = 1, **seen: Any) -> Station:
    """Has a vehicle that wants to charge and is not allowed to."""
    reading = replace(READING, **seen)
    return Station(name=name, circuit=place, priority=priority, reading=reading, last=reading)


def charging(name: str = "A", *, place: str = "feeder", priority: int = 1, **seen: Any) -> Station:
    told = {key: seen.pop(key) for key in ("unfollowed",) if key in seen}
    on = {
        "charge_enable": True,
        "contactor_closed": True,
        "power_limit_w": 3300.0,
        "power_w": 3300.0,
        "state": ChargeState.CHARGING,
    }
    return replace(waiting(name, place=place, priority=priority, **(on | seen)), **told)


def silent(station: Station, *, told_to_charge: bool = False) -> Station:
    """The same station when it does not answer any more."""
    return replace(station, reading=None, told_to_charge=told_to_charge)


def never_seen(name: str = "A", *, place: str = "feeder", rated_power_w: float | None = None) -> Station:
    return Station(name=name, circuit=place, rated_power_w=rated_power_w)


def plant(
    *stations: Station,
    now: float = 1000.0,
    price: float | None = 0.12,
    circuits: tuple[Circuit, ...] = (circuit(),),
    rules: Rules = RULES,
    **more: Any,
) -> Plant:
    return Plant(now=now, price=price, rules=rules, feeder=Feeder(circuits), stations=stations, **more)
