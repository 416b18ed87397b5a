"""Alarms on a display, by finger and by keyboard; PEV_PICTURES keeps the pictures."""

from pathlib import Path

import pytest
from displays import sizes
from master_stage import HEADER, WITHIN_S, Operator, Served, Start, keep, operator
from master_values import ACKNOWLEDGED, CHARGING, KINDS, SEVERAL, WELDED, image_of, with_alarms
from PIL import Image
from processes import until

from hmi.master_picture import SMALL
from modbus_link.errors import ExceptionCode
from modbus_link.image import Refusal, RegisterImage
from modbus_link.writes import Write
from register_maps.points import Value

STATIONS = [CHARGING, KINDS["does not open"], KINDS["stale"], KINDS["silent"]]
DOUBTFUL: dict[str, Value] = {"power_quality": "bad", "voltage_quality": "bad", "silent_count": 1}


def alarmed_image(**site: Value) -> RegisterImage:
    return with_alarms(image_of(*STATIONS, events=3, **DOUBTFUL, **site), *SEVERAL)


class Desk:
    """The master's side: notes what is asked, follows an acknowledgement of the first, refuses to shelve."""

    def __init__(self, image: RegisterImage) -> None:
        self.asked: list[tuple[Value, ...]] = []
        self._image = image
        image.on_write, image.on_written = self._note, self._follow

    def _note(self, write: Write) -> None:
        self.asked.append(tuple(write.values.values()))
        assert list(write.values) == ["alarm_number", "alarm_action", "shelve_time"]
        if write.values["alarm_action"] == "shelve":
            raise Refusal(ExceptionCode.SERVER_DEVICE_BUSY)

    def _follow(self, _: Write) -> None:
        with_alarms(self._image, *SEVERAL[1:], {**WELDED, "state": ACKNOWLEDGED})


@pytest.mark.parametrize("size", sizes())
async def test_an_alarm_is_read_and_acknowledged(
    start: Start, display: str, pictures: Path, size: str
) -> None:
    image = alarmed_image()
    desk = Desk(image)
    with Served(image) as server:
        async with operator(start, display, server.port, size=size) as person:
            await person.until_title("Demo car park")
            keep(await whole(person), pictures, "alarms_banner")
            await person.touch("alarms")
            keep(await whole(person), pictures, "alarms")
            await person.touch("alarm", 45)
            keep(await whole(person), pictures, "alarm")
            await person.touch("order", 0)
            keep(await person.until_asked(), pictures, "alarm_acknowledge")
            await person.touch("agree")
            await until(lambda: desk.asked == [(45, "acknowledge", 0)], WITHIN_S)
            await person.until_listed()
            await person.type_by_keyboard("Return", "Down", "Down", "Return")
            await person.until_asked()
            await person.type_by_keyboard("Return")
            await person.until_refused("busy")
            assert desk.asked[1:] == [(1, "shelve", 3600)]
            await person.type_by_keyboard("Escape", "Escape", "Escape")
            await person.until_listed()


async def whole(person: Operator) -> Image.Image:
    """With its clock."""
    small = min(person.screen.look().size) < SMALL
    await person.until_as_wanted(below=HEADER, right=1.0 if small or person.panel.alarms.is_open else 0.59)
    seen = [person.screen.look()]

    def is_steady() -> bool:
        """And not half painted."""
        seen.append(person.screen.look())
        return seen[-1] == seen[-2]

    await until(is_steady, WITHIN_S)
    return seen[-1]


@pytest.mark.parametrize(("size", "language", "name"), [("320x480", "en", ""), ("480x320", "zh", "_zh")])
async def test_upright_and_in_chinese_and_on_standby(
    start: Start, display: str, pictures: Path, size: str, language: str, name: str
) -> None:
    with Served(alarmed_image(role="standby")) as server:
        async with operator(start, display, server.port, size=size, language=language) as person:
            await person.until_title("Demo car park")
            keep(await whole(person), pictures, f"standby{name}")
            await person.touch("set", text="power_limit")
            keep(await person.until_asked(), pictures, f"standby_off{name}")
            await person.touch("cancel")
            await whole(person)
            await person.touch("alarms")
            keep(await whole(person), pictures, f"alarms{name}")
            await person.touch("alarm", 45)
            keep(await whole(person), pictures, f"alarm{name}")
