"""A load generator for Modbus TCP servers: a process of its own, which does nothing else.

It asks for the same holding registers again and again, over one connection or many: each sends, waits
for its reply, checks it and sends again. The bytes of the requests are ready before the clock starts,
so that what is measured is the server. One JSON line says what came of it.

    python benchmarks/load_client.py --port 5021 --server-pid PID --connections 50 --seconds 3
"""

import argparse
import json
import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

HOST = "127.0.0.1"
UNIT_ID = 1
ADDRESS = 0
COUNT = 10
TRANSACTIONS = 256
"""Different transaction ids in turn; a server that mixes them up is found out."""
REPLY_BYTES = 9 + 2 * COUNT
RECEIVE_BYTES = 512
WARM_UP_S = 0.2
REPLY_WITHIN_S = 5

REQUESTS = [struct.pack(">HHHBBHH", n, 0, 6, UNIT_ID, 3, ADDRESS, COUNT) for n in range(TRANSACTIONS)]
HEADS = [struct.pack(">HHHBBB", n, 0, 3 + 2 * COUNT, UNIT_ID, 3, 2 * COUNT) for n in range(TRANSACTIONS)]


class WrongReply(Exception):
    """The server lost, cut or mixed up a reply, so its speed means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run measured."""

    requests: int
    seconds: float
    median_us: float
    within_99_us: float
    server_cpu_s: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


class Connection:
    """One client that has at most one request out."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=REPLY_WITHIN_S)
        # Not Python's own timeout: that costs another system call for each reply.
        self.socket.setblocking(True)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", REPLY_WITHIN_S, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._number = 0
        self._sent_at = 0

    def ask(self) -> None:
        self._number = (self._number + 1) % TRANSACTIONS
        self._sent_at = time.perf_counter_ns()
        self.socket.send(REQUESTS[self._number])

    def take(self) -> int:
        """Wait for the reply; how long it was on its way, in nanoseconds."""
        reply = self.socket.recv(RECEIVE_BYTES)
        took = time.perf_counter_ns() - self._sent_at
        if len(reply) != REPLY_BYTES or reply[:9] != HEADS[self._number]:
            self._insist(reply)
        return took

    def _insist(self, reply: bytes) -> None:
        """A reply may come in parts, but not wrong."""
        while len(reply) < REPLY_BYTES and (more := self.socket.recv(RECEIVE_BYTES)):
            reply += more
        if len(reply) != REPLY_BYTES or reply[:9] != HEADS[self._number]:
            raise WrongReply(f"transaction {self._number}: {reply.hex(' ') or 'the connection was closed'}")


def connect(port: int) -> Connection:
    """It has been served once: some servers let only a few wait at the door, and keep the others out."""
    connection = Connection(port)
    connection.ask()
    connection.take()
    return connection


def in_turn(connection: Connection) -> Iterator[int]:
    """How long each reply took, without end; a single connection needs no poll."""
    while True:
        connection.ask()
        yield connection.take()


def all_at_once(connections: list[Connection]) -> Iterator[int]:
    """The same for many connections, each of which always has a request out."""
    poll = select.epoll()
    by_file = {connection.socket.fileno(): connection for connection in connections}
    for number in by_file:
        poll.register(number, select.EPOLLIN)
    for connection in connections:
        connection.ask()
    while True:
        ready = poll.poll(REPLY_WITHIN_S)
        if not ready:
            raise WrongReply(f"no reply within {REPLY_WITHIN_S} s")
        for number, _ in ready:
            connection = by_file[number]
            took = connection.take()
            connection.ask()
            yield took


def cpu_s(pid: int) -> float:
    """User and system time of a process and all its threads, those that have ended too."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(port: int, connections: int, seconds: float, server_pid: int) -> Load:
    opened = [connect(port) for _ in range(connections)]
    replies = in_turn(opened[0]) if connections == 1 else all_at_once(opened)
    clock = time.perf_counter
    warm_at = clock() + WARM_UP_S
    while clock() < warm_at:
        next(replies)
    cpu_before, began = cpu_s(server_pid), clock()
    took: list[int] = []
    for latency in replies:
        took.append(latency)
        if clock() >= began + seconds:
            break
    lasted_s, cpu_after = clock() - began, cpu_s(server_pid)
    took.sort()
    load = Load(
        requests=len(took),
        seconds=lasted_s,
        median_us=took[len(took) // 2] / 1e3,
        within_99_us=took[len(took) * 99 // 100] / 1e3,
        server_cpu_s=cpu_after - cpu_before,
    )
    for connection in opened:
        if connections > 1:
            connection.take()  # else the server sees a reset in the place of an end
        connection.socket.close()
    return load


def main() -> None:
    parser = argparse.ArgumentParser(description="Load a Modbus TCP server with reads.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--server-pid", type=int, required=True, help="whose CPU time is measured")
    parser.add_argument("--cores", type=int, nargs="+", help="that this program may use")
    options = parser.parse_args()
    if options.cores:
        os.sched_setaffinity(0, options.cores)
    try:
        load = measure(options.port, options.connections, options.seconds, options.server_pid)
    except (WrongReply, OSError) as error:
        raise SystemExit(f"port {options.port}: {error}") from error
    print(json.dumps(asdict(load)), flush=True)


if __name__ == "__main__":
    main()
