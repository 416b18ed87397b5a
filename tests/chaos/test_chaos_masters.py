"""Two masters, with half of the stations each or with all of them: the limit is kept."""

import contextlib
import random
from collections.abc import Callable
from pathlib import Path

from chaos_price import MODBUS, PriceSource, partition_while_all_are_open
from chaos_proxy import Fault
from chaos_site import NOMINAL_V, ChaosSite, Settings
from chaos_trial import Break, Mend, killed, line_fault, partition, paused, second_master, try_fault
from processes import until

Record = Callable[[str, object], None]
LOW_V = 0.95 * NOMINAL_V
STANDBY = Settings(inside=True, masters=2, stations=4, failsafe_s=3, redundant=True, tariff=MODBUS)
TAKES_OVER_S = 3.5


async def keep_limit(
    site: ChaosSite, record_property: Record, faults: dict[str, tuple[tuple[Break, Mend], float]]
) -> None:
    for name, (fault, lasts_s) in faults.items():
        trial = await try_fault(site, name, *fault, lasts_s)
        record_property("trial", str(trial))
        assert trial.is_good, trial
        assert trial.lowest_v >= LOW_V, trial


async def test_a_second_master_is_refused_and_follows_when_the_first_is_gone(
    tmp_path: Path, record_property: Record
) -> None:
    site = ChaosSite(tmp_path, Settings(inside=True, masters=2), random.Random())
    faults = {
        "a second master": (second_master("master2"), 1.0),
        "the first of two masters killed": (killed("master1"), 1.0),
        "one of two masters cut off": (line_fault(Fault.CUT, master="master2"), 2.0),
    }
    async with site.running("master1"):
        await keep_limit(site, record_property, faults)


async def test_with_a_standby_a_partition_keeps_the_limit_and_heals(
    tmp_path: Path, record_property: Record
) -> None:
    site = ChaosSite(tmp_path, STANDBY, random.Random())
    sources = [PriceSource(site.ports[name]) for name in site.masters]
    faults = {
        "partition": (partition(), TAKES_OVER_S),
        "partition while all are open": (partition_while_all_are_open(sources), 1.0),
    }
    async with contextlib.AsyncExitStack() as stack:
        for source in sources:
            await stack.enter_async_context(source.writing())
        await stack.enter_async_context(site.running())
        await keep_limit(site, record_property, faults)
        await until(lambda: one_steers(site))


async def test_the_standby_takes_over_before_a_contactor_opens_and_keeps_the_site(
    tmp_path: Path, record_property: Record
) -> None:
    site = ChaosSite(tmp_path, STANDBY, random.Random())
    sources = [PriceSource(site.ports[name]) for name in site.masters]
    async with contextlib.AsyncExitStack() as stack:
        for source in sources:
            await stack.enter_async_context(source.writing())
        await stack.enter_async_context(site.running())
        faults = {"the first master paused, with a standby": (paused("master1"), TAKES_OVER_S)}
        await keep_limit(site, record_property, faults)
        assert site.watch.record.least_w > 0
        await until(lambda: one_steers(site))


async def one_steers(site: ChaosSite) -> bool:
    roles = [(await site.read_master(name) or {}).get("role") for name in site.masters]
    return roles.count("steering") == 1
