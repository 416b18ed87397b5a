"""A day at a station, second by second, as its registers tell it: every state, and values that move."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hmi.polling import Latest
from hmi.sketch import Measure, Picture
from hmi.station_picture import station_picture
from hmi.station_view import station_view
from hmi.texts import load_texts
from modbus_link.image import RegisterImage
from register_maps.points import Value
from register_maps.register_map import load_map

DAY_S = 86_400
SESSION_S = 5400
MIDNIGHT = datetime(2026, 5, 1, tzinfo=UTC)
PHASES: list[tuple[float, dict[str, Value]]] = [
    (0.02, {"state": "available", "vehicle_connected": False}),
    (0.03, {"state": "preparing"}),
    (0.40, {"state": "charging", "contactor_closed": True}),
    (0.45, {"state": "suspended_evse", "limit_reason": "price"}),
    (0.50, {"state": "suspended_evse", "limit_reason": "waiting_turn"}),
    (0.55, {"state": "charging", "contactor_closed": True, "failsafe_active": True}),
    (0.57, {"state": "suspended_ev", "contactor_closed": True}),
    (0.60, {"state": "finishing", "user_stopped": True, "limit_reason_local": "user_stop"}),
    (0.62, {"state": "faulted", "fault": True, "fault_code": "sensor_failed", "voltage": None}),
    (0.90, {"state": "charging", "contactor_closed": True}),
    (1.00, {"state": "finishing", "fully_charged": True, "limit_reason_local": "full"}),
]
"""Until which share of a session what is so."""


def readings(count: int = DAY_S) -> Iterator[tuple[float, Latest]]:
    """So many moments of a day, and what was read last then; now and then the station is silent."""
    image = RegisterImage(load_map("pev_rtu"))
    image.update({"name": "RTS1", "vehicle_connected": True, "price_limit": 0.2})
    blank = {name: image[name] for name in image.map.points}
    latest = Latest(since=0.0)
    for number in range(count):
        second = number * DAY_S // count
        if number % 100 < 95:
            latest = Latest(since=0.0, values=blank | _values(second), read_at=second, counted_at=second)
        yield second, latest


def pictures(count: int, size: tuple[int, int], measure: Measure) -> Iterator[Picture]:
    """What the driver's screen shows of it."""
    texts = load_texts("en")
    for second, latest in readings(count):
        at = MIDNIGHT + timedelta(seconds=second)
        yield station_picture(station_view(latest, second, at, texts), f"{at:%H:%M}", size, measure, texts)


def _values(second: int) -> dict[str, Value]:
    gone = second % SESSION_S
    share = gone / SESSION_S
    state = next(values for until, values in PHASES if share < until)
    charges = state["state"] == "charging"
    values: dict[str, Value] = {
        "heartbeat": second % 0x10000,
        "measurement_age": second % 100,
        "voltage": 107 + second % 37 / 10,
        "power": 3000 + second % 301 if charges else 0,
        "state_of_charge": round(100 * share, 1),
        "session_energy": gone * 8,
        "charging_time": gone,
        "time_to_full": SESSION_S - gone if charges else None,
        "price": round(0.08 + second // 900 % 24 / 100 + second % 7 / 10_000, 4),
    }
    return values | state
