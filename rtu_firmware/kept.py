"""What a station remembers through a power loss: its counter, the session, and its master's term.

The driver's Stop, a full battery and a counted state of charge hold until the vehicle is unplugged, so they
must outlive a restart. An SD card wears out by writing, so what only counts up is written every
`ENERGY_EVERY_S`: 105,120 times a year where a station never rests, and never while nothing changes. Lost is
at most what flows in that time, a twelfth of the rated power as Wh: 275 Wh at 3.3 kW.
"""

import asyncio
import logging
import math
from dataclasses import dataclass
from typing import Annotated, Protocol

from annotated_types import Ge, Le

from modbus_link.errors import reason
from rtu_firmware.model import MOST_ENERGY_WH, Session

log = logging.getLogger(__name__)

ENERGY_EVERY_S = 300.0
SOONEST_S = 10.0
"""Between two writes, whatever happens: who plugs in and out all day must not wear out the card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    total_energy_wh: Annotated[float, Ge(0), Le(MOST_ENERGY_WH)] = 0.0
    master_term: Annotated[int, Ge(0), Le(0xFFFF_FFFF)] = 0
    session: Session | None = None


class KeptStore(Protocol):
    def load(self) -> Kept: ...

    def save(self, kept: Kept) -> None:
        """OSError where the disk doesn't take it; it may be slow."""
        ...


class Keeper:
    """Decides when to write, and does it beside the event loop."""

    def __init__(self, store: KeptStore) -> None:
        self._store = store
        self._tried_at = -math.inf
        self._trouble = ""
        self._writing: asyncio.Task[None] | None = None
        self.last = store.load()
        """As it is on the disk."""

    def offer(self, kept: Kept, now: float) -> None:
        """Begin to write it, if that is due; `now` in seconds, monotonic."""
        is_busy = self._writing is not None and not self._writing.done()
        if not is_busy and is_due(kept, self.last, now - self._tried_at):
            self._tried_at = now
            self._writing = asyncio.create_task(self._write(kept), name="keeping")

    async def finish(self, kept: Kept) -> None:
        """Returns when it is written, or can't be."""
        if self._writing:
            await self._writing
        if kept != self.last:
            await self._write(kept)

    async def _write(self, kept: Kept) -> None:
        try:
            await asyncio.to_thread(self._store.save, kept)
        except OSError as error:
            if not self._trouble:  # a full disk is full at every try
                log.error("energy and session can't be kept: %s: %s", error.filename or "disk", reason(error))
            self._trouble = str(error)
            return
        if self._trouble:
            log.info("energy and session are kept again")
        self.last, self._trouble = kept, ""


def is_due(kept: Kept, last: Kept, elapsed_s: float) -> bool:
    """Whether to write it, `elapsed_s` after the last attempt."""
    if kept == last:
        return False
    return elapsed_s >= (SOONEST_S if _is_weighty(kept, last) else ENERGY_EVERY_S)


def _is_weighty(kept: Kept, last: Kept) -> bool:
    """More has changed than what counts up."""
    new, old = kept.session, last.session
    if kept.master_term != last.master_term or (new is None) != (old is None):
        return True
    if new is None or old is None:
        return False
    is_another = new.energy_wh < old.energy_wh or new.charging_time_s < old.charging_time_s
    return is_another or _said_and_done(new) != _said_and_done(old)


def _said_and_done(session: Session) -> tuple[object, ...]:
    return session.stopped, session.full, session.fallen_off, session.entered_pct
