"""The stations beside this one, asked once a second over Modbus what they do, want and lend.

Each has a connection and a task of its own, so one that is dead delays neither the others nor the control
step. Nothing is written to them: all that a lease needs is read.
"""

import asyncio
import logging
import ssl
from collections.abc import Mapping, Sequence

from modbus_link.client import ModbusClient
from modbus_link.clock import Clock
from modbus_link.device import Device
from modbus_link.errors import BadReply, LinkError
from register_maps.points import NUMBERS, Value
from register_maps.register_map import RegisterMap
from rtu_firmware.peers import RECENT_S, Lease, Leases, Report
from rtu_firmware.station_file import PeerEntry

log = logging.getLogger(__name__)

PERIOD_S = 1.0
TIMEOUT_S = 1.0
_SHOWN = ("power", "state_of_charge", "voltage")
_READ = ("name", "state", *_SHOWN, "power_wanted", "borrowed_power")


class Neighbour:
    """One peer, and in which of its blocks it tells what it lends to us."""

    def __init__(
        self, own_name: str, entry: PeerEntry, client: ModbusClient, device_map: RegisterMap
    ) -> None:
        self.entry = entry
        self.client = client
        self._own_name = own_name
        self._map = device_map
        self._block = ""
        names = [name for name in device_map.points if name.startswith("peer_") and name.endswith("_name")]
        self._names = Device(client, device_map, names)
        self._device = Device(client, device_map, _READ)

    async def read(self) -> dict[str, Value]:
        """What it says; with `lent_power` and `lease_left` where it has us among its peers."""
        if not self._block:
            await self._find_block()
        values = await self._device.read()
        if values["name"] != self.entry.name:
            raise BadReply(f"{self.client} is {values['name']!r}, and not {self.entry.name!r}")
        if self._block and values[f"{self._block}_name"] != self._own_name:
            self._block = ""
        if self._block:
            lease = {name: values[f"{self._block}_{name}"] for name in ("lent_power", "lease_left")}
            return {**values, **lease}
        return values

    async def _find_block(self) -> None:
        found = [name for name, value in (await self._names.read()).items() if value == self._own_name]
        self._block = found[0].removesuffix("_name") if found else ""
        # One request for the block, so that its name, its watts and its time belong together.
        block = [f"{self._block}_{name}" for name in ("name", "lent_power", "lease_left")] if found else []
        self._device = Device(self.client, self._map, [*_READ, *block])


class Neighbours:
    """`reports` are the newest ones, in the order of the station's file."""

    def __init__(
        self,
        own_name: str,
        entries: Sequence[PeerEntry],
        device_map: RegisterMap,
        clock: Clock,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.reports: list[Report | None] = [None] * len(entries)
        self._own_name = own_name
        self._clock = clock
        self._values: list[Mapping[str, Value]] = [{}] * len(entries)
        self._answered_at = [clock.now()] * len(entries)
        self._is_lost = [False] * len(entries)
        self._lent_w = [0.0] * len(entries)
        self._borrowed_w = [0.0] * len(entries)
        self._neighbours = [Neighbour(own_name, entry, _client(entry, tls), device_map) for entry in entries]

    async def run(self) -> None:
        """Ask until cancelled."""
        await asyncio.gather(*(self._ask(n, neighbour) for n, neighbour in enumerate(self._neighbours)))

    def registers(self, leases: Leases, now: float) -> dict[str, Value]:
        """The peers' blocks; `leases` without those that have ended."""
        found: dict[str, Value] = {}
        for n, lease in enumerate(leases):
            block = {**_lease_registers(lease, now), **self._shown(n, now)}
            found |= {f"peer_{n + 1}_{name}": value for name, value in block.items()}
        return found

    def log_shares(self, leases: Leases, now: float) -> None:
        """Who lends how much to whom, when that changes; that a lease is renewed is no news."""
        lent_w = [lease.power_w if lease else 0.0 for lease in leases]
        borrowed_w = [report.counts_w(now) if report else 0.0 for report in self.reports]
        for n, neighbour in enumerate(self._neighbours):
            name = neighbour.entry.name
            if lent_w[n] != self._lent_w[n]:
                log.info("%s: lends %s %.0f W", self._own_name, name, lent_w[n])
            if borrowed_w[n] != self._borrowed_w[n]:
                log.info("%s: borrows %.0f W from %s", self._own_name, borrowed_w[n], name)
        self._lent_w, self._borrowed_w = lent_w, borrowed_w

    def _shown(self, n: int, now: float) -> dict[str, Value]:
        """Of one that is silent nothing is known but for how long."""
        report, values = self.reports[n], self._values[n]
        if report is None:
            return {"age": None}
        age_s = now - report.asked_at
        shown = {name: values[name] if age_s <= RECENT_S else None for name in _SHOWN}
        return {**shown, "state": values["state"], "age": min(int(age_s), 0xFFFE)}

    async def _ask(self, n: int, neighbour: Neighbour) -> None:
        async with neighbour.client:
            while True:
                asked_at = self._clock.now()
                try:
                    self._take(n, await neighbour.read(), asked_at)
                except LinkError as error:
                    self._miss(n, error)
                except Exception:
                    log.exception("%s: reading %s failed", self._own_name, neighbour.entry.name)
                await self._clock.sleep_until(asked_at + PERIOD_S)

    def _take(self, n: int, values: Mapping[str, Value], asked_at: float) -> None:
        self._values[n] = values
        self._answered_at[n] = asked_at
        self.reports[n] = Report(
            asked_at=asked_at,
            wanted_w=_number(values["power_wanted"]),
            borrowed_w=_number(values["borrowed_power"]),
            lent_w=_number(values.get("lent_power", 0)),
            lease_left_s=_number(values.get("lease_left", 0)) / 1000,
        )
        if self._is_lost[n]:
            log.info("%s: %s answers again", self._own_name, self._neighbours[n].entry.name)
        self._is_lost[n] = False

    def _miss(self, n: int, error: LinkError) -> None:
        """One that is away for long is told once."""
        if not self._is_lost[n] and self._clock.now() - self._answered_at[n] > RECENT_S:
            log.warning("%s: no answer from %s: %s", self._own_name, self._neighbours[n].entry.name, error)
            self._is_lost[n] = True


def _client(entry: PeerEntry, tls: ssl.SSLContext | None) -> ModbusClient:
    return ModbusClient(entry.host, entry.port, timeout_s=TIMEOUT_S, tls=tls if entry.tls else None)


def _lease_registers(lease: Lease | None, now: float) -> dict[str, Value]:
    """Rounded in the lender's favour."""
    if lease is None:
        return {"lent_power": 0, "lease_left": 0}
    return {"lent_power": int(lease.power_w), "lease_left": int(1000 * max(0.0, lease.ends_at - now))}


def _number(value: Value) -> float:
    assert isinstance(value, NUMBERS)
    return float(value)
