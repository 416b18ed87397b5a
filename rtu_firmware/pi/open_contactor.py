"""Opens a contactor and does nothing else: for after a crash, when what it imports is most of its time."""

import sys

from rtu_firmware.pi.gpio import PinError, open_gpio
from rtu_firmware.station_file import StationFile


def open_at_once(station: StationFile) -> int:
    """The exit code. After a crash a pin may still have the level that it had."""
    if station.pi is None:
        return 0
    contactor = station.pi.contactor
    try:
        open_gpio().output(contactor.pin, contactor.closes_on == "low")
    except PinError as error:
        print(f"the contactor could not be opened: {error}", file=sys.stderr)
        return 1
    return 0
