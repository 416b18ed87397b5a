"""The report's page, from its template."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from grid_sim.day.model import Day
from grid_sim.day.outcome import ANSWER_SCANS, Outcome
from grid_sim.report.local_time import date_text, span_text
from grid_sim.report.numbers import every, how_many, in_words, number
from grid_sim.report.outcome_table import outcome_groups
from grid_sim.report.sides import Block, sides
from grid_sim.report.template import render
from grid_sim.report.told import MOST_ROWS, Told, summed_up
from grid_sim.report.verdict import verdict

TEMPLATE = Path(__file__).parent / "page.html"
_MOST_SOURCES = 2


def page_of(
    day: Day, outcomes: Mapping[str, Outcome], blocks: Sequence[Block], drawn: Mapping[str, str]
) -> str:
    """`outcomes` by side, `drawn` SVG by the pictures' names."""
    shown = sides(day)
    told = summed_up(day.controlled.events)
    scenario = day.scenario
    return render(
        TEMPLATE,
        drawn,
        scenario=scenario,
        when=span_text(scenario),
        facts=dict(_facts(day)),
        rule=list(_rule(day)),
        circuits=list(_circuits(day)) if len(scenario.site.feeder.circuits) > 1 else [],
        verdict=verdict(day, outcomes["controlled"], outcomes.get("uncontrolled")),
        groups=outcome_groups(day, [outcomes[side.key] for side in shown]),
        sides=[side.title for side in shown],
        blocks=blocks,
        told=[_told_row(day, row) for row in told[:MOST_ROWS]],
        told_left_out=len(told[MOST_ROWS:]),
        events=how_many(len(day.controlled.events), "event"),
        answer_scans=ANSWER_SCANS,
        answer=in_words(outcomes["controlled"].answer_s),
        compared=day.uncontrolled is not None,
    )


def _facts(day: Day) -> Iterator[tuple[str, str]]:
    scenario = day.scenario
    network = scenario.network
    yield "Buses", number(len(network.nominal_voltage_v), 0)
    yield "Lines", number(len(network.lines), 0)
    if network.transformers:
        yield "Transformers", number(len(network.transformers), 0)
    if scenario.surroundings.taps:
        yield "Homes and roofs", number(len(scenario.surroundings.taps), 0)
    yield "Stations", number(len(scenario.stations), 0)
    yield "Visits of cars", number(len(scenario.visits), 0)
    yield "Source", f"{network.source.voltage_pu:g} pu"
    yield "Scans", f"{number(scenario.scans, 0)}, {every(scenario.scan_period_s)}"


def _rule(day: Day) -> Iterator[str]:
    site = day.scenario.site
    rules, main = site.rules, site.feeder.main
    low, high = main.voltage_band
    yield (
        f"Cars may charge while the price is at most x = {rules.price_limit:g} {site.currency} per kWh, "
        f"all charging is at most y = {main.power_limit_w / 1000:g} kW, and the voltage is within "
        f"[{low:g}, {high:g}] of {main.nominal_voltage_v:g} V. Else the master limits them."
    )
    over = "limits them, too" if rules.overvoltage == "limit" else "does not, because charging lowers it"
    yield (
        f"It scans {every(site.scan_period_s)}; equal priorities take turns of "
        f"{in_words(rules.rotation_s)}; a contactor that has opened rests for "
        f"{in_words(rules.minimum_off_s)} at least. Voltage above the band {over}."
    )


def _circuits(day: Day) -> Iterator[tuple[str, str, str, str, str]]:
    site = day.scenario.site
    for circuit in site.feeder.circuits.values():
        below = [entry for entry in site.stations if circuit.name in site.feeder.path(entry.circuit)]
        low, high = circuit.voltage_band
        yield (
            circuit.name,
            circuit.parent or "–",
            f"{circuit.power_limit_w / 1000:g}",
            f"{low:g}–{high:g} of {circuit.nominal_voltage_v:g} V",
            str(len(below)),
        )


def _told_row(day: Day, told: Told) -> tuple[str, str, str, str]:
    sources = ", ".join(told.sources[:_MOST_SOURCES])
    if len(told.sources) > _MOST_SOURCES:
        sources += f" and {len(told.sources) - _MOST_SOURCES} more"
    return number(told.count, 0), told.text, sources, _when(day, told)


def _when(day: Day, told: Told) -> str:
    first, last = (day.scenario.time(at_s) for at_s in (told.first_s, told.last_s))
    begin = f"{date_text(first)} {first:%H:%M}"
    if f"{first:%F %H:%M}" == f"{last:%F %H:%M}":
        return begin
    return (
        f"{begin} to {last:%H:%M}"
        if first.date() == last.date()
        else f"{begin} to {date_text(last)} {last:%H:%M}"
    )
