"""Reads the table of conformance.md and asks a server what a row asks. Its notation is explained there."""

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from register_maps.codec import decoder
from register_maps.points import Table, Value
from register_maps.register_map import RegisterMap, read_map

HERE = Path(__file__).parent
TABLE = HERE / "conformance.md"
MAP = HERE / "conformance_map.yaml"
SERVER_NAME = "N" * 150
"""Long, so that the server's identification does not fit into one reply."""
CONTRACT = "contract"
LAST_REQUEST = bytes.fromhex("FFFE 0000 0006 01 04 0008 0001")
LAST_REPLY = bytes.fromhex("FFFE 0000 0005 01 04 02 000A")
PAUSE_S = 0.01
"""Between two segments, so that the second is read by itself; a server that reads both at once passes too."""
CONNECT_S = 10.0
SILENCE = "nothing came"
"""How the fault ends where a server says nothing."""

_HEADER_SIZE = 6  # as far as the length, which counts from there
_ATOM = re.compile(
    r"""\s*(?: \((?P<many>[^()]*)\) | "(?P<text>[^"]*)" | \{(?P<name>\w+)\} | (?P<hex>(?:[0-9A-F]{2})+) )
        (?:\*(?P<times>\d+))?\s*""",
    re.VERBOSE,
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is sent, segment by segment, and what has to come before the next step."""

    segments: Sequence[bytes]
    replies: bytes


@dataclass(frozen=True, kw_only=True)
class Row:
    section: str
    clause: str
    what: str
    steps: Sequence[Step]
    closed: bool

    @property
    def name(self) -> str:
        """Its first transaction id."""
        return b"".join(self.steps[0].segments)[:2].hex().upper()


@dataclass(frozen=True, kw_only=True)
class Run:
    """Adjacent points of the device, with the words or bits that they hold."""

    table: Table
    address: int
    contents: Sequence[int]
    access: str


def read_rows() -> list[Row]:
    return [_row(section, cells) for section, cells in _lines(TABLE.read_text()) if cells[0][0] == "`"]


def read_device() -> list[Run]:
    tables = {str(table) for table in Table}
    return [_run(cells) for _, cells in _lines(TABLE.read_text()) if cells[0] in tables]


def conformance_map() -> RegisterMap:
    found = read_map(MAP)
    return found.expanded(**{group.name: group.max_count for group in found.groups.values()})


def values(device_map: RegisterMap, device: Sequence[Run]) -> dict[str, Value]:
    """What the points hold."""
    words = {(run.table, run.address + n): word for run in device for n, word in enumerate(run.contents)}
    return {
        name: decoder(p)([words[p.table, address] for address in range(p.address, p.end)])
        for name, p in device_map.points.items()
    }


def _lines(text: str) -> Iterator[tuple[str, list[str]]]:
    """The section and the cells of every line of every Markdown table."""
    section = ""
    for line in text.splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif line.startswith("|"):
            yield section, [cell.strip() for cell in line.strip("|").split("|")]


def _row(section: str, cells: Sequence[str]) -> Row:
    request, reply, clause, what = cells
    closed = reply.endswith("closed")
    replies = reply.removesuffix("closed").rstrip(" +").split("<br>")
    requests = request.split("<br>")
    steps = [
        Step(segments=[_spans(part) for part in sent.split("` / `")], replies=_spans(due))
        for sent, due in zip(requests, replies, strict=True)
    ]
    return Row(section=section, clause=clause, what=what, steps=steps, closed=closed)


def _run(cells: Sequence[str]) -> Run:
    name, addresses, contents, access = cells
    table = Table(name)
    first, _, last = addresses.partition("–")
    count = int(last or first) - int(first) + 1
    data = _spans(contents)
    if table.holds_bits:
        bits = int.from_bytes(data, "little")
        values = [bits >> n & 1 for n in range(count)]
    else:
        values = [int.from_bytes(data[n : n + 2], "big") for n in range(0, len(data), 2)]
    return Run(table=table, address=int(first), contents=values, access=access[:2])


def _spans(cell: str) -> bytes:
    """The bytes of all the code spans of a cell, one after the other."""
    return b"".join(_adu(span) for span in re.split(r"`(?: \+ `)?", cell))


def _adu(text: str) -> bytes:
    """Where a length depends on the installed version, it is not written but worked out."""
    head, found, rest = text.partition("{length}")
    if not found:
        return _bytes(text)
    tail = _bytes(rest)
    return _bytes(head) + len(tail).to_bytes(2, "big") + tail


def _bytes(text: str) -> bytes:
    found, at = b"", 0
    while at < len(text):
        atom = _ATOM.match(text, at)
        if atom is None:
            raise ValueError(f"not understood: {text[at:]!r} in {text!r}")
        found += _atom(atom.groupdict()) * int(atom["times"] or 1)
        at = atom.end()
    return found


def _atom(parts: Mapping[str, str | None]) -> bytes:
    match parts:
        case {"many": str(many)}:
            return _bytes(many)
        case {"text": str(text)}:
            return text.encode("ascii")
        case {"hex": str(digits)}:
            return bytes.fromhex(digits)
        case {"name": "revision"}:
            revision = version("pev-scada").encode("ascii")
            return bytes((len(revision),)) + revision
    raise ValueError(f"not understood: {parts}")


class _Otherwise(Exception):
    """What the server did otherwise than the row says."""


async def fault(row: Row, port: int, *, tls: ssl.SSLContext | None = None, patience_s: float = 5.0) -> str:
    """What the server of this port does otherwise than the row says; "" where it does as it should."""
    async with _line(port, tls, patience_s) as line:
        try:
            for step in row.steps:
                await line.exchange(step.segments, step.replies)
            if row.closed:
                await line.expect_closed()
            else:
                await line.exchange([LAST_REQUEST], LAST_REPLY)
        except _Otherwise as error:
            return str(error)
    return ""


@contextlib.asynccontextmanager
async def _line(port: int, tls: ssl.SSLContext | None, patience_s: float) -> AsyncIterator["_Line"]:
    async with asyncio.timeout(CONNECT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    try:
        yield _Line(reader, writer, patience_s)
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@dataclass(frozen=True)
class _Line:
    """One connection to the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    patience_s: float

    async def exchange(self, segments: Sequence[bytes], due: bytes) -> None:
        for n, segment in enumerate(segments):
            if n:
                await asyncio.sleep(PAUSE_S)
            self.writer.write(segment)
        while due:
            got = await self._adu(due)
            if not due.startswith(got):
                raise _Otherwise(f"{_brief(due, got)} due, {_brief(got, due)} came")
            due = due[len(got) :]

    async def expect_closed(self) -> None:
        try:
            async with asyncio.timeout(self.patience_s):
                more = await self.reader.read(300)
        except TimeoutError:
            raise _Otherwise(f"to be closed, {SILENCE}") from None
        except ConnectionError:
            return
        if more:
            raise _Otherwise(f"to be closed, {_brief(more, LAST_REPLY)} came")

    async def _adu(self, due: bytes) -> bytes:
        """The next one to come, whole."""
        try:
            async with asyncio.timeout(self.patience_s):
                header = await self.reader.readexactly(_HEADER_SIZE)
                return header + await self.reader.readexactly(int.from_bytes(header[4:6], "big"))
        except TimeoutError:
            raise _Otherwise(f"{_brief(due, due)} due, {SILENCE}") from None
        except (EOFError, ConnectionError):
            raise _Otherwise(f"{_brief(due, due)} due, closed") from None


def _brief(adus: bytes, other: bytes) -> str:
    """The first of them in hex: of its PDU what tells enough, and its header where the other's differs."""
    size = _HEADER_SIZE + int.from_bytes(adus[4:6], "big")
    header, pdu = adus[: _HEADER_SIZE + 1], adus[_HEADER_SIZE + 1 : size]
    same = (header[:4], header[6:]) == (other[:4], other[6 : _HEADER_SIZE + 1])
    shown = pdu if same else header + pdu
    return f"{shown[:16].hex(' ')}{' …' if len(shown) > 16 else ''}".upper()
