"""What clients have written: every accepted write is an event, with who, which point, and both values."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from modbus_link.access import Client
from register_maps.points import Value

ROUTINE = "master_heartbeat"
"""Changes in every scan, and tells nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteEvent:
    point: str
    old: Value
    new: Value
    client: str

    def __str__(self) -> str:
        return f"{self.point} {_text(self.old)} → {_text(self.new)}, written by {self.client}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What a client writes in one request: whole points by name, and what they were before."""

    values: Mapping[str, Value]
    old: Mapping[str, Value]
    client: Client

    def events(self) -> Iterator[WriteEvent]:
        for name, value in self.values.items():
            yield WriteEvent(point=name, old=self.old[name], new=value, client=str(self.client))

    def changes(self) -> Iterator[WriteEvent]:
        """Those that a person wants to read of: a master writes the same again in every scan."""
        if any(self.old[name] != value for name, value in self.values.items() if name != ROUTINE):
            yield from (event for event in self.events() if event.old != event.new and event.point != ROUTINE)


def log_write(log: logging.Logger, name: str, write: Write) -> None:
    for change in write.changes():
        log.info("%s: %s", name, change)


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
