"""A screen without a monitor: Xvfb on a display of its own, and `pev-scada hmi` on it, seen from outside."""

import contextlib
import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageGrab
from processes import START_S, Program, wait_until

LONGEST_S = 900
"""After which a display ends, whatever has become of the tests."""
ROOM = (1280, 800)
BUTTON_Y = 0.88
"""Where the button is: a share of the height, at every size."""


def need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing")


@contextlib.contextmanager
def virtual_display() -> Iterator[str]:
    """Its name, as DISPLAY has it; Xvfb chooses a free one."""
    need("Xvfb", "xdotool", "timeout")
    read_end, write_end = os.pipe()
    width, height = ROOM
    command = [
        "timeout",
        str(LONGEST_S),
        "Xvfb",
        "-displayfd",
        str(write_end),
        "-nolisten",
        "tcp",
        "-noreset",
    ]
    process = subprocess.Popen(
        [*command, "-screen", "0", f"{width}x{height}x24"], pass_fds=[write_end], stderr=subprocess.DEVNULL
    )
    os.close(write_end)
    try:
        with os.fdopen(read_end) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb has found no display"
        yield f":{number}"
    finally:
        process.terminate()
        process.wait()


class Screen:
    """A running `pev-scada hmi`, its window, and a finger."""

    def __init__(self, program: Program, server: str, display: str) -> None:
        self.program = program
        self._display = display
        self._server = server
        self._others = set(self._windows())

    def wait_for_window(self) -> None:
        wait_until(lambda: self.program.process.poll() is not None or self._new_windows(), START_S)
        assert self.program.process.poll() is None, self.program.log
        (self.window,) = self._new_windows()

    @property
    def title(self) -> str:
        return _xdotool("getwindowname", self.window).rstrip("\n")

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom on the display."""
        lines = _xdotool("getwindowgeometry", "--shell", self.window).splitlines()
        found = {key: int(value) for key, _, value in (line.partition("=") for line in lines)}
        left, top = found["X"], found["Y"]
        return left, top, left + found["WIDTH"], top + found["HEIGHT"]

    @property
    def kind(self) -> str:
        """What it tells a window manager to be: _NET_WM_WINDOW_TYPE_NORMAL, for example."""
        need("xprop")
        command = ["xprop", "-display", self._display, "-id", self.window, "-notype", "_NET_WM_WINDOW_TYPE"]
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
        return found.stdout.partition(" = ")[2].strip()

    @property
    def button_at(self) -> tuple[int, int]:
        left, top, right, bottom = self.box
        return (left + right) // 2, top + round((bottom - top) * BUTTON_Y)

    def press(self, at: tuple[int, int] | None = None) -> float:
        """Touch the button, or another place on the display; the time just before."""
        x, y = at or self.button_at
        began = time.monotonic()
        _xdotool("mousemove", str(x), str(y), "mousedown", "1", "mouseup", "1")
        return began

    def look(self, box: tuple[int, int, int, int] | None = None) -> Image.Image:
        return ImageGrab.grab(box or self.box, xdisplay=self._display).convert("RGB")

    def colours(self, box: tuple[int, int, int, int] | None = None) -> set[str]:
        """As `hmi.look` writes them."""
        return {"#{:02X}{:02X}{:02X}".format(*colour) for colour in counted(self.look(box))}

    def _windows(self) -> list[str]:
        """Tk names the class of a window after its first title, which is the server's address."""
        return _xdotool("search", "--onlyvisible", "--class", f"^{self._server}$", check=False).split()

    def _new_windows(self) -> list[str]:
        return [window for window in self._windows() if window not in self._others]


def counted(image: Image.Image) -> dict[tuple[int, int, int], int]:
    """How many pixels have each colour."""
    # Not for all colours that there are: Pillow clears a table of that size first, which takes 0.1 s.
    found = image.getcolors(maxcolors=image.width * image.height) or []
    return {colour: count for count, colour in found}


def pictures_folder(tmp_path: Path) -> Path:
    """Where pictures of the screens are kept: PEV_PICTURES, to look at them."""
    folder = Path(os.environ.get("PEV_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sizes() -> list[str]:
    """Both where pictures are made; else what fits is shown by tests that are quicker."""
    return ["480x320", "800x480"] if "PEV_PICTURES" in os.environ else ["480x320"]


def cursor_is_hidden(display: str) -> bool:
    """Whether every pixel of the pointer's picture is transparent."""
    try:
        x11, fixes = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXfixes.so.3")
    except OSError as error:
        pytest.skip(f"a library of X11 is missing: {error}")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XOpenDisplay.argtypes = [ctypes.c_char_p]
    x11.XCloseDisplay.argtypes = x11.XFree.argtypes = [ctypes.c_void_p]
    fixes.XFixesGetCursorImage.restype = ctypes.POINTER(_Cursor)
    fixes.XFixesGetCursorImage.argtypes = [ctypes.c_void_p]
    connection = x11.XOpenDisplay(display.encode())
    assert connection
    try:
        image = fixes.XFixesGetCursorImage(connection)
        cursor = image.contents
        hidden = not any(cursor.pixels[n] & 0xFF000000 for n in range(cursor.width * cursor.height))
        x11.XFree(image)
        return hidden
    finally:
        x11.XCloseDisplay(connection)


class _Cursor(ctypes.Structure):
    _fields_ = (
        ("x", ctypes.c_short),
        ("y", ctypes.c_short),
        ("width", ctypes.c_ushort),
        ("height", ctypes.c_ushort),
        ("x_hot", ctypes.c_ushort),
        ("y_hot", ctypes.c_ushort),
        ("serial", ctypes.c_ulong),
        ("pixels", ctypes.POINTER(ctypes.c_ulong)),
        ("atom", ctypes.c_ulong),
        ("name", ctypes.c_char_p),
    )


def _xdotool(*args: str, check: bool = True) -> str:
    """Bounded, as it may wait for a window for ever; a search that finds nothing fails."""
    return subprocess.run(["xdotool", *args], capture_output=True, text=True, timeout=10, check=check).stdout
