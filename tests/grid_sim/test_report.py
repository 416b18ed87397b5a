"""A report as its reader gets it: what is in the folder, and that nobody has to be asked for more."""

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from report_days import made_up_day
from small_days import scenario, visit

from grid_sim.day.model import Day, Surroundings
from grid_sim.day.run import run_day
from grid_sim.report.report import write_report

HOSTILE = ('<b>"Tom" & Jerry</b>', "$x^2$", "_under", "名前", "a,b;c", "bell\x07", "n" * 200)
WRITE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from report_days import made_up_day
from grid_sim.report.report import write_report
write_report(made_up_day(), Path(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(made_up_day(), tmp_path_factory.mktemp("report") / "made" / "here").parent


class Page(HTMLParser):
    """Collects the tags with their attributes, and the text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_the_page_needs_nothing_but_itself(folder: Path) -> None:
    page = Page(folder / "report.html")
    assert not {"script", "link", "iframe", "img", "object"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        for name in ("href", "src", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
    style = re.search(r"<style>.*?</style>", (folder / "report.html").read_text(), re.DOTALL)
    assert style is not None
    assert "url(" not in style[0]
    assert "@import" not in style[0]


def test_no_two_things_on_the_page_have_one_name_and_every_name_that_is_meant_is_there(folder: Path) -> None:
    names = [attributes["id"] for _, attributes in Page(folder / "report.html").tags if "id" in attributes]
    assert len(names) == len(set(names))
    meant = re.findall(r'(?:url\(|href=")#([\w-]+)', (folder / "report.html").read_text())
    assert set(meant) <= set(names)


def test_each_figure_says_what_it_shows_to_who_cannot_see_it(folder: Path) -> None:
    figures = sorted((folder / "figures").glob("*.svg"))
    kinds = ("power", "circuits", "voltage", "loading", "reasons", "state_of_charge", "energy")
    expected = {"price", "plugged_in", *(f"{k}_{s}" for k in kinds for s in ("controlled", "uncontrolled"))}
    assert {figure.stem for figure in figures} == expected
    page = (folder / "report.html").read_text(encoding="utf-8")
    for figure in figures:
        text = figure.read_text(encoding="utf-8")
        svg = ElementTree.fromstring(text)
        title, about = svg[0], svg[1]
        assert svg.attrib["aria-labelledby"] == f"{title.attrib['id']} {about.attrib['id']}"
        assert (title.tag, about.tag) == (
            "{http://www.w3.org/2000/svg}title",
            "{http://www.w3.org/2000/svg}desc",
        )
        assert title.text
        assert about.text
        assert text.strip() in page


@pytest.mark.parametrize(
    "kind", ["power", "circuits", "voltage", "loading", "reasons", "state_of_charge", "energy"]
)
def test_the_two_runs_are_drawn_on_the_same_axes(folder: Path, kind: str) -> None:
    """All that is written in two figures is the same, but for which run it is of; and so are their sizes."""
    first, second = (
        ElementTree.fromstring((folder / "figures" / f"{kind}_{side}.svg").read_text(encoding="utf-8"))
        for side in ("uncontrolled", "controlled")
    )
    assert first.attrib["viewBox"] == second.attrib["viewBox"]
    texts = [
        sorted("".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text"))
        for svg in (first, second)
    ]
    titles = {"Without control", "With the rule"}
    assert [t for t in texts[0] if t not in titles] == [t for t in texts[1] if t not in titles]


def test_series_have_a_row_for_each_scan_in_local_time(folder: Path) -> None:
    header, *found = rows(folder / "series.csv")
    assert len(found) == 96
    assert found[0][0] == "2023-03-01T12:00:00+01:00"
    assert {len(row) for row in found} == {len(header)}
    column = {name: n for n, name in enumerate(header)}
    dark = found[20 * 4]
    assert dark[column["price_USD_per_kwh"]] == ""
    parts = sum(float(found[30][column[f"uncontrolled_charging_w cable {phase}"]]) for phase in "abc")
    assert parts == pytest.approx(float(found[30][column["uncontrolled_charging_w"]]))


def test_stations_and_cars_have_tables_of_their_own(folder: Path) -> None:
    for end in ("", "_uncontrolled"):
        for name in ("charging_w", "state_of_charge", "reason"):
            header, *found = rows(folder / f"stations_{name}{end}.csv")
            assert header == ["time", "S1", "S2", "S3", "S4", "S5", "S6"]
            assert len(found) == 96
    reasons = {word for row in rows(folder / "stations_reason.csv")[1:] for word in row[1:]}
    assert reasons == {"none", "no_vehicle", "price", "waiting_turn", "full"}
    header, *cars = rows(folder / "cars.csv")
    assert len(cars) == 6
    assert float(cars[0][header.index("controlled_delivered_kwh")]) <= float(
        cars[0][header.index("needs_kwh")]
    )


def test_the_outcome_is_json_of_both_runs(folder: Path) -> None:
    told = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
    assert told["start"] == "2023-03-01T12:00:00+01:00"
    assert told["uncontrolled"]["peak_charging_kw"] > 10 >= told["controlled"]["peak_charging_kw"]
    assert told["controlled"]["undelivered_kwh"] >= 0


def test_names_from_files_are_shown_as_they_are(tmp_path: Path) -> None:
    day = made_up_day(stations=7, name=HOSTILE[0], names=HOSTILE)
    page = Page(write_report(day, tmp_path))
    assert "b" not in {tag for tag, _ in page.tags}
    assert HOSTILE[0] in page.text
    for name in HOSTILE[1:5]:
        assert name in page.text
    assert rows(tmp_path / "stations_charging_w.csv")[0][1:] == list(HOSTILE)


def _bare() -> Day:
    """Nobody knows what lines carry, what power costs, who else is there, or how it is without the rule."""
    day = made_up_day(compare=False)
    unknown, none = np.full(day.scenario.scans, np.nan), np.zeros((day.scenario.scans, 0))
    around = Surroundings(taps=(), demand_w=none, demand_var=none, solar_w=none)
    run = replace(day.controlled, series=replace(day.controlled.series, loading=unknown))
    return replace(day, price=unknown, controlled=run, scenario=replace(day.scenario, surroundings=around))


def _without_cars() -> Day:
    day = made_up_day(compare=False)
    run = replace(day.controlled, charged=())
    return replace(day, scenario=replace(day.scenario, visits=()), controlled=run)


@pytest.mark.parametrize(
    ("make", "missing"),
    [
        (_bare, {"loading_controlled", "power_uncontrolled"}),
        (_without_cars, {"energy_controlled", "reasons_controlled", "state_of_charge_controlled"}),
        (lambda: made_up_day(stations=1, scans=1), set()),
    ],
    ids=["bare", "no cars", "one scan"],
)
def test_what_is_not_known_is_left_out(make: Callable[[], Day], missing: set[str], tmp_path: Path) -> None:
    page = Page(write_report(make(), tmp_path))
    assert not missing & {figure.stem for figure in (tmp_path / "figures").iterdir()}
    assert not re.search(r"\b(nan|inf|None)\b", page.text)


def test_a_month_of_many_stations_is_still_a_page(tmp_path: Path) -> None:
    page = write_report(made_up_day(stations=30, scans=31 * 96, limit_w=40_000), tmp_path)
    assert page.stat().st_size < 2_000_000


def test_a_day_that_was_run_is_reported(tmp_path: Path) -> None:
    given = scenario([visit("S1", 300, 3000, 2), visit("S2", 400, 3000, 2)], hours=1, scan_period_s=30)
    page = Page(write_report(run_day(given), tmp_path))
    assert "charging never exceeded y\u00a0=\u00a05\u00a0kW" in page.text


def test_the_same_day_gives_the_same_bytes_in_any_process(folder: Path, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-c", WRITE, str(tmp_path), str(Path(__file__).parent)]
    subprocess.run(command, check=True, env=env, timeout=120)
    assert _bytes(tmp_path) == _bytes(folder)


def _bytes(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
