"""What an installer does with a station that doesn't run: test its wiring."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from types import FrameType

from rich.console import Console
from rich.prompt import Confirm
from rich.text import Text

from modbus_link.clock import Clock
from modbus_link.errors import BadInput
from modbus_link.listen import Listen
from rtu_firmware.pi.gpio import PinError, open_gpio
from rtu_firmware.pi.self_test.bench import Bench
from rtu_firmware.pi.self_test.walk import walk
from rtu_firmware.station_file import StationFile

ENDS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTERM, signal.SIGHUP)
"""The first three from the keyboard: stopped by Ctrl-Z, it would leave the relay closed. The last one where
the installer's connection breaks."""


def walk_through(station: StationFile) -> int:
    """The exit code: 0 where everything was found in order."""
    if station.pi is None:
        raise BadInput("--self-test is for board: pi; this station has a simulated board")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput("--self-test asks questions: run it in a terminal")
    refuse_while_it_runs(station.listen)
    installer = AtTerminal()
    try:
        bench = Bench(station, station.pi, open_gpio(), installer, clock=Clock())
    except PinError as error:
        raise BadInput(f"{error}: if another program has this pin, end it first") from error
    return walk_on(bench)


def walk_on(bench: Bench) -> int:
    """Whatever happens, the contactor is open at the end."""
    with _ended_by_signals():
        try:
            return 0 if asyncio.run(walk(bench)) else 1
        except (KeyboardInterrupt, EOFError):
            ended = "Ended before all was tested"
        except PinError as error:
            ended = str(error)
        finally:
            _hold_signals()
            _open(bench)
    bench.installer.tell(f"{ended}.")
    return 1


def _open(bench: Bench) -> None:
    try:
        bench.order(closed=False)
        bench.installer.tell("The relay is ordered open.")
    except PinError as error:
        bench.installer.tell(f"THE RELAY COULD NOT BE OPENED, switch its supply off: {error}.")


class AtTerminal:
    def __init__(self) -> None:
        self._console = Console(highlight=False)

    def tell(self, text: str) -> None:
        with contextlib.suppress(OSError):  # a terminal that is gone
            self._console.print(Text(text))

    def show(self, lines: str) -> None:
        with contextlib.suppress(OSError):
            self._console.print(Text(lines), soft_wrap=True)

    def agrees(self, question: str) -> bool:
        return Confirm.ask(Text(question), console=self._console)


def refuse_while_it_runs(listen: Listen) -> None:
    """Two programs at the same pins would undo each other's orders."""
    if listen.port == 0:
        return
    with contextlib.suppress(OSError), socket.create_connection((listen.host, listen.port), timeout=1.0):
        raise BadInput(
            f"something serves {listen.host} port {listen.port} already: if this station runs, end it first,"
            " as in `sudo systemctl stop pev-scada-rtu@NAME`"
        )


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """A signal ends even a question that waits for its answer."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _hold_signals() -> None:
    for number in ENDS:
        signal.signal(number, signal.SIG_IGN)
