"""How a state looks: a colour that colour-blind people can tell apart, and a sign that needs no colour.

The colours are those of Okabe and Ito, "Color Universal Design" (2008).
"""

from dataclasses import dataclass
from enum import Enum

BACKGROUND = "#0E1318"
PANEL = "#1D2630"
TRACK = "#3A4754"
INK = "#FFFFFF"
DIM = "#AEB9C4"
STALE = "#75818D"
BLUE, SKY, ORANGE, GREEN, VERMILLION = "#0072B2", "#56B4E9", "#E69F00", "#009E73", "#D55E00"
BLACK = "#000000"
RED = "#B7121F"
"""Of Stop alone, as on every machine; its sign and its word tell the same."""

Points = tuple[tuple[float, float], ...]
"""Corners within a square from (0, 0), top left, to (1, 1)."""

BOLT = ((0.60, 0.02), (0.16, 0.58), (0.46, 0.58), (0.36, 0.98), (0.84, 0.40), (0.53, 0.40))
PAUSE = (
    ((0.18, 0.12), (0.42, 0.12), (0.42, 0.88), (0.18, 0.88)),
    ((0.58, 0.12), (0.82, 0.12), (0.82, 0.88), (0.58, 0.88)),
)
TICK = ((0.04, 0.54), (0.18, 0.40), (0.38, 0.60), (0.82, 0.14), (0.96, 0.28), (0.38, 0.88))
SQUARE = ((0.14, 0.14), (0.86, 0.14), (0.86, 0.86), (0.14, 0.86))
OCTAGON = (
    (0.3, 0.02),
    (0.7, 0.02),
    (0.98, 0.3),
    (0.98, 0.7),
    (0.7, 0.98),
    (0.3, 0.98),
    (0.02, 0.7),
    (0.02, 0.3),
)
PLAY = ((0.2, 0.06), (0.92, 0.5), (0.2, 0.94))
EXCLAMATION = (
    ((0.40, 0.04), (0.60, 0.04), (0.56, 0.66), (0.44, 0.66)),
    ((0.40, 0.76), (0.60, 0.76), (0.60, 0.96), (0.40, 0.96)),
)
PLUG = (
    ((0.30, 0.02), (0.40, 0.02), (0.40, 0.30), (0.30, 0.30)),
    ((0.60, 0.02), (0.70, 0.02), (0.70, 0.30), (0.60, 0.30)),
    ((0.16, 0.32), (0.84, 0.32), (0.84, 0.50), (0.62, 0.74), (0.38, 0.74), (0.16, 0.50)),
    ((0.45, 0.74), (0.55, 0.74), (0.55, 0.98), (0.45, 0.98)),
)
CROSS = (
    ((0.06, 0.22), (0.22, 0.06), (0.94, 0.78), (0.78, 0.94)),
    ((0.78, 0.06), (0.94, 0.22), (0.22, 0.94), (0.06, 0.78)),
)
UP, DOWN = ((0.5, 0.15), (0.95, 0.85), (0.05, 0.85)), ((0.05, 0.15), (0.95, 0.15), (0.5, 0.85))


@dataclass(frozen=True, slots=True)
class Style:
    fill: str
    ink: str
    sign: tuple[Points, ...]


class Look(Enum):
    """What a glance must tell."""

    FREE = Style(TRACK, INK, PLUG)
    CHARGING = Style(BLUE, INK, (BOLT,))
    WAITING = Style(ORANGE, BLACK, PAUSE)
    FULL = Style(GREEN, BLACK, (TICK,))
    STOPPED = Style("#C3CCD5", BLACK, (SQUARE,))
    FAULT = Style(VERMILLION, BLACK, EXCLAMATION)
    SILENT = Style("#566370", INK, CROSS)
