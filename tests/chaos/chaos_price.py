"""Where prices come from, and how that goes wrong; and the clock of the machine that looks them up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chaos_site import ChaosSite, Settings
from chaos_trial import Break, Mend, partition

from modbus_link.client import ModbusClient
from modbus_link.errors import LinkError
from register_maps.codec import encoder
from register_maps.register_map import load_map

PRICE = load_map("pev_master").points["price"]
WRITES_S = 0.2
PRELOADS = [*Path("/usr/lib").glob("*/faketime/libfaketime.so.1")]
MODBUS = {"kind": "modbus", "currency": "USD", "max_age_s": 0.5}
CSV = {"kind": "csv", "currency": "USD", "path": "prices.csv"}
Words = Sequence[int]


def words(price: float) -> Words:
    return encoder(PRICE)(price)


GOOD, HIGHEST = words(0.12), words(200_000)
NEGATIVE = words(-0.5)
ABSURD: Words = (0x7FFF, 0xFFFF)
"""More than the point may hold."""
NO_PRICE: Words = (0x8000, 0x0000)
"""NaN, as this point has it."""


class PriceSource:
    """Writes `words` to the master again and again, or nothing."""

    def __init__(self, port: int) -> None:
        self.words: Words | None = GOOD
        self._port = port

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator["PriceSource"]:
        task = asyncio.create_task(self._run())
        try:
            yield self
            assert not task.done(), task.exception()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def writes(self, words: Words | None, *, opens_all: bool) -> tuple[Break, Mend]:
        async def spoil(site: ChaosSite) -> list[str]:
            self.words = words
            return site.names if opens_all else []

        async def put_right(site: ChaosSite) -> None:
            self.words = GOOD

        return spoil, put_right

    async def _run(self) -> None:
        async with ModbusClient("127.0.0.1", self._port) as client:
            while True:
                if self.words:
                    with contextlib.suppress(LinkError):
                        await client.write(PRICE.table, PRICE.address, self.words, 1)
                await asyncio.sleep(WRITES_S)


def partition_while_all_are_open(sources: Sequence[PriceSource]) -> tuple[Break, Mend]:
    """So that neither master has seen the other's half charge: by the price, which is right again when they
    have lost each other for longer than the failsafe's time."""
    part, heal = partition()

    async def open_and_part(site: ChaosSite) -> list[str]:
        for source in sources:
            source.words = HIGHEST
        await site.until_safe(site.names)
        await asyncio.sleep(3 * site.settings.scan_s)
        await part(site)
        await asyncio.sleep(2 * site.settings.failsafe_s)
        for source in sources:
            source.words = GOOD
        return []

    return open_and_part, heal


def write_prices(folder: Path, now: datetime) -> None:
    """Cheap for half an hour either side of now, dear after that, and unknown before."""
    half = timedelta(minutes=30)
    rows = [(now - half, "0.1"), (now + half, "9"), (now + 4 * half, "9")]
    lines = ["time,price", *(f"{at.astimezone(UTC).isoformat()},{price}" for at, price in rows)]
    (folder / "prices.csv").write_text("\n".join(lines))


class FakedClock:
    """The time of day as a process sees it, as far off the true one as we like; the monotonic clock is not
    touched, as a real step does not touch it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offset"
        self.step(0)
        self.environment = {
            "LD_PRELOAD": str(PRELOADS[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",  # its older name
        }

    def step(self, seconds: int) -> None:
        self._file.write_text(f"{seconds:+d}\n")

    def steps(self) -> dict[str, tuple[Break, Mend]]:
        """An hour both ways: then the price is too high, or unknown."""
        return {f"clock stepped by {hours:+d} h": self._stepped(hours * 3600) for hours in (1, -1)}

    def _stepped(self, seconds: int) -> tuple[Break, Mend]:
        async def step(site: ChaosSite) -> list[str]:
            self.step(seconds)
            return site.names

        async def step_back(site: ChaosSite) -> None:
            self.step(0)

        return step, step_back


def stepped_clock_site(folder: Path) -> Settings:
    write_prices(folder, datetime.now().astimezone())
    return Settings(inside=True, tariff=CSV, environment=FakedClock(folder).environment)
