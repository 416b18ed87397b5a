"""A network without the places where nothing is connected: the same voltages from far fewer lines.

Surveyed cables are drawn as hundreds of short pieces. Pieces in series through a plain joint are one line
of the sum of their impedances, and a dead end carries nothing. Both hold exactly, but not for a line with
capacitance, which draws a current of its own.
"""

from collections.abc import Collection
from dataclasses import replace

from grid_sim.network.model import Line, Network


def without_joints(network: Network, connected: Collection[str]) -> Network:
    """`connected`: the buses where something hangs on the network."""
    kept = {network.source.bus, *connected}
    kept |= {bus for each in network.transformers for bus in (each.from_bus, each.to_bus)}
    pieces = _Pieces(network)
    for bus in network.nominal_voltage_v:
        pieces.prune(bus, kept)
    for bus in network.nominal_voltage_v:
        if bus not in kept:
            pieces.join(bus)
    buses = {*kept, *pieces.at}
    nominal_voltage_v = {bus: volts for bus, volts in network.nominal_voltage_v.items() if bus in buses}
    return replace(network, lines=pieces.lines(), nominal_voltage_v=nominal_voltage_v)


class _Pieces:
    """The lines by their number, and which of them end at each bus."""

    def __init__(self, network: Network) -> None:
        self._lines = dict(enumerate(network.lines))
        self.at: dict[str, list[int]] = {}
        for number, line in self._lines.items():
            self._tie(number, line)

    def lines(self) -> tuple[Line, ...]:
        return tuple(self._lines.values())

    def prune(self, bus: str, kept: Collection[str]) -> None:
        """Take out a dead end at `bus`, and what has become one by that."""
        while bus not in kept and len(self.at.get(bus, ())) == 1:
            (number,) = self.at[bus]
            line = self._lines[number]
            if _is_charged(line):
                return
            self._cut(number)
            bus = _far_end(line, bus)

    def join(self, bus: str) -> None:
        numbers = self.at.get(bus, ())
        if len(numbers) != 2:
            return
        first, second = (self._lines[number] for number in numbers)
        ends = _far_end(first, bus), _far_end(second, bus)
        if ends[0] == ends[1] or _is_charged(first) or _is_charged(second):
            return
        number = min(numbers)
        for each in tuple(numbers):
            self._cut(each)
        self._tie(number, _in_series(first, second, *ends))

    def _tie(self, number: int, line: Line) -> None:
        self._lines[number] = line
        for bus in (line.from_bus, line.to_bus):
            self.at.setdefault(bus, []).append(number)

    def _cut(self, number: int) -> None:
        line = self._lines.pop(number)
        for bus in (line.from_bus, line.to_bus):
            self.at[bus].remove(number)
            if not self.at[bus]:
                del self.at[bus]


def _in_series(first: Line, second: Line, from_bus: str, to_bus: str) -> Line:
    limits_a = [line.max_current_a for line in (first, second) if line.max_current_a is not None]
    return Line(
        name=first.name,
        from_bus=from_bus,
        to_bus=to_bus,
        r1_ohm=first.r1_ohm + second.r1_ohm,
        x1_ohm=first.x1_ohm + second.x1_ohm,
        r0_ohm=first.r0_ohm + second.r0_ohm,
        x0_ohm=first.x0_ohm + second.x0_ohm,
        max_current_a=min(limits_a, default=None),
    )


def _far_end(line: Line, bus: str) -> str:
    return line.to_bus if line.from_bus == bus else line.from_bus


def _is_charged(line: Line) -> bool:
    return bool(line.c1_f or line.c0_f)
