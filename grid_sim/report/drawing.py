"""A picture as SVG. The only file that knows matplotlib."""

import io
import warnings
from collections.abc import Iterator

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from grid_sim.report.bare_svg import bare, printable
from grid_sim.report.picture import (
    BLACK,
    GREY,
    VERMILION,
    Area,
    Axis,
    Bars,
    Layer,
    Limit,
    Line,
    Picture,
    Span,
    Tick,
    Tiles,
)

WIDTH = 540
"""Of a figure, in the units of its SVG; a page scales it. Texts are large enough for two thirds of it."""
_TEXT, _SMALL = 13, 12
_LEFT, _RIGHT, _BOTTOM, _HEAD, _KEY_ROW = 48, 22, 40, 26, 18
_LETTER, _KEY_LETTER, _KEY_MARK = 7.2, 6.8, 32
"""How wide a letter is taken to be, so that there is room for it."""
_MOST_NAME, _MOST_KEY = 14, 30
_STYLE = {
    "svg.fonttype": "none",  # text stays text: it can be searched, and is half the size
    "font.family": "DejaVu Sans",  # matplotlib brings it along, so the layout is the same everywhere
    "font.size": _TEXT,
    "text.parse_math": False,  # a name may hold a $
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": BLACK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": BLACK,
    "ytick.labelcolor": BLACK,
    "grid.color": "#E2E2E2",
    "grid.linewidth": 0.7,
    "path.simplify_threshold": 0.05,
}


def svg_of(picture: Picture) -> str:
    """As an SVG element with a title and a description; the same picture gives the same text."""
    with style.context(["default", {**_STYLE, "svg.hashsalt": picture.name}]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the reader's own font may have it
        figure = _figure(picture)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None})
    return bare(written.getvalue(), picture)


def _figure(picture: Picture) -> Figure:
    keys = [(handle, _short(label, _MOST_KEY)) for handle, label in _keys(picture.layers)]
    left = _left(picture.y)
    plot_width = WIDTH - left - _RIGHT
    names = [label for _, label in keys]
    across = _keys_across(names, plot_width)
    head = _HEAD + _KEY_ROW * -(-len(names) // across) + 4
    below = _BOTTOM + (16 if picture.x.label else 0)
    height = head + picture.plot_height + below
    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
    axes = figure.add_axes((left / WIDTH, below / height, plot_width / WIDTH, picture.plot_height / height))
    _lay_out(axes, picture)
    for layer in picture.layers:
        _draw(axes, layer, picture)
    _write_head(figure, picture, height)
    if keys:
        axes.legend(
            *zip(*keys, strict=True), loc="lower left", bbox_to_anchor=(0, 1.0 + 4 / picture.plot_height),
            ncols=across, frameon=False, borderpad=0, borderaxespad=0, fontsize=_SMALL,
            handlelength=1.3, handletextpad=0.5, columnspacing=1.2, labelspacing=0.3,
        )  # fmt: skip
    return figure


def _left(axis: Axis) -> float:
    longest = max((len(_short(tick.label)) for tick in axis.ticks or ()), default=0)
    return max(_LEFT, 12 + _LETTER * longest)


def _short(name: str, most: int = _MOST_NAME) -> str:
    name = printable(name)
    return name if len(name) <= most else name[: most - 1] + "…"


def _keys_across(names: list[str], width: float) -> int:
    for across in range(len(names), 1, -1):
        rows = -(-len(names) // across)
        widest = [max(len(name) for name in names[n : n + rows]) for n in range(0, len(names), rows)]
        if sum(_KEY_MARK + _KEY_LETTER * letters for letters in widest) <= width:
            return across
    return 1


def _lay_out(axes: Axes, picture: Picture) -> None:
    axes.set_xlim(picture.x.low, picture.x.high)
    axes.set_ylim(picture.y.low, picture.y.high)
    axes.set_axisbelow(True)
    axes.tick_params(length=3, labelsize=_TEXT)
    has_tiles = any(isinstance(layer, Tiles) for layer in picture.layers)
    if picture.x.ticks is not None:
        axes.set_xticks(*_places(picture.x.ticks))
        if not has_tiles and picture.x.label == "":
            axes.grid(axis="x")
    if picture.y.ticks is not None:
        axes.set_yticks(*_places(picture.y.ticks))
    else:
        axes.locator_params(axis="y", nbins=6)
    if not has_tiles:
        axes.grid(axis="y")
    axes.set_xlabel(picture.x.label, fontsize=_TEXT)


def _places(ticks: tuple[Tick, ...]) -> tuple[list[float], list[str]]:
    """All of as many lines as the one with the most, or else they stand at different heights."""
    lines = max((tick.label.count("\n") for tick in ticks), default=0)
    labels = [_short(tick.label) + "\n " * (lines - tick.label.count("\n")) for tick in ticks]
    return [tick.at for tick in ticks], labels


def _write_head(figure: Figure, picture: Picture, height: float) -> None:
    y = 1 - 14 / height
    figure.text(0, y, picture.title, weight="bold", va="center")
    figure.text(1 - _RIGHT / WIDTH, y, picture.measure, ha="right", va="center")


def _draw(axes: Axes, layer: Layer, picture: Picture) -> None:
    match layer:
        case Line():
            dashes = (0, (4, 2)) if layer.dashed else "solid"
            drawn = "steps-post" if layer.steps else "default"
            axes.plot(
                layer.x, layer.y, color=layer.colour, lw=layer.width, ls=dashes, drawstyle=drawn, zorder=3
            )
        case Area():
            axes.fill_between(
                layer.x, layer.low, layer.high, color=layer.colour, lw=0, zorder=2,
                step="post" if layer.steps else None,
            )  # fmt: skip
        case Span():
            axes.axvspan(layer.begin, layer.end, color=layer.colour, lw=0, zorder=1)
        case Limit():
            _draw_limit(axes, layer)
        case Tiles():
            _draw_tiles(axes, layer, picture.x)
        case Bars():
            axes.bar(range(len(layer.heights)), layer.heights, color=layer.colour, width=0.78, zorder=2)


def _draw_limit(axes: Axes, limit: Limit) -> None:
    axes.axhline(limit.at, color=VERMILION, lw=1.4, ls=(0, (6, 2)), zorder=4)
    axes.annotate(
        limit.text, (1.0 if limit.end == "right" else 0.0, limit.at), xycoords=axes.get_yaxis_transform(),
        xytext=(-4 if limit.end == "right" else 4, 4 if limit.above else -4), textcoords="offset points",
        ha=limit.end, va="bottom" if limit.above else "top", color="#A34700", fontsize=_SMALL, zorder=6,
        bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1},
    )  # fmt: skip


def _draw_tiles(axes: Axes, tiles: Tiles, x: Axis) -> None:
    rows = len(tiles.codes)
    colours = np.ones((256, 3))
    for kind in tiles.kinds:
        colours[kind.code] = to_rgb(kind.colour)
    axes.imshow(
        colours[tiles.codes], extent=(x.low, x.high, rows - 0.5, -0.5), aspect="auto", interpolation="none"
    )
    for row in range(1, rows):
        axes.axhline(row - 0.5, color="white", lw=0.8 if rows <= 60 else 0.3)
    axes.tick_params(axis="y", length=0)


def _keys(layers: tuple[Layer, ...]) -> Iterator[tuple[Line2D | Patch, str]]:
    """Something of the colour, and its name, for each thing that has one."""
    for layer in layers:
        match layer:
            case Line(label=str(label)) if label:
                dashes = (0, (4, 2)) if layer.dashed else "solid"
                yield Line2D([], [], color=layer.colour, lw=max(2.0, layer.width), ls=dashes), label
            case Area(label=str(label)) | Span(label=str(label)) | Bars(label=str(label)) if label:
                yield Patch(color=layer.colour, lw=0), label
            case Tiles():
                for kind in layer.kinds:
                    yield Patch(facecolor=kind.colour, edgecolor="#9A9A9A", lw=0.5), kind.label
