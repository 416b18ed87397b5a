"""One fault, once: break, wait, mend, and what was seen of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chaos_proxy import Fault
from chaos_site import RATED_W, ChaosSite
from processes import until


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`safe_s` is the time until those without a master drew their share at the most; None where none of
    them drew more anyway, or the fault did not last so long."""

    fault: str
    most_w: float
    limit_w: float
    longest_above_s: float
    answer_s: float
    lowest_v: float
    highest_v: float
    safe_s: float | None
    recover_s: float

    @property
    def is_good(self) -> bool:
        """As promised: never more than one station above y, and never for longer than the answer time."""
        return self.most_w <= self.limit_w + RATED_W and self.longest_above_s <= self.answer_s

    def __str__(self) -> str:
        safe = "-" if self.safe_s is None else f"{self.safe_s:.2f}"
        return (
            f"{self.fault}: {self.most_w:.0f} W of {self.limit_w:.0f},"
            f" above for {self.longest_above_s:.2f} s,"
            f" {self.lowest_v:.1f} to {self.highest_v:.1f} V, safe after {safe} s,"
            f" recovered after {self.recover_s:.2f} s"
        )


Break = Callable[[ChaosSite], Awaitable[list[str]]]
"""Breaks something; the names of those that lose their master by it, and can be seen to be safe."""
Mend = Callable[[ChaosSite], Awaitable[None]]


async def try_fault(site: ChaosSite, name: str, break_: Break, mend: Mend, lasts_s: float) -> Trial:
    """At a random point of the scan. The fault lasts until all are safe who have to be, if it is meant to
    last that long."""
    settings = site.settings
    site.watch.forget()
    await asyncio.sleep(site.rng.uniform(0, settings.scan_s))
    alone = await break_(site)
    began, safe_s = time.monotonic(), None
    if lasts_s > settings.failsafe_s and not site.are_safe(alone):
        safe_s = await site.until_safe(alone)
    await asyncio.sleep(max(0.0, began + lasts_s - time.monotonic()))
    await mend(site)
    try:
        recover_s = await site.until_recovered()
    except TimeoutError as error:
        raise AssertionError(f"{name}: it never recovered: {site.watch.record}, {site.folder}") from error
    record = site.watch.record
    return Trial(
        fault=name,
        most_w=record.most_w,
        limit_w=settings.power_limit_w,
        longest_above_s=record.longest_above_s,
        answer_s=settings.answer_s,
        lowest_v=record.lowest_v,
        highest_v=record.highest_v,
        safe_s=safe_s,
        recover_s=recover_s,
    )


# --- Processes ---


def killed(*names: str) -> tuple[Break, Mend]:
    async def kill(site: ChaosSite) -> list[str]:
        for name in names:
            await site.kill(name)
        return _left_alone(site, names)

    async def launch(site: ChaosSite) -> None:
        for name in names:
            site.launch(name)

    return kill, launch


def paused(*names: str) -> tuple[Break, Mend]:
    async def pause(site: ChaosSite) -> list[str]:
        for name in names:
            site.programs[name].pause()
        return _left_alone(site, names)

    async def go_on(site: ChaosSite) -> None:
        for name in names:
            site.programs[name].go_on()

    return pause, go_on


def second_master(name: str) -> tuple[Break, Mend]:
    """It comes while the first steers, and stays."""

    async def launch(site: ChaosSite) -> list[str]:
        site.launch(name)
        await until(lambda: site.read_master(name))
        return []

    async def nothing(site: ChaosSite) -> None:
        pass

    return launch, nothing


def _left_alone(site: ChaosSite, gone: tuple[str, ...]) -> list[str]:
    """A station that is gone itself draws on, or not: nobody can see it. With a second master, nobody is
    alone for long."""
    if site.masters != ["master1"] or "master1" not in gone:
        return []
    return [name for name in site.names if name not in gone]


# --- The network ---


def line_fault(fault: Fault, *stations: str, master: str = "master1") -> tuple[Break, Mend]:
    """On the lines from the master to these stations; to all of them where none is named."""

    async def strike(site: ChaosSite) -> list[str]:
        cut = list(stations) or site.names
        await site.strike(fault, [(master, name) for name in cut])
        return cut if fault in LOSES_MASTER and site.masters == ["master1"] else []

    async def heal(site: ChaosSite) -> None:
        await site.heal()

    return strike, heal


def partition() -> tuple[Break, Mend]:
    """Each of two masters keeps half of the stations."""

    async def part(site: ChaosSite) -> list[str]:
        half = len(site.names) // 2
        lost = {"master1": site.names[half:], "master2": site.names[:half]}
        await site.strike(Fault.CUT, [(master, name) for master in lost for name in lost[master]])
        return []

    async def heal(site: ChaosSite) -> None:
        await site.heal()

    return part, heal


LOSES_MASTER = {Fault.CUT, Fault.BLACK_HOLE, Fault.REFUSE, Fault.RESET, Fault.DELAY, Fault.TRICKLE}
"""Faults during which no heartbeat arrives in time, whatever the luck."""
