"""Opens a screen: a window, a connection, and the program that joins them."""

from dataclasses import dataclass
from pathlib import Path

from hmi.kiosk import Kiosk, Screen
from hmi.master_screen import MasterScreen
from hmi.station_screen import StationScreen
from hmi.texts import Texts, load_texts
from modbus_link.client import ModbusClient
from modbus_link.clock import Clock
from modbus_link.errors import BadInput
from modbus_link.where import client_tls

TIMEOUT_S = 0.8
SMALLEST, LARGEST = 200, 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Which device is shown, and how. `certificate`: of TLS; its key, and ca.crt, lie beside it."""

    host: str
    port: int
    size: tuple[int, int] = (800, 480)
    place: tuple[int, int] | None = None
    fullscreen: bool = False
    language: str = "en"
    blank_after_s: float | None = None
    certificate: Path | None = None


async def show_station(shown: Shown, clock: Clock) -> None:
    """One RTU, for its driver, until the window is closed."""
    texts = load_texts(shown.language)
    await _show(StationScreen(_client(shown), texts, clock), shown, texts)


async def show_master(shown: Shown, clock: Clock) -> None:
    """One master, for its operator, until the window is closed."""
    texts = load_texts(shown.language)
    await _show(MasterScreen(_client(shown), texts, clock), shown, texts)


def width_and_height(text: str) -> tuple[int, int]:
    """Of "480x320"; BadInput for anything else."""
    width, _, height = text.partition("x")
    if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise BadInput(f"{text!r} is no size; for example: 480x320")
    if not (SMALLEST <= int(width) <= LARGEST and SMALLEST <= int(height) <= LARGEST):
        raise BadInput(f"{text}: a side has {SMALLEST} to {LARGEST} pixels")
    return int(width), int(height)


def has_display() -> bool:
    """Whether a window can be opened here."""
    try:
        from hmi.window import can_open
    except ImportError:  # PySimpleGUI, or Tk, is not installed
        return False
    return can_open()


async def _show(screen: Screen, shown: Shown, texts: Texts) -> None:
    from hmi.window import ScreenWindow  # so that the demo can do without Tk

    title = f"{shown.host}:{shown.port}"
    window = ScreenWindow(title, shown.size, font=texts.font, fullscreen=shown.fullscreen, place=shown.place)
    await Kiosk(screen, window, blank_after_s=shown.blank_after_s).run()


def _client(shown: Shown) -> ModbusClient:
    return ModbusClient(shown.host, shown.port, timeout_s=TIMEOUT_S, tls=client_tls(shown.certificate))
