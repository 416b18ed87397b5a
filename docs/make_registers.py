"""Writes the register tables from the maps: python docs/make_registers.py"""

from pathlib import Path

from register_maps.register_map import load_map, map_names
from register_maps.show import as_markdown

FOLDER = Path(__file__).parent / "registers"


def pages() -> dict[Path, str]:
    return {FOLDER / f"{name}.md": as_markdown(load_map(name)) for name in map_names()}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text)
