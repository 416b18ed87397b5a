"""A study whose runs cost nothing, and what comes of them is known."""

import os
import time
from pathlib import Path
from typing import Any

from grid_sim.day.outcome import Outcome
from grid_sim.study.model import Found, Job

SCENARIO = """\
scenario: Twenty bays
seed: 1
network: {kind: csv, path: feeder}
tariff: {path: prices.csv}
rule: {price_limit: 0.2}
circuits:
  - {name: street, power_limit_w: 30000}
demand: {share: {0: 0.2, 18: 1.0}}
cars:
  - {kind: home}
compare: uncontrolled
"""
STUDY = """\
study: How many
scenario: day.yaml
vary:
  cars.0.share: [0.2, 0.6, 1.0]
  circuits.0.power_limit_w: [30000, 60000]
  seed: [1, 2]
set: {scan_period_s: 30}
"""
BAYS = 20
CAR_W = 5000.0


def write_study(folder: Path, study: str = STUDY, scenario: str = SCENARIO) -> Path:
    (folder / "feeder").mkdir(exist_ok=True)
    (folder / "feeder" / "lines.csv").write_text("from,to\n")
    (folder / "prices.csv").write_text("0.12\n")
    (folder / "day.yaml").write_text(scenario)
    (folder / "study.yaml").write_text(study)
    return folder / "study.yaml"


def an_outcome(**figures: Any) -> Outcome:
    whole = dict.fromkeys(
        ("cars", "cars_served", "scans_over_power_limit", "switchings", "most_switchings"), 3
    )
    names = [name for name in Outcome.__dataclass_fields__ if name not in whole]
    fine = dict.fromkeys((name for name in names if "minutes" in name), 0.0)
    return Outcome(**{**dict.fromkeys(names, 10.0), **whole, **fine, **figures})


def found_of(job: Job) -> Found:
    """Uncontrolled the cars draw all at once, and the network breaks at 90 kW; the rule keeps the limit,
    and gives as much as fits under it in two hours, where each car wants 10 kWh."""
    cars = round(BAYS * job.data["cars"][0]["share"]) + (job.data["seed"] == 2)
    limit_w = job.data["circuits"][0]["power_limit_w"]
    wanted_kwh = 10.0 * cars
    free = an_outcome(
        requested_kwh=wanted_kwh,
        delivered_kwh=wanted_kwh,
        peak_charging_kw=cars * CAR_W / 1000,
        minutes_over_power_limit=60.0 if cars * CAR_W > limit_w else 0.0,
        peak_loading=None,
    )
    ruled = an_outcome(requested_kwh=wanted_kwh, delivered_kwh=min(wanted_kwh, 4 * limit_w / 1000))
    breaks = cars * CAR_W > 90_000
    return Found(cars=cars, controlled=ruled, uncontrolled=None if breaks else free, compared=True)


def no_faults(job: Job) -> tuple[str, ...]:
    return ()


def run(job: Job) -> Found:
    """Also tells which process it was that ran it, in a file for each run."""
    note = (
        job.path.parent / "ran" / f"{job.data['cars'][0]['share']}-{job.data['circuits'][0]['power_limit_w']}"
    )
    note.parent.mkdir(exist_ok=True)
    note.with_name(f"{note.name}-{job.data['seed']}").write_text(str(os.getpid()))
    return found_of(job)


def run_and_die(job: Job) -> Found:
    """The process that gets the last setting is killed from outside."""
    if (job.data["cars"][0]["share"], job.data["seed"]) == (1.0, 2):
        time.sleep(0.2)
        os._exit(9)
    return run(job)


def run_for_ever(job: Job) -> Found:
    """But those of the first number of cars and the first seed."""
    found = run(job)
    if (job.data["cars"][0]["share"], job.data["seed"]) != (0.2, 1):
        time.sleep(600)
    return found
