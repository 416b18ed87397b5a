"""The names that code decides by are those in the maps."""

from collections.abc import Iterator
from enum import StrEnum

import pytest

from register_maps.points import Point, PointType
from register_maps.register_map import load_map, map_names
from register_maps.vocabulary import (
    AlarmAction,
    AlarmCode,
    AlarmPriority,
    AlarmState,
    ChargeState,
    FaultCode,
    LimitReason,
    MasterRole,
    Quality,
    QualityCause,
    Unfollowed,
)

VOCABULARY: dict[str, type[StrEnum]] = {
    "state": ChargeState,
    "limit_reason": LimitReason,
    "limit_reason_local": LimitReason,
    "fault_code": FaultCode,
    "role": MasterRole,
    "power_quality": Quality,
    "voltage_quality": Quality,
    "quality": Quality,
    "quality_cause": QualityCause,
    "unfollowed": Unfollowed,
    "worst_priority": AlarmPriority,
    "priority": AlarmPriority,
    "code": AlarmCode,
    "alarm_state": AlarmState,
    "alarm_action": AlarmAction,
}


def enum_points() -> Iterator[tuple[str, Point]]:
    for name in ("pev_rtu", "pev_master"):
        device = load_map(name)
        device = device.expanded(**dict.fromkeys(device.groups, 1))
        yield from ((name, p) for p in device.points.values() if p.type is PointType.ENUM)


@pytest.mark.parametrize(
    ("where", "point"), list(enum_points()), ids=lambda part: part.name if isinstance(part, Point) else part
)
def test_maps_and_code_know_the_same_names(where: str, point: Point) -> None:
    names = VOCABULARY[vocabulary_of(point)]
    assert list(point.values.values()) == list(names)
    assert list(point.values) == list(range(len(names)))


def test_every_vocabulary_is_used() -> None:
    assert {vocabulary_of(point) for _, point in enum_points()} == set(VOCABULARY)


def vocabulary_of(point: Point) -> str:
    """`state` is a station's, wherever it stands; an alarm has another."""
    name = point.name.removeprefix("station_1_").removeprefix("peer_1_")
    return "alarm_state" if name == "alarm_1_state" else name.removeprefix("alarm_1_")


@pytest.mark.parametrize("name", map_names())
def test_maps_that_ship_can_be_loaded(name: str) -> None:
    assert load_map(name).name == name


def test_a_master_takes_the_orders_that_a_station_takes() -> None:
    station, master = load_map("pev_rtu").points, load_map("pev_master").points
    for name in ("charge_enable", "power_limit", "master_heartbeat", "limit_reason", "price", "price_limit"):
        assert master[name].address == station[name].address
        assert (master[name].table, master[name].type) == (station[name].table, station[name].type)
        assert (master[name].access, master[name].scale) == (station[name].access, station[name].scale)
