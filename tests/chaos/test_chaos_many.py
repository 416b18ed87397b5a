"""Half of a hundred stations fall into a black hole: the others are scanned as if nothing were."""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos_many import ManyStations, many_rtus

Record = Callable[[str, object], None]
COUNT, MORTAL = 100, 50
SCAN_S = 1.0
SEEN_WITHIN_S = 2.0
DEAD_FOR_S = 1.5


@pytest.mark.alone
async def test_half_of_a_hundred_stations_in_a_black_hole_cost_no_scan(
    tmp_path: Path, record_property: Record
) -> None:
    with many_rtus(COUNT) as ports:
        async with ManyStations(tmp_path, ports, MORTAL, random.Random()).running() as site:
            before, began = await site.read(), time.monotonic()
            silent_s = await site.strike()
            await asyncio.sleep(DEAD_FOR_S)
            amid = await site.read()
            back_s = await site.heal()
            after, lasted_s = await site.read(), time.monotonic() - began
    record_property("scan with half of them dead, ms", amid["scan_time"])
    record_property("seen as silent after at most, s", round(max(silent_s), 2))
    record_property("seen as back after at most, s", round(max(back_s), 2))
    assert amid["silent_count"] == MORTAL
    assert after["silent_count"] == 0
    assert after["overruns"] == before["overruns"]
    assert abs(after["scans"] - before["scans"] - lasted_s / SCAN_S) < 1.5
    assert max(silent_s) < SEEN_WITHIN_S
    assert max(back_s) < SEEN_WITHIN_S
