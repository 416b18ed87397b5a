"""From values to a reading, whether it can be believed, and what is written back."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest

from master_scada.links import StationLink
from master_scada.model import Command
from master_scada.quality import Expected
from master_scada.readings import (
    BITS,
    NEEDED,
    Liveness,
    missing_points,
    orders,
    points_to_read,
    reading,
)
from master_scada.site_schema import StationEntry
from modbus_link.errors import LinkDown
from register_maps.blocks import Span
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
    points = {name: point(name, n, "ro" if name in read_only else "rw") for n, name in enumerate(names)}
    return RegisterMap(name="device", version=1, about="", source="", points=points)


def point(name: str, address: int, access: Literal["ro", "rw"]) -> Point:
    is_bit = name in BITS
    return Point(
        name=name,
        table=Table.COIL if is_bit else Table.HOLDING_REGISTER,
        address=address,
        type=PointType.BOOL if is_bit else PointType.UINT16,
        access=access,
        about="",
    )


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
        ("failsafe_power_limit", "failsafe_power_limit_w", math.inf),  # and so its rating,
    ],
)
def test_no_value_is_no_zero(name: str, field: str, unknown: object) -> None:
    assert getattr(reading(SPARE | {name: None}, rated_power_w=7400), field) == unknown


def test_words_of_another_vocabulary_are_no_value() -> None:
    seen = reading(SPARE | {"state": "dancing", "fault_code": "E42"}, rated_power_w=None)
    assert (seen.state, seen.fault_code) == (None, None)


def test_a_heartbeat_that_stands_still_is_a_dead_station() -> None:
    life = Liveness(max_age_s=5)
    assert life.is_alive(7, 100)
    assert life.is_alive(7, 105)
    assert not life.is_alive(7, 105.1)
    assert life.is_alive(8, 106)  # it lives again
    assert life.is_alive(8, 111)
    assert not life.is_alive(8, 111.1)


def test_a_heartbeat_that_begins_anew_lives() -> None:
    life = Liveness(max_age_s=5)
    assert [life.is_alive(count, 10.0 * n) for n, count in enumerate([65535, 0, 1])] == [True] * 3


def test_a_device_without_a_heartbeat_is_believed() -> None:
    life = Liveness(max_age_s=5)
    assert all(life.is_alive(None, now) for now in (0, 100, 1000))


def test_the_master_asks_only_for_what_it_uses_and_can_read() -> None:
    names = points_to_read(load_map("pev_rtu"))
    assert set(NEEDED) <= set(names)
    assert not {"price", "price_limit", "stop_request", "name"} & set(names)


def test_what_keeps_a_map_from_being_a_station() -> None:
    assert missing_points(device(*NEEDED)) == []
    assert missing_points(device("charge_enable", "voltage", "power")) == [
        "vehicle_connected",
        "contactor_closed",
    ]
    assert missing_points(device(*NEEDED, read_only=("charge_enable",))) == ["charge_enable with access rw"]


@pytest.mark.parametrize(
    ("name", "change", "fault"),
    [
        ("contactor_closed", {"type": PointType.ENUM}, "contactor_closed as a bool that can be read"),
        ("vehicle_connected", {"access": "wo"}, "vehicle_connected as a bool that can be read"),
        ("voltage", {"type": PointType.STRING}, "voltage as a number that can be read"),
        ("power", {"access": "wo"}, "power as a number that can be read"),
    ],
)
def test_a_point_of_the_wrong_kind_is_as_good_as_none(name: str, change: dict[str, Any], fault: str) -> None:
    good = device(*NEEDED)
    bad = replace(good, points={**good.points, name: replace(good.points[name], **change)})
    assert missing_points(bad) == [fault]


@pytest.mark.parametrize("watts", [-1, 5e9, None])
def test_a_rating_that_can_not_be_true_is_no_value(watts: float | None) -> None:
    seen = reading(SPARE | {"rated_power": watts, "minimum_power": watts}, rated_power_w=7400)
    assert (seen.rated_power_w, seen.minimum_power_w) == (None, None)


class Wire:
    """Notes what is written: table, first address, words."""

    def __init__(self) -> None:
        self.writes: list[tuple[Table, int, list[int]]] = []
        self.min_interval_s = 0.0

    async def read_all(self, spans: Sequence[Span], unit_id: int) -> list[Sequence[int]]:
        raise LinkDown("nobody reads here")

    async def write(
        self, table: Table, address: int, words: Sequence[int], unit_id: int, *, single: bool = True
    ) -> None:
        self.writes.append((table, address, list(words)))


async def told(
    to: RegisterMap, *, enable: bool, price: float | None = 0.25
) -> list[tuple[Table, int, list[int]]]:
    reason = LimitReason.NONE if enable else LimitReason.PRICE
    command = Command(charge_enable=enable, power_limit_w=3300 if enable else 0, reason=reason)
    wire = Wire()
    entry = StationEntry(name="A", circuit="feeder", host="h")
    await StationLink(entry, to, wire, Expected(nominal_voltage_v=110)).write(orders(command, 7, price, 0.20))
    return wire.writes


HOLDING, COIL = Table.HOLDING_REGISTER, Table.COIL


async def test_permission_is_given_last_and_taken_first() -> None:
    rtu = load_map("pev_rtu")
    assert await told(rtu, enable=True) == [(HOLDING, 0, [0, 3300, 7, 0, 0, 2500, 0, 2000]), (COIL, 0, [1])]
    assert await told(rtu, enable=False) == [(COIL, 0, [0]), (HOLDING, 0, [0, 0, 7, 1, 0, 2500, 0, 2000])]


@pytest.mark.parametrize("price", [-300_000.0, 1e9])
async def test_a_price_that_can_not_be_shown_keeps_no_order_back(price: float) -> None:
    writes = await told(load_map("pev_rtu"), enable=True, price=price)
    assert writes == [(HOLDING, 0, [0, 3300, 7, 0]), (HOLDING, 6, [0, 2000]), (COIL, 0, [1])]


async def test_what_the_map_lacks_or_can_only_read_is_not_told() -> None:
    spare = device("charge_enable", "price", "power_limit", read_only=("price",))
    assert await told(spare, enable=True) == [(HOLDING, 2, [3300]), (COIL, 0, [1])]
