"""The verbs of the Modbus client against a register image of the same process: no wire, no waiting.

For simulations in virtual time. It asks the image as a server does, so what is refused there is
refused here.
"""

from collections.abc import Sequence

from modbus_link.access import Client
from modbus_link.errors import LinkDown, Refused
from modbus_link.image import Refusal, RegisterImage
from register_maps.blocks import Span
from register_maps.points import Table


class InMemoryLink:
    """A `Connection` to `image`; `cut` breaks it and `mend` joins it again."""

    def __init__(self, image: RegisterImage) -> None:
        self._image = image
        self._client = Client(host="in memory")
        self.connected = True
        self.min_interval_s = 0.0
        self.answers_at_once = True

    def start(self) -> None: ...

    async def close(self) -> None: ...

    def cut(self) -> None:
        self.connected = False

    def mend(self) -> None:
        self.connected = True

    async def read_all(self, spans: Sequence[Span], unit_id: int) -> list[Sequence[int]]:
        self._require_link()
        return [self._read(span) for span in spans]

    async def write(
        self, table: Table, address: int, words: Sequence[int], unit_id: int, *, single: bool = True
    ) -> None:
        self._require_link()
        try:
            self._image.write(table, address, words, self._client)
        except Refusal as error:
            raise Refused(f"write {table} {address}+{len(words)}", error.code) from error

    async def identify(self, unit_id: int) -> dict[int, str]:
        self._require_link()
        return {1: self._image.map.name}

    def _read(self, span: Span) -> Sequence[int]:
        try:
            return self._image.read(span.table, span.address, span.count, self._client)
        except Refusal as error:
            raise Refused(f"read {span}", error.code) from error

    def _require_link(self) -> None:
        if not self.connected:
            raise LinkDown("cut")
