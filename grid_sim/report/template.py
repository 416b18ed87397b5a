"""Pages from templates, with the style that all of them share. The only file that knows jinja2."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

HERE = Path(__file__).parent
_BOUND = re.compile(r"(?<=\d) (?=(?:kWh?|W|V|pu|h|%)(?!\w))|(?<=\b[xy]) (?==)|(?<==) ")
"""Spaces at which no line may end: between a number and its unit."""

_PARTS = re.compile(r"[^._]*[._]?")
"""Of the path of a key: between them a line may end."""


def render(template: Path, drawn: Mapping[str, str], **values: Any) -> str:
    """`drawn`: SVG by the pictures' names."""
    environment = Environment(
        loader=FileSystemLoader([template.parent, HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["divisible"] = lambda path: Markup("<wbr>").join(_PARTS.findall(path))
    environment.filters["bound"] = lambda text: _BOUND.sub("\u00a0", text)
    ours = {name: Markup(svg) for name, svg in drawn.items()}  # its texts are escaped where it is drawn
    return environment.get_template(template.name).render(drawn=ours, **values)
