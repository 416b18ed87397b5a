"""The master's lines to its stations: one client for each host and port, one device for each station."""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from master_scada.quality import Expected, FrozenCheck, doubts, everything_stale
from master_scada.readings import (
    NOTICES,
    Liveness,
    max_age_s,
    measurement_age_s,
    points_to_read,
    rated_power,
    reading,
)
from master_scada.site_file import Site
from master_scada.site_schema import StationEntry
from master_scada.station import Reading
from modbus_link.device import Device, Transport
from modbus_link.errors import ExceptionCode, LinkError, Refused
from modbus_link.tls import Tls
from register_maps.codec import EncodeError
from register_maps.points import Value
from register_maps.register_map import RegisterMap, map_names

log = logging.getLogger(__name__)


class StationLink:
    """One station as the master reaches it. `trouble` says why it gave no reading, `refusal` why it did not
    take the last command, "" if it did; `is_held`, that it obeys somebody else."""

    def __init__(
        self, entry: StationEntry, device_map: RegisterMap, transport: Transport, expected: Expected
    ) -> None:
        self.entry = entry
        self.map = device_map
        self.trouble = ""
        limit = device_map.points.get("power_limit")
        self.throttles = limit is not None and limit.access == "rw"
        self._writable = {name for name, point in device_map.points.items() if point.is_writable}
        self.has_failsafe = "master_heartbeat" in self._writable
        self.refusal = ""
        self.is_held = False
        self._is_identified = False
        self._device = Device(transport, device_map, points_to_read(device_map))
        self._liveness = Liveness(expected.max_age_s)
        self._frozen = FrozenCheck(_energy_resolution_wh(device_map))
        self._expected = expected

    async def read(self, now: float) -> Reading | None:
        """What it says, with the doubts that there are about it; none if nothing of it is of now."""
        self.trouble = "no reading in time"  # which stands where the scan goes on without it
        try:
            await self._identify()
            values = await self._device.read()
        except LinkError as error:
            self._is_identified = False  # whoever answers next may be another
            self.trouble = str(error)
            return None
        # A rating that it had when it was right is better than none.
        rated_w = rated_power(values, self.entry.rated_power_w) or self._expected.rated_power_w
        if rated_w != self._expected.rated_power_w:
            self._expected = replace(self._expected, rated_power_w=rated_w)
        if self._frozen.is_frozen(values, now):
            found = everything_stale(values)
        else:
            found = doubts(values, measurement_age_s(values), self._expected)
        seen = reading(values, rated_w, found)
        if seen.rated_power_w != rated_w:
            seen = replace(seen, rated_power_w=rated_w)
        if not self._liveness.is_alive(seen.heartbeat, now):
            self.trouble = "it answers, but its heartbeat stands still"
            return None
        self.trouble = ""
        return seen

    async def _identify(self) -> None:
        """Another device at this address could have registers where this one has them. Where both ends are
        ours, it says so."""
        if not self._is_identified and self.map.name in map_names():
            await self._device.require_map()
        self._is_identified = True

    async def write(self, orders: Mapping[str, Value]) -> None:
        """Those orders that the device has points for; of the notices, those that it can hold: what is
        only to be shown must not keep it from what it has to obey."""
        told = {
            name: value
            for name, value in orders.items()
            if name in self._writable and (name not in NOTICES or self._device.takes(name, value))
        }
        try:
            await self._device.write(told)
        except (LinkError, EncodeError) as error:
            self._note_refusal(error)
        else:
            self.refusal, self.is_held = "", False

    def _note_refusal(self, error: Exception) -> None:
        if str(error) != self.refusal:
            log.warning("%s: a command did not arrive: %s", self.entry.name, error)
        self.refusal = str(error)
        self.is_held = isinstance(error, Refused) and error.code == ExceptionCode.SERVER_DEVICE_BUSY


class Connection(Transport, Protocol):
    """What the master needs of a line; `ModbusClient` is one."""

    min_interval_s: float
    answers_at_once: bool
    """It never makes anybody wait, as within one process."""

    @property
    def connected(self) -> bool: ...

    def start(self) -> None: ...

    async def close(self) -> None: ...


class Connect(Protocol):
    """Makes a line to a host and port; over TLS, if there is a context for it."""

    def __call__(self, host: str, port: int, *, tls: ssl.SSLContext | None) -> Connection: ...


class Lines:
    """All connections of a site."""

    def __init__(self, site: Site, connect: Connect, tls: Tls | None) -> None:
        self._connect = connect
        self._tls = tls.client if tls else None
        self._connections: dict[tuple[str, int], Connection] = {}
        self.stations = [
            StationLink(entry, site.maps[entry.map], self._connection(entry, site), _expected(entry, site))
            for entry in site.stations
        ]
        self.answer_at_once = all(line.answers_at_once for line in self._connections.values())

    def _connection(self, entry: StationEntry, site: Site) -> Connection:
        """One for each host and port, as many devices want it; the slowest of them sets the pace."""
        place = (entry.host, entry.port)
        if place not in self._connections:
            self._connections[place] = self._connect(*place, tls=self._tls if entry.tls else None)
        connection = self._connections[place]
        interval_s = site.maps[entry.map].min_interval_ms / 1000
        connection.min_interval_s = max(connection.min_interval_s, interval_s)
        return connection

    async def open(self, wait_s: float) -> None:
        """Begin to connect, and give every line up to `wait_s` to stand before the first scan."""
        for connection in self._connections.values():
            connection.start()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_s
        while loop.time() < deadline and not all(c.connected for c in self._connections.values()):
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        await asyncio.gather(*(connection.close() for connection in self._connections.values()))


def _expected(entry: StationEntry, site: Site) -> Expected:
    return Expected(
        nominal_voltage_v=site.feeder.circuits[entry.circuit].nominal_voltage_v,
        max_age_s=max_age_s(site.scan_period_s),
    )


def _energy_resolution_wh(device_map: RegisterMap) -> float:
    points = (device_map.points.get(name) for name in ("session_energy", "total_energy"))
    return max((point.scale for point in points if point), default=0.0)
