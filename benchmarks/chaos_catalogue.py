"""What `chaos.py` does to a site: groups of faults, each with the site that they happen to."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from chaos_liars import EMPTY_MAP, LIES, MASTERS_MAP, WELDED, Liar, another_device, echoing, lying
from chaos_price import (
    ABSURD,
    CSV,
    HIGHEST,
    MODBUS,
    NEGATIVE,
    NO_PRICE,
    FakedClock,
    PriceSource,
    partition_while_all_are_open,
    write_prices,
)
from chaos_proxy import Fault
from chaos_site import ChaosSite, Settings
from chaos_trial import Break, Mend, killed, line_fault, partition, paused, second_master

HOUR_S = 3600
LINE_FAULTS = [fault for fault in Fault if fault is not Fault.NONE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    name: str
    begin: Break
    end: Mend
    between_s: tuple[float, float] = (0.2, 2.5)
    """How long it lasts: shorter than the failsafe's timeout, or longer."""

    def lasts_s(self, site: ChaosSite) -> float:
        return site.rng.uniform(*self.between_s)


@contextlib.asynccontextmanager
async def _alone(site: ChaosSite) -> AsyncIterator[None]:
    yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    about: str
    settings: Callable[[Path], Settings]
    faults: Callable[[ChaosSite], list[Planned]]
    times: int
    masters: Sequence[str] = ()
    """That run from the beginning; all of them unless named."""
    shuffled: bool = True
    around: Callable[[ChaosSite], contextlib.AbstractAsyncContextManager[None]] = field(default=_alone)


def _planned(faults: dict[str, tuple[Break, Mend]], **more: tuple[float, float]) -> list[Planned]:
    return [Planned(name=name, begin=begin, end=end, **more) for name, (begin, end) in faults.items()]


def _processes(site: ChaosSite) -> list[Planned]:
    one = site.rng.choice(site.names)
    return _planned(
        {
            "master killed": killed("master1"),
            "master paused": paused("master1"),
            "a station killed": killed(one),
            "a station paused": paused(one),
            "master and a station killed": killed("master1", one),
            "master and a station paused": paused("master1", one),
            "all stations killed": killed(*site.names),
            "all stations paused": paused(*site.names),
        }
    )


def _network(site: ChaosSite) -> list[Planned]:
    def some() -> list[str]:
        return site.rng.sample(site.names, site.rng.randint(1, len(site.names) - 1))

    part = {f"some stations: {f}": line_fault(f, *some()) for f in LINE_FAULTS}
    return _planned(part | {f"the master: {f}": line_fault(f) for f in LINE_FAULTS}, between_s=(0.2, 4.0))


def _lies(site: ChaosSite) -> list[Planned]:
    name = site.rng.choice(site.names)
    lies = {
        f"{what}, {'on' if drawing else 'off'}": lying(name, lie, drawing=drawing)
        for what, lie in LIES.items()
        for drawing in (True, False)
    }
    welded = {what: lying(name, lie, drawing=True, welded=True) for what, lie in WELDED.items()}
    others = {
        "a gateway's cache, on": echoing(name, drawing=True),
        "a gateway's cache, off": echoing(name, drawing=False),
        "a master in its place": another_device(name, MASTERS_MAP),
        "a device that refuses": another_device(name, EMPTY_MAP),
    }
    return _planned(lies | welded | others, between_s=(1.0, 8.0))


_sources: dict[ChaosSite, list[PriceSource]] = {}


@contextlib.asynccontextmanager
async def _with_prices(site: ChaosSite) -> AsyncIterator[None]:
    """Written to every master."""
    async with contextlib.AsyncExitStack() as stack:
        sources = [PriceSource(site.ports[name]) for name in site.masters]
        for source in sources:
            await stack.enter_async_context(source.writing())
        _sources[site] = sources
        yield
        del _sources[site]


def _prices(site: ChaosSite) -> list[Planned]:
    (source,) = _sources[site]
    faults = {
        "price source gone": source.writes(None, opens_all=True),
        "price of 214,748 (refused)": source.writes(ABSURD, opens_all=True),
        "price of 200,000": source.writes(HIGHEST, opens_all=True),
        "no price (NaN)": source.writes(NO_PRICE, opens_all=True),
        "price of -0.5": source.writes(NEGATIVE, opens_all=False),
    }
    return _planned(faults, between_s=(1.2, 2.5))


def _stepped_clock(folder: Path) -> Settings:
    write_prices(folder, datetime.now().astimezone())
    return Settings(inside=True, tariff=CSV, environment=FakedClock(folder).environment)


def _clock(site: ChaosSite) -> list[Planned]:
    clock = FakedClock(site.folder)
    faults = {
        f"clock stepped by {hours:+d} h": clock.stepped(hours * HOUR_S, alone=lambda site: site.names)
        for hours in (1, -1)
    }
    return _planned(faults, between_s=(1.2, 2.5))


def _two_masters(site: ChaosSite) -> list[Planned]:
    begin, end = second_master("master2")
    faults = {
        "the first of two masters killed": killed("master1"),
        "the second of two masters killed": killed("master2"),
        "the first of two masters paused": paused("master1"),
        "the first of two masters cut off": line_fault(Fault.CUT),
        "two masters, each with half of the stations": partition(),
    }
    rest = _planned(faults, between_s=(0.2, 4.0))
    site.rng.shuffle(rest)
    return [Planned(name="a second master", begin=begin, end=end), *rest]


def _standby(site: ChaosSite) -> list[Planned]:
    faults = {
        "a master killed, with a standby": killed(site.rng.choice(site.masters)),
        "a master paused, with a standby": paused(site.rng.choice(site.masters)),
        "a master cut off, with a standby": line_fault(Fault.CUT, master=site.rng.choice(site.masters)),
        "both masters killed": killed(*site.masters),
        "partition": partition(),
        "partition while all are open": partition_while_all_are_open(_sources[site]),
    }
    return _planned(faults, between_s=(0.2, 6.0))


GROUPS = {
    "processes": Group(
        about="programs killed and paused",
        settings=lambda folder: Settings(stations=4),
        faults=_processes,
        times=13,
    ),
    "network": Group(
        about="the network, of some stations or of the master",
        settings=lambda folder: Settings(stations=4, inside=True),
        faults=_network,
        times=5,
    ),
    "shares": Group(
        about="the same, with failsafe shares of 1,300 W",
        settings=lambda folder: Settings(stations=4, inside=True, share_w=1300, power_limit_w=7500),
        faults=_network,
        times=3,
    ),
    "lies": Group(
        about="a station that lies",
        settings=lambda folder: Settings(inside=True, rtu=Liar),
        faults=_lies,
        times=2,
    ),
    "price": Group(
        about="the price",
        settings=lambda folder: Settings(inside=True, tariff=MODBUS),
        faults=_prices,
        times=5,
        around=_with_prices,
    ),
    "clock": Group(
        about="the clock of the master's machine",
        settings=_stepped_clock,
        faults=_clock,
        times=5,
    ),
    "masters": Group(
        about="two masters that know nothing of each other",
        settings=lambda folder: Settings(stations=4, inside=True, masters=2),
        faults=_two_masters,
        times=5,
        masters=["master1"],
        shuffled=False,
    ),
    "standby": Group(
        about="a master and its standby",
        settings=lambda folder: Settings(
            stations=4, inside=True, masters=2, redundant=True, failsafe_s=3, tariff=MODBUS
        ),
        faults=_standby,
        times=5,
        around=_with_prices,
    ),
}
