"""A network that fails between the master and its stations, which hang on one feeder: power and voltage."""

from pathlib import Path

from chaos_plan import Plan, Record, all_at_once
from chaos_proxy import Fault
from chaos_site import NOMINAL_V, ChaosSite, Settings
from chaos_trial import Trial, line_fault

LOW_V = 0.95 * NOMINAL_V
LONG_S = (1.2, 1.5)
"""Longer than the failsafe's timeout."""
GONE = (Fault.CUT, Fault.BLACK_HOLE, Fault.REFUSE, Fault.RESET)
BAD = (Fault.HALF_OPEN, Fault.DELAY, Fault.LOSS, Fault.TRICKLE)
SHARES = Settings(inside=True, share_w=1300, power_limit_w=7000)


def network_plan(settings: Settings, faults: tuple[Fault, ...]) -> Plan:
    """Each fault on the line of one station, or of all."""

    def planned(site: ChaosSite, sources: object) -> dict[str, object]:
        cut = {fault: [] if site.rng.random() < 0.5 else [site.rng.choice(site.names)] for fault in faults}
        return {f"{fault}: {names or 'all'}": line_fault(fault, *names) for fault, names in cut.items()}

    return Plan(settings=lambda folder: settings, faults=planned, between_s=LONG_S)


async def voltage_is_in_band(site: ChaosSite, trial: Trial) -> None:
    assert trial.lowest_v >= LOW_V, trial


async def test_whatever_the_network_does_the_limit_is_kept(tmp_path: Path, record_property: Record) -> None:
    plans = {
        "gone": network_plan(Settings(inside=True), GONE),
        "bad": network_plan(Settings(inside=True), BAD),
        "with failsafe shares": network_plan(SHARES, (Fault.CUT, Fault.LOSS)),
    }
    await all_at_once(plans, tmp_path, record_property, voltage_is_in_band)
