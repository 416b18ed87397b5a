"""What a report is made of: columns for many scans, local time, sentences and tables."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from report_days import made_up_day
from small_days import scenario

from grid_sim.arrays import Floats
from grid_sim.day.model import Event, Scenario
from grid_sim.day.outcome import Outcome
from grid_sim.report.columns import MOST_COLUMNS, columns
from grid_sim.report.local_time import span_text, time_axis
from grid_sim.report.numbers import every, in_words, number
from grid_sim.report.outcome_table import outcome_groups
from grid_sim.report.reasons import KINDS, REASONS
from grid_sim.report.told import summed_up
from grid_sim.report.verdict import verdict

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
CALM = Outcome(
    cars=10, cars_served=10, requested_kwh=100.0, delivered_kwh=100.0, cost=12.0, peak_charging_kw=9.9,
    peak_supplied_kw=20.0, scans_over_power_limit=0, minutes_over_power_limit=0.0, minutes_under_band=0.0,
    minutes_over_band=0.0, longest_out_of_band_s=0.0, minutes_out_beyond_answer=0.0, answer_s=40.0,
    lowest_pu=0.961, highest_pu=1.02, peak_loading=0.8, minutes_overloaded=0.0, switchings=20,
    most_switchings=2, metered_share=1.0,
)  # fmt: skip
BAD = replace(
    CALM, minutes_under_band=412.0, longest_out_of_band_s=7200.0, minutes_out_beyond_answer=400.0,
    lowest_pu=0.902, peak_charging_kw=30.0, scans_over_power_limit=600, minutes_over_power_limit=100.0,
    peak_loading=1.15, minutes_overloaded=96.5,
)  # fmt: skip

values = st.integers(1, 3000).flatmap(
    lambda scans: arrays(np.float64, scans, elements=st.one_of(st.floats(-1e6, 1e6), st.just(np.nan)))
)


@given(values, st.sampled_from([1, 7, 10, 30, 60, 900]))
def test_columns_are_few_and_lose_no_extreme(scans: Floats, scan_period_s: float) -> None:
    found = columns(len(scans), scan_period_s)
    assert len(found.at_s) <= MOST_COLUMNS
    assert found.width_s * len(found.at_s) >= len(scans) * scan_period_s
    least, mean, most = found.least(scans), found.mean(scans), found.most(scans)
    assert len(least) == len(mean) == len(most) == len(found.at_s)
    if not np.isnan(scans).all():
        assert np.nanmin(least) == np.nanmin(scans)
        assert np.nanmax(most) == np.nanmax(scans)
    known = ~np.isnan(mean)
    assert (known == ~np.isnan(least)).all()
    assert (mean[known] >= least[known] - 1e-6).all()
    assert (mean[known] <= most[known] + 1e-6).all()


@pytest.mark.parametrize(
    ("scans", "scan_period_s", "each"),
    [
        (96, 900, 1),
        (480, 1, 1),
        (8640, 10, 18),
        (2880, 30, 6),
        (43200, 1, 120),
        (44640, 60, 120),
        (10_000_000, 1, 21600),
    ],
)
def test_a_column_is_of_a_round_time(scans: int, scan_period_s: float, each: int) -> None:
    assert columns(scans, scan_period_s).each == each


def test_the_code_that_held_longest_stands_for_a_column() -> None:
    codes = np.array([[3], [3], [0], [9], [0], [9], [5]], dtype=np.uint8)
    found = replace(columns(7, 10), each=3)
    assert found.longest(codes).tolist() == [[3], [9], [5]]


def _span(start: datetime, hours: float) -> Scenario:
    return replace(scenario([], hours=hours, scan_period_s=900), start=start)


@pytest.mark.parametrize(
    ("start", "hours", "labels"),
    [
        (
            datetime(2023, 3, 1, 12, tzinfo=AMSTERDAM), 24,
            ["12:00\n1 Mar", "15:00", "18:00", "21:00", "00:00\n2 Mar", "03:00", "06:00", "09:00", "12:00"],
        ),
        # The night in which two o'clock is three.
        (
            datetime(2023, 3, 26, tzinfo=AMSTERDAM), 5,
            ["00:00\n26 Mar", "01:00", "03:00", "04:00", "05:00", "06:00"],
        ),
        (datetime(2023, 3, 1, 12, 7, tzinfo=AMSTERDAM), 1, ["12:15\n1 Mar", "12:30", "12:45", "13:00"]),
        (datetime(2023, 3, 1, 12, tzinfo=AMSTERDAM), 24 * 7, [f"{day} Mar" for day in range(2, 9)]),
    ],
    ids=["day", "clocks forward", "hour", "week"],
)  # fmt: skip
def test_time_is_told_as_clocks_there_show_it(start: datetime, hours: float, labels: list[str]) -> None:
    axis = time_axis(_span(start, hours))
    assert axis.ticks is not None
    assert [tick.label for tick in axis.ticks] == labels
    assert all(0 <= tick.at <= hours * 3600 for tick in axis.ticks)


def test_a_day_of_23_hours_ends_at_midnight() -> None:
    assert span_text(_span(datetime(2023, 3, 26, tzinfo=AMSTERDAM), 23)) == (
        "Sunday, 26 March 2023, 00:00 to Monday, 27 March 2023, 00:00"
    )


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234.56, 1, "1\u202f234.6"),
        (-0.04, 1, "0.0"),
        (-3.0, 0, "−3"),
        (float("nan"), 2, "–"),
        (0.5, 3, "0.500"),
    ],
)
def test_numbers(value: float, digits: int, text: str) -> None:
    assert number(value, digits) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1 second"),
        (10, "10 seconds"),
        (90, "1.5 minutes"),
        (180, "3 minutes"),
        (3600, "1 hour"),
        (0.5, "0.5 seconds"),
    ],
)
def test_times_in_words(seconds: float, text: str) -> None:
    assert in_words(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(1, "every second"), (10, "every 10 seconds")])
def test_times_that_come_again(seconds: float, text: str) -> None:
    assert every(seconds) == text


def test_every_reason_of_the_registers_has_a_colour_of_its_own() -> None:
    assert {kind.code for kind in KINDS} >= set(REASONS)
    assert len({kind.colour for kind in KINDS}) == len(KINDS)


def test_a_calm_day_and_a_bad_one_in_sentences() -> None:
    without, ruled, energy = verdict(made_up_day(), replace(CALM, delivered_kwh=93.0, cars_served=8), BAD)
    assert without == (
        "Without control the voltage was below 0.95 for 412 minutes (down to 0.902), charging "
        "exceeded y = 10 kW or a circuit’s limit for 100 minutes (up to 30.0 kW), and a line was overloaded "
        "for 96 minutes (up to 115 %)."
    )
    assert ruled == (
        "With the rule the voltage stayed within [0.95, 1.05] (0.961 to 1.020), charging never exceeded "
        "y = 10 kW nor any circuit’s limit (at most 9.9 kW), and no line was overloaded (at most 80 %)."
    )
    assert energy == (
        "The cars got 93.0 of the 100.0 kWh that they asked for, 93.0 % (without control 100.0 %); "
        "8 of 10 cars got at least 99 % of theirs."
    )


@pytest.mark.parametrize(
    ("beyond_min", "text"),
    [(0.0, "(down to 0.949), none of that beyond the rule’s answer time of 40 seconds, charging never"),
     (1.5, "(down to 0.949), 1.5 minutes of that beyond the rule’s answer time of 40 seconds, charging")],
)  # fmt: skip
def test_the_rule_is_judged_by_its_answer_time(beyond_min: float, text: str) -> None:
    brief = replace(CALM, minutes_under_band=2.0, lowest_pu=0.949, minutes_out_beyond_answer=beyond_min)
    sentence, _ = verdict(made_up_day(), brief, None)
    assert text in sentence


def test_what_is_below_and_above_the_band_at_once_is_not_added_up() -> None:
    both = replace(BAD, minutes_over_band=34.5, highest_pu=1.052)
    _, sentence, _ = verdict(made_up_day(), both, CALM)
    assert (
        "below 0.95 for 412 minutes (down to 0.902) and above 1.05 for 34 minutes (up to 1.052), " in sentence
    )


def _marked(outcome: Outcome) -> set[str]:
    groups = outcome_groups(made_up_day(), [outcome])
    return {row.name for group in groups for row in group.rows if row.cells[0].bad}


def test_only_what_is_beyond_a_limit_is_marked() -> None:
    assert _marked(CALM) == set()
    assert _marked(BAD) == {
        "highest charging power (y = 10 kW)", "over the limit of any circuit",
        "scans over the limit of any circuit", "below 0.95", "longest stretch out of the band",
        "out beyond the answer time of 40 seconds", "lowest", "most loaded line", "a line overloaded",
    }  # fmt: skip
    assert _marked(replace(CALM, metered_share=1.002)) == {"metered by stations, of what cars got"}
    assert _marked(replace(CALM, minutes_over_band=1.0, highest_pu=1.07)) == {"above 1.05", "highest"}


def test_what_nobody_knows_is_not_marked() -> None:
    unknown = replace(CALM, peak_loading=None)
    groups = outcome_groups(made_up_day(), [unknown])
    texts = {row.name: row.cells[0].text for group in groups for row in group.rows}
    assert texts["most loaded line"] == "not known"


def test_the_cost_of_a_kwh_tells_cheap_hours_from_less_energy() -> None:
    def text(outcome: Outcome) -> str:
        groups = outcome_groups(made_up_day(), [outcome])
        return next(
            row.cells[0].text for g in groups for row in g.rows if row.name.startswith("cost of each")
        )

    assert text(replace(CALM, cost=3.0, delivered_kwh=20.0)) == "0.150"
    assert text(replace(CALM, cost=0.0, delivered_kwh=0.0)) == "not known"


def test_events_that_differ_in_numbers_are_one_kind_and_alarms_come_first() -> None:
    told = summed_up(
        [
            Event(at_s=0, source="S1", text="charging at 3300 W, 20.0 % charged"),
            Event(at_s=60, source="S2", text="charging at 1500 W, -1 % charged"),
            Event(at_s=90, source="S1", text="vehicle unplugged"),
            Event(at_s=95, source="site", text="alarm (high): 7.1 kW are over 5 kW at S10"),
        ]
    )
    assert [(one.count, one.text) for one in told] == [
        (1, "alarm (high): 7.1 kW are over 5 kW at S10"),
        (2, "charging at … W, … % charged"),
        (1, "vehicle unplugged"),
    ]
    assert told[1].sources == ("S1", "S2")
    assert (told[1].first_s, told[1].last_s) == (0, 60)
