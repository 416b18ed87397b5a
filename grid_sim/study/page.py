"""A study's page: the table, the figures and all runs; it stands by itself."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from grid_sim.day.outcome import Outcome
from grid_sim.report.drawing import svg_of
from grid_sim.report.template import render
from grid_sim.study.figures import COLOURS, pictures
from grid_sim.study.hosting import Setting, against
from grid_sim.study.model import SEED, VERSION, Found, Study
from grid_sim.study.results import heads, hosting_row

TEMPLATE = Path(__file__).parent / "page.html"


def write_page(study: Study, settings: Sequence[Setting], found: Sequence[Found], path: Path) -> None:
    text = render(
        TEMPLATE,
        {picture.name: svg_of(picture) for picture in pictures(settings)},
        study=study,
        served=f"{100 * study.served:g} %",
        heads=heads(settings),
        hosting=[hosting_row(setting) for setting in settings],
        seeds=len({repr(study.setting(index).get(SEED)) for index in range(len(found))}),
        lines=len(COLOURS),
        runs=[_run(study, index, one) for index, one in enumerate(found)],
        version=VERSION,
    )
    path.write_text(text, encoding="utf-8")


def _run(study: Study, index: int, one: Found) -> list[str]:
    setting = [str(value) for value in study.settings[index]]
    uncontrolled = _cells(one.uncontrolled, one, study) if one.compared else ["not tried", "", "", ""]
    return [*setting, str(one.cars), *uncontrolled, *_cells(one.controlled, one, study)]


def _cells(outcome: Outcome | None, one: Found, study: Study) -> Iterator[str]:
    yield ", ".join(against(outcome, one, study.served)) or "hosted"
    if outcome is None:
        yield from ("", "", "")
        return
    yield f"{100 * outcome.delivered_share:.1f} %"
    yield f"{outcome.lowest_pu:.3f} pu"
    yield f"{outcome.peak_charging_kw:.1f} kW"
