"""What a figure shows, as plain values. How it is drawn is `drawing.py`'s."""

from dataclasses import dataclass
from typing import Literal

from grid_sim.arrays import Codes, Floats

# Okabe and Ito's colours, which the colour-blind tell apart; tints of them where areas are large.
BLUE, SKY, ORANGE, VERMILION = "#0072B2", "#56B4E9", "#E69F00", "#D55E00"
GREEN, PURPLE, YELLOW, BLACK = "#009E73", "#CC79A7", "#F0E442", "#1A1A1A"
GREY, PALE_GREY, PALE_BLUE, PALE_RED = "#767676", "#E4E4E4", "#A9CFE6", "#F6CDB4"

End = Literal["left", "right"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    x: Floats
    y: Floats
    colour: str
    label: str = ""
    width: float = 1.5
    dashed: bool = False
    steps: bool = False
    """Each value holds until the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    x: Floats
    low: Floats
    high: Floats
    colour: str
    label: str = ""
    steps: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From one x to another, over the whole height."""

    begin: float
    end: float
    colour: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A level that is not to be crossed, with its name at one end of it."""

    at: float
    text: str
    end: End = "right"
    above: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What tiles of one code mean."""

    code: int
    colour: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """A row for each station, from the top; each tile as wide as one of the columns."""

    codes: Codes
    """(rows, columns)"""
    kinds: tuple[Kind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """One at each whole number from 0 on."""

    heights: Floats
    colour: str
    label: str


Layer = Line | Area | Span | Limit | Tiles | Bars


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    low: float
    high: float
    ticks: tuple[Tick, ...] | None = None
    """None: round numbers."""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    name: str
    """Of its file."""
    title: str
    """Which run it is of."""
    measure: str
    """What is measured, in which unit."""
    about: str
    """For who can't see it."""
    x: Axis
    y: Axis
    layers: tuple[Layer, ...]
    plot_height: int = 190
