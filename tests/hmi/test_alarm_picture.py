"""The alarms on the operator's screen as shapes: in words, colour and sign; and what can be pressed."""

from collections import Counter

import pytest
from master_values import CHARGING, KINDS, OVER, SEVERAL, SIZES, WELDED, alarmed, rough, sight, view_of

from hmi.alarm_panel import AlarmPanel
from hmi.alarm_picture import STYLES
from hmi.look import PANEL, SKY, Look
from hmi.master_picture import STANDBY, MasterSight, master_picture
from hmi.master_view import MasterView
from hmi.operator_panel import OperatorPanel
from hmi.sketch import Area, Label, Line, Picture, Polygon, Press
from hmi.texts import load_texts
from register_maps.vocabulary import AlarmPriority

TEXTS = load_texts()
VIEW = alarmed(SEVERAL, CHARGING, KINDS["turn"])
PRIORITIES = [priority for priority in AlarmPriority if priority is not AlarmPriority.NONE]

every_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


def picture(seen: MasterSight, size: tuple[int, int] = (800, 480)) -> Picture:
    return master_picture(seen, size, rough, TEXTS)


def listed(number: int = 0, at: int = 0, button: int = 0) -> OperatorPanel:
    return OperatorPanel(alarms=AlarmPanel(is_open=True, at=at, number=number, button=button))


def words(drawn: Picture) -> str:
    return " ".join(shape.text for shape in drawn.shapes if isinstance(shape, Label))


def pressed(drawn: Picture) -> list[Press]:
    return [press for _, press in drawn.touches]


def banner(drawn: Picture) -> Area:
    (box,) = (box for box, press in drawn.touches if press == Press("alarms"))
    (area,) = (shape for shape in drawn.shapes if isinstance(shape, Area) and shape.box == box)
    return area


@every_size
@pytest.mark.parametrize("tab", ["stations", "trend", "events"])
def test_the_banner_is_always_there(size: tuple[int, int], tab: str) -> None:
    drawn = picture(sight(VIEW, OperatorPanel(tab=tab)), size)
    assert banner(drawn).fill == STYLES[AlarmPriority.URGENT].fill
    assert "RTS1: The contactor did not open;" in words(drawn)
    for panel in (listed(), listed(45)):
        assert banner(picture(sight(VIEW, panel), size)).fill == banner(drawn).fill


@pytest.mark.parametrize("priority", PRIORITIES)
def test_every_priority_has_a_colour_and_a_sign_of_its_own(priority: AlarmPriority) -> None:
    drawn = picture(sight(alarmed([{**WELDED, "priority": priority}], CHARGING)))
    assert banner(drawn).fill == STYLES[priority].fill
    assert Counter(style.fill for style in STYLES.values())[STYLES[priority].fill] == 1
    signs = [STYLES[other].sign for other in PRIORITIES]
    assert signs.count(STYLES[priority].sign) == 1


def test_it_is_quiet_where_there_is_nothing_to_acknowledge() -> None:
    drawn = picture(sight(view_of(CHARGING)))
    assert banner(drawn).fill == PANEL
    assert "No alarms" in words(drawn)
    drawn = picture(sight(alarmed([{**WELDED, "state": "active_acknowledged"}], CHARGING)))
    assert banner(drawn).fill == PANEL
    assert "All acknowledged RTS1: The contactor did not open;" in words(drawn)
    signs = {shape.fill for shape in drawn.shapes if isinstance(shape, Polygon)}
    assert STYLES[AlarmPriority.URGENT].fill in signs
    drawn = picture(sight(alarmed([{**WELDED, "state": "shelved"}], CHARGING)))
    assert "No alarms" in words(drawn)
    assert "Shelved" in words(picture(sight(alarmed([{**WELDED, "state": "shelved"}]), listed())))


def test_what_is_over_is_told_until_it_is_acknowledged() -> None:
    drawn = picture(sight(alarmed([{**WELDED, "state": OVER}], CHARGING)))
    assert banner(drawn).fill == STYLES[AlarmPriority.URGENT].fill
    assert "Over, not acknowledged" in words(picture(sight(alarmed([{**WELDED, "state": OVER}]), listed())))


@every_size
def test_the_list_shows_every_alarm_by_turning_pages(size: tuple[int, int]) -> None:
    many = [{**WELDED, "number": n, "name": f"RTS{n}"} for n in range(1, 33)]
    view, panel, seen = alarmed(many, CHARGING), listed(), list[int]()
    for _ in range(32):
        drawn = picture(sight(view, panel), size)
        shown = [press.number for press in pressed(drawn) if press.what == "alarm"]
        assert panel.alarms.at + 1 in shown
        assert len(shown) <= panel.alarms.page
        seen += [number for number in shown if number not in seen]
        panel.press(Press("scroll_alarms", 1), view)
    assert seen == list(range(1, 33))
    assert {press.what for press in pressed(drawn)} == {
        "alarms",
        "alarm",
        "scroll_alarms",
        "close_alarms",
        "acknowledge_all",
    }


@every_size
def test_the_marked_row_is_on_the_page_that_is_shown(size: tuple[int, int]) -> None:
    panel = listed()
    for at in range(len(SEVERAL)):
        panel.alarms.at = at
        drawn = picture(sight(VIEW, panel), size)
        (frame,) = (shape for shape in drawn.shapes if isinstance(shape, Line))
        (box,) = (box for box, press in drawn.touches if press == Press("alarm", VIEW.alarms.rows[at].number))
        assert all(box.x <= x <= box.right and box.y <= y <= box.bottom for x, y in frame.points)


def test_a_list_without_alarms_says_so_and_can_be_closed() -> None:
    drawn = picture(sight(view_of(CHARGING), listed(at=7)))
    assert words(drawn).count("No alarms") == 2
    assert pressed(drawn) == [Press("alarms"), Press("close_alarms")]


@every_size
@pytest.mark.parametrize("alarm", SEVERAL, ids=lambda alarm: str(alarm["state"]))
def test_one_shows_all_it_has(size: tuple[int, int], alarm: dict) -> None:
    drawn = picture(sight(VIEW, listed(int(alarm["number"]))), size)
    for part in (alarm["text"], f"What to do: {alarm['remedy']}", "12:31:56", str(alarm["name"])):
        assert str(part) in words(drawn)
    row = VIEW.alarms.row(int(alarm["number"]))
    assert row
    wanted = [Press("order", n) for n in range(len(row.orders()))]
    assert pressed(drawn) == [Press("alarms"), *wanted, Press("close_alarms")]


def test_an_alarm_that_has_gone_leads_back_to_the_list() -> None:
    drawn = picture(sight(VIEW, listed(99)))
    assert [press.number for press in pressed(drawn) if press.what == "alarm"]


@every_size
@pytest.mark.parametrize("panel", [listed(), listed(45)])
def test_what_is_of_the_past_is_grey(size: tuple[int, int], panel: OperatorPanel) -> None:
    drawn = picture(sight(VIEW, panel, headline="The master does not answer"), size)
    lit = {style.fill for style in STYLES.values()} - {STYLES[AlarmPriority.NONE].fill} | {SKY}
    fills = {shape.fill for shape in drawn.shapes if isinstance(shape, Area | Polygon)}
    assert not lit & fills
    assert "The master does not answer" in words(drawn)
    assert Press("close_alarms") in pressed(drawn)


def standby() -> MasterView:
    return alarmed(SEVERAL, CHARGING, KINDS["held"], role="standby")


@every_size
def test_a_master_on_standby_says_so_and_that_nothing_can_be_changed(size: tuple[int, int]) -> None:
    drawn = picture(sight(standby()), size)
    assert "Standby: another master steers" in words(drawn)
    assert drawn.title == "Demo car park: Standby: another master steers"
    assert STANDBY.fill in {shape.fill for shape in drawn.shapes if isinstance(shape, Area)}
    steering = picture(sight(alarmed(SEVERAL, CHARGING, KINDS["held"])), size)
    assert len(pencils(steering)) - len(pencils(drawn)) == 2 * 3
    for press in (Press("station", 1), Press("set", text="power_limit")):
        panel = OperatorPanel()
        panel.press(press, standby())
        drawn = picture(sight(standby(), panel), size)
        assert "another one steers the site" in words(drawn)
        assert [p.what for p in pressed(drawn)][-1] == "cancel"
    drawn = picture(sight(standby(), headline="The master does not answer"), size)
    assert Look.SILENT.value.fill in {shape.fill for shape in drawn.shapes if isinstance(shape, Area)}


def pencils(drawn: Picture) -> list[Polygon]:
    return [shape for shape in drawn.shapes if isinstance(shape, Polygon) and shape.fill == SKY]
