"""What a master may tell, by way of real registers; and what its screen makes of it, without a display."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle

from hmi.master_picture import MasterSight
from hmi.master_view import MasterView, master_view
from hmi.operator_panel import OperatorPanel
from hmi.sketch import Picture, Press
from hmi.trend import SAMPLES, Sample
from modbus_link.image import RegisterImage
from register_maps.points import Value
from register_maps.register_map import load_map

SIZES = [(480, 320), (800, 480), (320, 480), (480, 800), (1280, 800)]
EVENTS = 16
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
}


def image_of(*stations: dict[str, Value], events: int = 0, **site: Value) -> RegisterImage:
    """A master's image with these stations and with events 1, 2, … in their ring."""
    device_map = load_map("pev_master").expanded(station=len(stations), event=EVENTS)
    image = RegisterImage(device_map)
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


def full_trend(power_w: float | None = 3300, voltage_v: float | None = 107.3) -> list[Sample]:
    return [
        Sample(time=NOON + timedelta(seconds=n), power_w=power_w, lowest_voltage_v=voltage_v)
        for n in range(SAMPLES)
    ]


def rough(text: str, size: int, bold: bool) -> int:
    """Of a font that nobody has; about as wide as the real ones."""
    return round(sum(size if ord(character) > 0x2E80 else 0.6 * size for character in text))


def place_of(picture: Picture, press: Press) -> tuple[float, float]:
    """Where to touch for this."""
    box = next(box for box, asked in picture.touches if asked == press)
    return box.x + box.width / 2, box.y + box.height / 2
