"""Stations that lie. They do what they are told, and draw what they draw: only what they say is not true."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chaos_site import ChaosSite
from chaos_trial import Break, Mend
from processes import until

from modbus_link.access import Client
from modbus_link.image import RegisterImage
from modbus_link.listen import Listen
from modbus_link.server import ModbusServer
from register_maps.points import Point, Table, Value
from register_maps.register_map import RegisterMap, load_map
from rtu_firmware.rtu import Rtu

Values = Mapping[str, Value]
Lie = Callable[[Values], Values]
"""From what is true to what is said instead."""


class Echo:
    """A station's registers behind a gateway that answers from its cache, once it has one. The heartbeat is
    live, and what is written arrives."""

    def __init__(self, image: RegisterImage) -> None:
        self._image = image
        self.map = image.map
        self.write = image.write
        self.cache: RegisterImage | None = None

    def read(self, table: Table, address: int, count: int, client: Client) -> Sequence[int]:
        if self.cache is None:
            return self._image.read(table, address, count, client)
        self.cache.update({"heartbeat": self._image["heartbeat"]})
        return self.cache.read(table, address, count, client)

    def freeze(self) -> None:
        self.cache = RegisterImage(self.map)
        self.cache.update({name: self._image[name] for name in self.map.points})


class Liar(Rtu):
    """A station that is honest until `lie` is set, or `echo` has a cache."""

    lie: Lie | None = None
    is_welded = False
    """And whoever is plugged in draws what he can."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.server.image = self.echo = Echo(self.image)

    def step(self) -> None:
        super().step()
        if self.is_welded:
            self.board.limit_power(self.station.rated_power_w, self.clock.now())
        if self.lie:
            names = [point.name for point in self.image.map.points.values() if _is_said(point)]
            self.image.update(self.lie({name: self.image[name] for name in names}))

    def _publish_ages(self, table: Table) -> None:
        if not self.lie:
            super()._publish_ages(table)


def _is_said(point: Point) -> bool:
    return point.table in (Table.INPUT_REGISTER, Table.DISCRETE_INPUT)


def frozen(values: Values) -> Lie:
    """As they were at the first moment, but for the heartbeat."""
    kept = dict(values)
    return lambda true: kept | {"heartbeat": true["heartbeat"]}


def everything_frozen(values: Values) -> Lie:
    kept = dict(values)
    return lambda true: kept


def zeros(values: Values) -> Lie:
    zero = {name: _zero(value) for name, value in values.items()}
    return lambda true: zero


def zeros_with_heartbeat(values: Values) -> Lie:
    zero = {name: _zero(value) for name, value in values.items()}
    return lambda true: zero | {"heartbeat": true["heartbeat"]}


def no_values(values: Values) -> Lie:
    """NaN, wherever the map has a way to say so."""
    points = load_map("pev_rtu").points
    nothing: Values = {name: None for name in values if name in points and points[name].nan is not None}
    return lambda true: nothing


def says(**said: Value) -> Callable[[Values], Lie]:
    return lambda values: lambda true: said


def _zero(value: Value) -> Value:
    return type(value)() if isinstance(value, bool | int | float) else value


LIES: dict[str, Callable[[Values], Lie]] = {
    "frozen values": frozen,
    "frozen, heartbeat too": everything_frozen,
    "all zeros": zeros,
    "zeros, live heartbeat": zeros_with_heartbeat,
    "no values (NaN)": no_values,
    "feedback always open": says(contactor_closed=False),
    "feedback always closed": says(contactor_closed=True),
    "open and 0 W while drawing": says(contactor_closed=False, power=0, current=0, state="suspended_evse"),
    "0 V": says(voltage=0),
    "rated at 0 W": says(rated_power=0, minimum_power=0),
    "4 GW": says(power=2_000_000_000, rated_power=4_000_000_000),
}
WELDED: dict[str, Callable[[Values], Lie]] = {
    "welded": says(),
    "welded, never reads open": says(contactor_closed=True, fault=False, fault_code="none"),
    "welded, reads open, draws": says(contactor_closed=False, fault=False, fault_code="none"),
    "welded, no power measured": says(power=None, current=None, fault=False, fault_code="none"),
}
"""What such a station says of it, while it does not open any more."""


def lying(
    name: str, lie: Callable[[Values], Lie], *, drawing: bool, welded: bool = False
) -> tuple[Break, Mend]:
    """From a moment on at which it draws, or doesn't; until another one is put in its place."""

    async def begin(site: ChaosSite) -> list[str]:
        liar, power_w = site.rtus[name], site.truth(name)
        assert isinstance(liar, Liar)
        await until(lambda: (power_w() > 0) == drawing)
        true = {p.name: liar.image[p.name] for p in liar.image.map.points.values() if _is_said(p)}
        site.watch.stations[name].truth = power_w
        liar.lie, liar.is_welded = lie(true), welded
        liar.board.faults.welded = welded
        liar.step()
        return []

    return begin, replaced(name)


def echoing(name: str, *, drawing: bool) -> tuple[Break, Mend]:
    """The master reads for ever what was true at one moment, its own orders too."""

    async def freeze(site: ChaosSite) -> list[str]:
        liar, power_w = site.rtus[name], site.truth(name)
        assert isinstance(liar, Liar)
        await until(lambda: (power_w() > 0) == drawing)
        site.watch.stations[name].truth = power_w
        liar.echo.freeze()
        return []

    return freeze, replaced(name)


def replaced(name: str) -> Mend:
    """By a station that is honest."""

    async def replace_it(site: ChaosSite) -> None:
        await site.stop_here(name)
        site.launch(name)

    return replace_it


def another_device(name: str, device_map: RegisterMap) -> tuple[Break, Mend]:
    """A device with another map stands on the station's port; the station's own contactor falls open."""

    async def swap(site: ChaosSite) -> list[str]:
        server = ModbusServer(RegisterImage(device_map), Listen(host="127.0.0.1", port=site.ports[name]))
        site.watch.stations[name].truth = site.truth(name)
        await site.stop_here(name)
        await server.start()
        site.stand_ins[name] = server
        return []

    async def swap_back(site: ChaosSite) -> None:
        await site.stand_ins.pop(name).stop()
        site.launch(name)

    return swap, swap_back


MASTERS_MAP = load_map("pev_master").expanded(station=1)
"""Has something at most of a station's addresses, and it means something else."""
EMPTY_MAP = replace(load_map("pev_rtu"), points={"name": load_map("pev_rtu").points["name"]}, groups={})
"""Answers nearly everything with an exception."""


def all_lies(name: str) -> dict[str, list[tuple[Break, Mend]]]:
    """Each from a moment on at which the liar draws, or from one at which it doesn't, where both can be."""
    lies = {what: [lying(name, lie, drawing=on) for on in (True, False)] for what, lie in LIES.items()}
    welded = {what: [lying(name, lie, drawing=True, welded=True)] for what, lie in WELDED.items()}
    return (
        lies
        | welded
        | {
            "a gateway's cache": [echoing(name, drawing=on) for on in (True, False)],
            "a master in its place": [another_device(name, MASTERS_MAP)],
            "a device that refuses": [another_device(name, EMPTY_MAP)],
        }
    )
