"""Opens a contactor and does nothing else: for after a crash, when what it imports is most of its time.

It looks at no more of the station's file than it needs: one that was made wrong while the station ran, and
that keeps it from starting again, must not keep its contactor closed.
"""

import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from modbus_link.errors import BadInput
from rtu_firmware.pi.gpio import PinError, open_gpio


def open_at_once(path: Path) -> int:
    """The exit code. After a crash a pin may still have the level that it had. BadInput where the file
    doesn't tell which pin it is."""
    station = _read(path)
    if station.get("board") == "sim":
        return 0
    try:
        contactor = station["pi"]["contactor"]
        pin, closes_on = contactor["pin"], contactor["closes_on"]
    except (LookupError, TypeError) as error:
        raise BadInput(f"{path}: pi.contactor: needs pin and closes_on, to open it") from error
    if type(pin) is not int or closes_on not in ("high", "low"):
        raise BadInput(f"{path}: pi.contactor: needs a pin's number, and closes_on: high or low")
    try:
        open_gpio().output(pin, closes_on == "low")
    except PinError as error:
        print(f"the contactor could not be opened: {error}", file=sys.stderr)
        return 1
    return 0


def _read(path: Path) -> dict[str, Any]:
    try:
        data = YAML(typ="safe", pure=True).load(path)
    except (OSError, YAMLError, ValueError) as error:
        raise BadInput(f"{path}: can't be read, so its contactor was not opened: {error}") from error
    return data if isinstance(data, dict) else {}
