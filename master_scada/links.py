"""The master's lines to its stations: one client for each host and port, one device for each station."""

import asyncio
from collections.abc import Mapping

from master_scada.model import Reading
from master_scada.readings import Freshness, points_to_read, reading
from master_scada.site_file import Site, StationEntry
from modbus_link.client import ModbusClient
from modbus_link.device import Device, Transport
from modbus_link.errors import LinkError
from register_maps.points import Value
from register_maps.register_map import RegisterMap


class StationLink:
    """One station as the master reaches it. `trouble` says why the last exchange failed, "" if it didn't."""

    def __init__(
        self, entry: StationEntry, device_map: RegisterMap, transport: Transport, max_age_s: float
    ) -> None:
        self.entry = entry
        self.map = device_map
        self.trouble = ""
        self._device = Device(transport, device_map, points_to_read(device_map))
        self._freshness = Freshness(max_age_s)
        self._rated_power_w = entry.rated_power_w

    async def read(self, now: float) -> Reading | None:
        """A reading that can be believed, or none."""
        try:
            seen = reading(await self._device.read(), self._rated_power_w)
        except LinkError as error:
            self.trouble = str(error)
            return None
        if not self._freshness.is_fresh(seen, now):
            self.trouble = "it answers, but its measured values or its heartbeat stand still"
            return None
        self.trouble = ""
        return seen

    async def write(self, values: Mapping[str, Value]) -> None:
        try:
            await self._device.write(values)
        except LinkError as error:
            self.trouble = str(error)


class Lines:
    """All connections of a site."""

    def __init__(self, site: Site, timeout_s: float) -> None:
        self._clients: dict[tuple[str, int], ModbusClient] = {}
        max_age_s = max(5.0, 3 * site.scan_period_s)
        self.stations = [
            StationLink(entry, site.maps[entry.map], self._client(entry, site, timeout_s), max_age_s)
            for entry in site.stations
        ]

    def _client(self, entry: StationEntry, site: Site, timeout_s: float) -> ModbusClient:
        client = self._clients.setdefault(
            (entry.host, entry.port), ModbusClient(entry.host, entry.port, timeout_s=timeout_s)
        )
        client.min_interval_s = max(client.min_interval_s, site.maps[entry.map].min_interval_ms / 1000)
        return client

    async def open(self, wait_s: float) -> None:
        """Begin to connect, and give every line up to `wait_s` to stand before the first scan."""
        for client in self._clients.values():
            client.start()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_s
        while loop.time() < deadline and not all(c.connected for c in self._clients.values()):
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        await asyncio.gather(*(client.close() for client in self._clients.values()))
