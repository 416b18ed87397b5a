"""Whatever gets lost, late, wrong or restarted: no watt is in two hands."""

from dataclasses import replace
from itertools import permutations, product

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from peer_world import OPENING_S, STEP_S, Station, Way, World

HISTORIES, PARTS = 2000, 2
NUMBERS = st.integers(0, 4)
DELAYS_S = [0.01, 0.01, 0.2, 0.9, 2.5]
WAYS = st.sampled_from([Way(there_s=there, back_s=back) for there, back in product(DELAYS_S, repeat=2)])
KINDS = st.sampled_from(list(product([0.99, 1.0, 1.01], [1500.0, 1500.0, 3000.0, 0.0], [False, True])))
STATIONS = st.lists(KINDS, min_size=2, max_size=5)


class Stations(RuleBasedStateMachine):
    @initialize(kinds=STATIONS, way=WAYS)
    def begin(self, kinds: list[tuple[float, float, bool]], way: Way) -> None:
        self.world = World(
            [
                Station(number=n, rate=rate, share_w=share_w, has_car=has_car)
                for n, (rate, share_w, has_car) in enumerate(kinds)
            ],
            way,
        )
        self.world.advance(3.0)

    def station(self, number: int) -> Station:
        return self.world.stations[number % len(self.world.stations)]

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 2.0, 4.0]))
    def wait(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(number=NUMBERS)
    def plug_in_or_out(self, number: int) -> None:
        self.station(number).has_car ^= True
        self.world.advance(1.0)

    @rule(number=NUMBERS, stop=st.booleans())
    def press(self, number: int, stop: bool) -> None:
        self.station(number).stop, self.station(number).start = stop, not stop
        self.world.advance(0.5)

    @rule(reader=NUMBERS, other=NUMBERS, way=WAYS)
    def slow_down(self, reader: int, other: int, way: Way) -> None:
        self.world.ways[self.station(reader).number, self.station(other).number] = way

    @rule(side=st.integers(1, 15))
    def partition(self, side: int) -> None:
        for pair in permutations(range(len(self.world.stations)), 2):
            is_cut = (side >> pair[0] & 1) != (side >> pair[1] & 1)
            self.world.ways[pair] = replace(self.world.way(*pair), is_cut=is_cut)

    @rule()
    def heal(self) -> None:
        self.world.ways.clear()

    @rule(number=NUMBERS, down_s=st.sampled_from([0.0, 1.0, 5.0]))
    def restart(self, number: int, down_s: float) -> None:
        self.world.restart(self.station(number), down_s)
        self.world.advance(1.0)

    @rule(number=NUMBERS, order_w=st.sampled_from([None, None, 0.0, 1500.0, 3300.0]))
    def steer(self, number: int, order_w: float | None) -> None:
        self.world.let_master(self.station(number), order_w)
        self.world.advance(0.5)

    def teardown(self) -> None:
        """At last everybody wants his own back, as soon as he may."""
        if hasattr(self, "world"):
            for station in self.world.stations:
                station.has_car, station.stop, station.start = True, False, True
            while self.world.has_promises():
                self.world.advance(0.5)
            self.world.advance(STEP_S + OPENING_S)


@pytest.mark.parametrize("part", range(PARTS))  # each for a worker of its own
def test_together_they_stay_within_their_shares(part: int) -> None:
    histories = settings(max_examples=HISTORIES // PARTS, stateful_step_count=8, deadline=None)
    run_state_machine_as_test(Stations, settings=histories)


def test_in_a_calm_world_a_car_gets_its_neighbours_shares():
    world = World([Station(number=n, share_w=1500.0, has_car=n == 0) for n in range(3)])
    world.advance(5.0)
    assert world.power_w() == 3300.0
