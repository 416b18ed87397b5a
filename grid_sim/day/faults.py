"""Faults of a scenario's data, which may be many: none is hidden, and nobody has to read thousands."""

from collections.abc import Collection
from difflib import get_close_matches

from register_maps.yaml_file import Faults, Place, unknown

MOST = 20
"""So many faults of one kind of data are listed one by one."""
MOST_NAMES = 12


class ManyFaults:
    """At each place the first faults, and then how many more there are."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._counts: dict[Place, int] = {}

    def __len__(self) -> int:
        return sum(self._counts.values())

    def add(self, place: Place, message: str) -> None:
        self._counts[place] = self._counts.get(place, 0) + 1
        if self._counts[place] <= MOST:
            self._faults.add(place, message)

    def end(self) -> None:
        for place, count in self._counts.items():
            if count > MOST:
                self._faults.add(place, f"and {count - MOST} more faults like these")


def unknown_of_many(what: str, name: object, known: Collection[str]) -> str:
    """`unknown`, for names that may be too many to list."""
    if len(known) <= MOST_NAMES or get_close_matches(str(name), known, n=1):
        return unknown(what, name, known)
    return f"there is no {what} {name!r} among the {len(known)} that are there"
