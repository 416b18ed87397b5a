"""Numbers as a report shows them."""

import math


def number(value: float, digits: int) -> str:
    """With narrow spaces between thousands, a true minus, and "–" for none."""
    if math.isnan(value):
        return "–"
    text = f"{value:,.{digits}f}".replace(",", "\u202f")
    if float(f"{value:.{digits}f}") == 0:
        text = text.removeprefix("-")
    return text.replace("-", "−")


def in_words(seconds: float) -> str:
    """A time in the unit that suits it."""
    for name, length_s in (("hour", 3600), ("minute", 60)):
        if seconds >= length_s:
            return _counted(seconds / length_s, name)
    return _counted(seconds, "second")


def every(seconds: float) -> str:
    return f"every {in_words(seconds).removeprefix('1 ')}"


def _counted(value: float, name: str) -> str:
    text = number(value, 0 if abs(value - round(value)) < 0.005 else 1)
    return f"{text} {name}" if text == "1" else f"{text} {name}s"


def how_many(count: int, name: str) -> str:
    return f"{number(count, 0)} {name if count == 1 else name + 's'}"
