"""A Modbus RTU client on a serial line, for a meter behind a USB adapter or the Pi's own port.

It opens the port when it is first needed, and again after it was lost, as a USB adapter is that was pulled
out. It never repeats a request. What tells a reply from noise is its checksum: bytes before it, as an
adapter makes that turns round its driver, do no harm.
"""

import asyncio
import errno
import logging
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU

from modbus_link.errors import BadInput, BadReply, LinkDown, LinkTimeout, reason
from modbus_link.verbs import Verbs

if TYPE_CHECKING:
    from serial import Serial

log = logging.getLogger(__name__)

Parity = Literal["none", "even", "odd"]

BITS = 11
"""Of a character at the most: start, eight, parity or a second stop, stop."""
SILENT_CHARACTERS, LEAST_SILENCE_S = 3.5, 0.00175
"""Between two frames (MODBUS over Serial Line V1.02, 2.5.1.1)."""
LATE_S = 0.2
"""After a request without a reply the line must be silent for so long: a late one must not be taken for the
next one's."""
LONGEST = 256
"""Bytes of a frame. More is no reply, but a line that somebody else talks on."""
REMEDIES = {
    errno.ENOENT: "no such port: is the adapter plugged in?",
    errno.EACCES: "permission denied: add the user to the group dialout",
    errno.EPERM: "permission denied: add the user to the group dialout",
    errno.EAGAIN: "another program has it open",
    errno.EBUSY: "another program has it open",
}

_REPLIES = DecodePDU(is_server=False)
_FRAMER = FramerRTU(_REPLIES)


class SerialClient(Verbs):
    """One port; any number of unit ids may be asked over it. May stand for a `ModbusClient`."""

    def __init__(
        self,
        port: str,
        *,
        baud: int = 9600,
        parity: Parity = "none",
        timeout_s: float = 1.0,
        min_interval_s: float = 0.0,
    ) -> None:
        """BadInput where pyserial is not installed."""
        super().__init__(timeout_s=timeout_s, min_interval_s=min_interval_s)
        _require_pyserial()
        self.port = port
        self._baud, self._parity = baud, parity
        self._pause_s = max(LEAST_SILENCE_S, SILENT_CHARACTERS * BITS / baud)
        self._rest_s = self._pause_s
        self._serial: Serial | None = None
        self._received = bytearray()
        self._pieces = 0
        self._arrived = asyncio.Event()
        self._lost = ""

    def __str__(self) -> str:
        return self.port

    @property
    def connected(self) -> bool:
        return self._serial is not None

    def start(self) -> None:
        """Nothing to do: the first request opens the port."""

    def abandon(self) -> None:
        if self._serial:
            asyncio.get_running_loop().remove_reader(self._serial.fileno())
            self._serial.close()
            self._serial = None

    async def close(self) -> None:
        self.abandon()

    async def _exchange(
        self, pdus: Sequence[bytes], unit_id: int, what: Callable[[int], str]
    ) -> Sequence[bytes]:
        return [await self._ask(pdu, unit_id, what(n)) for n, pdu in enumerate(pdus)]

    async def _ask(self, pdu: bytes, unit_id: int, what: str) -> bytes:
        port = self._open()
        await self._hear_nothing(self._rest_s, what)
        self._received.clear()
        self._rest_s = LATE_S
        try:
            port.write(_FRAMER.encode(pdu, unit_id, 0))
        except OSError as error:
            self._drop(reason(error))
        try:
            async with asyncio.timeout(self.timeout_s):
                reply = await self._reply(pdu[0], unit_id, what)
        except TimeoutError as error:
            if self._received:
                why = f"{len(self._received)} bytes that are no reply: are baud and parity right?"
                raise BadReply(f"{what}: {why}") from error
            raise LinkTimeout(f"{what}: no reply within {self.timeout_s:.2g} s") from error
        self._rest_s = self._pause_s
        return reply

    async def _reply(self, function: int, unit_id: int, what: str) -> bytes:
        while True:
            if self._lost:
                raise LinkDown(f"{what}: {self._lost}")
            if len(self._received) > LONGEST:
                raise TimeoutError
            unit, pdu = _find_reply(bytes(self._received), function)
            if pdu and unit != unit_id:
                raise BadReply(f"{what}: unit {unit} answered for unit {unit_id}")
            if pdu:
                return pdu
            self._arrived.clear()
            await self._arrived.wait()

    async def _hear_nothing(self, seconds: float, what: str) -> None:
        """Returns when the line has been silent for so long."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + seconds + self.timeout_s
        heard = -1
        while heard != self._pieces:
            if loop.time() > give_up_at:
                raise BadReply(f"{what}: the line is never silent: who else talks on it?")
            heard = self._pieces
            await asyncio.sleep(seconds)

    def _open(self) -> "Serial":
        if self._serial:
            return self._serial
        import termios

        from serial import Serial

        settings = {"parity": self._parity[0].upper(), "timeout": 0, "write_timeout": 0, "exclusive": True}
        try:
            port = Serial(self.port, self._baud, **settings)
        except (OSError, ValueError, termios.error) as error:
            raise LinkDown(f"no connection to {self}: {_remedy(error)}") from error
        asyncio.get_running_loop().add_reader(port.fileno(), self._take)
        self._serial, self._lost = port, ""
        log.info("%s: open, %d baud, parity %s", self, self._baud, self._parity)
        return port

    def _take(self) -> None:
        """Called when there is something to read, or the port is gone."""
        assert self._serial
        try:
            data = os.read(self._serial.fileno(), 4096)
        except BlockingIOError:
            return
        except OSError as error:
            self._drop(reason(error))
            return
        if not data:
            self._drop("the port is gone")
            return
        if len(self._received) <= LONGEST:  # who talks for ever must not fill the memory
            self._received += data
        self._pieces += 1
        self._arrived.set()

    def _drop(self, why: str) -> None:
        log.info("%s: connection lost: %s", self, why)
        self.abandon()
        self._lost = why
        self._arrived.set()


def _find_reply(data: bytes, function: int) -> tuple[int, bytes]:
    """The unit and the PDU of the first frame in `data` that answers such a request; (0, b"") without."""
    for start in range(len(data) - 4):
        rest = data[start:]
        if rest[1] & 0x7F != function:
            continue
        kind = _REPLIES.lookupPduClass(rest)
        size = kind.calculateRtuFrameSize(rest) if kind else 0
        frame = rest[:size]
        if 5 <= size <= len(rest) and _FRAMER.compute_CRC(frame[:-2]) == int.from_bytes(frame[-2:], "big"):
            return frame[0], frame[1:-2]
    return 0, b""


def _remedy(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in REMEDIES:
        return REMEDIES[number]
    return os.strerror(number) if number else f"no serial port: {error}"


def _require_pyserial() -> None:
    try:
        import serial  # noqa: F401
    except ModuleNotFoundError as error:
        raise BadInput("needs the package pyserial: install with the extra `pi`") from error
