"""The operator's screen as shapes, without a display: what is on it, what can be pressed, what is grey."""

from functools import cache

import pytest
from master_values import (
    CHARGING,
    KINDS,
    SIZES,
    full_trend,
    many,
    rough,
    sight,
    view_of,
)

from hmi.look import BLUE, INK, ORANGE, SKY, Look
from hmi.master_picture import MasterSight, master_picture
from hmi.master_view import MasterView
from hmi.operator_panel import TABS, OperatorPanel, Question, Step
from hmi.sketch import Area, Label, Picture, Press
from hmi.texts import load_texts

VIEW = view_of(CHARGING, KINDS["turn"], events=3)
SMALL = [size for size in SIZES if min(size) < 400]
LARGE = [size for size in SIZES if min(size) >= 400]
TEXTS = load_texts()


@cache
def crowd() -> MasterView:
    return view_of(*many(40))


def picture(seen: MasterSight, size: tuple[int, int] = (800, 480)) -> Picture:
    return master_picture(seen, size, rough, TEXTS)


def words(drawn: Picture) -> list[str]:
    return [shape.text for shape in drawn.shapes if isinstance(shape, Label)]


def pressed(drawn: Picture) -> list[Press]:
    return [press for _, press in drawn.touches]


def asked(subject: str, step: Step, **more: object) -> OperatorPanel:
    return OperatorPanel(question=Question(subject=subject, step=step, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", LARGE)
def test_a_large_screen_shows_everything_at_once(size: tuple[int, int]) -> None:
    drawn = picture(sight(VIEW, trend=full_trend()), size)
    told = words(drawn)
    assert {"Demo car park", "0.12", "3.30 kW", "107.3–108.1 V", "RTS1", "RTS2"} <= set(told)
    assert "Lowest voltage" in told
    assert any("charges with at most" in text for text in told)
    assert [p.what for p in pressed(drawn)] == ["alarms", "set", "set", "station", "station"]


@pytest.mark.parametrize("size", SMALL)
@pytest.mark.parametrize(
    ("tab", "shown"), [("stations", "RTS1"), ("trend", "Lowest voltage"), ("events", "12:34:59")]
)
def test_a_small_screen_shows_one_part_at_a_time(size: tuple[int, int], tab: str, shown: str) -> None:
    found = {}
    for shown_tab in TABS:
        drawn = picture(sight(VIEW, OperatorPanel(tab=shown_tab), trend=full_trend()), size)
        found[shown_tab] = shown in words(drawn)
        assert "0.12" in words(drawn)
        assert [p.text for p in pressed(drawn) if p.what == "tab"] == list(TABS)
    assert found == {name: name == tab for name in TABS}


@pytest.mark.parametrize("size", SIZES)
def test_the_list_has_a_bar_to_turn_it_by_where_it_does_not_fit(size: tuple[int, int]) -> None:
    view, panel = crowd(), OperatorPanel()
    drawn = picture(sight(view, panel), size)
    shown = [p.number for p in pressed(drawn) if p.what == "station"]
    assert [p.number for p in pressed(drawn) if p.what == "scroll"] == [-1, 1]
    assert len(shown) == panel.page
    assert shown == [row.number for row in view.by_attention()][: panel.page]
    assert f"1 to {panel.page} of 40" in words(drawn)
    panel.first_row = 39  # from when there were more
    drawn = picture(sight(view, panel), size)
    assert f"{41 - panel.page} to 40 of 40" in words(drawn)
    few = pressed(picture(sight(VIEW), size))
    assert [p.what for p in few if p.what == "scroll"] == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", range(1, 12))
def test_every_row_is_reached_by_turning_pages(size: tuple[int, int], page: int) -> None:
    view, panel, seen = view_of(*many(page)), OperatorPanel(), set()
    for _ in range(page):
        drawn = picture(sight(view, panel), size)
        seen |= {p.number for p in pressed(drawn) if p.what == "station"}
        panel.press(Press("scroll", 1), view)
    assert seen == set(range(1, page + 1))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("headline", ["The master does not answer", "The master no longer scans"])
def test_what_is_of_the_past_is_grey(size: tuple[int, int], headline: str) -> None:
    bad = view_of(*many(4), price=0.3, lowest_voltage=100.0)
    drawn = picture(sight(bad, headline=headline, detail="Values are 2 s old"), size)
    assert drawn.title == f"Demo car park: {headline}: Values are 2 s old"
    assert any(text.startswith(headline) for text in words(drawn))
    header = next(shape for shape in drawn.shapes[1:] if isinstance(shape, Area))
    assert header.fill == Look.SILENT.value.fill
    lit = {SKY, ORANGE, *(look.value.fill for look in Look if look is not Look.SILENT)}
    lit -= {Look.FREE.value.fill, BLUE}  # a track's; and that of the tabs, which work on
    assert not lit & {getattr(shape, "fill", "") for shape in drawn.shapes}


def test_while_all_is_well_the_title_is_the_site_and_no_more() -> None:
    assert picture(sight(VIEW)).title == "Demo car park"
    assert not picture(sight(VIEW)).stays_lit


def test_before_anything_was_read_there_is_a_headline_and_nothing_to_press() -> None:
    drawn = picture(sight(None, headline="Connecting to the master"))
    assert drawn.title == "Connecting to the master"
    assert drawn.touches == ()


QUESTIONS = [
    (asked("price_limit", Step.ENTER), ["cancel", "next", *["digit"] * 13]),
    (asked("power_limit", Step.ENTER), ["cancel", "next", *["digit"] * 12]),
    (asked("power_limit", Step.CONFIRM, typed="4"), ["agree", "cancel"]),
    (asked("hold", Step.CONFIRM, station=1, name="RTS1"), ["agree", "cancel"]),
    (asked("hold", Step.SENDING, station=1, name="RTS1"), []),
    (asked("hold", Step.REFUSED, station=1, name="RTS1", why="because"), ["cancel"]),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("panel", "wanted"), QUESTIONS)
def test_below_a_question_nothing_can_be_pressed(
    size: tuple[int, int], panel: OperatorPanel, wanted: list[str]
) -> None:
    drawn = picture(sight(crowd(), panel), size)
    found = set()
    for x in range(0, size[0], 4):
        for y in range(0, size[1], 4):
            touch = drawn.touch_at(x, y)
            assert touch
            found.add(touch[1])
    assert sorted(press.what for press in found - {Press("nothing")}) == sorted(wanted)
    assert drawn.stays_lit


def test_a_change_shows_the_old_value_and_the_new() -> None:
    lowered = view_of(CHARGING, power_limit=6000, power_limit_in_force=5000)
    told = words(picture(sight(lowered, asked("power_limit", Step.CONFIRM, typed="4"))))
    assert told.index("6.00 kW") < told.index("4.00 kW")
    assert "In force: 5.00 kW, because of another limit" in " ".join(told)
    told = words(picture(sight(VIEW, asked("price_limit", Step.CONFIRM, typed="0.2501"))))
    assert told.index("0.20") < told.index("0.2501")
    assert "Price limit, USD/kWh" in told
    told = words(picture(sight(VIEW, asked("hold", Step.CONFIRM, station=1, name="RTS1"))))
    assert told[-4:] == ["old", "not held", "new", "held by the operator"]
    assert "Hold RTS1?" in told


def test_a_number_beyond_the_limits_is_told_and_next_is_not_lit() -> None:
    def next_word(typed: str) -> Label:
        drawn = picture(sight(VIEW, asked("price_limit", Step.ENTER, typed=typed)))
        return next(s for s in drawn.shapes if isinstance(s, Label) and s.text == "Next")

    told = words(picture(sight(VIEW, asked("price_limit", Step.ENTER, typed="25"))))
    assert "Between -20 and 20" in " ".join(told)
    assert next_word("0.25").colour == INK
    assert next_word("25").colour != INK
    assert next_word("").colour != INK


def test_without_events_it_says_that_nothing_has_happened() -> None:
    assert "Nothing has happened yet" in words(picture(sight(view_of(CHARGING))))


def test_the_newest_event_is_on_top() -> None:
    told = words(picture(sight(view_of(CHARGING, events=20)), (1280, 800)))
    times = [text for text in told if text.count(":") == 2]
    assert times[0] == "12:35:16"
    assert times == sorted(times, reverse=True)


def test_a_silent_station_says_so_and_has_no_power() -> None:
    told = words(picture(sight(view_of(KINDS["silent"]))))
    assert "for 42 s" in told
    assert "–" in told
