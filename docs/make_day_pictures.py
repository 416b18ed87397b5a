"""Takes the documents' pictures of a day's report, from a real run and by headless Chromium:
python docs/make_day_pictures.py [SCENARIO.yaml]

The scenario is by default the residential street, which needs the data that docs/days.md tells of.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from grid_sim.day.run import run_day
from grid_sim.day.scenario_file import read_scenario
from grid_sim.report.report import write_report

DOCS = Path(__file__).parent
PICTURES = DOCS / "pictures"
SCENARIO = DOCS.parent / "examples" / "day_street.yaml"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NARROWEST_WINDOW = 500
COLOURS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    name: str
    width: int
    height: int
    place: str = ""
    """The heading that stands at its top; the page's own top without one."""


SHOTS = (
    Shot(name="day_report", width=1280, height=1040),
    Shot(name="day_figures", width=1280, height=1700, place="day"),
    Shot(name="day_report_narrow", width=400, height=1040),
    Shot(name="day_figures_narrow", width=400, height=2400, place="day"),
)


def main(scenario: Path) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"no browser: install one of {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory() as folder:
        page = write_report(run_day(read_scenario(scenario)), Path(folder))
        for shot in SHOTS:
            _take(browser, page, shot)


def _take(browser: str, page: Path, shot: Shot) -> None:
    """By way of a frame, because no window is as narrow as a telephone."""
    frame, taken = page.with_name("frame.html"), page.with_name("shot.png")
    at = f"{page.name}#{shot.place}" if shot.place else page.name
    frame.write_text(
        f'<!DOCTYPE html><body style="margin:0"><iframe src="{at}" scrolling="no" '
        f'style="border:0;width:{shot.width}px;height:{shot.height}px"></iframe>'
    )
    size = f"{max(shot.width, NARROWEST_WINDOW)},{shot.height}"
    command = [
        browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--window-size={size}", f"--screenshot={taken}", frame.as_uri(),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    picture = Image.open(taken).convert("RGB").crop((0, 0, shot.width, shot.height))
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURES / f"{shot.name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SCENARIO)
