"""A drawn SVG without what a page doesn't need, or what would clash where several stand on one page."""

import re
from xml.etree import ElementTree

from grid_sim.report.picture import Picture

FONTS = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"

ElementTree.register_namespace("", _SVG)
ElementTree.register_namespace("xlink", _XLINK)


def bare(written: str, picture: Picture) -> str:
    """An SVG element as large as its place, named and described for who can't see it."""
    root = ElementTree.fromstring(written)
    box = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update({"viewBox": box, "role": "img", "font-family": FONTS})
    root.attrib.update({"stroke-linejoin": "round", "stroke-linecap": "butt"})
    for parent in list(root.iter()):
        for child in [c for c in parent if c.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style")]:
            parent.remove(child)
    _tidy(root, used=set(re.findall(r'#([\w-]+)[")]', written)))
    _describe(root, picture)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def printable(text: str) -> str:
    """XML has no place for control characters, not even as references."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text)


def _tidy(root: ElementTree.Element, used: set[str]) -> None:
    """Without names that nobody uses, fonts of the drawer's own, and fractions that nobody sees."""
    for element in root.iter():
        if element.attrib.get("id") not in used:
            element.attrib.pop("id", None)
        if "d" in element.attrib:
            element.set("d", _rounded(element.attrib["d"]))
        if "style" in element.attrib:
            element.set("style", re.sub(r"font-family: [^;]*;?", "", element.attrib["style"]))


def _rounded(path: str) -> str:
    return re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), path)


def _describe(root: ElementTree.Element, picture: Picture) -> None:
    texts = {"title": f"{picture.title}: {picture.measure}", "desc": picture.about}
    for index, (tag, text) in enumerate(texts.items()):
        element = ElementTree.Element(f"{{{_SVG}}}{tag}", id=f"{picture.name}-{tag}")
        element.text = printable(text)
        root.insert(index, element)
    root.set("aria-labelledby", " ".join(f"{picture.name}-{tag}" for tag in texts))
