"""Reads a master over Modbus, as any third party would."""

from collections.abc import Mapping
from itertools import chain

from hmi.polling import check_map
from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.errors import BadReply, LinkError
from register_maps.points import Value
from register_maps.register_map import RegisterMap, load_map

ALARMS_AT_ONCE = 4
"""Blocks, in as many requests as the master takes at a time."""


class MasterReader:
    """Finds out how many stations there are, then reads the site and all of them; its events when there
    are new ones, its alarms when they have changed. `watches_alarms`: always, as what is left of the time
    on the shelf is no change."""

    def __init__(self, client: ModbusClient) -> None:
        self._client = client
        self._map = load_map("pev_master")
        self._site: Device | None = None
        self._events: Device | None = None
        self._last_events: dict[str, Value] = {}
        self._last_event: Value = None
        self._alarms = _alarm_devices(client, self._map)
        self._last_alarms: dict[str, Value] = {}
        self._alarm_changes: Value = None
        self.watches_alarms = False

    async def read(self) -> dict[str, Value]:
        """Every point by name; LinkError where the master doesn't give them."""
        try:
            if self._site is None or self._events is None:
                self._site, self._events = await self._find()
            values = await self._site.read()
            if values["last_event"] != self._last_event:
                self._last_events = await self._events.read()
                self._last_event = values["last_event"]
            changes = values["alarm_changes"]
            if not changes:
                self._last_alarms = {}
            elif changes != self._alarm_changes or self.watches_alarms:
                self._last_alarms = await self._read_alarms()
            self._alarm_changes = changes
            return values | self._last_events | self._last_alarms
        except LinkError:
            # A master that comes back may have other stations.
            self._site = self._last_event = self._alarm_changes = None
            raise

    async def _read_alarms(self) -> dict[str, Value]:
        """The blocks up to the first that is empty, and perhaps a few more."""
        values: dict[str, Value] = {}
        for device in self._alarms:
            read = await device.read()
            values |= read
            if not all(value for name, value in read.items() if name.endswith("_number")):
                break
        return values

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


def _alarm_devices(client: ModbusClient, device_map: RegisterMap) -> list[Device]:
    """A few blocks each: most of the time there are few alarms."""
    count = device_map.groups["alarm"].max_count
    alarms, points = device_map.expanded(alarm=count), device_map.groups["alarm"].points
    names = [[f"alarm_{n}_{point}" for point in points] for n in range(1, count + 1)]
    parts = [names[n : n + ALARMS_AT_ONCE] for n in range(0, count, ALARMS_AT_ONCE)]
    return [Device(client, alarms, chain(*part)) for part in parts]
