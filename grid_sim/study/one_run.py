"""One run of a study: what a worker does."""

from collections.abc import Callable

from grid_sim.arrays import Floats
from grid_sim.day.controlled import run_controlled
from grid_sim.day.model import Run, Scenario
from grid_sim.day.outcome import Outcome, outcome
from grid_sim.day.run import prices
from grid_sim.day.scenario_file import scenario_of
from grid_sim.day.uncontrolled import run_uncontrolled
from grid_sim.network.power_flow import NetworkError
from grid_sim.study.model import Found, Job
from modbus_link.errors import BadInput
from register_maps.yaml_file import BadFile


def check_one(job: Job) -> tuple[str, ...]:
    try:
        scenario_of(job.data, job.path)
    except BadFile as error:
        return tuple(str(error).splitlines())
    return ()


def run_one(job: Job) -> Found:
    try:
        scenario = scenario_of(job.data, job.path)
    except BadFile as error:  # its files have changed since they were checked
        raise BadInput(str(error)) from None  # unlike a BadFile, it finds its way out of another process
    price, is_compared = prices(scenario), scenario.compare_uncontrolled
    return Found(
        cars=len({visit.station for visit in scenario.visits}),
        controlled=_outcome(scenario, price, lambda it: run_controlled(it, lambda share: None)),
        uncontrolled=_outcome(scenario, price, run_uncontrolled) if is_compared else None,
        compared=is_compared,
    )


def _outcome(scenario: Scenario, price: Floats, way: Callable[[Scenario], Run]) -> Outcome | None:
    """Each way by itself: the rule may hold what breaks without it."""
    try:
        run = way(scenario)
    except NetworkError:
        return None
    return outcome(scenario, price, run)
