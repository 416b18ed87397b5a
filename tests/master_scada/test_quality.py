"""Which values are not believed, and that nobody decides by them."""

import math
from dataclasses import replace

import pytest
from plants import charging, circuit, plant, silent, waiting

from master_scada.decide import decide
from master_scada.interlock import guard
from master_scada.memory import Memory
from master_scada.model import Wish
from master_scada.quality import Expected, FrozenCheck, doubts, worst
from master_scada.readings import reading
from register_maps.points import Value
from register_maps.vocabulary import FaultCode, LimitReason, Quality, QualityCause, Unfollowed

GOOD: dict[str, Value] = {
    "charge_enable": True,
    "vehicle_connected": True,
    "contactor_closed": True,
    "voltage": 110.0,
    "current": 30.0,
    "power": 3300.0,
    "state_of_charge": 50.0,
    "session_energy": 1000.0,
    "total_energy": 5000.0,
    "rated_power": 3300,
}
COUNTED: dict[str, Value] = {"state_of_charge_estimated": True}
EXPECTED = Expected(nominal_voltage_v=110, rated_power_w=3300, max_age_s=5)
DEAD_LINE = {"voltage", "contactor_closed"}
MEASURED = {"voltage", "current", "power", "state_of_charge", "session_energy", "total_energy"}


@pytest.mark.parametrize(
    ("change", "age_s", "doubted", "cause"),
    [
        ({}, 0, set(), None),
        ({}, 5, set(), None),
        ({}, 5.001, MEASURED | {"contactor_closed"}, "stale"),
        ({}, math.inf, MEASURED | {"contactor_closed"}, "stale"),
        ({"voltage": None}, 0, {"voltage"}, "no_value"),
        ({"power": None, "current": None}, 0, {"power", "current"}, "no_value"),
        ({"state_of_charge": None, "session_energy": None}, 0, set(), None),
        ({"voltage": 0.0}, 0, DEAD_LINE, "implausible"),
        ({"voltage": 54.9}, 0, DEAD_LINE, "implausible"),
        ({"voltage": 55.0}, 0, set(), None),
        ({"voltage": 165.1}, 0, DEAD_LINE, "implausible"),
        ({"voltage": math.nan}, 0, DEAD_LINE, "implausible"),
        ({"power": 4951.0}, 0, {"power"}, "implausible"),
        ({"power": -166.0}, 0, {"power"}, "implausible"),
        ({"state_of_charge": 101.0}, 0, {"state_of_charge"}, "implausible"),
        ({"state_of_charge_estimated": True}, 0, {"state_of_charge"}, "estimated"),
        ({"state_of_charge_estimated": True, "state_of_charge": None}, 0, set(), None),
        (
            {"state_of_charge_estimated": True, "state_of_charge": 101.0},
            0,
            {"state_of_charge"},
            "implausible",
        ),
        ({"contactor_closed": False}, 0, {"contactor_closed"}, "contradictory"),
        ({"contactor_closed": False, "power": 160.0}, 0, set(), None),
        (
            {"contactor_closed": False, "voltage": 0.0, "power": 0.0},
            0,
            {"voltage", "contactor_closed"},
            "implausible",
        ),
    ],
)
def test_what_is_doubted(
    change: dict[str, Value], age_s: float, doubted: set[str], cause: str | None
) -> None:
    found = doubts(GOOD | change, age_s, EXPECTED)
    assert set(found) == doubted
    assert {doubt.cause.value for doubt in found.values()} == ({cause} if cause else set())


def test_what_a_device_does_not_have_is_not_doubted() -> None:
    least = {name: GOOD[name] for name in ("charge_enable", "contactor_closed", "voltage", "power")}
    assert set(doubts(least, math.inf, EXPECTED)) == {"voltage", "power", "contactor_closed"}


def test_a_value_in_doubt_is_none() -> None:
    values = GOOD | {"voltage": 0.0}
    seen = reading(values, None, doubts(values, 0, EXPECTED))
    assert seen.voltage_v is None
    assert seen.power_w == 3300
    assert (seen.quality, seen.quality_cause) == (Quality.BAD, QualityCause.IMPLAUSIBLE)
    assert reading(GOOD, None).quality is Quality.GOOD


def test_an_estimated_charge_is_shown_as_uncertain_and_puts_nothing_else_in_doubt() -> None:
    values = GOOD | COUNTED
    seen = reading(values, None, doubts(values, 0, EXPECTED))
    assert seen.state_of_charge_pct == 50
    assert seen.doubts["state_of_charge"].quality is Quality.UNCERTAIN
    assert (seen.quality, seen.quality_cause, seen.troubles) == (Quality.GOOD, QualityCause.NONE, {})


def test_derived_is_as_good_as_the_worst() -> None:
    good, uncertain, bad = Quality
    assert worst([]) is good
    assert worst([good, uncertain]) is uncertain
    assert worst([uncertain, bad, good]) is bad


def test_sensors_that_stand_still_while_energy_must_flow_are_found() -> None:
    check = FrozenCheck(resolution_wh=1)
    assert not any(check.is_frozen(GOOD, now) for now in (0.0, 10.0, 32.0))
    assert check.is_frozen(GOOD, 33.0)  # 30 Wh at 3.3 kW
    moved = GOOD | {"voltage": 109.9}
    assert not check.is_frozen(moved, 34.0)
    assert not check.is_frozen(moved, 66.0)
    assert check.is_frozen(moved, 67.0)


@pytest.mark.parametrize(
    "values",
    [
        GOOD | {"power": 0.0},
        {name: value for name, value in GOOD.items() if not name.endswith("_energy")},
        GOOD | {"power": None},
    ],
    ids=["draws nothing", "has no counter", "power unknown"],
)
def test_what_may_stand_still(values: dict[str, Value]) -> None:
    check = FrozenCheck(resolution_wh=1)
    assert not any(check.is_frozen(values, now) for now in (0.0, 1e5))


def test_a_coarse_counter_may_stand_still_for_longer() -> None:
    check = FrozenCheck(resolution_wh=100)
    assert not any(check.is_frozen(GOOD, now) for now in (0.0, 320.0))
    assert check.is_frozen(GOOD, 330.0)


STALE = doubts(GOOD, math.inf, EXPECTED)
CONTRADICTORY = doubts(GOOD | {"contactor_closed": False}, 0, EXPECTED)


def test_a_station_whose_contactor_is_in_doubt_counts_with_its_rating() -> None:
    for odd in (
        waiting("A", doubts=STALE, voltage_v=None),
        waiting("A", doubts=CONTRADICTORY, power_w=200),
        waiting("A", fault=True, fault_code=FaultCode.CONTACTOR_WELDED),
    ):
        assert odd.may_draw_w() == 3300
        assert odd.told_to_stop_w() == 3300
        assert silent(odd).may_draw_w() == 3300
        two = plant(odd, waiting("B"), circuits=(circuit(limit_w=5000),))
        wish = Wish(allow=True, reason=LimitReason.NONE, grant_w=3300)
        assert not guard(two, {"B": wish})["B"].charge_enable


def test_stale_values_open_the_contactor() -> None:
    on = charging("A", doubts=STALE, voltage_v=None, power_w=None)
    told = decide(plant(on), Memory()).commands["A"]
    assert (told.charge_enable, told.reason) == (False, LimitReason.NO_DATA)


def test_a_station_of_another_master_counts_with_its_rating_but_sheds_nobody() -> None:
    open_one = replace(waiting("A"), has_other_master=True)
    assert open_one.may_draw_w() == 3300
    assert open_one.told_to_stop_w() == 0
    two = plant(open_one, charging("B"), waiting("C"), circuits=(circuit(limit_w=7000),))
    commands = decide(two, Memory()).commands
    assert commands["B"].charge_enable
    assert not commands["C"].charge_enable


def test_who_says_nothing_but_zeros_keeps_the_room_that_it_had() -> None:
    zeros: dict[str, Value] = dict.fromkeys(GOOD, 0) | {"contactor_closed": False, "charge_enable": False}
    found = doubts(zeros, 0, EXPECTED)
    assert "contactor_closed" in found
    lying = waiting("A", doubts=found, voltage_v=None, power_w=0.0)
    assert lying.may_draw_w() == lying.told_to_stop_w() == silent(lying).may_draw_w() == 3300
    assert reading(zeros, None, found).rated_power_w is None


@pytest.mark.parametrize("power_w", [None, 4900.0, 5000.0])
def test_a_power_that_nobody_knows_counts_no_less_than_one_that_is_believed(power_w: float | None) -> None:
    values = GOOD | {"power": power_w, "power_limit": 1300}
    seen = reading(values, None, doubts(values, 0, EXPECTED))
    on = replace(charging("A"), reading=seen, last=seen)
    assert on.may_draw_w() >= 3300
    assert plant(on, circuits=(circuit(limit_w=1300),)).kept_w(on) >= 3300
    open_too = values | {"contactor_closed": False, "charge_enable": False}
    if power_w is not None:
        told_off = reading(open_too, None, doubts(open_too, 0, EXPECTED))
        assert replace(on, reading=told_off, last=told_off).may_draw_w() >= 3300


def test_who_does_not_follow_makes_no_room() -> None:
    held = charging("A", power_limit_w=3300.0)
    for what in (Unfollowed.NOT_ARRIVED, Unfollowed.NOT_OPENED):
        stubborn = replace(held, held=True, unfollowed=what)
        assert stubborn.told_to_stop_w() == 3300
        two = plant(stubborn, charging("B"), circuits=(circuit(limit_w=5000),))
        assert not decide(two, Memory()).commands["B"].charge_enable


def test_who_draws_more_than_he_was_told_counts_with_what_he_draws() -> None:
    greedy = charging("A", place="small", unfollowed=Unfollowed.OVERDRAWS)
    circuits = (circuit(limit_w=5000), circuit("small", limit_w=1500, parent="feeder"))
    two = plant(greedy, charging("B"), circuits=circuits)
    assert two.kept_w(greedy) == 3300
    assert not decide(two, Memory()).commands["A"].charge_enable
