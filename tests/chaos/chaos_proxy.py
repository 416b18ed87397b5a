"""A network that fails: a TCP proxy between a master and one RTU.

Bytes that a real network loses are sent again by TCP as long as both ends live. So what a cut line swallows
is held here, and arrives when the line is mended; but where an end has hung up meanwhile, the other one
never hears of it, and keeps a connection that is half open.
"""

import asyncio
import contextlib
import random
import socket
import struct
from dataclasses import dataclass, field
from enum import StrEnum

HOST = "127.0.0.1"
CHUNK = 4096
FIRST_RESEND_S, LAST_RESEND_S = 0.2, 3.2
"""TCP's pause before it sends a lost segment again, and where we let its doubling end."""


class Fault(StrEnum):
    NONE = "none"
    CUT = "cut off"
    """The bytes vanish both ways; who connects is not answered."""
    BLACK_HOLE = "black hole"
    """The same, and connecting hangs."""
    REFUSE = "refused"
    RESET = "reset"
    """Every connection is reset, the old ones and the new ones."""
    HALF_OPEN = "half open"
    """What is connected never hears anything again; who connects anew is served."""
    DELAY = "2 s delay"
    LOSS = "30 % loss"
    TRICKLE = "one byte a second"


HOLDS_BACK = {Fault.CUT, Fault.BLACK_HOLE}
DELAY_S, LOSS, BYTE_S = 2.0, 0.3, 1.0


@dataclass(eq=False, slots=True)
class _Connection:
    """Two writers, one for each way; `dead` once it carries nothing any more and neither end knows."""

    writers: list[asyncio.StreamWriter]
    dead: bool = False
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def reset(self) -> None:
        for writer in self.writers:
            _reset(writer)


class Proxy:
    """Listens on `port` for the server at `to`, and comes to it from the address `source`."""

    def __init__(self, port: int, to: int, rng: random.Random, source: str = HOST) -> None:
        self.port, self._to, self._rng, self._source = port, to, rng, source
        self.fault = Fault.NONE
        self._flows = asyncio.Event()
        self._flows.set()
        self._reserved: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._hole: list[socket.socket] = []
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Proxy":
        self._reserved = _bound(self.port)
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop_listening()
        if self._reserved:
            self._reserved.close()
        for connection in list(self._connections):
            connection.reset()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def strike(self, fault: Fault) -> None:
        self.fault = fault
        if fault in HOLDS_BACK:
            self._flows.clear()
        if fault in (Fault.REFUSE, Fault.BLACK_HOLE):
            self._stop_listening()
        if fault is Fault.BLACK_HOLE:
            self._dig_hole()
        for connection in list(self._connections):
            if fault is Fault.HALF_OPEN:
                connection.dead = True
            elif fault in (Fault.REFUSE, Fault.RESET):
                connection.reset()

    async def heal(self) -> None:
        was, self.fault = self.fault, Fault.NONE
        self._flows.set()
        if was in (Fault.REFUSE, Fault.BLACK_HOLE):
            self._stop_listening()
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, self.port, reuse_address=True)

    def _stop_listening(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for sock in self._hole:
            sock.close()
        self._hole.clear()

    def _dig_hole(self) -> None:
        """A listener that accepts nobody: once its queue is full, the kernel drops who knocks."""
        hole = _bound(self.port)
        hole.listen(0)
        self._hole.append(hole)
        for _ in range(2):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((HOST, self.port))
            self._hole.append(filler)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            await self._flows.wait()
            await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # nobody listens there, or the test is over
        finally:
            _reset(writer)
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.fault is Fault.RESET:
            return
        there, back = await asyncio.open_connection(HOST, self._to, local_addr=(self._source, 0))
        connection = _Connection([writer, back])
        self._connections.add(connection)
        try:
            async with asyncio.TaskGroup() as group:
                for source, sink in ((reader, back), (there, writer)):
                    group.create_task(self._one_way(source, sink, connection))
        finally:
            connection.reset()
            self._connections.discard(connection)

    async def _one_way(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, connection: _Connection
    ) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear(source, queue, connection))
            await self._deliver(queue, sink, connection)

    async def _hear(
        self,
        source: asyncio.StreamReader,
        queue: asyncio.Queue[tuple[float, bytes]],
        connection: _Connection,
    ) -> None:
        loop, data = asyncio.get_running_loop(), b"?"
        while data:
            data = b""
            with contextlib.suppress(OSError):
                data = await source.read(CHUNK)
            queue.put_nowait((loop.time(), data))
        if self.fault in HOLDS_BACK:
            connection.dead = True  # the other end will never know

    async def _deliver(
        self,
        queue: asyncio.Queue[tuple[float, bytes]],
        sink: asyncio.StreamWriter,
        connection: _Connection,
    ) -> None:
        while True:
            heard_at, data = await queue.get()
            await self._flows.wait()
            await self._delay(heard_at)
            if connection.dead:
                continue
            if not data:
                connection.reset()
                return
            await self._write(data, sink)

    async def _delay(self, heard_at: float) -> None:
        if self.fault is Fault.DELAY:
            await asyncio.sleep(heard_at + DELAY_S - asyncio.get_running_loop().time())
        if self.fault is Fault.LOSS:
            pause = FIRST_RESEND_S
            while self._rng.random() < LOSS and pause <= LAST_RESEND_S:
                await asyncio.sleep(pause)
                pause *= 2

    async def _write(self, data: bytes, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            for n in range(len(data)):
                if self.fault is not Fault.TRICKLE:
                    sink.write(data[n:])
                    return
                sink.write(data[n : n + 1])
                await asyncio.sleep(BYTE_S)


def _bound(port: int) -> socket.socket:
    """As long as it is open nobody finds the port free, but we can listen there, now and then."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((HOST, port))
    return sock


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        if sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
