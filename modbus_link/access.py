"""Who asks a server, and what he may do there."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """The names of the points that may be read and written; None stands for every point."""

    read: frozenset[str] | None = None
    write: frozenset[str] | None = None

    @property
    def reads_only(self) -> bool:
        return self.write is not None and not self.write

    def may_read(self, names: Iterable[str]) -> bool:
        return self.read is None or self.read.issuperset(names)

    def may_write(self, names: Iterable[str]) -> bool:
        return self.write is None or self.write.issuperset(names)


ALL_RIGHTS = Rights()
NO_RIGHTS = Rights(read=frozenset(), write=frozenset())


@dataclass(slots=True, eq=False, kw_only=True)
class Client:
    """One connection of somebody; `connected` ends with it. Role and subject are its certificate's; `term`
    is the one in which it steers, where a site has two masters."""

    host: str
    port: int = 0
    role: str = ""
    subject: str = ""
    rights: Rights = ALL_RIGHTS
    term: int = 0
    connected: bool = True

    def is_same_as(self, other: "Client") -> bool:
        """Whether both are of the same somebody: by its certificate's name and role, or else by host."""
        return (self.subject or self.host, self.role) == (other.subject or other.host, other.role)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        place = f"{host}:{self.port}" if self.port else host
        text = f"{place} ({self.role}: {self.subject})" if self.role else place
        # For the log, where nobody's certificate may forge lines.
        return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
