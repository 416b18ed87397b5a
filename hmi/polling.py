"""Reads a device again and again, and knows how old what it read is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.errors import BadInput, LinkError, WrongDevice
from register_maps.points import Value
from register_maps.register_map import RegisterMap

log = logging.getLogger(__name__)

PERIOD_S = 0.25
STALE_S = 1.5
"""From this age on a value is old; a screen says so within two seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """What was read last. Times are in seconds, monotonic: the time of day may be set back.

    `counted_at`: when the device's own heartbeat was last seen to have moved. A device may answer and yet
    do nothing.
    """

    since: float
    values: Mapping[str, Value] = field(default_factory=dict)
    read_at: float | None = None
    counted_at: float | None = None

    def read_age_s(self, now: float) -> float:
        return now - (self.since if self.read_at is None else self.read_at)

    def counted_age_s(self, now: float) -> float:
        return now - (self.since if self.counted_at is None else self.counted_at)


async def check_map(client: ModbusClient, wanted: RegisterMap) -> None:
    """BadInput if the device says that it serves another of our maps; it tells the right command."""
    try:
        await Device(client, wanted, ()).require_map()
    except WrongDevice as error:
        kinds = {"pev_rtu": "station", "pev_master": "master"}
        kind = kinds.get(error.product)
        hint = f"; try: pev-scada hmi {kind} {client}" if kind else ""
        raise BadInput(f"{error}{hint}") from error


class Poller:
    """`run` reads until cancelled; `latest` has what came of it."""

    def __init__(self, read: Callable[[], Awaitable[Mapping[str, Value]]], now: Callable[[], float]) -> None:
        self._read = read
        self._now = now
        self._trouble, self._repeats = "", 0
        self.latest = Latest(since=now())

    async def run(self) -> None:
        while True:
            await self.poll()
            await asyncio.sleep(PERIOD_S)

    async def poll(self) -> None:
        before = self.latest
        try:
            values = await self._read()
        except LinkError as error:
            self._note(str(error))
            return
        self._trouble = ""
        now = self._now()
        moved = values.get("heartbeat") != before.values.get("heartbeat")
        self.latest = replace(
            before, values=values, read_at=now, counted_at=now if moved else before.counted_at
        )

    def _note(self, trouble: str) -> None:
        """Told once, when it has come twice: a connection takes a moment to stand."""
        self._repeats = self._repeats + 1 if trouble == self._trouble else 0
        self._trouble = trouble
        if self._repeats == 1:
            log.warning("%s", trouble)
