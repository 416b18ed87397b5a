"""The days as files for other programs: CSV with fixed decimals, and the outcome as JSON."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from grid_sim.arrays import Floats
from grid_sim.day.model import Day, Run
from grid_sim.day.outcome import Outcome, circuit_power_w
from grid_sim.report.reasons import REASONS
from grid_sim.report.sides import Side, sides

_JSON_DIGITS = 6


def write_series(day: Day, folder: Path) -> None:
    times = [day.scenario.time(at).isoformat() for at in day.scenario.at_s.tolist()]
    _write(folder / "series.csv", times, *_series(day))
    names = [station.name for station in day.scenario.stations]
    for side in sides(day):
        end = "" if side.key == "controlled" else f"_{side.key}"
        series = side.run.series
        _write(folder / f"stations_charging_w{end}.csv", times, names, _rows(series.charging_w, "%.1f"))
        _write(
            folder / f"stations_state_of_charge{end}.csv",
            times,
            names,
            _rows(series.state_of_charge_pct, "%.2f"),
        )
        words = np.array([REASONS.get(code, "") for code in range(256)], dtype=object)
        _write(folder / f"stations_reason{end}.csv", times, names, map(",".join, words[series.reason]))
    _write_table(folder / "cars.csv", _cars(day))
    _write_table(folder / "events.csv", _events(day))


def write_outcome(day: Day, outcomes: Mapping[str, Outcome], folder: Path) -> None:
    scenario = day.scenario
    told = {
        "scenario": scenario.name,
        "start": scenario.start.isoformat(),
        "scans": scenario.scans,
        "scan_period_s": scenario.scan_period_s,
        **{key: _plain(outcome) for key, outcome in outcomes.items()},
    }
    text = json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "outcome.json").write_text(text + "\n", encoding="utf-8")


def _plain(outcome: Outcome) -> dict[str, object]:
    values = asdict(outcome)
    values |= {"undelivered_kwh": outcome.undelivered_kwh, "delivered_share": outcome.delivered_share}
    return {key: _number(value) for key, value in values.items()}


def _number(value: object) -> object:
    if not isinstance(value, float):
        return value
    return round(value, _JSON_DIGITS) + 0.0 if np.isfinite(value) else None


def _series(day: Day) -> tuple[list[str], Iterator[str]]:
    around = day.scenario.surroundings
    named: list[tuple[str, str, Floats]] = [
        (f"price_{day.scenario.site.currency}_per_kwh", "%.5f", day.price),
        ("demand_w", "%.1f", around.demand_w.sum(axis=1)),
        ("solar_w", "%.1f", around.solar_w.sum(axis=1)),
    ]
    for side in sides(day):
        named += [(f"{side.key}_{name}", form, values) for name, form, values in _of_run(day, side.run)]
    forms = ",".join(form for _, form, _ in named)
    return [name for name, _, _ in named], _rows(np.column_stack([values for *_, values in named]), forms)


def _of_run(day: Day, run: Run) -> Iterator[tuple[str, str, Floats]]:
    series = run.series
    yield "charging_w", "%.1f", series.charging_w.sum(axis=1)
    for name, watts in circuit_power_w(day.scenario, series.charging_w).items():
        yield f"charging_w {name}", "%.1f", watts
    yield "supplied_w", "%.1f", series.supplied_w
    yield "lowest_pu", "%.5f", series.low_pu
    yield "highest_pu", "%.5f", series.high_pu
    yield "loading", "%.4f", series.loading


def _rows(values: Floats, form: str) -> Iterator[str]:
    """A row of text each; empty where there is no value."""
    forms = form if "," in form else ",".join([form] * values.shape[1])
    rounded = np.round(values, 6) + 0.0  # no negative zero
    return ((forms % tuple(row)).replace("nan", "") for row in rounded.tolist())


def _write(path: Path, times: Sequence[str], names: Sequence[str], rows: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(["time", *names])
        file.writelines(f"{time},{row}\n" for time, row in zip(times, rows, strict=True))


def _write_table(path: Path, rows: Iterable[Sequence[str]]) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    path.write_text(written.getvalue(), encoding="utf-8")


def _cars(day: Day) -> Iterator[list[str]]:
    shown = sides(day)[::-1]
    yield [
        "station", "arrives", "leaves", "capacity_kwh", "state_of_charge_pct_on_arrival", "needs_kwh",
        *(f"{side.key}_{name}" for side in shown for name in ("delivered_kwh", "state_of_charge_pct")),
    ]  # fmt: skip
    for index, visit in enumerate(day.scenario.visits):
        yield [
            visit.station,
            day.scenario.time(visit.arrives_s).isoformat(timespec="seconds"),
            day.scenario.time(visit.leaves_s).isoformat(timespec="seconds"),
            f"{visit.battery.capacity_wh / 1000:.2f}",
            f"{visit.state_of_charge_pct:.2f}",
            f"{visit.needs_wh / 1000:.3f}",
            *(text for side in shown for text in _came_to(side, index)),
        ]


def _came_to(side: Side, index: int) -> tuple[str, str]:
    charged = side.run.charged[index]
    return f"{charged.delivered_wh / 1000:.3f}", f"{charged.state_of_charge_pct:.2f}"


def _events(day: Day) -> Iterator[list[str]]:
    yield ["time", "source", "text"]
    for event in day.controlled.events:
        yield [day.scenario.time(event.at_s).isoformat(), event.source, event.text]
