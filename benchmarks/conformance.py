"""How well Modbus TCP servers keep to the specification: the rows of tests/modbus_link/conformance.md, asked
of pymodbus's stock server, of pyModbusTCP's and of ours.

    python benchmarks/conformance.py
    python benchmarks/conformance.py --each

Every row finds a server in the state that the table describes, on a connection of its own. Rows of the
specification and rows of this project's contract are scored apart: nobody else has promised the latter.
What a server was not given, because it has no place for it, is listed under its failures.
"""

import argparse
import asyncio
import logging
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack

from conformance_servers import Candidate, Ours, PyModbusTcp, StockPymodbus, table

PATIENCE_S = 0.3
"""For a reply that does not come; then the row is asked again, with more of it."""
MORE_PATIENCE_S = 1.0
AT_ONCE = 16
TITLE = 42
WIDTH = 110

Faults = Mapping[str, str]
"""What a server did otherwise, by the row's name."""


async def faults_of(server: Candidate, rows: Sequence[table.Row]) -> Faults:
    found = await _ask(server, rows, PATIENCE_S)
    # On a busy machine a server may be late. Only who is late again counts as silent.
    silent = [row for row in rows if found.get(row.name, "").endswith(table.SILENCE)]
    for row in silent:
        del found[row.name]
    return found | await _ask(server, silent, MORE_PATIENCE_S)


async def _ask(server: Candidate, rows: Sequence[table.Row], patience_s: float) -> dict[str, str]:
    found: dict[str, str] = {}
    for n in range(0, len(rows), AT_ONCE):
        wave = rows[n : n + AT_ONCE]
        async with AsyncExitStack() as stack:
            # First all servers, then all rows: building a server would keep the others from answering.
            ports = [await stack.enter_async_context(server.serve()) for _ in wave]
            asked = (
                table.fault(row, port, patience_s=patience_s) for row, port in zip(wave, ports, strict=True)
            )
            answers = await asyncio.gather(*asked)
        found |= {row.name: answer for row, answer in zip(wave, answers, strict=True) if answer}
    return found


def scores(rows: Sequence[table.Row], results: Mapping[str, Faults]) -> Iterator[str]:
    """The table: a line for each section, and the two sums."""
    yield f"{'':<{TITLE}}" + "".join(f"{name:>22}" for name in results)
    specified = [row for row in rows if row.clause != table.CONTRACT]
    for section in dict.fromkeys(row.section for row in rows):
        yield _line(section, [row for row in specified if row.section == section], results)
    yield _line("the specification", specified, results)
    yield _line("this project's contract", [row for row in rows if row not in specified], results)


def _line(title: str, rows: Sequence[table.Row], results: Mapping[str, Faults]) -> str:
    passed = (f"{sum(row.name not in faults for row in rows)}/{len(rows)}" for faults in results.values())
    return f"{title:<{TITLE}}" + "".join(f"{score:>22}" for score in passed)


def failures(rows: Sequence[table.Row], faults: Faults) -> Iterator[str]:
    """By section, the names of the rows."""
    failed = [row for row in rows if row.name in faults]
    for section in dict.fromkeys(row.section for row in failed):
        names = [row.name for row in failed if row.section == section]
        yield textwrap.fill(
            f"{section}: {' '.join(names)}", WIDTH, initial_indent="  ", subsequent_indent="      "
        )


def each_failure(rows: Sequence[table.Row], faults: Faults) -> Iterator[str]:
    for row in rows:
        if row.name in faults:
            yield f"  {row.name}  {row.clause}  {row.what}: {faults[row.name]}"


async def compare(rows: Sequence[table.Row], servers: Sequence[Candidate]) -> dict[str, Faults]:
    results: dict[str, Faults] = {}
    for server in servers:
        try:
            results[server.name] = await faults_of(server, rows)
        finally:
            await server.close()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare how Modbus TCP servers keep to the specification.")
    parser.add_argument("--each", action="store_true", help="say of each row that fails what came instead")
    listed = each_failure if parser.parse_args().each else failures
    logging.disable(logging.CRITICAL)  # the servers have much to say about such requests
    began = time.monotonic()
    rows, servers = table.read_rows(), (Ours(), StockPymodbus(), PyModbusTcp())
    results = asyncio.run(compare(rows, servers))
    print("\n".join(scores(rows, results)))
    for server in servers:
        faults = results[server.name]
        print(f"\n{server.name}: {len(faults)} of {len(rows)} rows failed", *listed(rows, faults), sep="\n")
        for limit in server.limits:
            print(textwrap.fill(f"- {limit}", WIDTH, initial_indent="  ", subsequent_indent="    "))
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
