"""A master and its standby over real stations in virtual time, with cuts between any two of them."""

import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from virtual_site import VirtualSite, shown

from master_scada.master import Master
from master_scada.model import Scan
from master_scada.site_file import Site, read_site
from master_scada.succession import ONLY_MASTER, Succession, one_of_two, succeed
from modbus_link.access import Client
from modbus_link.errors import LinkError
from modbus_link.image import RegisterImage
from modbus_link.in_memory import InMemoryLink
from register_maps.points import Table
from register_maps.register_map import DEVICES
from register_maps.vocabulary import MasterRole
from register_maps.yaml_file import BadFile

NAMES = ["first", "standby"]
FAILSAFE_S = 8
Y_W = 7000.0


class Line(InMemoryLink):
    """Remembers what went over it, so that it can come a second time, late."""

    def __init__(self, site: "RedundantSite", station: str) -> None:
        super().__init__(site.rtus[station].image)
        self.sent: list[tuple[Table, int, list[int]]] = []

    def go_to(self, image: RegisterImage) -> None:
        self._image, self._client = image, Client(host="in memory")

    async def write(
        self, table: Table, address: int, words: Sequence[int], unit_id: int, *, single: bool = True
    ) -> None:
        self.sent = [*self.sent[-5:], (table, address, list(words))]
        await super().write(table, address, words, unit_id, single=single)


class RedundantSite(VirtualSite):
    """Three cars of 3.3 kW behind 7 kW, that take turns; two masters, each with lines of its own."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.lines: dict[tuple[str, str], Line] = {}
        self.masters: dict[str, Master] = {}
        self.heard: dict[str, list[Scan]] = {name: [] for name in NAMES}
        self.highest_w = 0.0
        for name in self.names:
            self.plug_in(name, capacity_wh=1e6)
            self.rtus[name].image.update({"failsafe_timeout": FAILSAFE_S})
            for master in NAMES:
                self.lines[master, name] = Line(self, name)

    def start(self, master: str) -> Master:
        for name in self.names:
            # Connections of its own, as a program that was just started has them; cuts stay where they are.
            before, line = self.lines[master, name], Line(self, name)
            line.connected = before.connected
            before._client.connected = False
            self.lines[master, name] = line
        self.masters[master] = Master(
            self.site(),
            self.clock,
            timeout_s=10,
            connect=lambda host, port, *, tls: self.lines[master, f"RTS{port - 5020}"],
            on_scan=lambda scan, events: self.heard[master].append(scan),
            standby=master == "standby",
        )
        return self.masters[master]

    def restart_station(self, name: str) -> None:
        """As after a power cut: its contactor is open, and it has forgotten term, permission and master."""
        vehicle = self.board(name).vehicle
        self.rtus[name].board.close()
        self.rtus[name] = self._rtu(name)
        self.board(name).vehicle = vehicle
        self.rtus[name].image.update({"failsafe_timeout": FAILSAFE_S})
        for master in NAMES:
            self.lines[master, name].go_to(self.rtus[name].image)

    def site(self) -> Site:
        path = self.folder / "two.yaml"
        path.write_text(self._site_yaml() + "redundant: true\n")
        return read_site(path)

    async def live(self, seconds: float) -> None:
        """Scans of both masters, one a second, in either order; the stations step four times in between."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            for master in random.sample(list(self.masters.values()), len(self.masters)):
                await master.cycle()
                self.watch()
            for _ in range(4):
                self.pass_time(0.25, 1)
                self.watch()

    def watch(self) -> None:
        self.highest_w = max(self.highest_w, sum(self.board(name).power_w for name in self.names))
        assert self.highest_w <= Y_W, f"{self.highest_w} W at {self.clock.now()} s"

    def cut(self, master: str, *names: str) -> None:
        for name in names or self.names:
            self.lines[master, name].cut()

    def mend(self) -> None:
        for line in self.lines.values():
            line.mend()

    def steering(self) -> list[str]:
        return sorted(name for name, master in self.masters.items() if shown(master, "role") == ("steering",))

    async def until_two_charge(self) -> None:
        """There is room for two, but for the moments in which a turn changes."""
        for _ in range(20):
            if len(self.charging()) == 2:
                return
            await self.live(1)
        raise AssertionError("there is room for two")

    def charging(self) -> set[str]:
        return {name for name in self.names if self.board(name).power_w > 0}


@pytest.fixture
def site(tmp_path: Path) -> RedundantSite:
    random.seed(7)
    return RedundantSite(
        folder=tmp_path,
        stations=4,
        scan_period_s=1.0,
        power_limit_w=Y_W,
        rule="price_limit: 0.20, rotation_s: 5, minimum_off_s: 1",
    )


async def settled(site: RedundantSite) -> RedundantSite:
    """Both run, the first steers, and as many charge as fit."""
    site.start("standby")
    site.start("first")
    await site.live(20)
    assert site.steering() == ["first"]
    await site.until_two_charge()
    return site


async def test_the_first_steers_although_the_standby_was_there_before(site: RedundantSite) -> None:
    await settled(site)
    standby = site.masters["standby"]
    assert shown(standby, "role", "alarm_count") == ("standby", 0)
    assert shown(standby, "charging_count") in ((1,), (2,))  # they take turns, and break before they make
    assert shown(standby, "term") == shown(site.masters["first"], "term")


async def test_the_standby_takes_over_before_a_contactor_opens(site: RedundantSite) -> None:
    await settled(site)
    before = site.charging()
    del site.masters["first"]
    gone_at = site.clock.now()
    while site.steering() != ["standby"]:
        await site.live(1)
        assert site.charging() == before
        assert site.clock.now() - gone_at <= FAILSAFE_S
    # What was on stays on, until its turn is over as it would have been.
    await site.live(3)
    assert before & site.charging()
    await site.live(30)
    await site.until_two_charge()


async def test_the_operator_at_the_one_that_takes_over_is_told(site: RedundantSite) -> None:
    await settled(site)
    assert [site.masters[name].image["alarm_count"] for name in NAMES] == [0, 0]
    del site.masters["first"]
    while site.steering() != ["standby"]:
        await site.live(1)
    seen = site.masters["standby"].image
    assert (seen["alarm_1_code"], seen["alarm_1_state"]) == ("other_master", "active_unacknowledged")
    await site.live(60)  # nobody has looked yet
    assert (seen["alarm_1_code"], seen["alarm_1_state"]) == ("other_master", "returned_unacknowledged")


async def test_who_was_replaced_watches_and_takes_over_again(site: RedundantSite) -> None:
    await settled(site)
    site.cut("first")
    await site.live(20)
    assert site.steering() == ["first", "standby"]  # the first can't know
    site.mend()
    await site.live(2)
    assert site.steering() == ["standby"]
    assert shown(site.masters["first"], "role") == ("standby",)
    del site.masters["standby"]
    await site.live(20)
    assert site.steering() == ["first"]
    await site.until_two_charge()


async def test_a_master_that_wakes_up_is_refused(site: RedundantSite) -> None:
    await settled(site)
    asleep = site.masters.pop("first")
    await site.live(20)
    for station in site.names:
        line = site.lines["first", station]
        for table, address, words in list(line.sent):
            with pytest.raises(LinkError):
                await line.write(table, address, words, 1)
    site.masters["first"] = asleep
    await site.live(2)
    assert site.steering() == ["standby"]


async def test_halves_that_do_not_see_each_other_keep_the_limit(site: RedundantSite) -> None:
    await settled(site)
    site.cut("first", "RTS3", "RTS4")
    site.cut("standby", "RTS1", "RTS2")
    await site.live(60)
    assert site.steering() == ["first", "standby"]
    site.mend()
    await site.live(60)
    assert site.steering() == ["standby"]
    await site.until_two_charge()


async def test_less_than_half_is_not_enough_and_falls_to_its_failsafe(site: RedundantSite) -> None:
    await settled(site)
    site.cut("first", "RTS4")
    site.cut("standby", "RTS1", "RTS2", "RTS3")
    await site.live(60)
    assert site.steering() == ["first"]
    assert site.rtus["RTS4"].image["failsafe_active"]


async def test_a_station_that_hears_its_master_keeps_the_standby_from_taking_the_others(
    site: RedundantSite,
) -> None:
    await settled(site)
    site.cut("first", "RTS2", "RTS3", "RTS4")
    await site.live(60)
    assert site.steering() == ["first"]


async def test_a_restart_of_the_first_opens_no_contactor(site: RedundantSite) -> None:
    await settled(site)
    before = site.charging()
    term = shown(site.masters["first"], "term")
    site.start("first")
    for _ in range(6):
        await site.live(1)
        assert before & site.charging()
    assert site.steering() == ["first"]
    assert shown(site.masters["first"], "term") > term


@pytest.mark.parametrize("seed", range(7))
async def test_whatever_happens_the_limit_holds(site: RedundantSite, seed: int) -> None:
    rng = random.Random(seed)
    site.start("first")
    site.start("standby")
    disturb: list[Callable[[], object]] = [
        lambda: site.lines[rng.choice(NAMES), rng.choice(site.names)].cut(),
        lambda: site.cut(rng.choice(NAMES), *rng.sample(site.names, 2)),
        lambda: site.lines[rng.choice(NAMES), rng.choice(site.names)].mend(),
        site.mend,
        lambda: site.start(rng.choice(NAMES)),
        lambda: site.rtus[rng.choice(site.names)].request_stop(),
        lambda: site.restart_station(rng.choice(site.names)),
        lambda: [rtu.request_start() for rtu in site.rtus.values()],
        lambda: site.masters.pop(rng.choice(NAMES), None),
    ]
    charged = 0
    for _ in range(40):
        rng.choice(disturb)()
        for (master, _name), line in site.lines.items():
            if master not in site.masters and rng.random() < 0.1 and line.sent:
                with_term = rng.choice(line.sent)
                with contextlib.suppress(LinkError):
                    await line.write(*with_term, 1)
        await site.live(rng.choice([1, 2, 4, 8]))
        charged += len(site.charging())
    for master in NAMES:
        if master not in site.masters:
            site.start(master)
    site.mend()
    for rtu in site.rtus.values():
        rtu.request_start()
    await site.live(60)
    assert len(site.steering()) == 1
    await site.until_two_charge()
    assert charged > 10


# The decision alone.


def saying(term: int = 0, age_s: float | None = None) -> object:
    from plants import READING

    return replace(READING, master_term=term, master_age_s=age_s, failsafe_timeout_s=10.0)


@pytest.mark.parametrize(
    ("answers", "stations", "takes_over"),
    [
        ([(0, None)], 1, True),
        ([(0, None)], 2, True),
        ([(0, None)], 3, False),
        ([], 1, False),
        ([(1001, 5.0), (1001, 9.0)], 4, True),
        ([(1001, 4.9), (1001, 9.0)], 4, False),
    ],
)
def test_who_may_take_over(answers: list, stations: int, takes_over: bool) -> None:
    first = one_of_two(is_standby=False)
    after = succeed(first, [saying(*answer) for answer in answers], stations, 1.0, 1.0)  # type: ignore[misc]
    assert after.steers == takes_over
    if takes_over:
        assert after.term > max(term for term, _ in answers)


def test_the_standby_waits_longer() -> None:
    standby = one_of_two(is_standby=True)
    fresh, left = [saying()], [saying(1001, 5.0)]
    found = succeed(standby, fresh, 1, 100.0, 1.0)  # type: ignore[arg-type]
    assert not succeed(found, fresh, 1, 107.9, 1.0).steers  # type: ignore[arg-type]
    assert succeed(found, fresh, 1, 108.0, 1.0).steers  # type: ignore[arg-type]
    assert not succeed(standby, left, 1, 200.0, 1.0).steers  # type: ignore[arg-type]
    assert succeed(standby, [saying(1001, 8.0)], 1, 200.0, 1.0).steers  # type: ignore[list-item]


def test_the_two_never_have_the_same_term() -> None:
    marks = {is_standby: set[int]() for is_standby in (True, False)}
    for is_standby, found in marks.items():
        for _ in range(2000):
            master = one_of_two(is_standby=is_standby)
            found.add(succeed(master, [saying(1, 99.0)], 1, 100.0, 1.0).term)  # type: ignore[list-item]
    assert marks[True].isdisjoint(marks[False])
    assert 0 not in marks[True] | marks[False]


def test_after_a_blackout_of_the_stations_nobody_takes_over_from_who_steers() -> None:
    """They have all just been started and heard nobody; the one who steers finds them in its next scan."""
    for is_standby in (True, False):
        watching = replace(one_of_two(is_standby=is_standby), term=5001)
        after = succeed(watching, [saying(), saying()], 2, 1000.0, 1.0)  # type: ignore[list-item]
        assert not after.steers
        assert succeed(after, [saying(5001, 0.3)], 2, 1001.0, 1.0).quiet_since is None  # type: ignore[list-item]
        assert succeed(after, [saying(), saying()], 2, 1008.0, 1.0).steers  # type: ignore[list-item]


def test_one_station_that_lies_does_not_use_up_the_terms() -> None:
    first = one_of_two(is_standby=False)
    steering = succeed(first, [saying(), saying()], 2, 0.0, 1.0)  # type: ignore[list-item]
    assert steering.steers
    after = succeed(steering, [saying(0xFFFF_FFF0), saying(steering.term, 0.1)], 2, 1.0, 1.0)  # type: ignore[list-item]
    assert after == steering
    last = replace(first, term=0xFFFF_FFF0)
    assert not succeed(last, [saying(0xFFFF_FFF0, 99.0)], 1, 0.0, 1.0).steers  # type: ignore[list-item]


def test_one_master_has_no_terms() -> None:
    after = succeed(ONLY_MASTER, [saying(5)], 1, 100.0, 1.0)  # type: ignore[list-item]
    assert after == Succession(role=MasterRole.STEERING)
    assert after.written_term is None
    assert after.owns(None)


def test_a_site_for_two_masters_needs_stations_that_know_terms(site: RedundantSite) -> None:
    text = (DEVICES / "pev_rtu.yaml").read_text()
    begin = text.index("  master_term:")
    (site.folder / "old.yaml").write_text(text[:begin] + text[text.index("\ngroups:") :])
    site.station_map = "old.yaml"
    with pytest.raises(BadFile, match=r"'old\.yaml' has no master_term: such a station"):
        site.site()
