"""What the master learns of its network, and what the rule makes of it."""

from dataclasses import replace

import pytest
from plants import RULES, charging, circuit, plant, silent, waiting

from master_scada.decide import decide
from master_scada.memory import Memory, StationMemory
from master_scada.model import Plant
from master_scada.sensitivity import NOTHING_SEEN, WEIGHT, Sensitivity, learn
from master_scada.station import Station
from register_maps.vocabulary import LimitReason

LONG_AGO = -1e6
WIDE = (circuit(limit_w=50_000),)


def taken_v(known: Sensitivity, drawing: str, at: str) -> float | None:
    """By 3,300 W."""
    pu = known.taken_pu(drawing, 3300, at)
    return None if pu is None else pu * 110


def after(*plants: Plant) -> Sensitivity:
    known = NOTHING_SEEN
    for one in plants:
        known = learn(known, one)
    return known


def test_a_contactor_that_closes_shows_what_its_station_takes_from_every_voltage() -> None:
    known = after(
        plant(waiting("A"), charging("B", voltage_v=108.0), waiting("C", voltage_v=109.0)),
        plant(charging("A", voltage_v=107.0), charging("B", voltage_v=107.0), waiting("C", voltage_v=109.5)),
    )
    assert [taken_v(known, "A", at) for at in "ABC"] == pytest.approx([3.0, 1.0, -0.5])
    assert taken_v(known, "B", "A") is None
    assert taken_v(known, "A", "D") is None


def test_one_that_opens_shows_it_too_and_half_a_load_shows_half_as_much() -> None:
    full, half = charging("A", voltage_v=107.0), charging("A", power_w=1650.0, voltage_v=108.5)
    assert taken_v(after(plant(full), plant(half)), "A", "A") == pytest.approx(3.0)
    assert taken_v(after(plant(half), plant(waiting("A"))), "A", "A") == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        pytest.param([waiting("A"), waiting("B")], [charging("A"), charging("B")], id="two at once"),
        pytest.param([charging("A")], [charging("A", power_w=2900.0, voltage_v=109.0)], id="a small change"),
        pytest.param([waiting("A")], [silent(charging("A"))], id="silent"),
        pytest.param([waiting("A")], [charging("A", voltage_v=None)], id="no voltage"),
        pytest.param([waiting("A", power_w=None)], [charging("A")], id="no power before"),
    ],
)
def test_what_tells_nothing_teaches_nothing(before: list[Station], now: list[Station]) -> None:
    assert after(plant(*before), plant(*now)).takes == {}


def test_what_is_seen_again_is_averaged() -> None:
    off, first, second = waiting("A"), charging("A", voltage_v=107.0), charging("A", voltage_v=105.0)
    known = after(plant(off), plant(first), plant(first), plant(off), plant(second))
    assert taken_v(known, "A", "A") == pytest.approx(3 + WEIGHT * 2)


def knowing(takes_v: dict[str, dict[str, float]], **stations: StationMemory) -> Memory:
    """What 3,300 W of each take from each, in volts; voltages and price have been right for ever."""
    takes = {
        drawing: {at: volts / 110 / 3300 for at, volts in row.items()} for drawing, row in takes_v.items()
    }
    calm = decide(plant(waiting(), circuits=WIDE, now=LONG_AGO), Memory()).memory
    return replace(
        calm,
        price_ok_since=LONG_AGO,
        stations=dict(stations),
        sensitivity=Sensitivity(last={}, takes=takes),
    )


def verdicts(given: Plant, memory: Memory) -> dict[str, str]:
    commands = decide(given, memory).commands
    return {n: "yes" if c.charge_enable else c.reason.value for n, c in commands.items()}


def gone(given: Plant, memory: Memory) -> list[str]:
    return [name for name, verdict in verdicts(given, memory).items() if verdict == "voltage"]


def waits(since: float = 990.0) -> StationMemory:
    return StationMemory(off_since=LONG_AGO, waiting_since=since)


def in_turn(since: float = 990.0) -> StationMemory:
    return StationMemory(on_since=since, was_on=True)


@pytest.mark.parametrize(
    ("takes_v", "verdict"),
    [
        pytest.param({}, "yes", id="never seen"),
        pytest.param({"A": {"A": 2.0, "B": 1.2}}, "yes", id="room for it everywhere"),
        pytest.param({"A": {"A": 2.0, "B": 2.0}}, "voltage", id="too much for another"),
        pytest.param({"A": {"A": 6.0, "B": 0.0}}, "voltage", id="too much for itself"),
        pytest.param({"A": {"A": 2.0, "C": -0.5}}, "yes", id="it may lift another"),
        pytest.param({"A": {"A": 2.0, "C": -2.0}}, "voltage", id="it may not lift another out of the band"),
    ],
)
def test_nobody_comes_in_who_is_known_to_push_a_voltage_out(
    takes_v: dict[str, dict[str, float]], verdict: str
) -> None:
    given = plant(waiting("A"), charging("B", voltage_v=106.0), charging("C", voltage_v=114.0), circuits=WIDE)
    memory = knowing(takes_v, A=waits(), B=in_turn(), C=in_turn())
    assert verdicts(given, memory)["A"] == verdict


def test_a_sag_sheds_those_who_have_made_it_and_not_those_on_another_phase() -> None:
    on = [charging(name, voltage_v=volts) for name, volts in (("A", 108.0), ("B", 108.0), ("C", 104.0))]
    memory = knowing(
        {"A": {"C": -0.5}, "B": {"C": 0.4}, "C": {"C": 2.0}}, A=in_turn(100), B=in_turn(200), C=in_turn(300)
    )
    # B has had the longer turn, but its 0.4 V are not enough, and without C it need not go.
    assert verdicts(plant(*on, circuits=WIDE), memory) == {"A": "yes", "B": "yes", "C": "voltage"}


def test_a_step_is_as_large_as_the_sag_asks_for() -> None:
    """With the longest turn first; D would help, too, but is not needed any more."""
    on = [charging(name, voltage_v=103.5) for name in "ABCD"]
    memory = knowing(
        {n: dict.fromkeys("ABCD", 0.4) for n in "ABCD"},
        **{n: in_turn(began_s) for n, began_s in zip("ABCD", (100, 200, 300, 400), strict=True)},
    )
    assert verdicts(plant(*on, circuits=WIDE), memory) == {
        "A": "voltage",
        "B": "voltage",
        "C": "voltage",
        "D": "yes",
    }


@pytest.mark.parametrize(("priority", "goes"), [(1, "B"), (2, "A")])
def test_who_is_known_to_help_goes_before_an_equal_of_whom_nothing_is_known(priority: int, goes: str) -> None:
    on = [charging("A", voltage_v=104.0, priority=priority), charging("B", voltage_v=104.0)]
    memory = knowing({"B": {"A": 0.6, "B": 0.6}}, A=in_turn(100), B=in_turn(300))
    assert gone(plant(*on, circuits=WIDE), memory) == [goes]


def test_nobody_of_a_higher_priority_goes_in_the_same_step_after_one_of_whom_nothing_is_known() -> None:
    unknown = [charging(name, voltage_v=102.5, priority=2) for name in ("U1", "U2")]
    known = [charging(name, voltage_v=102.5) for name in ("K1", "K2", "K3", "K4", "K5", "K6")]
    everywhere = dict.fromkeys(["U1", "U2", *(s.name for s in known)], 0.9)
    memory = knowing({station.name: everywhere for station in known})
    assert gone(plant(*unknown, *known, circuits=WIDE), memory) == ["U1", "U2"]


def test_where_very_many_charge_those_of_whom_nothing_is_known_count_all_the_same() -> None:
    many = [charging(f"L{number}", voltage_v=104.0, priority=2) for number in range(60)]
    first = charging("H", voltage_v=104.0)
    memory = knowing({"H": dict.fromkeys(["H", *(s.name for s in many)], 1.0)})
    told = gone(plant(*many, first, circuits=(circuit(limit_w=1e6),)), memory)
    assert "H" not in told
    assert len(told) in (4, 5)  # 0.5 V, and each its part of 6 V


def test_who_goes_for_one_circuit_counts_for_another_on_the_same_cable() -> None:
    circuits = (circuit(limit_w=50_000), *(circuit(place, 50_000, "feeder") for place in "XYZ"))
    names = [f"{place}{number}" for place in "XYZ" for number in range(3)]
    on = [charging(name, place=name[0], voltage_v=103.5) for name in names]
    memory = knowing({name: dict.fromkeys(names, 0.6) for name in names})
    given = plant(*on, circuits=circuits)
    assert len(gone(given, memory)) == 2  # of 1.0 V that are missing each gives 0.6 back
    # The others wait with it for the effect.
    assert {decide(given, memory).memory.of_circuit(place).shed_at for place in "XYZ"} == {given.now}


def test_who_does_not_follow_is_told_again_and_not_counted_on() -> None:
    """Else one who does not obey, and would give back enough, would keep all others on for ever."""
    on = [charging(name, voltage_v=103.5) for name in "AB"]
    memory = knowing(
        {"A": {"A": 1.5, "B": 1.5}, "B": {"A": 0.6, "B": 0.6}},
        A=StationMemory(off_since=LONG_AGO, waiting_since=900.0, reason=LimitReason.VOLTAGE),
        B=in_turn(200),
    )
    assert gone(plant(*on, circuits=WIDE), memory) == ["A", "B"]


def test_where_nobody_is_known_to_help_somebody_goes_all_the_same() -> None:
    on = [charging(name, voltage_v=104.0) for name in "AB"]
    memory = knowing({n: {"A": 0.0, "B": 0.0} for n in "AB"}, A=in_turn(100), B=in_turn(200))
    assert list(verdicts(plant(*on, circuits=WIDE), memory).values()).count("voltage") == 1


@pytest.mark.parametrize("overvoltage", ["charge", "limit"])
def test_who_lifts_a_voltage_above_the_band_is_shed_for_it(overvoltage: str) -> None:
    circuits = (*WIDE, circuit("left", 9000, "feeder"), circuit("right", 9000, "feeder"))
    on = charging("A", place="left", voltage_v=108.0), charging("B", place="right", voltage_v=116.0)
    memory = knowing({"A": {"B": -2.0}, "B": {"B": 1.0}}, A=in_turn(), B=in_turn())
    told = verdicts(plant(*on, circuits=circuits, rules=replace(RULES, overvoltage=overvoltage)), memory)
    assert told == {"A": "voltage", "B": "yes" if overvoltage == "charge" else "voltage"}


def test_who_brings_down_what_is_too_high_may_lift_another() -> None:
    """As at noon under many roofs: every phase is too high, and each car brings its own down."""
    rules = replace(RULES, overvoltage="charge")
    memory = knowing({n: {m: 2.0 if m == n else -0.5 for m in "AB"} for n in "AB"}, A=in_turn(), B=waits())
    told = verdicts(
        plant(charging("A", voltage_v=117.0), waiting("B", voltage_v=118.0), circuits=WIDE, rules=rules),
        memory,
    )
    assert told == {"A": "yes", "B": "yes"}


@pytest.mark.parametrize("overvoltage", ["charge", "limit"])
def test_nobody_comes_in_who_would_lift_another_above_the_band(overvoltage: str) -> None:
    """Where that limits everybody, it would be switched off with all the others, and on again with them,
    every minute."""
    rules = replace(RULES, overvoltage=overvoltage)
    memory = knowing({"A": {"A": 3.0, "B": -2.0}}, A=waits(), B=in_turn())
    off, on = waiting("A", voltage_v=113.0), charging("B", voltage_v=114.0)
    assert verdicts(plant(off, on, circuits=WIDE, rules=rules), memory) == {"A": "voltage", "B": "yes"}


NARROW_V = {"A": {"A": 4.0, "B": 3.0}, "B": {"A": 3.0, "B": 4.0}}
"""One of them may charge at 108 V, but not both."""


def test_who_has_waited_a_turn_for_the_voltage_takes_that_of_another() -> None:
    on, off = charging("A", voltage_v=106.0), waiting("B", voltage_v=107.0)
    early = knowing(NARROW_V, A=in_turn(0), B=waits(101))
    assert verdicts(plant(on, off, circuits=WIDE), early) == {"A": "yes", "B": "voltage"}
    late = knowing(NARROW_V, A=in_turn(0), B=waits(100))
    gives_way = decide(plant(on, off, circuits=WIDE), late)
    assert {n: c.reason for n, c in gives_way.commands.items()} == {
        "A": LimitReason.WAITING_TURN,
        "B": LimitReason.VOLTAGE,
    }
    # When the voltage has risen, it is B's turn, and not A's again.
    risen = plant(waiting("A"), waiting("B"), circuits=WIDE, now=1012.0)
    assert verdicts(risen, gives_way.memory) == {"A": "waiting_turn", "B": "yes"}


@pytest.mark.parametrize(
    ("priority_a", "priority_b", "turn_since", "expected"),
    [(1, 1, 500, "yes"), (1, 2, 0, "yes"), (2, 1, 500, "waiting_turn")],
    ids=["its turn is not over", "the stronger does not give way", "the weaker does at once"],
)
def test_who_gives_way(priority_a: int, priority_b: int, turn_since: float, expected: str) -> None:
    on = charging("A", voltage_v=106.0, priority=priority_a)
    off = waiting("B", voltage_v=107.0, priority=priority_b)
    memory = knowing(NARROW_V, A=in_turn(turn_since), B=waits(0))
    assert verdicts(plant(on, off, circuits=WIDE), memory)["A"] == expected


def test_nobody_gives_way_where_that_would_not_help() -> None:
    on, off = charging("A", voltage_v=106.0), waiting("B", voltage_v=107.0)
    elsewhere = {"A": {"A": 4.0, "B": 0.2}, "B": {"A": 0.2, "B": 4.0}}
    memory = knowing(elsewhere, A=in_turn(0), B=waits(0))
    assert verdicts(plant(on, off, circuits=WIDE), memory) == {"A": "yes", "B": "voltage"}


@pytest.mark.parametrize(
    ("volts", "takes_v", "expected"),
    [
        pytest.param(105.0, 5.0, "waiting_turn", id="it would be well inside without it"),
        pytest.param(106.0, 5.0, "yes", id="it is well inside with it"),
        pytest.param(105.0, 0.3, "yes", id="it would not be, even without it"),
        pytest.param(115.0, -2.0, "waiting_turn", id="it lifts a voltage too near the edge"),
    ],
)
def test_who_keeps_a_voltage_too_near_the_edge_for_others_to_join_gives_way_too(
    volts: float, takes_v: float, expected: str
) -> None:
    """Even to one on another phase: else it would wait for as long as the first one charges."""
    on, off, edge = (
        charging("A", voltage_v=110.0),
        waiting("B", voltage_v=109.0),
        waiting("C", voltage_v=volts),
    )
    edge = replace(edge, held=True)
    memory = knowing({"A": {"C": takes_v, "B": 0.0}, "B": {"A": 0.0, "B": 1.0}}, A=in_turn(0), B=waits(0))
    assert verdicts(plant(on, off, edge, circuits=WIDE), memory)["A"] == expected


@pytest.mark.parametrize(
    ("price", "hours", "verdict"),
    [(0.12, 1, "voltage"), (0.12, 2, "yes"), (0.32, 2, "voltage")],
    ids=["for an hour", "for so long that it may be wrong", "for the price"],
)
def test_what_it_is_known_to_take_counts_less_once_it_has_waited_long_for_that_alone(
    price: float, hours: int, verdict: str
) -> None:
    """It takes twice what there is, as far as is known, when the price has become right."""
    off, on = waiting("A", voltage_v=107.0), charging("B", voltage_v=107.0)
    memory = knowing({"A": {"A": 5.0}, "B": {"B": 1.0}}, A=waits(0), B=in_turn())
    for now in (0.0, 3600.0 * hours):
        told = plant(off, on, circuits=WIDE, now=now, price=price if now == 0 else 0.12)
        decision = decide(told, memory)
        memory = replace(decision.memory, price_ok_since=LONG_AGO)
    command = decision.commands["A"]
    assert ("yes" if command.charge_enable else command.reason.value) == verdict


def test_who_was_never_seen_to_move_a_voltage_gives_way_too() -> None:
    """As after a restart of the master, while others charge."""
    on = [charging(name, voltage_v=105.0) for name in "AC"]
    memory = knowing({}, A=in_turn(0), B=waits(0), C=in_turn(50))
    told = verdicts(plant(*on, waiting("B", voltage_v=105.0), circuits=WIDE), memory)
    assert told == {"A": "waiting_turn", "B": "voltage", "C": "yes"}
