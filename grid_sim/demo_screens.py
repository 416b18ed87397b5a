"""The demo's windows: the master's and each station's, as programs of their own, like any screen."""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from hmi.screens import Shown, show_master, show_station
from modbus_link.clock import Clock
from modbus_link.server import ModbusServer

MASTER, STATION = (800, 480), (480, 320)
RIGHT_OF_MASTER, BELOW = MASTER[0] + 20, STATION[1] + 50
"""Where the stations' windows stand; with room for a title bar."""

Show = Callable[[Shown, Clock], Coroutine[Any, Any, None]]


class DemoScreens:
    """Windows on the demo's clock, until `close`, or until a person has closed them all."""

    def __init__(self, master: ModbusServer, stations: Iterable[ModbusServer], clock: Clock) -> None:
        spawn = multiprocessing.get_context("spawn")
        shown: list[tuple[Show, Shown]] = [(show_master, _at(master, MASTER, (0, 0)))]
        for n, server in enumerate(stations):
            shown.append((show_station, _at(server, STATION, (RIGHT_OF_MASTER, n * BELOW))))
        self._processes = [
            spawn.Process(target=_run, args=(show, what, clock), daemon=True) for show, what in shown
        ]
        for process in self._processes:
            process.start()

    async def until_all_closed(self) -> None:
        while any(process.is_alive() for process in self._processes):
            await asyncio.sleep(0.2)

    def close(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()


def _at(server: ModbusServer, size: tuple[int, int], place: tuple[int, int]) -> Shown:
    return Shown(host=server.host, port=server.port, size=size, place=place)


def _run(show: Show, shown: Shown, clock: Clock) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the demo, which then closes this
    asyncio.run(show(shown, clock))
