"""What a stranger does with mutated requests: connections, each with its segments and its end."""

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain

from mutated_adus import VALID, Mutant, frame, mutants
from strict_station import Asker, Due, Stream, StrictStation
from watched_station import DEADLINE_S

LUMP = 2000
"""Bytes that go out as one segment, where a client says all at once: more than the server takes in a turn."""


class End(Enum):
    """How a client goes."""

    HALF_CLOSED = 0
    RESET = 1
    IN_A_FRAME = 2
    SILENT = 3


@dataclass(eq=False, slots=True)
class Session:
    """All that one connection is for: what is sent, in segments, and what must come back.

    `bad_at` is the segment with the first header that can't be one; there the server ends it.
    """

    asker: Asker
    segments: list[bytes] = field(default_factory=list)
    dues: list[Due] = field(default_factory=list)
    bad_at: int | None = None
    end: End = End.HALF_CLOSED
    sent: int = 0
    mutated: int = 0

    @property
    def size(self) -> int:
        return sum(due.size for due in self.dues)

    def add(self, segment: bytes, stream: Stream) -> None:
        if not segment:
            return
        self.segments.append(segment)
        self.dues += stream.feed(segment)
        if stream.is_bad and self.bad_at is None:
            self.bad_at = len(self.segments) - 1

    def check(self, got: bytes) -> None:
        position = 0
        for number, due in enumerate(self.dues):
            reply = got[position : position + due.size]
            if len(reply) < due.size or not reply.startswith(due.begin):
                raise AssertionError(self.story(number, reply))
            position += due.size
        assert position == len(got), self.story(len(self.dues), got[position:])

    def story(self, number: int, reply: bytes) -> str:
        due = self.dues[number].begin.hex(" ") if number < len(self.dues) else "nothing"
        sent = "\n  ".join(segment.hex(" ") for segment in self.segments)
        return f"reply {number} is {reply.hex(' ')}, due is {due}; sent, in segments:\n  {sent}"


def sessions(blob: bytes, station: StrictStation, *, may_write: bool) -> Iterator[Session]:
    """To be run in turn where `may_write`: `station` is then as it has to be at the end of the last."""
    source = mutants(blob)
    for first in source:
        yield _session(first, source, station, Asker(may_write=may_write))


def _session(first: Mutant, source: Iterator[Mutant], station: StrictStation, asker: Asker) -> Session:
    session, stream = Session(asker), Stream(station, asker)
    all_at_once = first.dice.value % 4 == 0
    waiting, left = b"", -1
    for mutant in chain([first], source):
        session.sent += mutant.copies
        session.mutated += mutant.copies * mutant.is_mutated
        waiting += mutant.adu * mutant.copies
        if mutant.split and not all_at_once:
            at = len(waiting) - mutant.split
            session.add(waiting[:at], stream)
            waiting = waiting[at:]
        if len(waiting) > LUMP or (mutant.is_sent_at_once and not all_at_once):
            session.add(waiting, stream)
            waiting = b""
        if stream.is_bad and left < 0:
            left = mutant.dice.value % 8
        if left == 0 or (mutant.is_last and not stream.is_bad):
            break
        left -= 1
    session.end = End(mutant.dice.value % 4)
    if session.end in (End.IN_A_FRAME, End.SILENT):
        whole = frame(0, 1, VALID[mutant.dice.place % len(VALID)])
        waiting += whole[: 1 + mutant.dice.place % (len(whole) - 1)]
    session.add(waiting, stream)
    return session


class Line(asyncio.Protocol):
    """The stranger's end of a connection."""

    def __init__(self) -> None:
        self.got = bytearray()
        self.is_closed = False
        self._news = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        self.got += data
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        self._news.set()

    async def run(self, session: Session) -> None:
        """Until all is answered; a session that ends in silence stays open."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._send(session)
                if session.bad_at is not None:
                    await self.closed()
                else:
                    await self.received(session.size)
                    await self._end(session.end)
        except TimeoutError:
            raise AssertionError(f"it hangs: {session.story(len(session.dues), self.got)}") from None
        session.check(self.got)

    async def _send(self, session: Session) -> None:
        for number, segment in enumerate(session.segments):
            if self.is_closed:
                break
            self.transport.write(segment)
            await asyncio.sleep(0)  # twice, so that the server has read this one before the next comes
            await asyncio.sleep(0)
            if number == session.bad_at:  # what is sent after it may cost this side what it has not read yet
                await self.received(session.size)

    async def _end(self, end: End) -> None:
        if end is End.SILENT:
            return
        if end is End.HALF_CLOSED and self.transport.can_write_eof():
            self.transport.write_eof()
        elif end is End.HALF_CLOSED:
            self.transport.close()
        else:
            self.transport.abort()
        await self.closed()

    async def received(self, size: int) -> None:
        while len(self.got) < size and not self.is_closed:
            self._news.clear()
            await self._news.wait()

    async def closed(self) -> None:
        while not self.is_closed:
            self._news.clear()
            await self._news.wait()
