"""What a master tells of its scans: events, alarms, the journal, and log lines."""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from master_scada.alarm_catalogue import catalogue
from master_scada.alarm_registers import ALARM_POINTS, NO_ACTION, AlarmRegisters, BadOrder, Order, order
from master_scada.alarms import Alarm, NotPossible, acknowledge_all, act, step, transitions
from master_scada.conditions import Facts, Sources, conditions, sees_other_master
from master_scada.events import Event, EventKind, alarm_event, changes
from master_scada.journal import Journal, Row
from master_scada.kept_alarms import kept, restored
from master_scada.model import Scan
from master_scada.registers import EventRing
from master_scada.site_file import Site
from modbus_link.access import Client
from modbus_link.clock import Clock
from modbus_link.errors import ExceptionCode
from modbus_link.image import Refusal, RegisterImage
from modbus_link.line_limit import LineLimit
from modbus_link.tls import TlsFiles
from modbus_link.writes import Change, Write, WriteLog
from register_maps.register_map import load_map
from register_maps.vocabulary import MasterRole

log = logging.getLogger(__name__)

MOST_WRITE_EVENTS = 1000
"""Of one scan; more are in the log alone."""
DAY_S = 86_400.0


class Record:
    """`open` and `close` it for the journal; without, all else works."""

    def __init__(self, site: Site, image: RegisterImage, clock: Clock) -> None:
        groups = load_map("pev_master").groups
        self._image, self._clock = image, clock
        self._rules = catalogue()
        self._sources = Sources((s.name for s in site.stations), site.feeder.circuits)
        self._alarms: dict[int, Alarm] = {}
        self._registers = AlarmRegisters(self._sources, groups["alarm"].max_count)
        self._ring = EventRing(groups["event"].max_count)
        self._journal = Journal(site.journal) if site.journal else None
        self._write_log = WriteLog(log, site.name)
        self._refusals = LineLimit(log, of_a_kind=1, of_a_host=5)
        self._pending: deque[Event] = deque(maxlen=MOST_WRITE_EVENTS)
        self._refused = ""
        self._saw_other = False
        self._supervised = site.failsafe is not None
        self._times: tuple[float, datetime] | None = None
        self._certificate = _CertificateCheck(site.tls)
        image.on_write = self._check
        image.on_refused = self._note_refused

    def open(self) -> None:
        """Take up what was known before."""
        if self._journal:
            now, time = self._clock.now(), self._clock.time_of_day()
            self._journal.open()
            kept_before = self._journal.open_alarms
            self._alarms = restored(kept_before, self._sources, self._rules, now, time.timestamp())
            self._image.publish(self._registers.show(self._alarms, now))

    def close(self) -> None:
        if self._journal:
            self._journal.close()

    def add(self, before: Scan | None, scan: Scan, *, failsafe_active: bool) -> list[Event]:
        """All that has happened since the scan before."""
        now, time = self._clock.now(), self._clock.time_of_day()
        elapsed_s = now - self._times[0] if self._times else 0.0
        found = conditions(before, scan, self._facts(now, time, failsafe_active), self._sources, self._rules)
        self._saw_other = scan.role is not MasterRole.STEERING and (
            self._saw_other or sees_other_master(before, scan)
        )
        alarms = step(self._alarms, found, self._rules, now, time.timestamp(), elapsed_s=elapsed_s)
        news = [*changes(before, scan), *self._took(alarms, scan.at)]
        self._save(news, time)
        for event in news:
            log.info("%s", event)
        events = [*self._pending, *news]
        self._pending.clear()
        self._image.publish(self._ring.add(events, time) | self._registers.show(alarms, now))
        return events

    def written(self, write: Write) -> None:
        """A client has written; what that does to alarms is done here. It is in the journal at once, but
        for what is too much for the log, too; and it is told with the next scan."""
        rest = {name: value for name, value in write.values.items() if name not in ALARM_POINTS}
        write_of_rest = replace(write, values=rest)
        now = self._clock.now()
        events = [self._write_event(change, now) for change in self._write_log.add(write_of_rest)]
        wanted = order(write.values)
        if wanted:
            events += self._obey(wanted, write.client, now)
        if len(rest) < len(write.values):
            self._image.update(NO_ACTION)
        self._tell(events)

    def _tell(self, events: list[Event]) -> None:
        self._pending.extend(events)
        self._save(events, self._clock.time_of_day())

    def _obey(self, wanted: Order, client: Client, now: float) -> list[Event]:
        told = self._took(self._ordered(wanted, now), now, f" by {client}")
        for event in told:
            log.info("%s", event)
        self._image.publish(self._registers.show(self._alarms, now))
        return told

    def _ordered(self, wanted: Order, now: float) -> dict[int, Alarm]:
        if wanted.number is None:
            return acknowledge_all(self._alarms)
        return act(self._alarms, wanted.number, wanted.action, now, wanted.shelve_s)

    def _check(self, write: Write) -> None:
        """Refuse, before it takes effect, what makes no sense or can't be done."""
        try:
            wanted = order(write.values)
            if wanted:
                self._ordered(wanted, self._clock.now())
        except (BadOrder, NotPossible) as error:
            raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE) from error

    def _note_refused(self, client: Client, why: str) -> None:
        """The alarm tells of one; the journal of each, but not of every time."""
        self._refused = f"{client} {why}"
        if self._refusals.admit(client.host, why) is not None:
            text = f"refused: {self._refused}"
            self._tell([Event(at=self._clock.now(), source="site", text=text, kind=EventKind.WRITE)])

    def _took(self, alarms: dict[int, Alarm], at: float, by: str = "") -> list[Event]:
        """Takes the new list over; the events that it makes."""
        told = [
            alarm_event(was, alarm, at, self._sources.names[alarm.source], by)
            for was, alarm in transitions(self._alarms, alarms)
        ]
        self._alarms = alarms
        return told

    def _facts(self, now: float, time: datetime, failsafe_active: bool) -> Facts:
        before, self._times = self._times, (now, time)
        # By way of UTC: a summer that begins is no step, though the clock on the wall makes one.
        step_s = time.timestamp() - before[1].timestamp() - (now - before[0]) if before else 0.0
        refused, self._refused = self._refused, ""
        return Facts(
            clock_step_s=step_s,
            journal_trouble=self._journal.trouble if self._journal else "",
            failsafe_active=failsafe_active,
            refused_write=refused,
            saw_other_master=self._saw_other,
            certificate_file=self._certificate.name,
            certificate_days=self._certificate.days(now),
        )

    def _write_event(self, change: Change, now: float) -> Event:
        from_above = self._supervised and self._image.map.points[change.point].exclusive
        person = change.point.endswith("_hold") or (change.point in _OPERATORS and not from_above)
        return Event(
            at=now,
            source="site",
            text=str(change),
            kind=EventKind.OPERATOR if person else EventKind.WRITE,
            code=change.point,
            value=str(change.new),
        )

    def _save(self, events: Sequence[Event], time: datetime) -> None:
        if self._journal is None or not events:
            return
        at = time.timestamp()
        rows = [Row(at, e.kind, e.source, e.text, e.code, e.value) for e in events]
        changed = any(event.kind is EventKind.ALARM for event in events)
        alarms = kept(self._alarms.values(), self._sources, self._clock.now(), at) if changed else None
        self._journal.add(rows, alarms)


_OPERATORS = ("power_limit", "price_limit", "charge_enable")


class _CertificateCheck:
    """Looks at the master's own certificate once a day."""

    def __init__(self, files: TlsFiles | None) -> None:
        self._files = files
        self._looked_at: float | None = None
        self._days: float | None = None
        self.name = Path(files.certificate).name if files else ""

    def days(self, now: float) -> float | None:
        if self._files and (self._looked_at is None or now - self._looked_at >= DAY_S):
            self._looked_at, self._days = now, self._files.days_left()
        return self._days
