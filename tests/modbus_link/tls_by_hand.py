"""TLS step by step, for what no well-behaved client does."""

import asyncio
import contextlib
import ssl

from modbus_link.server import ModbusServer


class ByHand:
    """A TLS client whose bytes go out when the test says so."""

    def __init__(
        self, server: ModbusServer, context: ssl.SSLContext, session: ssl.SSLSession | None = None
    ) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname="localhost", session=session
        )
        self._server = server

    async def __aenter__(self) -> "ByHand":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def send(self, data: bytes = b"") -> None:
        """All that TLS has to say so far, in one segment; or `data`, which is no TLS."""
        self._writer.write(data or self._outgoing.read())

    async def hear(self) -> bool:
        """False, if the server has nothing more to say."""
        data = b""
        with contextlib.suppress(ConnectionError):
            data = await asyncio.wait_for(self._reader.read(65536), 5)
        self._incoming.write(data)
        return bool(data)

    async def finish(self) -> None:
        """The handshake, up to the client's last bytes, which are not sent yet."""
        while True:
            try:
                return self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self.send()
                assert await self.hear()

    async def read(self) -> bytes:
        while True:
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                if not await self.hear():
                    return b""
