"""Takes the documents' pictures from the running program: python docs/make_pictures.py"""

import asyncio
import contextlib
import io
import re
from datetime import datetime
from pathlib import Path

from rich.console import Console

from grid_sim.demo import Demo
from grid_sim.story import START
from hmi.master_reader import MasterReader
from hmi.master_view import master_view
from hmi.terminal import screen
from modbus_link.client import ModbusClient

PICTURES = Path(__file__).parent / "pictures"
WIDTH = 108
SHOTS = {"turns": (16, 25), "voltage": (18, 36)}
"""Pictures by name, with the time of day at which the demo's evening shows what they are to show."""


async def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    demo = Demo(speed=2, prints=False, paints=False)
    async with contextlib.AsyncExitStack() as stack:
        await demo.start(stack)
        story = asyncio.create_task(demo.watch_story())
        stack.callback(story.cancel)
        server = demo.master.server
        client = await stack.enter_async_context(ModbusClient(server.host, server.port))
        for name, (hour, minute) in SHOTS.items():
            when: datetime = START.replace(hour=hour, minute=minute)
            await demo.clock.sleep_until((when - START).total_seconds())
            view = master_view(await MasterReader(client).read())
            console = Console(
                record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
            )
            console.print(screen(view, f"{when:%H:%M}", demo.events, WIDTH))
            (PICTURES / f"demo_{name}.svg").write_text(_self_contained(console.export_svg(title="pev-scada")))


def _self_contained(svg: str) -> str:
    """Without the web fonts that rich names: the reader's own monospaced font will do."""
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    asyncio.run(main())
