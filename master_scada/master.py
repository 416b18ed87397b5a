"""The master station: one scan cycle after the other.

tick ─ poll      all stations at once; a dead one costs the others nothing
     ─ verify    what was commanded last against what the stations say now
     ─ decide    the rule's wishes, cut down by the interlock
     ─ command   permission, limit and heartbeat to every station that answered, changed or not
     ─ record    one immutable Scan
     ─ serve     the registers of pev_master, made when somebody reads them
"""

import asyncio
import logging
import math
import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from master_scada.decide import decide
from master_scada.events import Event
from master_scada.links import Connect, Lines, StationLink
from master_scada.memory import Memory
from master_scada.model import Command, Plant, Scan
from master_scada.readings import max_age_s, observed, orders
from master_scada.record import Record
from master_scada.registers import registers
from master_scada.site_file import Site, master_map
from master_scada.site_schema import Failsafe
from master_scada.station import Reading, Station
from master_scada.succession import ONLY_MASTER, one_of_two, succeed
from master_scada.tariff import WrittenPrice
from master_scada.upstream import SiteOrders, Upstream
from master_scada.verify import Difference, verify
from modbus_link.client import ModbusClient
from modbus_link.clock import Clock
from modbus_link.hold import Hold
from modbus_link.image import RegisterImage
from modbus_link.server import ModbusServer
from modbus_link.writes import Write
from register_maps.points import Table, Value
from register_maps.vocabulary import Unfollowed

log = logging.getLogger(__name__)

MOST_FAILURES = 3
"""Scans that may fail in a row, before the master gives up."""
FIRST_CONNECTIONS_S = 2.0
"""How long the first scan waits for the lines to stand."""


class Master:
    """`run` scans and serves until cancelled. `on_scan` gets every scan and what happened in it.

    `timeout_s`, of a request, is in seconds of this machine even where `clock` runs faster; by default
    it leaves room in the scan period for a station that hangs. `connect` makes the lines to the stations;
    by default they are Modbus TCP.
    """

    def __init__(
        self,
        site: Site,
        clock: Clock,
        *,
        timeout_s: float | None = None,
        connect: Connect | None = None,
        on_scan: Callable[[Scan, list[Event]], None] | None = None,
        standby: bool = False,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        """`alive` is called after every scan that was due."""
        self.site = site
        self._alive = alive
        self.clock = clock
        self.period_s = site.scan_period_s
        self.timeout_s = 0.4 * self.period_s if timeout_s is None else timeout_s
        tls = site.tls.load() if site.tls else None
        self.lines = Lines(site, connect or partial(ModbusClient, timeout_s=self.timeout_s), tls)
        self.image = RegisterImage(master_map(len(site.stations)))
        self.server = ModbusServer(self.image, site.server, name=site.name, tls=tls)
        self.scan: Scan | None = None
        self._on_scan = on_scan
        self._memory = Memory()
        self._last: dict[str, Reading] = {}
        self._last_seen: dict[str, float] = {}
        self._sent: dict[str, Command] = {}
        self._differences: dict[str, Difference | None] = {}
        self._succession = ONLY_MASTER
        if site.redundant:
            self._succession = one_of_two(is_standby=standby)
        self._heartbeat = random.randrange(0x10000)  # so that a restart is not taken for a standstill
        self._overruns = self._failures = 0
        self._unpublished: Callable[[], dict[str, Value]] | None = None
        self._set_up_image()
        self.record = Record(site, self.image, clock)
        self._upstream = Upstream(self.image, supervised=site.failsafe is not None, now=clock.now())

    async def run(self) -> None:
        """Scan until cancelled; CannotListen if the server's port can't be had."""
        try:
            self.record.open()
            await self.server.start()
            log.info("%s: serving pev_master on %s", self.site.name, self.server.about)
            await self.lines.open(FIRST_CONNECTIONS_S)
            next_at = self.clock.now()
            while True:
                await self._cycle_or_log()
                self._alive()
                next_at = self._next_tick(next_at)
                await self.clock.sleep_until(next_at)
        finally:
            await self.lines.close()
            await self.server.stop()
            self.record.close()

    async def _cycle_or_log(self) -> None:
        """A scan that fails, for a reason that nobody thought of, must not end the next; if they all fail,
        the master ends, and the stations' failsafe does the rest."""
        try:
            await self.cycle()
        except Exception:
            self._failures += 1
            if self._failures == MOST_FAILURES:
                raise
            log.exception("this scan failed")
        else:
            self._failures = 0

    async def cycle(self) -> Scan:
        """One scan."""
        began = self.clock.now()
        readings = await self._poll(began)
        # A machine that slept takes what lay in its sockets for news: nobody is told anything by it.
        is_stale = self.clock.now() - began > max_age_s(self.period_s)
        self._succeed(readings)
        plant, site_orders = self._plant(readings)
        if self._succession.steers and not is_stale:
            commands = self._decide(plant)
            await self._command(plant, commands)
        else:
            commands = observed(plant)
        scan = self._record(plant, commands, site_orders, began)
        self.image.publish({"price": plant.price})  # at once, because others may write it, too
        self._unpublished = partial(
            registers, scan, site_orders, dict(self._last_seen), self.clock.time_of_day()
        )
        return scan

    def _publish(self, _: Table) -> None:
        """The last scan, when somebody asks for it: with many stations its registers are a good part of the
        work of a scan, and often nobody does."""
        if self._unpublished:
            self.image.publish(self._unpublished())
            self._unpublished = None

    def _succeed(self, readings: Mapping[str, Reading]) -> None:
        """Take over, step down, or go on as before; a site of one master only ever goes on."""
        before, now = self._succession, self.clock.now()
        count = len(self.site.stations)
        self._succession = succeed(before, readings.values(), count, now, self.period_s)
        if self._succession.role is not before.role:
            # As after a restart: what was remembered and told is another master's doing by now.
            self._memory, self._sent, self._differences = Memory(), {}, {}

    def _decide(self, plant: Plant) -> dict[str, Command]:
        decision = decide(plant, self._memory)
        self._memory = decision.memory
        return decision.commands

    async def _poll(self, now: float) -> dict[str, Reading]:
        answers = await self._each(lambda link: link.read(now))
        readings = {name: seen for name, seen in answers.items() if seen is not None}
        refusals = {link.entry.name: link.refusal for link in self.lines.stations}
        self._differences |= {
            name: verify(
                self._differences.get(name), self._sent.get(name), seen, now, refused=bool(refusals[name])
            )
            for name, seen in readings.items()
        }
        self._last |= readings
        self._last_seen |= dict.fromkeys(readings, now)
        return readings

    def _plant(self, readings: Mapping[str, Reading]) -> tuple[Plant, SiteOrders]:
        now = self.clock.now()
        site_orders = self._upstream.orders(now)
        rules = replace(self.site.rules, price_limit=self._register("price_limit"))
        stations = tuple(
            Station(
                name=(entry := link.entry).name,
                circuit=entry.circuit,
                priority=entry.priority,
                rated_power_w=entry.rated_power_w,
                held=bool(self.image[f"station_{number}_hold"]),
                reading=readings.get(entry.name),
                last=self._last.get(entry.name),
                told_to_charge=entry.name in self._sent and self._sent[entry.name].charge_enable,
                unfollowed=self._unfollowed(entry.name, now, readings),
                refusal=link.refusal,
                is_held=link.is_held,
                has_other_master=not self._succession.owns(self._last.get(entry.name)),
                throttles=link.throttles,
                trouble=link.trouble,
            )
            for number, link in enumerate(self.lines.stations, start=1)
        )
        plant = Plant(
            now=now,
            price=self.site.tariff.price(self.clock.time_of_day(), now),
            rules=rules,
            feeder=self.site.feeder,
            stations=stations,
            site_limit_w=site_orders.power_limit_w,
            site_reason=site_orders.reason,
        )
        return plant, site_orders

    def _unfollowed(self, name: str, now: float, readings: Mapping[str, Reading]) -> Unfollowed:
        """Of a station that is silent in this scan nothing is said; but what was not followed goes on."""
        difference = self._differences.get(name) if name in readings else None
        return difference.told(now, self.period_s) if difference else Unfollowed.NONE

    async def _command(self, plant: Plant, commands: Mapping[str, Command]) -> None:
        """To those that answered. The others keep no permission: without a heartbeat their failsafe trips.
        One that has none is told to open, in case it still listens."""
        self._heartbeat = (self._heartbeat + 1) % 0x10000
        unsafe = {link.entry.name for link in self.lines.stations if not link.has_failsafe}
        told = {s.name: commands[s.name] for s in plant.stations if s.reading or s.name in unsafe}
        self._sent |= told

        async def write(link: StationLink) -> None:
            command = told.get(link.entry.name)
            if command:
                price, limit = plant.price, plant.rules.price_limit
                term = self._succession.written_term
                await link.write(orders(command, self._heartbeat, price, limit, term))

        await self._each(write)

    async def _each(
        self, call: Callable[[StationLink], Coroutine[Any, Any, Reading | None]]
    ) -> dict[str, Reading | None]:
        """`call` for all stations at once; those that take too long count as silent."""
        if self.lines.answer_at_once:
            return {link.entry.name: await call(link) for link in self.lines.stations}
        tasks = {link.entry.name: asyncio.create_task(call(link)) for link in self.lines.stations}
        _, late = await asyncio.wait(tasks.values(), timeout=1.25 * self.timeout_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        return {name: None if task.cancelled() else task.result() for name, task in tasks.items()}

    def _record(
        self, plant: Plant, commands: Mapping[str, Command], site_orders: SiteOrders, began: float
    ) -> Scan:
        number = self.scan.number + 1 if self.scan else 1
        took_s = self.clock.now() - began
        scan = Scan(
            number=number,
            at=plant.now,
            took_s=took_s,
            plant=plant,
            commands=commands,
            overruns=self._overruns,
            role=self._succession.role,
            term=self._succession.term,
        )
        events = self.record.add(self.scan, scan, failsafe_active=site_orders.failsafe_active)
        self.scan = scan
        if self._on_scan:
            self._on_scan(scan, events)
        return scan

    def _next_tick(self, last: float) -> float:
        """The next tick that can still be kept; those that can't are counted."""
        missed = max(0, math.floor((self.clock.now() - last) / self.period_s))
        self._overruns += missed
        return last + (missed + 1) * self.period_s

    def _set_up_image(self) -> None:
        site, failsafe = self.site, self.site.failsafe
        # Zeros before the first scan would be taken for readings.
        self.image.update({n: None for n, point in self.image.map.points.items() if point.nan is not None})
        self.image.update(
            {
                "role": self._succession.role,
                "station_count": len(site.stations),
                "site_name": site.name,
                "scan_period": round(1000 * site.scan_period_s),
                "currency": site.currency,
                "charge_enable": failsafe is None,
                "power_limit": site.feeder.main.power_limit_w if failsafe is None else 0,
                "price_limit": site.rules.price_limit,
                "failsafe_power_limit": failsafe.power_limit_w if failsafe else 0,
                "failsafe_timeout": (failsafe or Failsafe()).timeout_s,
            }
        )
        self.image.hold = Hold(self.clock.now, self._patience_s)
        self.image.on_read = self._publish
        self.image.on_written = self._take

    def _patience_s(self) -> float:
        """Not longer than the site's file says: no client may shut the master above out by a register."""
        failsafe = self.site.failsafe or Failsafe()
        return min(self._register("failsafe_timeout"), failsafe.timeout_s)

    def _take(self, write: Write) -> None:
        self.record.written(write)
        tariff = self.site.tariff
        if isinstance(tariff, WrittenPrice) and "price" in write.values:
            price = write.values["price"]
            tariff.write(float(price) if isinstance(price, int | float) else None, self.clock.now())

    def _register(self, name: str) -> float:
        value = self.image[name]
        assert isinstance(value, int | float)
        return float(value)
