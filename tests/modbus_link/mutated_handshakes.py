"""TLS handshakes, tampered with on their way to the server."""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fuzz_sessions import Line
from mutated_adus import RECORD, VALID, frame
from watched_station import DEADLINE_S, MASTER_AT

PATIENCE_S = 0.03
"""How long a client waits for a server that may be waiting for the rest of something."""
REQUEST = frame(1, 1, VALID[0])


@dataclass(frozen=True, slots=True)
class Tamper:
    """Replaces `length` bytes of all that the client sends, from `at` on; nothing follows, if it `ends`."""

    at: int
    length: int
    change: Callable[[bytes], bytes]
    ends: bool

    def applied(self, sent: int, data: bytes) -> bytes:
        """To the next `data` of a client that has sent `sent` bytes so far."""
        at = self.at - sent
        if not 0 <= at < len(data):
            return b"" if self.ends and at < 0 else data
        changed = data[:at] + self.change(data[at : at + self.length])
        return changed if self.ends else changed + data[at + self.length :]


UNTOUCHED = Tamper(0, 0, bytes, ends=False)


def tampers(blob: bytes, size: int) -> Iterator[Tamper]:
    """One for each record of `blob`; `size` is what a client sends that is let be.

    But first, what comes right behind the handshake, in the same segment, is spoilt.
    """
    yield Tamper(size - 1, 1, lambda old: bytes([old[0] ^ 1]), ends=False)
    for start in range(0, len(blob) - RECORD + 1, RECORD):
        yield _tamper(blob[start : start + RECORD], (2 * blob)[start : start + 256], size)


def _tamper(record: bytes, noise: bytes, size: int) -> Tamper:
    place, length, value, kind, ends = struct.unpack(">HBBBB", record[:6])
    noise = noise[: 1 + value]
    match kind % 8:
        case 0:  # no TLS at all
            return Tamper(0, size, lambda _: noise, ends=True)
        case 1:
            return Tamper(0, size, lambda _: REQUEST, ends=True)
        case 2:
            return Tamper(place % size, length, lambda _: noise, ends=ends % 2 == 0)
        case 3:
            return Tamper(place % size, length, lambda old: 2 * old, ends=ends % 2 == 0)
        case 4:  # in the first headers
            return Tamper(place % 100, 1, lambda _: bytes([value]), ends=False)
        case _:
            return Tamper(place % size, 1, lambda old: bytes([old[0] ^ (value or 1)]), ends=False)


async def honest_size(port: int, context: ssl.SSLContext) -> int:
    """How much a client sends until its first request is answered."""
    got, size = await shake(port, context, UNTOUCHED)
    assert got, "no reply"
    return size


async def shake(port: int, context: ssl.SSLContext, tamper: Tamper) -> tuple[bytes, int]:
    """Shake hands and ask; whatever comes of it, hang up. The decrypted reply, and the bytes sent."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(DEADLINE_S):
        _, line = await loop.create_connection(Line, MASTER_AT, port)
        try:
            return await _talk(line, context, tamper)
        finally:
            line.transport.abort()
            await line.closed()


async def _talk(line: Line, context: ssl.SSLContext, tamper: Tamper) -> tuple[bytes, int]:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    sent, got, has_asked = 0, b"", False
    with contextlib.suppress(ssl.SSLError, TimeoutError):
        while not line.is_closed and not got:
            with contextlib.suppress(ssl.SSLWantReadError):
                tls.do_handshake()
                if not has_asked:
                    has_asked = bool(tls.write(REQUEST))
                got = tls.read(1000)
            data = outgoing.read()
            line.transport.write(tamper.applied(sent, data))
            sent += len(data)
            if not got:
                async with asyncio.timeout(PATIENCE_S if tamper is not UNTOUCHED else None):
                    await line.received(1)
            incoming.write(bytes(line.got))
            line.got.clear()
    return got, sent
