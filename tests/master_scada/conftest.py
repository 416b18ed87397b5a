import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from live_site import LiveSite


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveSite]:
    async with contextlib.AsyncExitStack() as stack:
        yield LiveSite(tmp_path, stack)
