"""The demo as a whole; its story from the command's side is in test_command.py."""

import asyncio
import contextlib

import pytest

from grid_sim.demo import Demo


async def test_a_part_that_fails_ends_the_demo_with_its_error() -> None:
    async def broken() -> None:
        await asyncio.sleep(0.05)
        raise RuntimeError("the feeder has burnt down")

    demo = Demo(speed=1, prints=False, paints=False)
    async with contextlib.AsyncExitStack() as stack:
        await demo.start(stack)
        demo._run(broken())
        with pytest.raises(RuntimeError, match="burnt down"):
            await demo.watch_story()
    assert all(task.done() for task in demo._programs)


async def test_two_demos_run_side_by_side() -> None:
    async with contextlib.AsyncExitStack() as stack:
        demos = [Demo(speed=1, prints=False, paints=False) for _ in range(2)]
        for demo in demos:
            await demo.start(stack)
        ports = [
            server.port for demo in demos for server in (demo.master.server, *(r.server for r in demo.rtus))
        ]
    assert len(set(ports)) == 6
