"""What a master may tell, by way of real registers; and what its screen makes of it, without a display."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import cycle

from hmi.master_picture import MasterSight
from hmi.master_view import MasterView, master_view
from hmi.operator_panel import OperatorPanel
from hmi.sketch import Picture, Press
from hmi.trend import SAMPLES, Sample
from modbus_link.image import RegisterImage
from register_maps.points import Value
from register_maps.register_map import RegisterMap, load_map

SIZES = [(480, 320), (800, 480), (320, 480), (480, 800), (1280, 800)]
EVENTS, ALARMS = 16, 32
NOON = datetime(2026, 12, 28, 12, 34, 56, tzinfo=UTC)
SITE: dict[str, Value] = {
    "site_name": "Demo car park",
    "currency": "USD",
    "price": 0.12,
    "price_known": True,
    "price_limit": 0.20,
    "power": 3300,
    "power_limit": 5000,
    "power_limit_in_force": 5000,
    "lowest_voltage": 107.3,
    "highest_voltage": 108.1,
    "voltage_low_limit": 104.5,
    "voltage_high_limit": 115.5,
    "scan_period": 1000,
    "charging_count": 1,
    "heartbeat": 7,
}
CHARGING: dict[str, Value] = {
    "answers": True,
    "state": "charging",
    "limit_reason": "none",
    "fault_code": "none",
    "reading_age": 0,
    "voltage": 107.3,
    "power": 3300,
    "state_of_charge": 42.5,
    "session_energy": 5800,
    "charging_time": 3725,
    "time_to_full": 7500,
}
NO_VALUES: dict[str, Value] = dict.fromkeys(
    ["voltage", "power", "state_of_charge", "session_energy", "charging_time", "time_to_full"]
)
SILENT: dict[str, Value] = {**CHARGING, **NO_VALUES, "answers": False, "state": "faulted", "reading_age": 42}
WAITING: dict[str, Value] = {**CHARGING, "state": "suspended_evse", "power": 0, "time_to_full": None}
KINDS: dict[str, dict[str, Value]] = {
    "charging": CHARGING,
    "full": {**CHARGING, "state": "finishing", "fully_charged": True, "limit_reason": "full"},
    "free": {**CHARGING, **NO_VALUES, "state": "available", "limit_reason": "no_vehicle", "power": 0},
    "price": {**WAITING, "limit_reason": "price"},
    "turn": {**WAITING, "limit_reason": "waiting_turn"},
    "stopped": {**WAITING, "state": "finishing", "limit_reason": "user_stop"},
    "pauses": {**WAITING, "state": "suspended_ev"},
    "starting": {**CHARGING, "state": "preparing", "power": 0},
    "held": {**WAITING, "limit_reason": "operator", "hold": True},
    "failsafe": {**WAITING, "limit_reason": "failsafe", "failsafe_active": True},
    "faulted": {**WAITING, "state": "faulted", "limit_reason": "fault", "fault_code": "contactor_welded"},
    "silent": SILENT,
    "stale": {
        **CHARGING,
        "quality": "uncertain",
        "quality_cause": "stale",
        "uncertain_values": frozenset({"power"}),
    },
    "does not open": {**WAITING, "limit_reason": "price", "unfollowed": "not_opened", "power": 3300},
}
UNACKNOWLEDGED, ACKNOWLEDGED, OVER, SHELVED, OUT = (
    "active_unacknowledged",
    "active_acknowledged",
    "returned_unacknowledged",
    "shelved",
    "out_of_service",
)
WELDED: dict[str, Value] = {
    "number": 45,
    "code": "contactor_welded",
    "state": UNACKNOWLEDGED,
    "priority": "urgent",
    "source": 1,
    "name": "RTS1",
    "text": "The contactor did not open; RTS1 may draw 3300 W whatever it is told.",
    "remedy": "Switch RTS1 off at its breaker and have the contactor replaced.",
}
NO_PRICE: dict[str, Value] = {
    "number": 1,
    "code": "price_unknown",
    "state": UNACKNOWLEDGED,
    "priority": "high",
    "name": "site",
    "text": "The price is unknown; nobody charges.",
    "remedy": "Check the source of the tariff.",
}
STALE_VALUES: dict[str, Value] = {**WELDED, "number": 49, "code": "doubtful_values", "priority": "medium"}
SEVERAL = [
    WELDED,
    NO_PRICE,
    {**STALE_VALUES, "name": "RTS2", "state": OVER, "text": "The values of RTS2 stood still for 20 s."},
    {**STALE_VALUES, "number": 81, "state": ACKNOWLEDGED, "priority": "low", "text": "Scans take too long."},
    {**STALE_VALUES, "number": 82, "state": SHELVED, "shelved_left": 780, "text": "RTS3 is silent."},
    {**STALE_VALUES, "number": 83, "state": OUT, "name": "garage", "text": "The voltage is low: 103.9 V."},
]


def with_alarms(image: RegisterImage, *alarms: dict[str, Value]) -> RegisterImage:
    """The same image, whose master has these alarms and no others."""
    began = int((NOON - timedelta(minutes=3)).timestamp())
    counted = [alarm for alarm in alarms if alarm["state"] not in (SHELVED, OUT)]
    open_ones = [alarm for alarm in counted if alarm["state"] != ACKNOWLEDGED]
    for number in range(1, ALARMS + 1):
        blank = dict.fromkeys(("number", "source", "time", "shelved_left"), 0) | dict.fromkeys(
            ("name", "text", "remedy"), ""
        )
        block = {**blank, "time": began, **alarms[number - 1]} if number <= len(alarms) else blank
        image.update({f"alarm_{number}_{name}": value for name, value in block.items()})
    changes = image["alarm_changes"]
    assert isinstance(changes, int)
    image.update(
        {
            "alarm_count": len(counted),
            "unacknowledged_count": len(open_ones),
            "worst_priority": next((alarm["priority"] for alarm in [*open_ones, *counted]), "none"),
            "alarm_changes": changes + 1,
        }
    )
    return image


@cache
def map_of(stations: int) -> RegisterMap:
    return load_map("pev_master").expanded(station=stations, event=EVENTS, alarm=ALARMS)


def image_of(*stations: dict[str, Value], events: int = 0, **site: Value) -> RegisterImage:
    """A master's image with these stations and with events 1, 2, … in their ring."""
    image = RegisterImage(map_of(len(stations)))
    image.update({**SITE, "station_count": len(stations), **site})
    for number, station in enumerate(stations, start=1):
        block = {"name": f"RTS{number}", **station}
        image.update({f"station_{number}_{name}": value for name, value in block.items()})
    for number in range(1, events + 1):
        image.update(event(number))
    return image


def event(number: int, text: str = "RTS1: charges with at most 3300 W") -> dict[str, Value]:
    """The registers that this event changes."""
    block = f"event_{(number - 1) % EVENTS + 1}_"
    time = int((NOON + timedelta(seconds=number)).timestamp())
    return {"last_event": number, block + "number": number, block + "time": time, block + "text": text}


def values_of(image: RegisterImage) -> dict[str, Value]:
    return {name: image[name] for name in image.map.points}


def view_of(*stations: dict[str, Value], events: int = 0, **site: Value) -> MasterView:
    return master_view(values_of(image_of(*stations, events=events, **site)))


def alarmed(alarms: Sequence[dict[str, Value]], *stations: dict[str, Value], **site: Value) -> MasterView:
    return master_view(values_of(with_alarms(image_of(*stations, **site), *alarms)))


def many(count: int, names: Sequence[str] = ("RTS",)) -> list[dict[str, Value]]:
    """Stations of every kind in turn."""
    kinds = zip(range(count), cycle(KINDS.values()), cycle(names), strict=False)
    return [{**kind, "name": f"{name}{n + 1}"[:16]} for n, kind, name in kinds]


def sight(
    view: MasterView | None,
    panel: OperatorPanel | None = None,
    *,
    headline: str = "",
    detail: str = "",
    trend: Sequence[Sample] = (),
    time_of_day: datetime = NOON,
) -> MasterSight:
    return MasterSight(
        view=view,
        headline=headline,
        detail=detail,
        time_of_day=time_of_day,
        trend=trend,
        panel=panel or OperatorPanel(),
    )


@cache
def full_trend(power_w: float | None = 3300, voltage_v: float | None = 107.3) -> tuple[Sample, ...]:
    return tuple(
        Sample(time=NOON + timedelta(seconds=n), power_w=power_w, lowest_voltage_v=voltage_v)
        for n in range(SAMPLES)
    )


def rough(text: str, size: int, bold: bool) -> int:
    """Of a font that nobody has; about as wide as the real ones."""
    return round(sum(size if ord(character) > 0x2E80 else 0.6 * size for character in text))


def place_of(picture: Picture, press: Press) -> tuple[float, float]:
    """Where to touch for this."""
    box = next(box for box, asked in picture.touches if asked == press)
    return box.x + box.width / 2, box.y + box.height / 2
