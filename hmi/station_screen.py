"""The driver's screen at work: reads one RTU, and takes the driver's Stop and Start to it."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from hmi.look import Look
from hmi.polling import Poller, check_map
from hmi.sketch import Measure, Picture, Press
from hmi.station_picture import station_picture
from hmi.station_view import Button, StationView, station_view
from hmi.texts import Texts
from modbus_link.client import ModbusClient
from modbus_link.clock import Clock
from modbus_link.device import Device
from modbus_link.errors import LinkError, Refused
from register_maps.points import Value
from register_maps.register_map import load_map

log = logging.getLogger(__name__)

TRY_FOR_S = 5.0
"""How long a press is tried to be delivered. Later it would surprise."""
NO_START_S = 1.5
RETRY_S = 0.1
TELL_S = 6.0
"""How long the screen then tells that there was no answer, or no."""


class Answer(StrEnum):
    NONE = "none"
    TAKEN = "taken"
    REFUSED = "refused"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A press of the driver's, from when it was made; `answer` is what the station made of it."""

    button: Button
    at: float
    answer: Answer = Answer.NONE


class StationScreen:
    def __init__(
        self, client: ModbusClient, texts: Texts, clock: Clock, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._texts = texts
        self._clock = clock
        self._now = now
        self._map = load_map("pev_rtu")
        self._device = Device(client, self._map)
        self._poller = Poller(self._read, now)
        self._is_checked = False
        self._order: Order | None = None
        self._task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Read until cancelled."""
        async with self._client:
            try:
                await self._poller.run()
            finally:
                if self._task:
                    self._task.cancel()

    async def _read(self) -> Mapping[str, Value]:
        try:
            if not self._is_checked:
                await check_map(self._client, self._map)
                self._device = Device(self._client, self._map.expanded(peer=await self._count_peers()))
                self._is_checked = True
            return await self._device.read()
        except LinkError:
            self._is_checked = False
            raise

    async def _count_peers(self) -> int:
        """So that not more is read in every round than there is to show; none for who may not see them."""
        most = self._map.groups["peer"].max_count
        names = [f"peer_{n}_name" for n in range(1, most + 1)]
        try:
            found = await Device(self._client, self._map.expanded(peer=most), names).read()
        except Refused:
            return 0
        return sum(1 for name in names if found[name])

    def view(self) -> StationView:
        view = station_view(
            self._poller.latest, self._now(), self._clock.time_of_day(), self._texts, speed=self._clock.speed
        )
        return self._with_order(view)

    def picture(self, size: tuple[int, int], measure: Measure) -> Picture:
        time_of_day = f"{self._clock.time_of_day():%H:%M}"
        return station_picture(self.view(), time_of_day, size, measure, self._texts)

    def press(self, press: Press) -> None:
        if press.what not in list(Button):
            return
        button = Button(press.what)
        if button is Button.START and self._has_just_stopped():
            button = Button.STOP
        if self._task:
            self._task.cancel()
        self._order = Order(button=button, at=self._now())
        self._task = asyncio.create_task(self._deliver(self._order))

    def _has_just_stopped(self) -> bool:
        """Start stands where Stop was: who hits Stop twice means Stop."""
        order = self._order
        return order is not None and order.button is Button.STOP and self._now() - order.at < NO_START_S

    async def _deliver(self, order: Order) -> None:
        """Asks nothing twice: a press is tried again until the station has it."""
        point = f"{order.button}_request"
        while True:
            try:
                await self._device.write({point: True})
                await self._poller.poll()
            except Refused as error:
                log.warning("%s", error)
                self._order = replace(order, answer=Answer.REFUSED)
                return
            except LinkError as error:
                if self._now() - order.at > TRY_FOR_S:
                    log.warning("%s", error)
                    self._order = replace(order, answer=Answer.OVERDUE)
                    return
            else:
                self._order = replace(order, answer=Answer.TAKEN)
                return
            await asyncio.sleep(RETRY_S)

    def _with_order(self, view: StationView) -> StationView:
        """What became of the last press, as long as that is news."""
        order = self._order
        if order is None or order.answer is Answer.TAKEN or self._now() - order.at > TRY_FOR_S + TELL_S:
            return view
        if order.answer is not Answer.NONE:
            headline = self._texts(f"station.{order.answer}", order=self._texts(f"station.{order.button}"))
            detail = self._texts(f"station.{order.answer}_what_to_do")
            return replace(view, look=Look.FAULT, headline=headline, detail=detail)
        doing = self._texts("station.stopping" if order.button is Button.STOP else "station.resuming")
        return replace(view, headline=doing) if view.is_live else replace(view, detail=doing)
