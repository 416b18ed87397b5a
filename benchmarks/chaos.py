"""Every fault that tests/chaos knows, many times: what happens to power and voltage, and for how long.

Real masters, as processes; stations as processes where they are killed or paused, and else in this process
on one simulated feeder, so that the voltage at each depends on what all of them draw. Somebody who reads
the stations directly, 20 times a second, adds up what they draw. A station that does not answer counts as
drawing what it drew: a real contactor stays as it was left. Turns are short, so that contactors switch all
the while.

    python benchmarks/chaos.py                 all of it, as often as the documents say
    python benchmarks/chaos.py --times 5 --only network --seed 7

A fault begins at a random moment of the scan. `most` is the largest sum that was seen, and `above` the
longest time that the sum was above y; what is allowed is y and one station more, for two scans and the
contactor's time. `safe` is the time until stations without a master, or without a price, drew nothing but
their failsafe share; `back` the time from the end of the fault until the master had all stations again and
they drew as much as may be. The worst case of all times tried, and the median where two numbers stand.
"""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "chaos")]

from chaos_catalogue import GROUPS, Group  # noqa: E402
from chaos_many import ManyStations, many_rtus  # noqa: E402
from chaos_plan import carry_out  # noqa: E402
from chaos_trial import Trial  # noqa: E402

HEADER = (
    f"{'fault':<42} {'times':>5} {'most, W':>8} {'y, W':>6} {'above, s':>8} {'voltage, V':>13}"
    f" {'safe, s':>12} {'back, s':>12}  verdict"
)
MORTAL, MANY = 50, 100
"""Stations that die, of all that there are."""


async def run_group(group: Group, times: int, rng: random.Random) -> Mapping[str, list[Trial]]:
    """A new site for each round, as no state of the last one shall help."""
    trials: dict[str, list[Trial]] = {}
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            async for _site, trial in carry_out(group.plan, Path(folder), rng):
                trials.setdefault(trial.fault, []).append(trial)
    return trials


def report(name: str, trials: list[Trial]) -> None:
    lowest, highest = min(t.lowest_v for t in trials), max(t.highest_v for t in trials)
    print(
        f"{name:<42} {len(trials):>5} {max(t.most_w for t in trials):>8.0f} {trials[0].limit_w:>6.0f}"
        f" {max(t.longest_above_s for t in trials):>8.2f} {f'{lowest:.1f} - {highest:.1f}':>13}"
        f" {_worst([t.safe_s for t in trials if t.safe_s is not None]):>12}"
        f" {_worst([t.recover_s for t in trials]):>12}"
        f"  {'kept' if all(t.is_good for t in trials) else 'BROKEN'}",
        flush=True,
    )


def _worst(times_s: list[float]) -> str:
    return f"{median(times_s):.2f} / {max(times_s):.2f}" if times_s else "-"


async def report_many(times: int, rng: random.Random) -> None:
    """Half of the stations in a black hole, again and again."""
    silent_s: list[float] = []
    back_s: list[float] = []
    scan_ms: list[float] = []
    with tempfile.TemporaryDirectory() as folder, many_rtus(MANY) as ports:
        async with ManyStations(Path(folder), ports, MORTAL, rng).running() as site:
            before, began = await site.read(), time.monotonic()
            for _ in range(times):
                silent_s += await site.strike()
                await asyncio.sleep(rng.uniform(0.5, 4.0))
                scan_ms.append(float(str((await site.read())["scan_time"])))
                back_s += await site.heal()
            after, lasted_s = await site.read(), time.monotonic() - began
    scans, overruns = (int(str(after[n])) - int(str(before[n])) for n in ("scans", "overruns"))
    print(f"\n{MORTAL} of {MANY} stations in a black hole, {times} times:")
    print(f"  {scans} scans in {lasted_s:.1f} s, {overruns} overruns; with half of them dead a scan takes")
    print(f"  {median(scan_ms):.0f} ms, at most {max(scan_ms):.0f} ms")
    print(f"  seen as silent after {_worst(silent_s)} s, as back after {_worst(back_s)} s (median / longest)")


async def measure(options: argparse.Namespace, rng: random.Random) -> None:
    print(HEADER, flush=True)
    for name, group in GROUPS.items():
        if options.only and name not in options.only:
            continue
        print(f"-- {name}: {group.about}", flush=True)
        for fault, trials in (await run_group(group, options.times or group.times, rng)).items():
            report(fault, trials)
    if not options.only or "many" in options.only:
        await report_many(options.times or 10, rng)


def main() -> None:
    parser = argparse.ArgumentParser(description="Put a site through every fault, many times.")
    parser.add_argument("--times", type=int, help="rounds of each group, instead of its own number")
    parser.add_argument("--only", nargs="+", choices=[*GROUPS, "many"], metavar="GROUP")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    options = parser.parse_args()
    logging.disable(logging.ERROR)  # refused writes and broken stations, as there should be
    print(f"seed {options.seed}")
    asyncio.run(measure(options, random.Random(options.seed)))


if __name__ == "__main__":
    main()
