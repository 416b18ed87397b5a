"""Batches of mutated requests, as hypothesis draws them, for a station that is watched."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, fields
from enum import Enum
from ipaddress import ip_network
from itertools import islice

from fuzz_sessions import Line, Session, sessions
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from mutated_adus import RECORD
from mutated_handshakes import honest_size, shake, tampers
from strict_station import Asker
from watched_station import DEADLINE_S, MASTER_AT, Secured, WatchedStation

from modbus_link.listen import Listen, Role

ADUS_PER_BATCH = 900
HANDSHAKES_PER_BATCH = 20
STRANGER_AT = "127.0.0.2"
SIDE_BY_SIDE = 4
"""Connections at once, where none of them can change what another is answered."""
PAUSES_S = (0.1, 0.5, 3.0, 15.0)
"""Time that passes after a batch; the last is longer than the failsafe's timeout."""


class Regime(Enum):
    """What the stranger who sends the mutated requests may do."""

    READS = "may not write"
    HELD = "may write, but a master holds the station"
    WRITES = "may write"


@dataclass(slots=True, kw_only=True)
class Figures:
    """Of all ADUs `sent`, `mutated` are those that are not what a client would send.

    `answered` is by exception code, 0 for normal replies; the rest stood behind a header that is none, or
    was read out of step. `closed` are the connections that such a header ended. `closings` are the
    contactor's, with permission.
    """

    sent: int = 0
    mutated: int = 0
    answered: Counter[int] = field(default_factory=Counter)
    connections: int = 0
    closed: int = 0
    closings: int = 0
    handshakes: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        names = [f.name for f in fields(self)]
        return Figures(**{name: getattr(self, name) + getattr(other, name) for name in names})

    def count(self, session: Session) -> None:
        self.sent += session.sent
        self.mutated += session.mutated
        self.connections += 1
        self.closed += session.bad_at is not None
        self.answered.update(due.code for due in session.dues)


class Fuzzed:
    """One station in one regime."""

    def __init__(self, regime: Regime, secured: Secured | None) -> None:
        self._may_write = regime is not Regime.READS
        self._tls, self._at = _identity(regime, secured)
        self.station = WatchedStation(
            _listen(regime, over_tls=secured is not None), secured, stays=regime is not Regime.WRITES
        )
        self._silent: list[tuple[Line, Session]] = []
        self.figures = Figures()

    async def adus(self, blob: bytes) -> None:
        """A batch of mutated requests."""
        station = self.station
        expected = await station.prepare()
        expected.holder = Asker(may_write=True, is_gone=not station.stays)
        closings = station.board.closings
        try:
            await self._send(sessions(blob, expected, may_write=self._may_write))
        finally:
            await self._hang_up()
        await station.pass_time(PAUSES_S[blob[-1] % len(PAUSES_S)])
        closings = station.board.closings - closings
        assert expected.was_permitted or not closings, "the contactor closed without permission"
        self.figures.closings += closings
        await station.check(expected)

    async def handshakes(self, blob: bytes) -> None:
        """A batch of TLS handshakes, tampered with."""
        assert self._tls is not None
        expected = await self.station.prepare()
        size = await honest_size(self.station.port, self._tls)
        todo = tampers(blob, size)
        while together := list(islice(todo, 2 * SIDE_BY_SIDE)):
            await asyncio.gather(*(shake(self.station.port, self._tls, tamper) for tamper in together))
            await self.station.until_alone()
            self.figures.handshakes += len(together)
        await self.station.check(expected)
        self.station.check_log()

    async def _send(self, todo: Iterator[Session]) -> None:
        at_once = SIDE_BY_SIDE if self.station.stays else 1
        while together := list(islice(todo, at_once)):
            ends = await asyncio.gather(*map(self._run, together), return_exceptions=True)
            for error in filter(None, ends):
                raise error
            await self.station.until_alone(but_for=len(self._silent))
            silent = [session for _, session in self._silent]
            for session in together:
                session.asker.is_gone = session not in silent
                self.figures.count(session)

    async def _run(self, session: Session) -> None:
        loop, place = asyncio.get_running_loop(), (MASTER_AT, self.station.port)
        async with asyncio.timeout(DEADLINE_S):
            _, line = await loop.create_connection(Line, *place, ssl=self._tls, local_addr=(self._at, 0))
        try:
            await line.run(session)
        except BaseException:
            line.transport.abort()
            raise
        if not line.is_closed:
            self._silent.append((line, session))

    async def _hang_up(self) -> None:
        silent, self._silent = self._silent, []
        for line, session in silent:
            line.transport.abort()
            session.check(line.got)
        await self.station.until_alone()


def fuzz(
    regime: Regime, *, batches: int, seed: int, secured: Secured | None = None, shrink: bool = False
) -> Figures:
    """Send `batches` of mutated requests. What fails tells the seed; to `shrink` it takes minutes."""
    fuzzed = Fuzzed(regime, secured)
    _drive(fuzzed, fuzzed.adus, RECORD * ADUS_PER_BATCH, batches=batches, seed=seed, shrink=shrink)
    return fuzzed.figures


def fuzz_handshakes(secured: Secured, *, batches: int, seed: int, shrink: bool = False) -> Figures:
    """The same with TLS handshakes."""
    fuzzed = Fuzzed(Regime.HELD, secured)
    size = RECORD * HANDSHAKES_PER_BATCH
    _drive(fuzzed, fuzzed.handshakes, size, batches=batches, seed=seed, shrink=shrink)
    return fuzzed.figures


def _drive(
    fuzzed: Fuzzed,
    run: Callable[[bytes], Awaitable[None]],
    size: int,
    *,
    batches: int,
    seed: int,
    shrink: bool,
) -> None:
    failed: list[Exception] = []
    with asyncio.Runner() as runner:

        @seeded(seed)
        @settings(
            max_examples=batches,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,  # a blob tells a reader nothing
            report_multiple_bugs=False,
        )
        @given(st.binary(min_size=size, max_size=size))
        def batch(blob: bytes) -> None:
            if failed and not shrink:
                return
            try:
                runner.run(run(blob))
            except Exception as error:
                failed.append(error)
                raise

        runner.run(fuzzed.station.start())
        try:
            batch()
        except Exception as error:
            # Without shrinking the first one: of a second run, which succeeded, hypothesis tells at length.
            raise AssertionError(f"with seed {seed}, {batches} batches") from error if shrink else failed[0]
        finally:
            runner.run(fuzzed.station.stop())


def _identity(regime: Regime, secured: Secured | None) -> tuple[ssl.SSLContext | None, str]:
    """What a stranger shows: a certificate, or an address."""
    if secured is None:
        return None, STRANGER_AT if regime is Regime.READS else MASTER_AT
    return secured.viewer if regime is Regime.READS else secured.master, MASTER_AT


def _listen(regime: Regime, *, over_tls: bool) -> Listen:
    if over_tls:
        return Listen(port=0, roles={"master": Role(write="all"), "viewer": Role()})
    return Listen(port=0, writers=[ip_network(MASTER_AT)] if regime is Regime.READS else None)
