"""Values by name over the wire."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from modbus_link.access import Client
from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.errors import Refused
from modbus_link.image import RegisterImage
from modbus_link.server import ModbusServer
from register_maps.blocks import Span
from register_maps.codec import EncodeError
from register_maps.points import Point, PointType, Table, Value
from register_maps.register_map import RegisterMap

HOLD, COIL = Table.HOLDING_REGISTER, Table.COIL
Request = tuple[Table, int, int, bool]


MEMORY = Client(host="memory")


class Recorder:
    """A device in memory that notes every request: table, address, count, and `single` of a write."""

    def __init__(self, image: RegisterImage) -> None:
        self.image = image
        self.reads: list[tuple[Table, int, int]] = []
        self.writes: list[Request] = []

    async def read_all(self, spans: Sequence[Span], unit_id: int) -> list[Sequence[int]]:
        self.reads += [(span.table, span.address, span.count) for span in spans]
        return [self.image.read(span.table, span.address, span.count, MEMORY) for span in spans]

    async def write(
        self, table: Table, address: int, words: Sequence[int], unit_id: int, *, single: bool = True
    ) -> None:
        self.writes.append((table, address, len(words), single))
        self.image.write(table, address, words, MEMORY)


@pytest.fixture
def recorder(image: RegisterImage) -> Recorder:
    return Recorder(image)


async def test_values_by_name_over_the_wire(
    server: ModbusServer, image: RegisterImage, until: Callable[..., Awaitable[None]]
) -> None:
    async with ModbusClient("127.0.0.1", server.port) as client:
        await until(lambda: client.connected)
        device = Device(client, image.map)
        await device.write(
            {"timeout": 30, "limit": 5000, "reason": "price", "price": -0.12, "level": 1.5, "hold": True}
        )
        seen = await device.read()
    assert seen == {name: image[name] for name, point in image.map.points.items() if point.is_readable}
    assert (seen["limit"], seen["reason"], seen["price"], seen["hold"]) == (5000, "price", -0.12, True)
    assert "secret" not in seen


async def test_only_the_names_asked_for_are_read(recorder: Recorder) -> None:
    device = Device(recorder, recorder.image.map, ["voltage", "count", "enable"])
    assert await device.read() == {"enable": True, "voltage": 110.3, "count": 7}
    assert recorder.reads == [(COIL, 0, 1), (Table.INPUT_REGISTER, 0, 4)]


@pytest.mark.parametrize(
    ("values", "requests"),
    [
        ({"timeout": 9}, [(HOLD, 0, 1, True)]),
        ({"timeout": 9, "limit": 1, "reason": "none"}, [(HOLD, 0, 4, True)]),
        ({"limit": 1, "timeout": 9}, [(HOLD, 1, 2, True), (HOLD, 0, 1, True)]),
        ({"timeout": 9, "reason": "none"}, [(HOLD, 0, 1, True), (HOLD, 3, 1, True)]),
        ({"enable": True, "timeout": 9}, [(COIL, 0, 1, True), (HOLD, 0, 1, True)]),
        (
            {"timeout": 9, "enable": True, "hold": True, "limit": 1},
            [(HOLD, 0, 1, True), (COIL, 0, 2, True), (HOLD, 1, 2, True)],
        ),
        ({}, []),
    ],
    ids=["one", "adjacent", "the other way round", "apart", "two tables", "the order stays", "none"],
)
async def test_requests_of_a_write(
    recorder: Recorder, values: dict[str, Value], requests: list[Request]
) -> None:
    await Device(recorder, recorder.image.map).write(values)
    assert recorder.writes == requests
    assert {name: recorder.image[name] for name in values} == values


async def test_force_fc16_concerns_registers_only(recorder: Recorder) -> None:
    device = Device(recorder, replace(recorder.image.map, force_fc16=True))
    await device.write({"timeout": 9, "enable": False})
    assert recorder.writes == [(HOLD, 0, 1, False), (COIL, 0, 1, True)]


@pytest.mark.parametrize(("table", "most"), [(HOLD, 123), (COIL, 1968)])
async def test_a_long_run_goes_in_as_many_requests_as_it_takes(table: Table, most: int) -> None:
    kind = PointType.BOOL if table.holds_bits else PointType.UINT32
    width, number = (1, 3000) if table.holds_bits else (2, 100)
    points = {
        f"p{n}": Point(name=f"p{n}", table=table, address=n * width, type=kind, about="", access="rw")
        for n in range(number)
    }
    recorder = Recorder(RegisterImage(RegisterMap(name="m", version=1, about="", source="", points=points)))
    values: dict[str, Value] = {name: True if table.holds_bits else n for n, name in enumerate(points)}
    await Device(recorder, recorder.image.map).write(values)
    assert [count for _, _, count, _ in recorder.writes] == [
        most // width * width,
        number * width - most // width * width,
    ]
    assert {name: recorder.image[name] for name in values} == values


@pytest.mark.parametrize("name", ["serial", "count", "plugged", "locked"])
async def test_what_can_only_be_read_is_not_sent(recorder: Recorder, name: str) -> None:
    with pytest.raises(EncodeError, match=f"{name} can only be read"):
        await Device(recorder, recorder.image.map).write({"timeout": 9, name: 1})
    assert recorder.writes == []


async def test_a_value_that_does_not_fit_is_not_sent(recorder: Recorder) -> None:
    with pytest.raises(EncodeError, match="timeout"):
        await Device(recorder, recorder.image.map).write({"timeout": 0})
    assert recorder.writes == []


async def test_what_the_device_refuses_is_told(
    server: ModbusServer, image: RegisterImage, until: Callable[..., Awaitable[None]]
) -> None:
    lenient = replace(image.map.points["timeout"], min=None)
    wrong = replace(image.map, points={"timeout": lenient})
    async with ModbusClient("127.0.0.1", server.port) as client:
        await until(lambda: client.connected)
        with pytest.raises(Refused, match="illegal data value"):
            await Device(client, wrong).write({"timeout": 0})
    assert image["timeout"] == 10
