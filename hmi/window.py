"""A window that paints pictures and collects touches: the only place that knows PySimpleGUI.

Nothing here waits on Tk's timers, which stand still for an hour when the clock is set back by one.
"""

from collections import deque
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

import PySimpleGUI as sg  # noqa: N813  (as everybody calls it)

from hmi.kiosk import Key, Touch
from hmi.look import BACKGROUND
from hmi.sketch import Area, Label, Line, Measure, Picture, Polygon, Shape
from modbus_link.errors import BadInput

WHEEL = {4: Key("Up"), 5: Key("Down")}


def can_open() -> bool:
    """Whether there is a display that takes windows."""
    try:
        sg.tk.Tk().destroy()
    except sg.tk.TclError:
        return False
    return True


class ScreenWindow:
    """Open from the start, until it is closed by `close` or by its user."""

    def __init__(
        self,
        title: str,
        size: tuple[int, int],
        *,
        font: str,
        fullscreen: bool = False,
        place: tuple[int, int] | None = None,
    ) -> None:
        self._family = font
        self._events: deque[Touch | Key] = deque()
        self._items: list[int] = []
        self._shapes: tuple[Shape, ...] = ()
        self._title = title
        self.is_closed = False
        canvas = sg.Canvas(size=size, background_color=BACKGROUND, pad=(0, 0), expand_x=True, expand_y=True)
        try:
            screen = sg.Window.get_screen_size()
            size = screen if fullscreen else size
            self._window = sg.Window(
                title,
                [[canvas]],
                size=size,
                location=(0, 0) if fullscreen else _within(place, size, screen),
                margins=(0, 0),
                background_color=BACKGROUND,
                no_titlebar=fullscreen,
                keep_on_top=fullscreen,
                resizable=True,
                finalize=True,
            )
        except sg.tk.TclError as error:
            raise BadInput(
                f"no screen: {error}; is DISPLAY set, and may this user open windows there?"
            ) from error
        self._canvas: Any = canvas.tk_canvas
        self._canvas.configure(highlightthickness=0)
        if fullscreen:
            self._window.set_cursor("none")
        self._listen()
        unseen = sg.tk.Canvas(self._canvas)
        self._keep = cache(lambda font: unseen.create_text(0, 0, font=font))
        self.measure: Measure = lru_cache(maxsize=4096)(self._measure)

    @property
    def size(self) -> tuple[int, int]:
        """As it is now: the user may have changed it."""
        return self._canvas.winfo_width(), self._canvas.winfo_height()

    def events(self) -> Iterator[Touch | Key]:
        # Not read(timeout=0), which looks through the whole call stack for a debugger each time.
        self.is_closed = self.is_closed or self._window.is_closed() or not self._canvas.winfo_exists()
        while self._events:
            yield self._events.popleft()

    def paint(self, picture: Picture) -> None:
        """Changes what has changed."""
        if picture.title != self._title:
            self._title = picture.title
            self._window.set_title(self._title)
        shapes = picture.shapes
        same = 0
        for item, old, new in zip(self._items, self._shapes, shapes, strict=False):
            if type(old) is not type(new):
                break
            if old != new:
                self._change(item, new)
            same += 1
        for item in self._items[same:]:
            self._canvas.delete(item)
        self._items[same:] = [self._create(shape) for shape in shapes[same:]]
        self._shapes = shapes
        self._canvas.update_idletasks()  # seen now: what is touched next is what this picture shows

    def close(self) -> None:
        self.is_closed = True
        self._window.close()

    def _create(self, shape: Shape) -> int:
        kind = {Area: "rectangle", Polygon: "polygon", Line: "line", Label: "text"}[type(shape)]
        create = getattr(self._canvas, f"create_{kind}")
        return int(create(*_coordinates(shape), **self._options(shape)))

    def _change(self, item: int, shape: Shape) -> None:
        self._canvas.coords(item, *_coordinates(shape))
        self._canvas.itemconfigure(item, **self._options(shape))

    def _options(self, shape: Shape) -> dict[str, object]:
        match shape:
            case Area():
                return {"fill": shape.fill, "width": 0}
            case Polygon():
                return {"fill": shape.fill}
            case Line():
                return {"fill": shape.colour, "width": shape.width, "dash": (6, 4) if shape.dashed else ()}
            case Label():
                font = self._font(shape.size, shape.bold)
                return {"text": shape.text, "fill": shape.colour, "font": font, "anchor": shape.align.value}

    def _font(self, size: int, bold: bool) -> tuple[str, int, str]:
        # Below 0 it is in pixels, whatever the screen's density.
        return self._family, -size, "bold" if bold else "normal"

    def _listen(self) -> None:
        self._canvas.bind("<ButtonPress-1>", lambda e: self._events.append(Touch(e.x, e.y)))
        for number, key in WHEEL.items():
            self._canvas.bind(f"<ButtonPress-{number}>", lambda _, key=key: self._events.append(key))
        self._window.TKroot.bind("<KeyPress>", lambda e: self._events.append(Key(e.keysym)))

    def _measure(self, text: str, size: int, bold: bool) -> int:
        font = self._font(size, bold)
        self._keep(font)  # a font that nothing has is opened anew for every text
        return int(self._canvas.tk.call("font", "measure", font, text))


def _within(
    place: tuple[int, int] | None, size: tuple[int, int], screen: tuple[int, int]
) -> tuple[int | None, int | None]:
    """Moved so far that nothing is beyond the screen's edge; in its middle, if no place is given."""
    if place is None:
        return None, None
    left, top = (max(0, min(at, most - own)) for at, own, most in zip(place, size, screen, strict=True))
    return left, top


def _coordinates(shape: Shape) -> tuple[float, ...]:
    match shape:
        case Area(box):
            return box.x, box.y, box.right, box.bottom
        case Label():
            return shape.x, shape.y
        case _:
            return tuple(value for point in shape.points for value in point)
