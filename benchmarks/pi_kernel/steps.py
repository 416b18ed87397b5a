"""Steps that hold or don't, one a line."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

LOOK_EVERY_S = 0.1
NOBODY = Path("/run/nobody")
"""The only place where a process without permissions can write."""
AS_NOBODY = [
    *("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"),
    *("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"),
]
"""May read everything, since the machine's Python may lie in a closed folder, but write to no device."""


class Steps:
    def __init__(self) -> None:
        self.failed = 0
        self.held = 0
        NOBODY.mkdir()
        os.chown(NOBODY, 65534, 65534)

    def check(self, what: str, holds: object, figure: object = "") -> None:
        self.held += bool(holds)
        self.failed += not holds
        print(f"{'  ok    ' if holds else '  FAILED'}  {what}{figure and f': {figure}'}", flush=True)

    async def wait(self, what: str, holds: Callable[[], Awaitable[object]], within_s: float = 20.0) -> None:
        """With the time that it took, by the guest's clock."""
        began = time.monotonic()
        while not (held := await holds()) and time.monotonic() < began + within_s:
            await asyncio.sleep(LOOK_EVERY_S)
        self.check(what, held, f"{time.monotonic() - began:.2f} s")

    @property
    def exit_code(self) -> int:
        print(f"{self.held} of {self.held + self.failed} steps held")
        return 1 if self.failed else 0
