"""One running RTU: board, charging logic and Modbus server, joined by the register image."""

import asyncio
import logging
from collections.abc import Callable

from modbus_link.clock import Clock
from modbus_link.errors import ExceptionCode
from modbus_link.hold import Hold
from modbus_link.image import Refusal, RegisterImage
from modbus_link.server import ModbusServer
from modbus_link.writes import Write, WriteLog
from register_maps.points import NUMBERS, Table, Value
from register_maps.register_map import RegisterMap, load_map
from register_maps.vocabulary import FaultCode
from rtu_firmware.board import Board, Measurement
from rtu_firmware.charging import first_state, state_of_charge_pct
from rtu_firmware.kept import Keeper, Kept
from rtu_firmware.kept_file import KeptFile
from rtu_firmware.model import Orders, State
from rtu_firmware.neighbours import Neighbours
from rtu_firmware.peers import (
    LEASE_S,
    Leases,
    borrowed_w,
    lent_w,
    step_among_peers,
    wanted_w,
    without_ended,
)
from rtu_firmware.station_file import StationFile

log = logging.getLogger(__name__)

TICK_S = 0.1
"""Between two control steps; an order that changes something is followed at once, without waiting."""

_ORDERS = ("charge_enable", "power_limit", "failsafe_power_limit", "failsafe_timeout")


class Rtu:
    """`run` serves and steps until cancelled; the contactor is open when it returns."""

    def __init__(
        self,
        station: StationFile,
        board: Board,
        clock: Clock,
        *,
        tick_s: float = TICK_S,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        """`alive` is called after every control step that was due."""
        self.station = station
        self.board = board
        self.clock = clock
        self.image = RegisterImage(station_map())
        tls = station.tls.load() if station.tls else None
        self.server = ModbusServer(self.image, station.listen, name=station.name, tls=tls)
        self.neighbours = Neighbours(
            station.name, station.peers, self.image.map, clock, tls.client if tls else None
        )
        self._tick_s = tick_s
        self._alive = alive
        self._stop = self._start = self._entered = self._serving = self._ended = False
        self._steps = 0
        self._keeper = Keeper(KeptFile(station.keep, station.name)) if station.keep else None
        kept = self._keeper.last if self._keeper else Kept()
        self._ratings = station.ratings
        self._set_up_image(kept.master_term)
        # Before it was started it may have lent its share.
        self.state = first_state(
            Orders(),
            clock.now(),
            hold_s=LEASE_S if station.peers else 0.0,
            total_energy_wh=kept.total_energy_wh,
            session=kept.session,
        )
        self.leases: Leases = (None,) * len(station.peers)
        self._written = WriteLog(log, station.name)
        self._hold = self.image.hold = Hold(clock.now, self._patience_s, term=kept.master_term)
        self.image.on_read = self._publish_changing
        self.image.on_write = self._judge
        self.image.on_written = self._follow
        self.step()

    async def run(self) -> None:
        """Serve and control until cancelled; CannotListen if the port can't be had."""
        asking: asyncio.Task[None] | None = None
        try:
            await self.server.start()
            asking = asyncio.create_task(self.neighbours.run(), name=f"peers of {self.station.name}")
            log.info("%s: serving pev_rtu on %s", self.station.name, self.server.about)
            self._serving = True
            next_at = self.clock.now()
            while True:
                self.step()
                self._alive()
                if self._keeper:
                    self._keeper.offer(self._kept(), self.clock.now())
                next_at = max(next_at + self._tick_s, self.clock.now())
                await self.clock.sleep_until(next_at)
        finally:
            self._ended = True  # no late order may close the contactor again
            self.board.close()
            if asking:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
            await self.server.stop()
            if self._keeper:
                await self._keeper.finish(self._kept())

    def _set_up_image(self, master_term: int) -> None:
        station = self.station
        # Zeros would be taken for values.
        self.image.update({n: None for n, point in self.image.map.points.items() if point.nan is not None})
        self.image.update(
            {
                "name": station.name,
                "rated_power": station.rated_power_w,
                "minimum_power": station.minimum_power_w,
                "failsafe_power_limit": station.failsafe.power_limit_w,
                "failsafe_timeout": station.failsafe.timeout_s,
                "master_term": master_term,
            }
        )
        self.image.update({f"peer_{n}_name": peer.name for n, peer in enumerate(station.peers, start=1)})

    def step(self) -> None:
        """Measure, decide, switch, publish."""
        if self._ended:
            return
        now = self.clock.now()
        self._seen = self.board.measure(now)
        before, orders = self.state, self._orders()
        self.state, self.leases = step_among_peers(
            before, self.leases, self.neighbours.reports, self._seen, orders, self._ratings, now
        )
        decision = self.state.decision
        self.board.limit_power(decision.power_limit_w, now)
        self.board.switch(decision.close_contactor, now)
        self.board.indicate(decision.state, now)
        self._stop = self._start = self._entered = False
        if decision.failsafe_active:
            # The master has to give its permission anew when it is back.
            self.image.update({"charge_enable": False, "power_limit": 0})
        if before.session and not self.state.session:
            self.image.update({"state_of_charge_entered": None})
        self._followed = {name: self.image[name] for name in _ORDERS}
        self._steps = (self._steps + 1) % 0x10000
        values = _registers(self.state, self._seen, self._steps)
        self.image.publish(values | {"power_wanted": wanted_w(self.state, orders, self._ratings)})
        self._log_changes(before)
        self.neighbours.log_shares(self.leases, now)

    def request_stop(self) -> None:
        """The driver's Stop."""
        self._stop = True
        self.step()

    def request_start(self) -> None:
        """The driver's Start, after a Stop."""
        self._start = True
        self.step()

    def _kept(self) -> Kept:
        return Kept(
            total_energy_wh=self.state.total_energy_wh,
            master_term=self._hold.term,
            session=self.state.session,
        )

    def _orders(self) -> Orders:
        image = self.image
        entered = image["state_of_charge_entered"] if self._entered or not self.state.session else None
        return Orders(
            charge_enable=bool(image["charge_enable"]),
            power_limit_w=_number(image["power_limit"]),
            heartbeat=int(_number(image["master_heartbeat"])),
            failsafe_power_limit_w=_number(image["failsafe_power_limit"]),
            failsafe_timeout_s=_number(image["failsafe_timeout"]),
            stop=self._stop,
            start=self._start,
            entered_state_of_charge_pct=None if entered is None else _number(entered),
        )

    def _patience_s(self) -> float:
        """Not longer than the station's file says: a client must not shut the master out by a register."""
        return min(_number(self.image["failsafe_timeout"]), self.station.failsafe.timeout_s)

    def _judge(self, write: Write) -> None:
        """As in the station's file, a failsafe limit is 0, or from the minimum to the rated power."""
        entered = write.values.get("state_of_charge_entered")
        if entered is not None and not self._ratings.counted_battery:
            raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE, "the state of charge is measured here")
        if "failsafe_power_limit" not in write.values:
            return
        limit_w, ratings = _number(write.values["failsafe_power_limit"]), self._ratings
        if limit_w < lent_w(without_ended(self.leases, self.clock.now())):
            raise Refusal(ExceptionCode.SERVER_DEVICE_BUSY, "more than that is lent, for some seconds yet")
        if limit_w and not ratings.minimum_power_w <= limit_w <= ratings.rated_power_w:
            raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)

    def _follow(self, write: Write) -> None:
        """A client has written: act before it gets its reply, if there is something to act on."""
        values = write.values
        self._written.add(write)
        self._stop, self._start = bool(values.get("stop_request")), bool(values.get("start_request"))
        self._entered = values.get("state_of_charge_entered") is not None
        if self._stop or self._start:
            self.image.update({"stop_request": False, "start_request": False})
            self.step()
        elif self._entered or any(values[name] != self._followed[name] for name in _ORDERS if name in values):
            self.step()  # a mere heartbeat can wait for the next tick

    def _publish_changing(self, table: Table) -> None:
        if table is not Table.INPUT_REGISTER:
            return
        now, heard_at = self.clock.now(), self.state.heard_at
        leases, reports = without_ended(self.leases, now), self.neighbours.reports
        master_age_ms = None if heard_at is None else min(round((now - heard_at) * 1000), 0xFFFF_FFFE)
        age_ms = round((now - self._seen.at) * 1000)
        self.image.publish(
            {
                "measurement_age": max(0, min(age_ms, 0xFFFE)),
                "master_age": master_age_ms,
                "borrowed_power": borrowed_w(reports, now),
                "lent_power": lent_w(leases),
                **self.neighbours.registers(leases, now),
            }
        )

    def _log_changes(self, before: State) -> None:
        if not self._serving:
            return
        name, state = self.station.name, self.state
        if state.decision.state != before.decision.state or state.decision.reason != before.decision.reason:
            log.info("%s: %s, own reason: %s", name, state.decision.state, state.decision.reason)
        if state.fault is not before.fault and state.fault is not FaultCode.NONE:
            log.error(
                "%s: out of order: %s%s", name, state.fault, self._seen.trouble and f", {self._seen.trouble}"
            )


def station_map() -> RegisterMap:
    """What a station serves."""
    found = load_map("pev_rtu")
    return found.expanded(peer=found.groups["peer"].max_count)


def _registers(state: State, seen: Measurement, steps: int) -> dict[str, Value]:
    session, decision, charge = state.session, state.decision, state_of_charge_pct(state, seen)
    return {
        "vehicle_connected": seen.vehicle_connected,
        "contactor_closed": seen.contactor_closed,
        "fully_charged": session is not None and session.full,
        "user_stopped": session is not None and session.stopped,
        "failsafe_active": decision.failsafe_active,
        "fault": state.fault is not FaultCode.NONE,
        "state_of_charge_estimated": charge is not None and seen.state_of_charge_pct is None,
        "state": decision.state,
        "limit_reason_local": decision.reason,
        "fault_code": state.fault,
        "heartbeat": steps,
        "fault_detail": seen.trouble,
        "voltage": seen.voltage_v,
        "current": seen.current_a,
        "power": seen.power_w,
        "state_of_charge": charge,
        "session_energy": session.energy_wh if session else None,
        "total_energy": state.total_energy_wh,
        "charging_time": session.charging_time_s if session else None,
        "time_to_full": decision.time_to_full_s,
    }


def _number(value: Value) -> float:
    assert isinstance(value, NUMBERS)
    return float(value)
