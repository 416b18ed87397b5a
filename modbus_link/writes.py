"""What clients have written: every accepted write is an event, with who, which point, and both values."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from modbus_link.access import Client
from modbus_link.line_limit import LineLimit
from register_maps.points import Value
from register_maps.vocabulary import MASTER_HEARTBEAT


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    point: str
    old: Value
    new: Value
    client: Client

    def __str__(self) -> str:
        return f"{self.point} {_text(self.old)} → {_text(self.new)}, written by {self.client}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What a client writes in one request: whole points by name, and what they were before."""

    values: Mapping[str, Value]
    old: Mapping[str, Value]
    client: Client

    def changes(self) -> Iterator[Change]:
        """What a person wants to read of: a master writes the same again in every scan, but for its
        heartbeat."""
        for name, value in self.values.items():
            if value != self.old[name] and name != MASTER_HEARTBEAT:
                yield Change(point=name, old=self.old[name], new=value, client=self.client)


class WriteLog:
    """Log lines of what is changed at the device called `name`. More than a person or a master would cause
    are counted, for there are clients that go wild."""

    def __init__(self, log: logging.Logger, name: str) -> None:
        self._lines = LineLimit(log, of_a_kind=20, of_a_host=100)
        self._name = name

    def add(self, write: Write) -> list[Change]:
        """Those that were not too many."""
        return [
            change
            for change in write.changes()
            if self._lines.info(change.client.host, change.point, f"{self._name}: {change}")
        ]


def _text(value: Value) -> str:
    match value:
        case None:
            return "no value"
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:g}"
        case frozenset():
            return "+".join(sorted(value)) or "none"
        case _:
            return str(value)
