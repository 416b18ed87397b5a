"""The operator's screen at work: reads a master, keeps the last minutes, and writes what is agreed to."""

import asyncio
import time
from collections.abc import Callable

from hmi.master_picture import MasterSight, master_picture
from hmi.master_reader import MasterReader
from hmi.master_view import MasterView, master_view, trouble
from hmi.operator_panel import OperatorPanel, Write
from hmi.polling import Poller
from hmi.sketch import Measure, Picture, Press
from hmi.texts import Texts
from hmi.trend import Trend
from modbus_link.client import ModbusClient
from modbus_link.clock import Clock
from modbus_link.errors import ExceptionCode, LinkError, Refused


class MasterScreen:
    def __init__(
        self, client: ModbusClient, texts: Texts, clock: Clock, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._texts = texts
        self._clock = clock
        self._now = now
        self._reader = MasterReader(client)
        self._poller = Poller(self._reader.read, now)
        self._panel = OperatorPanel()
        self._trend = Trend()
        self._task: asyncio.Task[None] | None = None
        self._viewed = self._poller.latest.values
        self._last_view: MasterView | None = None

    async def run(self) -> None:
        """Read until cancelled."""
        async with self._client:
            try:
                await self._poller.run()
            finally:
                if self._task:
                    self._task.cancel()

    def picture(self, size: tuple[int, int], measure: Measure) -> Picture:
        now, time_of_day = self._now(), self._clock.time_of_day()
        headline, detail = trouble(self._poller.latest, now, self._texts)
        view = self._view()
        self._trend.add(None if headline else view, now, time_of_day)
        sight = MasterSight(
            view=view,
            headline=headline,
            detail=detail,
            time_of_day=time_of_day,
            trend=self._trend.samples,
            panel=self._panel,
        )
        return master_picture(sight, size, measure, self._texts)

    def press(self, press: Press) -> None:
        write = self._panel.press(press, self._view())
        self._reader.watches_alarms = self._panel.alarms.is_open
        if write:
            self._task = asyncio.create_task(self._send(write))

    def _view(self) -> MasterView | None:
        values = self._poller.latest.values
        if values is not self._viewed:
            self._viewed, self._last_view = values, master_view(values)
        return self._last_view

    async def _send(self, write: Write) -> None:
        try:
            await self._reader.write(write.values)
            await self._poller.poll()
        except Refused as error:
            self._panel.refuse(self._why_refused(error))
        except LinkError:
            self._panel.refuse(self._texts("ask.not_reached"))
        else:
            self._panel.close()

    def _why_refused(self, error: Refused) -> str:
        match error.code:
            case ExceptionCode.ILLEGAL_FUNCTION:
                why = self._texts("ask.not_allowed")
            case ExceptionCode.SERVER_DEVICE_BUSY:
                why = self._texts("ask.busy")
            case _:
                why = str(error)
        return self._texts("ask.refused", why=why)
