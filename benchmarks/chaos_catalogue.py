"""What `chaos.py` does to sites: groups of faults, each with the site that they happen to."""

from collections.abc import Mapping
from dataclasses import dataclass

from chaos_disk import disk_full
from chaos_liars import Liar, all_lies
from chaos_plan import Fault, Plan, Sources
from chaos_price import (
    ABSURD,
    HIGHEST,
    MODBUS,
    NEGATIVE,
    NO_PRICE,
    FakedClock,
    partition_while_all_are_open,
    stepped_clock_site,
)
from chaos_proxy import Fault as LineFault
from chaos_site import ChaosSite, Settings
from chaos_trial import killed, line_fault, partition, paused, second_master

LINE_FAULTS = [fault for fault in LineFault if fault is not LineFault.NONE]
SHORT_AND_LONG_S = (0.2, 2.5)
"""Shorter than the failsafe's timeout, or longer."""
STANDBY = Settings(stations=4, inside=True, masters=2, redundant=True, failsafe_s=3, tariff=MODBUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    about: str
    plan: Plan
    times: int


def _shuffled(site: ChaosSite, faults: Mapping[str, Fault]) -> dict[str, Fault]:
    names = list(faults)
    site.rng.shuffle(names)
    return {name: faults[name] for name in names}


def _processes(site: ChaosSite, sources: Sources) -> Mapping[str, Fault]:
    one = site.rng.choice(site.names)
    faults = {
        "master killed": killed("master1"),
        "master paused": paused("master1"),
        "a station killed": killed(one),
        "a station paused": paused(one),
        "master and a station killed": killed("master1", one),
        "master and a station paused": paused("master1", one),
        "all stations killed": killed(*site.names),
        "all stations paused": paused(*site.names),
    }
    return _shuffled(site, faults)


def _network(site: ChaosSite, sources: Sources) -> Mapping[str, Fault]:
    def some() -> list[str]:
        return site.rng.sample(site.names, site.rng.randint(1, len(site.names) - 1))

    part = {f"some stations: {fault}": line_fault(fault, *some()) for fault in LINE_FAULTS}
    return _shuffled(site, part | {f"the master: {fault}": line_fault(fault) for fault in LINE_FAULTS})


def _lies(site: ChaosSite, sources: Sources) -> Mapping[str, Fault]:
    lies = all_lies(site.rng.choice(site.names))
    return _shuffled(site, {name: site.rng.choice(faults) for name, faults in lies.items()})


def _prices(site: ChaosSite, sources: Sources) -> Mapping[str, Fault]:
    (source,) = sources
    faults = {
        "price source gone": source.writes(None, opens_all=True),
        "price of 214,748 (refused)": source.writes(ABSURD, opens_all=True),
        "price of 200,000": source.writes(HIGHEST, opens_all=True),
        "no price (NaN)": source.writes(NO_PRICE, opens_all=True),
        "price of -0.5": source.writes(NEGATIVE, opens_all=False),
    }
    return _shuffled(site, faults)


def _two_masters(site: ChaosSite, sources: Sources) -> Mapping[str, Fault]:
    faults = {
        "the first of two masters killed": killed("master1"),
        "the second of two masters killed": killed("master2"),
        "the first of two masters paused": paused("master1"),
        "the first of two masters cut off": line_fault(LineFault.CUT),
        "two masters, each with half of the stations": partition(),
    }
    return {"a second master": second_master("master2")} | _shuffled(site, faults)


def _standby(site: ChaosSite, sources: Sources) -> Mapping[str, Fault]:
    faults = {
        "a master killed, with a standby": killed(site.rng.choice(site.masters)),
        "a master paused, with a standby": paused(site.rng.choice(site.masters)),
        "a master cut off, with a standby": line_fault(LineFault.CUT, master=site.rng.choice(site.masters)),
        "both masters killed": killed(*site.masters),
        "partition": partition(),
        "partition while all are open": partition_while_all_are_open(sources),
    }
    return _shuffled(site, faults)


GROUPS = {
    "processes": Group(
        about="programs killed and paused",
        plan=Plan(
            settings=lambda folder: Settings(stations=4), faults=_processes, between_s=SHORT_AND_LONG_S
        ),
        times=13,
    ),
    "network": Group(
        about="the network, of some stations or of the master",
        plan=Plan(
            settings=lambda folder: Settings(stations=4, inside=True), faults=_network, between_s=(0.2, 4.0)
        ),
        times=5,
    ),
    "shares": Group(
        about="the same, with failsafe shares of 1,300 W",
        plan=Plan(
            settings=lambda folder: Settings(stations=4, inside=True, share_w=1300, power_limit_w=7500),
            faults=_network,
            between_s=(0.2, 4.0),
        ),
        times=3,
    ),
    "lies": Group(
        about="a station that lies",
        plan=Plan(
            settings=lambda folder: Settings(inside=True, rtu=Liar), faults=_lies, between_s=(1.0, 8.0)
        ),
        times=5,
    ),
    "price": Group(
        about="the price",
        plan=Plan(
            settings=lambda folder: Settings(inside=True, tariff=MODBUS),
            faults=_prices,
            between_s=(1.2, 2.5),
        ),
        times=5,
    ),
    "clock": Group(
        about="the clock of the master's machine",
        plan=Plan(
            settings=stepped_clock_site,
            faults=lambda site, sources: FakedClock(site.folder).steps(),
            between_s=(1.2, 2.5),
        ),
        times=5,
    ),
    "disk": Group(
        about="the disk of the master's machine",
        plan=Plan(
            settings=lambda folder: Settings(inside=True, failsafe_s=5),
            faults=lambda site, sources: {"disk full while the journal writes": disk_full("master1")},
            between_s=(1.0, 8.0),
        ),
        times=5,
    ),
    "masters": Group(
        about="two masters that know nothing of each other",
        plan=Plan(
            settings=lambda folder: Settings(stations=4, inside=True, masters=2),
            faults=_two_masters,
            between_s=(0.2, 4.0),
            masters=["master1"],
        ),
        times=5,
    ),
    "standby": Group(
        about="a master and its standby",
        plan=Plan(settings=lambda folder: STANDBY, faults=_standby, between_s=(0.2, 6.0)),
        times=5,
    ),
}
