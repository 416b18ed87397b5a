"""The last minutes: kept within bounds, drawn within their box, with gaps where nothing was known."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from master_values import CHARGING, NOON, full_trend, rough, view_of

from hmi.charts import charts
from hmi.look import DIM, ORANGE, SKY, TRACK
from hmi.sketch import Align, Box, Label, Line, Shape, Sketch
from hmi.texts import load_texts
from hmi.trend import SAMPLE_S, SAMPLES, Sample, Trend
from register_maps.points import Value

BOX = Box(10, 20, 300, 200)
VIEW = view_of(CHARGING)


def test_the_trend_takes_a_sample_a_second_and_forgets_the_oldest() -> None:
    trend = Trend()
    for tick in range(4 * (SAMPLES + 50)):
        trend.add(VIEW, tick * SAMPLE_S / 4, NOON + timedelta(seconds=tick / 4))
    assert len(trend.samples) == SAMPLES
    assert trend.samples[-1].time - trend.samples[0].time == timedelta(seconds=SAMPLES - 1)
    assert (trend.samples[0].power_w, trend.samples[0].lowest_voltage_v) == (3300, 107.3)


def test_a_master_that_is_not_heard_leaves_a_gap() -> None:
    trend = Trend()
    for second, view in enumerate([VIEW, None, None, VIEW]):
        trend.add(view, second, NOON)
    assert [sample.power_w for sample in trend.samples] == [3300, None, None, 3300]
    trend.add(view_of(CHARGING, power=None, lowest_voltage=None), 9, NOON)
    assert (trend.samples[-1].power_w, trend.samples[-1].lowest_voltage_v) == (None, None)


def test_a_clock_set_back_stops_nothing() -> None:
    trend = Trend()
    for second in range(4):
        trend.add(VIEW, second, NOON - timedelta(hours=second))
    assert len(trend.samples) == 4


def sample(power_w: float | None, voltage_v: float | None = 107.3) -> Sample:
    return Sample(time=NOON, power_w=power_w, lowest_voltage_v=voltage_v)


def drawn(trend: Sequence[Sample], **site: Value) -> list[Shape]:
    sketch = Sketch(rough)
    charts(sketch, BOX, trend, view_of(CHARGING, **site), load_texts())
    return sketch.shapes


def curves(trend: Sequence[Sample], **site: Value) -> list[Line]:
    """The pieces of both."""
    return [shape for shape in drawn(trend, **site) if isinstance(shape, Line) and shape.colour == SKY]


def test_a_curve_is_broken_where_nothing_was_known() -> None:
    whole = curves([sample(1000), sample(2000), sample(3000)])
    assert len(whole) == 2
    pieces = curves([sample(1000), sample(None), sample(3000), sample(2000)])
    assert [len(line.points) for line in pieces] == [2, 3, 5]  # a lone value is seen, too
    assert pieces[0].points[-1][0] < pieces[1].points[0][0]
    assert curves([sample(None, None)] * 9) == []
    assert curves([]) == []


def test_what_was_in_doubt_is_no_part_of_the_curve_but_grey() -> None:
    trend = Trend()
    for second, quality in enumerate(["good", "good", "bad", "uncertain", "good"]):
        trend.add(view_of(CHARGING, power_quality=quality), second, NOON)
    power, power_again, voltage = curves(trend.samples)
    assert [len(line.points) for line in (power, power_again, voltage)] == [3, 2, 6]
    (doubtful,) = [s for s in drawn(trend.samples) if isinstance(s, Line) and s.colour == DIM]
    assert len(doubtful.points) == 3
    assert power.points[-1][0] < doubtful.points[0][0] < power_again.points[0][0]


def test_more_is_higher() -> None:
    power, voltage = curves([sample(1000, 110.0), sample(2000, 105.0)])
    assert power.points[0][1] > power.points[1][1]
    assert voltage.points[0][1] < voltage.points[1][1]
    assert power.points[0][0] < power.points[1][0]


def test_a_full_chart_reaches_from_edge_to_edge() -> None:
    power, _ = curves(full_trend())
    left, right = power.points[0][0], power.points[-1][0]
    assert (left, right) == pytest.approx((BOX.x + 7, BOX.right - 7), abs=0.2)


def test_the_limits_are_dashed_lines_below_what_breaks_them() -> None:
    shapes = drawn([sample(6000, 100.0)] * 2)
    limits = [shape for shape in shapes if isinstance(shape, Line) and shape.dashed]
    assert [line.colour for line in limits] == [ORANGE] * 3  # y, and the band's two ends
    power, voltage = curves([sample(6000, 100.0)] * 2)
    assert power.points[0][1] < limits[0].points[0][1]
    low, high = sorted((limits[1].points[0][1], limits[2].points[0][1]), reverse=True)
    assert voltage.points[0][1] > low > high


@pytest.mark.parametrize("count", [1, SAMPLES // 2, SAMPLES // 2 + 1, SAMPLES])
def test_its_times_stand_apart(count: int) -> None:
    shapes = drawn(full_trend()[:count])
    times = [shape for shape in shapes if isinstance(shape, Label) and shape.text.count(":") == 2]
    assert len(times) == (2 if count > SAMPLES // 2 else 1)
    if len(times) == 2:
        begin, end = times
        assert end.align is Align.RIGHT
        assert begin.x + rough(begin.text, begin.size, False) < end.x - rough(end.text, end.size, False)


POWERS = st.one_of(st.none(), st.integers(-(2**31) + 1, 2**31 - 1))
VOLTAGES = st.integers(0, 65534).map(lambda raw: raw / 10)
BANDS = st.lists(VOLTAGES, min_size=2, max_size=2).map(sorted)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.builds(sample, POWERS, st.one_of(st.none(), VOLTAGES)), max_size=20),
    st.integers(0, 2**32 - 1),
    BANDS,
)
def test_every_line_stays_in_its_place(trend: list[Sample], limit_w: int, band: list[float]) -> None:
    low, high = band
    shapes = drawn(trend, power_limit_in_force=limit_w, voltage_low_limit=low, voltage_high_limit=high)
    assert_in_place([shape for shape in shapes if isinstance(shape, Line)])


def assert_in_place(lines: list[Line]) -> None:
    """Each chart's lines follow the one along its bottom; the second's are all below the first's."""
    top = bottom = BOX.y
    for line in lines:
        if line.colour == TRACK:
            top, bottom = bottom, line.points[0][1]
        for x, y in line.points:
            assert BOX.x <= x <= BOX.right
            assert top <= y <= bottom, (line.colour, top, y, bottom)


def test_power_that_flows_back_stays_in_its_place() -> None:
    """Who feeds back has a power below 0."""
    shapes = drawn([sample(-3300), sample(3300)])
    assert_in_place([shape for shape in shapes if isinstance(shape, Line)])


@pytest.mark.parametrize("low", [0.2, 0.3, 120.0])
def test_a_band_that_ends_below_its_beginning_ends_no_screen(low: float) -> None:
    drawn([], voltage_low_limit=low, voltage_high_limit=0.0)
