"""A scenario's days through the real code: RTUs on simulated boards, and a master that steers them.

Only the wire and the clock are replaced. At each scan the network is solved with what all draw; every RTU
measures, decides and publishes; the master polls, decides and commands; and a moment later the RTUs whose
contactors have moved measure again. Cars come and go at their own times in between.
"""

import asyncio

import numpy as np

from grid_sim.day.model import Charged, Event, Run, Scenario, Tell
from grid_sim.day.series import empty_series, note_flow
from grid_sim.day.stand import Stand, charged, reason_codes
from grid_sim.day.world import World
from master_scada.events import Event as MasterEvent
from master_scada.master import Master
from master_scada.model import Scan
from modbus_link.clock import VirtualClock
from modbus_link.in_memory import InMemoryLink
from register_maps.vocabulary import LimitReason
from rtu_firmware.sim_board import CONTACTOR_TIME_S

MOMENT_S = 2 * CONTACTOR_TIME_S
"""After a command: by then the contactors have moved."""
TELL_EVERY = 20
"""Scans."""


def run_controlled(scenario: Scenario, tell: Tell) -> Run:
    return asyncio.run(Controlled(scenario).run(tell))


class Controlled:
    """The site of a scenario; `run` is to be called once."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.clock = VirtualClock(scenario.start)
        entries, circuits = scenario.site.stations, scenario.site.feeder.circuits
        self.stands = [
            Stand(station, circuits[entry.circuit], scenario.scan_period_s, self.clock)
            for station, entry in zip(scenario.stations, entries, strict=True)
        ]
        links = {
            (entry.host, entry.port): InMemoryLink(stand.rtu.image)
            for entry, stand in zip(entries, self.stands, strict=True)
        }
        self.master = Master(
            scenario.site,
            self.clock,
            connect=lambda host, port, *, tls: links[host, port],
            on_scan=self._note_events,
        )
        self._world = World(scenario)
        self._series = empty_series(scenario)
        self._codes = reason_codes()
        self._events: list[Event] = []
        # Until they come, and if they come after the last scan period.
        self._charged: list[Charged] = [charged(v, v.state_of_charge_pct) for v in scenario.visits]
        self._moves = _moves(scenario)
        self._stand_of = {stand.rtu.station.name: stand for stand in self.stands}

    async def run(self, tell: Tell) -> Run:
        for number in range(self.scenario.scans):
            await self._scan(number)
            if number % TELL_EVERY == 0:
                tell(number / self.scenario.scans)
        self._pass_until(self.scenario.scans * self.scenario.scan_period_s)
        return self._result()

    async def _scan(self, number: int) -> None:
        self._pass_until(number * self.scenario.scan_period_s)
        self._solve(number)
        for stand in self.stands:
            stand.rtu.step()
        self._note_stations(number)
        scan = await self.master.cycle()
        self._series.reason[number] = [self._reason(stand, scan) for stand in self.stands]
        self.clock.advance(MOMENT_S)
        for stand in self.stands:
            if stand.board.is_moving:
                stand.rtu.step()

    def _pass_until(self, when_s: float) -> None:
        """Let the time pass; the cars come and go in it."""
        while self._moves and self._moves[-1][0] <= when_s:
            at_s, arrives, index = self._moves.pop()
            self._advance_to(at_s)
            visit = self.scenario.visits[index]
            stand = self._stand_of[visit.station]
            if arrives:
                stand.arrive(visit)
            else:
                self._charged[index] = stand.leave()
        self._advance_to(when_s)

    def _advance_to(self, when_s: float) -> None:
        self.clock.advance(max(0.0, when_s - self.clock.now()))

    def _solve(self, number: int) -> None:
        for stand in self.stands:
            stand.board.advance(self.clock.now())
        flow = self._world.at(number, np.array([stand.board.power_w for stand in self.stands]))
        for stand, volts in zip(self.stands, self._world.station_voltage_v(flow).tolist(), strict=True):
            stand.line.volts = volts
        note_flow(self._series, number, flow, self.scenario)

    def _note_stations(self, number: int) -> None:
        series, stands = self._series, self.stands
        series.charging_w[number] = [stand.board.power_w for stand in stands]
        series.state_of_charge_pct[number] = [stand.state_of_charge_pct for stand in stands]
        series.closed[number] = [stand.board.closed for stand in stands]
        series.station_voltage_v[number] = [stand.line.volts for stand in stands]

    def _reason(self, stand: Stand, scan: Scan) -> int:
        """The master's, or the station's own where that has one."""
        own = stand.rtu.state.decision.reason
        told = scan.commands[stand.rtu.station.name].reason
        return self._codes[own if told is LimitReason.NONE else told]

    def _note_events(self, scan: Scan, events: list[MasterEvent]) -> None:
        self._events += [Event(at_s=e.at, source=e.source, text=e.text) for e in events]

    def _result(self) -> Run:
        return Run(
            series=self._series,
            charged=tuple(self._charged),
            metered_wh=np.array([stand.metered_wh for stand in self.stands]),
            switchings=np.array([stand.board.switchings for stand in self.stands]),
            events=tuple(self._events),
        )


def _moves(scenario: Scenario) -> list[tuple[float, bool, int]]:
    """When a car comes (True) or leaves, and which visit it is; the next one last. Who leaves makes room
    for who comes; who would stay beyond the end leaves then."""
    end_s = scenario.scans * scenario.scan_period_s
    visits = [(index, visit) for index, visit in enumerate(scenario.visits) if visit.arrives_s < end_s]
    comes = [(visit.arrives_s, True, index) for index, visit in visits]
    leaves = [(min(visit.leaves_s, end_s), False, index) for index, visit in visits]
    return sorted(comes + leaves, reverse=True)
