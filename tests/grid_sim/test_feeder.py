"""The feeder against hand calculation."""

import math

import pytest

from grid_sim.network.feeder import Feeder, FeederTap
from grid_sim.network.power_flow import NetworkError
from grid_sim.network.radial import RadialLine
from grid_sim.story import BEATS, NEIGHBOURS, SEGMENTS, SOURCE_VOLTAGE_V, START, background_w
from rtu_firmware.sim_board import ResistiveLine

ONE = [RadialLine(to="A", r_ohm=0.1)]


@pytest.mark.parametrize("power_w", [0, 100, 3300, 6600, 20000])
def test_one_cable_is_the_resistive_line_of_the_simulated_board(power_w: float) -> None:
    feeder = Feeder(110, ONE)
    feeder.set_loads({"A": power_w})
    line = ResistiveLine(source_voltage_v=110, resistance_ohm=0.1)
    assert feeder.voltage_v("A") == pytest.approx(line.voltage_v(power_w), abs=0.01)


def test_what_one_draws_lowers_the_voltage_of_all_behind_the_same_cable() -> None:
    feeder = Feeder(
        110,
        [
            RadialLine(to="bus", r_ohm=0.05),
            RadialLine(to="left", from_bus="bus", r_ohm=0.05),
            RadialLine(to="right", from_bus="bus", r_ohm=0.05),
        ],
    )
    feeder.set_loads({"left": 3300})
    bus, left, right = (feeder.voltage_v(name) for name in ("bus", "left", "right"))
    assert 110 > bus > left
    assert right == pytest.approx(bus, abs=1e-6)
    current_a = 3300 / left
    assert bus == pytest.approx(110 - 0.05 * current_a, abs=0.01)
    assert left == pytest.approx(110 - 0.10 * current_a, abs=0.01)


def test_reactance_counts_too() -> None:
    """A load of unity power factor behind R + jX: the source is the hypotenuse."""
    feeder = Feeder(110, [RadialLine(to="A", r_ohm=0.1, x_ohm=0.3)])
    feeder.set_loads({"A": 5000})
    voltage_v = feeder.voltage_v("A")
    current_a = 5000 / voltage_v
    assert math.hypot(voltage_v + 0.1 * current_a, 0.3 * current_a) == pytest.approx(110, abs=0.01)


def test_more_than_the_cable_can_carry_is_said_so() -> None:
    feeder = Feeder(110, ONE)
    feeder.set_loads({"A": 1e6})  # at most 110² / (4 * 0.1) = 30 kW
    with pytest.raises(NetworkError, match="1000000 W"):
        feeder.voltage_v("A")


def test_a_tap_is_the_line_of_a_simulated_board() -> None:
    feeder = Feeder(110, ONE)
    tap = FeederTap(feeder, "A")
    assert tap.voltage_v(0) == pytest.approx(110, abs=0.01)
    assert tap.voltage_v(3300) < 107.1


def test_the_story_reaches_all_of_its_points() -> None:
    """With both cars, the cooking takes the voltage out of its band; with one it stays inside."""
    feeder = Feeder(SOURCE_VOLTAGE_V, SEGMENTS)

    def lowest(hour: int, minute: int, cars: int) -> float:
        after = START.replace(hour=hour, minute=minute) - START
        feeder.set_loads(
            {NEIGHBOURS: background_w(after), "RTS1": 3300.0 if cars == 2 else 0, "RTS2": 3300.0}
        )
        return min(feeder.voltage_v("RTS1"), feeder.voltage_v("RTS2")) / SOURCE_VOLTAGE_V

    assert lowest(18, 10, cars=2) > 0.96
    assert lowest(18, 45, cars=2) < 0.95 < lowest(18, 45, cars=1)
    assert [beat.after for beat in BEATS] == sorted(beat.after for beat in BEATS)
