"""Reads a master over Modbus, as any third party would."""

from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.errors import LinkError
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
        try:
            device = self._device = self._device or await self._find()
            return await device.read()
        except LinkError:
            self._device = None  # a master that comes back may have other stations
            raise

    async def _find(self) -> Device:
        found = await Device(self._client, self._map, ["station_count"]).read()
        count = found["station_count"]
        assert isinstance(count, int)
        return Device(self._client, self._map.expanded(station=count))
