"""Reads a master over Modbus, as any third party would."""

from collections.abc import Mapping

from hmi.polling import check_map
from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.errors import BadReply, LinkError
from register_maps.points import Value
from register_maps.register_map import load_map


class MasterReader:
    """Finds out how many stations there are, then reads the site and all of them; its events when there
    are new ones."""

    def __init__(self, client: ModbusClient) -> None:
        self._client = client
        self._map = load_map("pev_master")
        self._site: Device | None = None
        self._events: Device | None = None
        self._last_events: dict[str, Value] = {}
        self._last_event: Value = None

    async def read(self) -> dict[str, Value]:
        """Every point by name; LinkError where the master doesn't give them."""
        try:
            if self._site is None or self._events is None:
                self._site, self._events = await self._find()
            values = await self._site.read()
            if values["last_event"] != self._last_event:
                self._last_events = await self._events.read()
                self._last_event = values["last_event"]
            return values | self._last_events
        except LinkError:
            self._site = self._last_event = None  # a master that comes back may have other stations
            raise

    async def write(self, values: Mapping[str, Value]) -> None:
        """LinkError where the master does not take them."""
        device = self._site or (await self._find())[0]
        if missing := [name for name in values if name not in device.map.points]:
            raise BadReply(f"{self._client} has no {', '.join(missing)}")
        await device.write(values)

    async def _find(self) -> tuple[Device, Device]:
        await check_map(self._client, self._map)
        found = await Device(self._client, self._map, ["station_count"]).read()
        count = found["station_count"]
        assert isinstance(count, int)
        if count > self._map.groups["station"].max_count:
            raise BadReply(f"{self._client} has {count} stations")
        events = self._map.expanded(event=self._map.groups["event"].max_count)
        own = self._map.points.keys()
        return (
            Device(self._client, self._map.expanded(station=count)),
            Device(self._client, events, [name for name in events.points if name not in own]),
        )
