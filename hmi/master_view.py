"""The master's registers as what an operator is shown; pure, so it needs no display."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from register_maps.points import Value
from register_maps.vocabulary import ChargeState, LimitReason

STATE_TEXTS = {
    ChargeState.AVAILABLE: "free",
    ChargeState.PREPARING: "starting",
    ChargeState.CHARGING: "charging",
    ChargeState.SUSPENDED_EVSE: "waiting",
    ChargeState.SUSPENDED_EV: "vehicle pauses",
    ChargeState.FINISHING: "finished",
    ChargeState.FAULTED: "out of order",
}
REASON_TEXTS = {
    LimitReason.NONE: "",
    LimitReason.PRICE: "price above its limit",
    LimitReason.POWER: "no room under the power limit",
    LimitReason.VOLTAGE: "limited by the feeder's voltage",
    LimitReason.WAITING_TURN: "waits its turn",
    LimitReason.NO_DATA: "no data",
    LimitReason.OPERATOR: "held by the operator",
    LimitReason.USER_STOP: "stopped by the driver",
    LimitReason.FULL: "full, please unplug",
    LimitReason.FAILSAFE: "safe mode",
    LimitReason.FAULT: "fault",
    LimitReason.NO_VEHICLE: "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StationRow:
    name: str
    answers: bool
    state: ChargeState
    reason: LimitReason
    voltage_v: float | None
    power_w: float | None
    state_of_charge_pct: float | None
    session_energy_wh: float | None
    charging_time_s: float | None
    time_to_full_s: float | None

    @property
    def state_text(self) -> str:
        return STATE_TEXTS[self.state] if self.answers else "silent"

    @property
    def reason_text(self) -> str:
        return REASON_TEXTS[self.reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterView:
    site: str
    currency: str
    price: float | None
    price_limit: float | None
    power_w: float | None
    power_limit_w: float
    lowest_voltage_v: float | None
    highest_voltage_v: float | None
    voltage_low_limit_v: float
    voltage_high_limit_v: float
    scans: int
    overruns: int
    stations: tuple[StationRow, ...]

    @property
    def price_is_over(self) -> bool:
        return self.price is None or (self.price_limit is not None and self.price > self.price_limit)

    @property
    def voltage_is_out(self) -> bool:
        low, high = self.lowest_voltage_v, self.highest_voltage_v
        if low is None or high is None:
            return True
        return low < self.voltage_low_limit_v or high > self.voltage_high_limit_v


def master_view(values: Mapping[str, Value]) -> MasterView:
    """`values`: every point of pev_master, expanded to the site's stations."""
    v: Mapping[str, Any] = values
    rows = (_row(values, f"station_{n}_") for n in range(1, v["station_count"] + 1))
    return MasterView(
        site=v["site_name"],
        currency=v["currency"],
        price=v["price"] if v["price_known"] else None,
        price_limit=v["price_limit"],
        power_w=v["power"],
        power_limit_w=v["power_limit_in_force"],
        lowest_voltage_v=v["lowest_voltage"],
        highest_voltage_v=v["highest_voltage"],
        voltage_low_limit_v=v["voltage_low_limit"],
        voltage_high_limit_v=v["voltage_high_limit"],
        scans=v["scans"],
        overruns=v["overruns"],
        stations=tuple(rows),
    )


def _row(values: Mapping[str, Value], prefix: str) -> StationRow:
    v: Mapping[str, Any] = {
        name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)
    }
    return StationRow(
        name=v["name"],
        answers=v["answers"],
        state=ChargeState(v["state"]),
        reason=LimitReason(v["limit_reason"]),
        voltage_v=v["voltage"],
        power_w=v["power"],
        state_of_charge_pct=v["state_of_charge"],
        session_energy_wh=v["session_energy"],
        charging_time_s=v["charging_time"],
        time_to_full_s=v["time_to_full"],
    )
