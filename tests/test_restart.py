"""A master that is killed, paused and started again in the midst of charging, all as processes."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from processes import ExampleSite, Stations, until

MakeSite = Callable[..., ExampleSite]
Look = Callable[[ExampleSite], Awaitable[Stations]]
Record = Callable[[str, object], None]

FAILSAFE_S = 2
ROOM_FOR_TWO_W = 7000


@dataclass(slots=True)
class Watch:
    """Everything that a fast client saw of the stations, and when."""

    samples: list[tuple[float, str, dict]] = field(default_factory=list)

    async def follow(self, stations: Stations) -> None:
        while True:
            seen = await stations.read()
            self.samples += [(time.monotonic(), name, values) for name, values in seen.items()]
            await asyncio.sleep(0.02)

    def of(self, station: str) -> list[tuple[float, dict]]:
        return [(at, values) for at, name, values in self.samples if name == station]

    def longest_silence_s(self, station: str) -> float:
        """Between two heartbeats of the master."""
        beats = [next(iter(self.of(station)))]
        for at, values in self.of(station):
            if values["master_heartbeat"] != beats[-1][1]["master_heartbeat"]:
                beats.append((at, values))
        return max(after[0] - before[0] for before, after in pairwise(beats))


@contextlib.asynccontextmanager
async def watching(stations: Stations) -> AsyncIterator[Watch]:
    watch = Watch()
    task = asyncio.create_task(watch.follow(stations))
    try:
        yield watch
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def charging_site(site: ExampleSite, look_at: Look) -> Stations:
    """Both stations charge."""
    for name in site.ports:
        site.launch(name)
    for program, port in zip(site.programs, site.ports.values(), strict=True):
        program.wait_for_port(port)
    stations = await look_at(site)
    await stations.until_all_are(contactor_closed=True, state="charging")
    return stations


async def test_a_restart_of_the_master_opens_no_contactor(
    example_site: MakeSite, look_at: Look, record_property: Record
) -> None:
    # The timeout is long enough for a slow machine to start Python in; the restart does not use it up.
    site = example_site(failsafe_s=8, power_limit_w=ROOM_FOR_TWO_W)
    stations = await charging_site(site, look_at)
    async with watching(stations) as watch:
        await until(lambda: watch.samples)
        site.programs[0].kill()
        killed_at, last = time.monotonic(), await stations.read()
        site.launch("master")
        for name, values in last.items():
            beat = values["master_heartbeat"]
            await until(lambda name=name, beat=beat: watch.of(name)[-1][1]["master_heartbeat"] != beat)
        back_at = time.monotonic()
        await until(lambda: time.monotonic() > back_at + 1.0)  # five scans of the new master
    for name in last:
        seen = watch.of(name)
        assert all(values["contactor_closed"] for _, values in seen)
        assert all(values["charge_enable"] and not values["failsafe_active"] for _, values in seen)
        assert min(values["power"] for _, values in seen) == 3300
        # The session went on by the clock: whole seconds, so they may differ by one, and by one sample.
        went_on_s = seen[-1][1]["charging_time"] - seen[0][1]["charging_time"]
        assert went_on_s == pytest.approx(seen[-1][0] - seen[0][0], abs=1.2)
        record_property(f"{name} without a heartbeat, s", round(watch.longest_silence_s(name), 2))
    record_property("until the new master commands, s", round(back_at - killed_at, 2))


@pytest.mark.parametrize("how", ["kill", "pause"])
async def test_without_its_master_every_contactor_opens(
    example_site: MakeSite, look_at: Look, record_property: Record, how: str
) -> None:
    site = example_site(failsafe_s=FAILSAFE_S, power_limit_w=ROOM_FOR_TWO_W)
    stations = await charging_site(site, look_at)
    master = site.programs[0]
    gone_at = time.monotonic()
    master.kill() if how == "kill" else master.pause()
    await stations.until_all_are(contactor_closed=False)
    opened_in_s = time.monotonic() - gone_at
    record_property("all open after, s", round(opened_in_s, 2))
    assert FAILSAFE_S - 0.5 < opened_in_s < FAILSAFE_S + 1
    assert await stations.all_are(
        charge_enable=False, power_limit=0, failsafe_active=True, limit_reason_local="failsafe"
    )
    # Back again, or awake: it gives its permission anew.
    back_at = time.monotonic()
    site.launch("master") if how == "kill" else master.go_on()
    await stations.until_all_are(contactor_closed=True, charge_enable=True, failsafe_active=False)
    record_property("all charge again after, s", round(time.monotonic() - back_at, 2))
