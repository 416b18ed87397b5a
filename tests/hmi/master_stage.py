"""An operator at a master's screen, with finger and keyboard; and a master whose registers a test sets."""

import asyncio
import contextlib
import ssl
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Self

from displays import ROOM, Screen, counted
from master_values import place_of, rough, sight
from PIL import Image, ImageChops
from processes import Program, until, wait_until

from hmi.kiosk import BOUNCE_S
from hmi.look import Look
from hmi.master_picture import SMALL, MasterSight, master_picture
from hmi.master_reader import MasterReader
from hmi.master_view import MasterView, StationRow, master_view
from hmi.operator_panel import OperatorPanel
from hmi.sketch import Measure, Picture, Press
from hmi.texts import load_texts
from hmi.window import ScreenWindow
from modbus_link.client import ModbusClient
from modbus_link.errors import LinkError
from modbus_link.image import RegisterImage
from modbus_link.listen import Listen
from modbus_link.server import ModbusServer
from modbus_link.tls import Tls

WITHIN_S = 10.0
"""For what takes a second or two on a machine that has nothing else to do."""
BEAT_S = 0.1
HEADER = 0.14
"""The part of a picture, from the top, that has the time of day."""

Start = Callable[..., Program]


class Operator:
    """Knows from a panel of its own what the screen must show now, and so where to press."""

    def __init__(self, screen: Screen, client: ModbusClient, size: str, language: str) -> None:
        width, height = map(int, size.split("x"))
        self.screen = screen
        self.panel = OperatorPanel()
        self._reader = MasterReader(client)
        self._size, self._language = (width, height), language
        self._wanted = Picture(()), Image.new("RGB", (width, height))
        self._touched, self._seen_at = "", 0.0

    async def view(self) -> MasterView:
        """Patient with a master that has just come back."""
        views: list[MasterView] = []

        async def is_read() -> bool:
            with contextlib.suppress(LinkError):
                views.append(master_view(await self._reader.read()))
            return bool(views)

        await until(is_read, WITHIN_S)
        return views[0]

    async def row(self, name: str) -> StationRow:
        return next(row for row in (await self.view()).stations if row.name == name)

    async def until_row(self, name: str, holds: Callable[[StationRow], bool]) -> None:
        async def row_holds() -> bool:
            return holds(await self.row(name))

        await until(row_holds, WITHIN_S)

    async def until_view(self, holds: Callable[[MasterView], bool]) -> None:
        async def view_holds() -> bool:
            return holds(await self.view())

        await until(view_holds, WITHIN_S)

    async def touch(self, what: str, number: int = 0, text: str = "") -> None:
        """As slowly as a person who looks what has come up."""
        if what != self._touched:
            if self.panel.question:
                await self.until_as_wanted()
            await until(lambda: time.monotonic() > self._seen_at + 1.1 * BOUNCE_S)
        press = Press(what, number, text)
        self.screen.press(await self.place(press))
        self.panel.press(press, await self.view())
        self._touched = what

    async def type_by_touch(self, number: str) -> None:
        for key in number:
            await self.touch("digit", text=key)

    async def type_by_keyboard(self, *names: str) -> None:
        view = await self.view()
        xdotool("windowfocus", "--sync", self.screen.window, "key", *names)
        for name in names:
            self.panel.press(Press("key", text=name), view)

    async def place(self, press: Press) -> tuple[int, int]:
        """Where on the display it is now."""
        seen = await self._sight()
        x, y = place_of(self._picture(seen, rough), press)
        left, top, *_ = self.screen.box
        return left + round(x), top + round(y)

    async def _sight(self) -> MasterSight:
        noon = datetime.now().astimezone().replace(hour=12, minute=34)
        return sight(await self.view(), self.panel, time_of_day=noon)

    async def until_as_wanted(self, *, below: float = 0.0, right: float = 1.0) -> Image.Image:
        """The screen, when it shows exactly what it must below a share of its height, and up to one of its
        width."""
        width, height = self._size
        part = 0, round(below * height), round(right * width), height
        seen = Image.new("RGB", self._size)

        async def is_as_wanted() -> bool:
            nonlocal seen
            sight_now = await self._sight()
            if (picture := self._picture(sight_now, rough)) != self._wanted[0]:
                self._wanted = picture, self._drawn(sight_now)
            seen = self.screen.look()
            return ImageChops.difference(seen.crop(part), self._wanted[1].crop(part)).getbbox() is None

        await until(is_as_wanted, WITHIN_S)
        self._seen_at = time.monotonic()
        return seen

    def _picture(self, seen: MasterSight, measure: Measure) -> Picture:
        return master_picture(seen, self._size, measure, load_texts(self._language))

    def _drawn(self, seen: MasterSight) -> Image.Image:
        """The same in a window of the test's own, in the other corner of the display."""
        (width, height), texts = self._size, load_texts(self._language)
        left, top = ROOM[0] - width, ROOM[1] - height
        window = ScreenWindow("drawn", self._size, font=texts.font, place=(left, top))
        images: list[Image.Image] = []

        def is_painted() -> bool:
            list(window.events())
            images.append(self.screen.look((left, top, *ROOM)))
            return len(counted(images[-1])) > 8 and images[-2:-1] == images[-1:]

        try:
            window.paint(self._picture(seen, window.measure))
            wait_until(is_painted, WITHIN_S)
        finally:
            window.close()
        return images[-1]

    async def until_asked(self) -> Image.Image:
        """What the presses have led to."""
        assert self.panel.question
        return await self.until_as_wanted()

    async def until_refused(self, key: str) -> Image.Image:
        texts = load_texts(self._language)
        return await self.until_told(texts("ask.refused", why=texts(f"ask.{key}")))

    async def until_told(self, why: str) -> Image.Image:
        self.panel.refuse(why)
        return await self.until_asked()

    async def until_listed(self) -> Image.Image:
        """No question is open any more; all is as wanted, but for the time and the trend, if it is there."""
        self.panel.close()
        return await self.until_as_wanted(below=HEADER, right=1.0 if min(self._size) < SMALL else 0.59)

    async def until_colour(self, look: Look) -> None:
        await until(lambda: look.value.fill.upper() in self.screen.colours(), WITHIN_S)

    async def until_title(self, *parts: str, within_s: float = WITHIN_S) -> str:
        title = ""

        def has_them() -> bool:
            nonlocal title
            title = self.screen.title
            return all(part in title for part in parts)

        with contextlib.suppress(TimeoutError):
            await until(has_them, within_s)
        assert has_them(), f"{parts} not in the title, which is {title!r}"
        return title


@contextlib.asynccontextmanager
async def operator(
    start: Start,
    display: str,
    port: int,
    *options: str,
    size: str = "480x320",
    language: str = "en",
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Operator]:
    """At `pev-scada hmi master`, once its window is there; `tls` is that of his own eyes."""
    server = f"127.0.0.1:{port}"
    program = start("hmi", "master", server, "--size", size, "--language", language, *options)
    screen = Screen(program, server, display)
    async with ModbusClient("127.0.0.1", port, timeout_s=5, tls=tls) as client:
        await until(lambda: client.connected, WITHIN_S)
        await asyncio.to_thread(screen.wait_for_window)
        xdotool("windowmove", "--sync", screen.window, "0", "0")
        yield Operator(screen, client, size, language)


class Served:
    """A master that has its registers from the test alone, and a heartbeat. Its thread is its own, as the
    test's is busy painting now and then."""

    def __init__(self, image: RegisterImage, listen: Listen | None = None, tls: Tls | None = None) -> None:
        self._image = image
        self._server = ModbusServer(image, listen or Listen(port=0), tls=tls)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    @property
    def port(self) -> int:
        return self._server.port

    def __enter__(self) -> Self:
        self._thread.start()
        self.answer()
        self._beating = asyncio.run_coroutine_threadsafe(self._beat(), self._loop)
        return self

    def __exit__(self, *_: object) -> None:
        self._beating.cancel()
        self.be_gone()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def be_gone(self) -> None:
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(WITHIN_S)

    def answer(self) -> None:
        asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result(WITHIN_S)

    async def _beat(self) -> None:
        for number in count():
            self._image.update({"heartbeat": number % 0x10000})
            await asyncio.sleep(BEAT_S)


def keep(image: Image.Image, folder: Path, name: str) -> None:
    image.quantize(64).save(folder / f"master_{name}_{image.width}x{image.height}.png")


def xdotool(*args: str) -> None:
    subprocess.run(["xdotool", *args], check=True, timeout=10, stdout=subprocess.DEVNULL)
