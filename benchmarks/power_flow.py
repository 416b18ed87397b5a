"""Our three-phase power flow against pandapower's, on the IEEE European low-voltage feeder.

Random loads: homes between their off-peak and on-peak snapshot, and cars of up to 7.4 kW at some of them,
on the homes' phases. It needs pandapower, and the feeder's tables, which are not part of this project.

    python benchmarks/power_flow.py
    python benchmarks/power_flow.py --states 100 --seed 3

`as they are`: pandapower's transformer has a magnetising path in the zero sequence, of which the tables say
nothing. `without it` the two calculate the same network. Times are of one solution, in this process.
"""

import argparse
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "grid_sim"))

from networks import EUROPEAN_LV, european_lv
from pandapower_check import Difference, PandapowerCheck, random_state

from grid_sim.network import power_flow
from grid_sim.network.joints import without_joints
from grid_sim.network.power_flow import PowerFlow

MANY = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--states", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not EUROPEAN_LV.exists():
        sys.exit(f"needs {EUROPEAN_LV}")
    compare("as they are", True, options.states, options.seed)
    compare("without it", False, options.states, options.seed)
    joints(options.states, options.seed)


def compare(title: str, is_magnetised: bool, states: int, seed: int) -> None:
    check, random = PandapowerCheck(is_magnetised=is_magnetised), np.random.default_rng(seed)
    found = [check.difference(*random_state(check.network, random)) for _ in range(states)]
    worst = max(found, key=lambda each: each.largest_pu)
    print(f"{title}: {states} states of {span_kw(found)} kW, lowest voltage {lowest(found):.3f} pu")
    print(f"  largest difference   {worst.largest_pu:.6f} pu, at {worst.load_w / 1000:.0f} kW")
    ours_s, theirs_s = median(each.our_s for each in found), median(each.their_s for each in found)
    print(f"  median time          ours {ours_s * 1e3:.2f} ms, pandapower's {theirs_s * 1e3:.0f} ms", end="")
    print(f", {theirs_s / ours_s:.0f} times as long")


def span_kw(found: list[Difference]) -> str:
    loads_kw = [each.load_w / 1000 for each in found]
    return f"{min(loads_kw):.0f} to {max(loads_kw):.0f}"


def lowest(found: list[Difference]) -> float:
    return min(each.lowest_pu for each in found)


def joints(states: int, seed: int) -> None:
    """What it brings to take the joints out."""
    network, random = european_lv(), np.random.default_rng(seed)
    pairs = [random_state(network, random) for _ in range(states)]
    p_w, q_var = (np.array(column) for column in zip(*pairs, strict=True))
    taps = [load.tap for load in network.loads]
    connected = {tap.bus for tap in taps}
    without = PowerFlow(network, taps)
    power_flow.without_joints = lambda network, connected: network
    whole = PowerFlow(network, taps)
    for buses, solver in (
        (len(network.nominal_voltage_v), whole),
        (len(without_joints(network, connected).nominal_voltage_v), without),
    ):
        one_s, many_s = measured(solver, p_w, q_var)
        print(f"{buses} buses: {one_s * 1e3:.2f} ms one by one, {many_s * 1e3:.3f} ms each of {MANY} at once")


def measured(solver: PowerFlow, p_w: np.ndarray, q_var: np.ndarray) -> tuple[float, float]:
    started = time.perf_counter()
    for state in zip(p_w, q_var, strict=True):
        solver.solve(*state)
    between = time.perf_counter()
    repeats = MANY // len(p_w)
    solver.solve_each(np.tile(p_w, (repeats, 1)), np.tile(q_var, (repeats, 1)))
    return (between - started) / len(p_w), (time.perf_counter() - between) / (repeats * len(p_w))


if __name__ == "__main__":
    main()
