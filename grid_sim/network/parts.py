"""Which buses hang together."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from grid_sim.network.model import Line, Transformer


def bus_pairs(branches: Iterable[Line | Transformer]) -> Iterator[tuple[str, str]]:
    return ((branch.from_bus, branch.to_bus) for branch in branches)


def parts(pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The number of the part that each bus belongs to; those of a pair are in the same one."""
    beside: dict[str, list[str]] = defaultdict(list)
    for one, other in pairs:
        beside[one].append(other)
        beside[other].append(one)
    part_of: dict[str, int] = {}
    for bus in beside:
        reached = [bus] if bus not in part_of else []
        while reached:
            here = reached.pop()
            part_of[here] = part_of.get(bus, len(part_of))
            reached += [there for there in beside[here] if there not in part_of]
    return part_of
