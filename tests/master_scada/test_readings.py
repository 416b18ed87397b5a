"""From values to a reading, whether it can be believed, and what is written back."""

import math
from dataclasses import replace

import pytest
from plants import READING

from master_scada.model import Command, Reading
from master_scada.readings import NEEDED, Freshness, missing_points, orders, points_to_read, reading
from register_maps.points import Point, PointType, Table, Value
from register_maps.register_map import RegisterMap, load_map
from register_maps.vocabulary import ChargeState, FaultCode, LimitReason

SPARE: dict[str, Value] = {
    "charge_enable": True,
    "vehicle_connected": True,
    "contactor_closed": False,
    "voltage": 230.1,
    "power": 0,
}
"""The least that a station says."""


def device(*names: str, read_only: tuple[str, ...] = ()) -> RegisterMap:
    """A map with these points, all writable but for those that are `read_only`."""
    points = {
        name: Point(
            name=name,
            table=Table.HOLDING_REGISTER,
            address=n,
            type=PointType.UINT16,
            access="ro" if name in read_only else "rw",
            about="",
        )
        for n, name in enumerate(names)
    }
    return RegisterMap(name="device", version=1, about="", source="", points=points)


def test_a_device_that_says_the_least() -> None:
    seen = reading(SPARE, rated_power_w=7400)
    assert (seen.charge_enable, seen.vehicle_connected, seen.contactor_closed) == (True, True, False)
    assert (seen.voltage_v, seen.power_w) == (230.1, 0)
    assert seen.rated_power_w == 7400
    # What it can't say is unknown where it is a value, and not so where it is a fault.
    assert seen.state is None
    assert seen.state_of_charge_pct is None
    assert seen.power_limit_w is None
    assert (seen.fault, seen.fully_charged, seen.user_stopped, seen.failsafe_active) == (False,) * 4
    assert (seen.failsafe_power_limit_w, seen.heartbeat, seen.measurement_age_s) == (0, None, 0)


def test_a_device_that_says_everything() -> None:
    more: dict[str, Value] = {
        "state": "charging",
        "fault": True,
        "fault_code": "sensor_failed",
        "heartbeat": 65535,
        "measurement_age": 1500,
        "rated_power": 3300,
        "minimum_power": 1300,
        "failsafe_power_limit": 500,
        "time_to_full": 60,
    }
    seen = reading(SPARE | more, rated_power_w=7400)
    assert (seen.state, seen.fault_code) == (ChargeState.CHARGING, FaultCode.SENSOR_FAILED)
    assert (seen.heartbeat, seen.measurement_age_s, seen.time_to_full_s) == (65535, 1.5, 60)
    assert (seen.rated_power_w, seen.minimum_power_w, seen.failsafe_power_limit_w) == (3300, 1300, 500)


@pytest.mark.parametrize(
    ("name", "field", "unknown"),
    [
        ("voltage", "voltage_v", None),
        ("power", "power_w", None),
        ("power_limit", "power_limit_w", None),
        ("state_of_charge", "state_of_charge_pct", None),
        ("state", "state", None),
        ("fault_code", "fault_code", None),
        ("rated_power", "rated_power_w", None),  # the site file's stands in only where there is no point
        ("heartbeat", "heartbeat", None),
        ("measurement_age", "measurement_age_s", math.inf),
        ("failsafe_power_limit", "failsafe_power_limit_w", 0.0),
    ],
)
def test_no_value_is_no_zero(name: str, field: str, unknown: object) -> None:
    assert getattr(reading(SPARE | {name: None}, rated_power_w=7400), field) == unknown


def test_words_of_another_vocabulary_are_no_value() -> None:
    seen = reading(SPARE | {"state": "dancing", "fault_code": "E42"}, rated_power_w=None)
    assert (seen.state, seen.fault_code) == (None, None)


def seen(heartbeat: int | None, age_s: float = 0.0) -> Reading:
    return replace(READING, heartbeat=heartbeat, measurement_age_s=age_s)


def test_a_heartbeat_that_stands_still_is_a_dead_station() -> None:
    fresh = Freshness(max_age_s=5)
    assert fresh.is_fresh(seen(7), 100)
    assert fresh.is_fresh(seen(7), 105)
    assert not fresh.is_fresh(seen(7), 105.1)
    assert fresh.is_fresh(seen(8), 106)  # it lives again
    assert fresh.is_fresh(seen(8), 111)
    assert not fresh.is_fresh(seen(8), 111.1)


def test_a_heartbeat_that_begins_anew_lives() -> None:
    fresh = Freshness(max_age_s=5)
    assert [fresh.is_fresh(seen(count), 10.0 * n) for n, count in enumerate([65535, 0, 1])] == [True] * 3


def test_a_device_without_a_heartbeat_is_believed() -> None:
    fresh = Freshness(max_age_s=5)
    assert all(fresh.is_fresh(seen(None), now) for now in (0, 100, 1000))


def test_old_measurements_are_no_reading() -> None:
    fresh = Freshness(max_age_s=5)
    assert fresh.is_fresh(seen(1, age_s=5), 0)
    assert not fresh.is_fresh(seen(2, age_s=5.001), 1)
    assert not fresh.is_fresh(seen(3, age_s=math.inf), 2)
    assert fresh.is_fresh(seen(4, age_s=0.1), 3)


def test_the_master_asks_only_for_what_it_uses_and_can_read() -> None:
    names = points_to_read(load_map("pev_rtu"))
    assert set(NEEDED) <= set(names)
    assert not {"price", "limit_reason", "stop_request", "failsafe_timeout"} & set(names)


def test_what_keeps_a_map_from_being_a_station() -> None:
    assert missing_points(device(*NEEDED)) == []
    assert missing_points(device("charge_enable", "voltage", "power")) == [
        "vehicle_connected",
        "contactor_closed",
    ]
    assert missing_points(device(*NEEDED, read_only=("charge_enable",))) == ["charge_enable with access rw"]


ALL = ("power_limit", "master_heartbeat", "limit_reason", "price", "price_limit", "charge_enable")


def told(enable: bool, to: RegisterMap) -> dict[str, Value]:
    reason = LimitReason.NONE if enable else LimitReason.PRICE
    command = Command(charge_enable=enable, power_limit_w=3300 if enable else 0, reason=reason)
    return orders(command, 7, 0.25, 0.20, to)


def test_permission_is_given_last_and_taken_first() -> None:
    assert list(told(True, device(*ALL))) == list(ALL)
    assert list(told(False, device(*ALL))) == ["charge_enable", *ALL[:-1]]


def test_what_is_told() -> None:
    assert told(False, load_map("pev_rtu")) == {
        "charge_enable": False,
        "power_limit": 0,
        "master_heartbeat": 7,
        "limit_reason": "price",
        "price": 0.25,
        "price_limit": 0.20,
    }


def test_what_the_map_lacks_or_can_only_read_is_not_told() -> None:
    spare = device("charge_enable", "price", "power_limit", read_only=("price",))
    assert told(True, spare) == {"power_limit": 3300, "charge_enable": True}
