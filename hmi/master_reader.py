"""Reads a master over Modbus, as any third party would."""

from modbus_link.client import ModbusClient
from modbus_link.device import Device
from register_maps.points import Value
from register_maps.register_map import load_map


class MasterReader:
    """Finds out how many stations there are, then reads the site and all of them."""

    def __init__(self, client: ModbusClient) -> None:
        self._client = client
        self._map = load_map("pev_master")
        self._device: Device | None = None

    async def read(self) -> dict[str, Value]:
        """Every point by name; LinkError where the master doesn't give them."""
        if self._device is None:
            found = await Device(self._client, self._map, ["station_count"]).read()
            count = found["station_count"]
            assert isinstance(count, int)
            self._device = Device(self._client, self._map.expanded(station=count))
        return await self._device.read()
