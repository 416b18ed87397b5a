"""The symbols of a wiring diagram, as SVG; horizontal ones run from `x` to the right along `y`."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

INK, PAPER, FAINT = "#1c2733", "#ffffff", "#6b7785"
FONT = "DejaVu Sans, Verdana, sans-serif"
CONTACT_LENGTH = 60


class Drawing:
    def __init__(self, width: int, height: int, title: str) -> None:
        self._head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
            f' height="{height}" font-family="{FONT}">\n<title>{escape(title)}</title>\n'
            f'<rect width="{width}" height="{height}" fill="{PAPER}"/>\n'
        )
        self._parts: list[str] = []

    def svg(self) -> str:
        return self._head + "\n".join(self._parts) + "\n</svg>\n"

    def add(self, part: str) -> None:
        self._parts.append(part)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: int = 13,
        colour: str = INK,
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        weight = ' font-weight="bold"' if bold else ""
        self.add(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{weight}>'
            f"{escape(text)}</text>"
        )

    def lines(self, x: float, y: float, texts: Sequence[str], *, size: int = 13, colour: str = INK) -> None:
        for n, text in enumerate(texts):
            self.text(x, y + n * size * 1.45, text, size=size, colour=colour)

    def wire(self, *points: tuple[float, float], colour: str = INK, width: float = 2.5) -> None:
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        self.add(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>')

    def node(self, x: float, y: float, colour: str = INK) -> None:
        self.add(f'<circle cx="{x:g}" cy="{y:g}" r="4.5" fill="{colour}"/>')

    def terminal(self, x: float, y: float) -> None:
        self.add(f'<circle cx="{x:g}" cy="{y:g}" r="4" fill="{PAPER}" stroke="{INK}" stroke-width="1.8"/>')

    def box(
        self, x: float, y: float, width: float, height: float, *, fill: str = "#f4f6f8", dashed: bool = False
    ) -> None:
        dash = ' stroke-dasharray="7 5"' if dashed else ""
        self.add(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" fill="{fill}"'
            f' stroke="{INK}" stroke-width="1.8"{dash}/>'
        )

    def contact(self, x: float, y: float, *, closed: bool, colour: str) -> None:
        """As it is when nobody moves it: normally closed or normally open."""
        self.wire((x, y), (x + 14, y), colour=colour)
        self.wire((x + 46, y), (x + CONTACT_LENGTH, y), colour=colour)
        if closed:
            self.wire((x + 46, y), (x + 46, y - 12), colour=INK)
            self.wire((x + 14, y), (x + 50, y - 9), colour=INK)
        else:
            self.wire((x + 14, y), (x + 44, y - 15), colour=INK)
        self.terminal(x + 14, y)
        self.terminal(x + 46, y)

    def resistor(self, x: float, y: float, colour: str, *, upright: bool = False) -> None:
        """40 long."""
        width, height, dx, dy = (12, 28, -6, 6) if upright else (28, 12, 6, -6)
        end = (x, y + 40) if upright else (x + 40, y)
        self.wire((x, y), end, colour=colour)
        self.add(
            f'<rect x="{x + dx:g}" y="{y + dy:g}" width="{width}" height="{height}" fill="{PAPER}"'
            f' stroke="{INK}" stroke-width="1.8"/>'
        )

    def fuse(self, x: float, y: float, colour: str) -> None:
        """50 long."""
        self.add(
            f'<rect x="{x + 4:g}" y="{y - 9:g}" width="42" height="18" fill="{PAPER}" stroke="{INK}"'
            ' stroke-width="1.8"/>'
        )
        self.wire((x, y), (x + 50, y), colour=colour)

    def diode(self, x: float, y: float, *, fill: str = INK, to_left: bool = False) -> None:
        """22 long, the current flows to the right unless `to_left`."""
        sign = -1 if to_left else 1
        middle = x + 11
        tip, back = middle + 9 * sign, middle - 9 * sign
        self.add(
            f'<polygon points="{back:g},{y - 10:g} {back:g},{y + 10:g} {tip:g},{y:g}" fill="{fill}"'
            f' stroke="{INK}" stroke-width="1.5"/>'
        )
        self.wire((tip, y - 10), (tip, y + 10), width=2)

    def led(self, x: float, y: float, fill: str) -> None:
        self.diode(x, y, fill=fill)
        for n in (0, 9):
            self.wire((x + 8 + n, y - 14), (x + 15 + n, y - 22), width=1.4)
            self.add(
                f'<polygon points="{x + 17 + n:g},{y - 24:g} {x + 11 + n:g},{y - 22:g}'
                f' {x + 15 + n:g},{y - 18:g}" fill="{INK}"/>'
            )
