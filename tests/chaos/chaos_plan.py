"""What is to be done to a site: one fault after the other, each of them tried."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos_price import PriceSource
from chaos_site import ChaosSite, Settings
from chaos_trial import Break, Mend, Trial, try_fault

Fault = tuple[Break, Mend]
Record = Callable[[str, object], None]
Check = Callable[[ChaosSite, Trial], Awaitable[None]]
Sources = list[PriceSource]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`faults` may use the site's price sources, one for each master; the site has them if its tariff is
    that they write."""

    settings: Callable[[Path], Settings]
    faults: Callable[[ChaosSite, Sources], Mapping[str, Fault]]
    between_s: tuple[float, float]
    """How long a fault lasts."""
    masters: Sequence[str] = ()
    """That run from the beginning; all of them unless named."""


async def carry_out(plan: Plan, folder: Path, rng: random.Random) -> AsyncIterator[tuple[ChaosSite, Trial]]:
    settings = plan.settings(folder)
    site = ChaosSite(folder, settings, rng)
    async with contextlib.AsyncExitStack() as stack:
        sources: Sources = []
        if settings.tariff["kind"] == "modbus":
            sources = [PriceSource(site.ports[name]) for name in site.masters]
        for source in sources:
            await stack.enter_async_context(source.writing())
        await stack.enter_async_context(site.running(*plan.masters))
        for name, (begin, end) in plan.faults(site, sources).items():
            yield site, await try_fault(site, name, begin, end, rng.uniform(*plan.between_s))


async def all_at_once(
    plans: Mapping[str, Plan],
    folder: Path,
    record: Record,
    check: Check | None = None,
) -> None:
    """Each plan on a site of its own, because most of the time is spent waiting."""
    seed = random.randrange(10_000)
    record("seed", seed)

    async def one(name: str, number: int) -> None:
        (folder / name).mkdir()
        trials = carry_out(plans[name], folder / name, random.Random(seed + number))
        async with contextlib.aclosing(trials):
            async for site, trial in trials:
                record(name, str(trial))
                assert trial.is_good, trial
                if check:
                    await check(site, trial)

    async with asyncio.TaskGroup() as group:
        for number, name in enumerate(plans):
            group.create_task(one(name, number))
