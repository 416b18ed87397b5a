"""A client that sends bytes as it likes: in the clear or over TLS, from any address of this machine."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from functools import cache

from modbus_link.image import RegisterImage
from modbus_link.mbap import frame
from modbus_link.server import ModbusServer
from register_maps.register_map import RegisterMap, load_map

READ_HEARTBEAT = bytes.fromhex("04 0003 0001")
"""Of pev_rtu: everyone may, and it changes nothing."""
WITHIN_S = 10.0


@cache
def _pev_rtu() -> RegisterMap:
    return load_map("pev_rtu")


def station_image() -> RegisterImage:
    """A station's registers, without a station behind them."""
    image = RegisterImage(_pev_rtu())
    image.update({"failsafe_timeout": 10, "rated_power": 3300})
    return image


class Line:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._transaction_id = 0

    @property
    def port(self) -> int:
        """The client's own."""
        port: int = self.writer.get_extra_info("sockname")[1]
        return port

    async def ask(self, pdu: bytes, unit_id: int = 1) -> bytes:
        """The reply's PDU."""
        self._transaction_id += 1
        self.writer.write(frame(self._transaction_id, unit_id, pdu))
        head = await self.reader.readexactly(7)
        assert head[:2] == self._transaction_id.to_bytes(2), "the reply to another request"
        return await self.reader.readexactly(int.from_bytes(head[4:6]) - 1)

    async def rest(self) -> bytes:
        """What still comes before the server closes the connection."""
        data = b""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while more := await self.reader.read(65536):
                data += more
        return data


@contextlib.asynccontextmanager
async def line(
    server: ModbusServer, *, tls: ssl.SSLContext | None = None, source: str = "127.0.0.1"
) -> AsyncIterator[Line]:
    """A connection from the address `source`, closed in the end."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1",
        server.port,
        ssl=tls,
        server_hostname="localhost" if tls else None,
        local_addr=(source, 0),
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            yield Line(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def ask(
    server: ModbusServer, pdu: bytes, *, tls: ssl.SSLContext | None = None, source: str = "127.0.0.1"
) -> bytes:
    """The reply to one request over a connection of its own."""
    async with line(server, tls=tls, source=source) as found:
        return await found.ask(pdu)
