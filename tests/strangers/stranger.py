"""What the tests ask of somebody else's Modbus client; each client is a class in this folder."""

from dataclasses import dataclass
from typing import Self

HOST = "127.0.0.1"
UNIT = 1
TIMEOUT_S = 5


class Refused(Exception):
    """The server answered with an exception, and the client says which."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"exception {code}")


@dataclass(frozen=True, kw_only=True)
class Register:
    """A line of `map show`, and what a client has to know of it."""

    table: str
    address: int
    kind: str
    """bool, uint16, int16, uint32 or int32"""
    scale: float = 1

    @property
    def is_bit(self) -> bool:
        return self.kind == "bool"

    @property
    def words(self) -> int:
        return 2 if self.kind.endswith("32") else 1

    @property
    def is_signed(self) -> bool:
        return self.kind.startswith("int")


class Stranger:
    """A client that talks to the server on `port`, until it is closed."""

    @classmethod
    def missing(cls) -> str:
        """What it needs and isn't here."""
        return ""

    def __init__(self, port: int) -> None: ...

    def get(self, register: Register) -> int:
        """The whole number that is there, by the client's own means of joining words and signs."""
        raise NotImplementedError

    def put(self, register: Register, number: int) -> None:
        """Write it: functions 5, 6 and, for two words, 16."""
        raise NotImplementedError

    def close(self) -> None:
        """Its connection, if it keeps one."""

    def read(self, register: Register) -> float:
        return self.get(register) * register.scale

    def write(self, register: Register, value: float) -> None:
        self.put(register, round(value / register.scale))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
