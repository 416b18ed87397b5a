"""Many bad clients of Modbus TCP servers, in one process, for a bounded time.

    python tests/attackers.py SECONDS PORT…

Each port is attacked by clients that connect and say nothing, by others that send a byte a second, and
by others that send valid requests as fast as their sockets take them: half of those read the replies,
the other half never do. Whoever is dropped comes back a second later. At the end one line says what they
did. It ends by itself, and at once when its parent does.
"""

import json
import os
import resource
import select
import socket
import struct
import sys
import time
from collections import Counter, deque

HOST = "127.0.0.1"
SILENT, SLOW, FLOODING = 200, 50, 20
"""Of each kind, for each port."""
BACK_AFTER_S = 1.0
BYTE_EVERY_S = 1.0
POLL_S = 0.05
# All 22 registers that a station measures: every map of ours has as many, and no cheaper to read.
REQUEST = struct.pack(">HHHBBHH", 1, 0, 6, 1, 4, 0, 22)
BLOCK = memoryview(REQUEST * 2000)


class Attacker:
    """One connection that says nothing; a dropped one is opened again."""

    EVENTS = select.EPOLLIN | select.EPOLLRDHUP

    def __init__(self, port: int) -> None:
        self.port = port
        self.sent = 0
        self.socket = socket.socket()

    def open(self, poll: select.epoll) -> None:
        self.sent = 0
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex((HOST, self.port))
        poll.register(self.socket, self.EVENTS)

    def act(self, events: int, counts: Counter[str]) -> None:
        """OSError if the connection is gone."""
        if events & (select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP):
            raise ConnectionError
        if events & select.EPOLLIN:
            taken = self.socket.recv(1 << 16)
            if not taken:
                raise ConnectionError
            counts["bytes read"] += len(taken)
        if events & select.EPOLLOUT:
            counts["bytes sent"] += self.send(len(BLOCK))

    def send(self, most: int) -> int:
        """What comes next in an endless row of requests, however they were cut."""
        start = self.sent % len(REQUEST)
        try:
            sent = self.socket.send(BLOCK[start : start + most])
        except BlockingIOError:
            return 0
        self.sent += sent
        return sent


class Slow(Attacker):
    """A byte a second."""


class Flooding(Attacker):
    """As many requests as the socket takes; reads the replies."""

    EVENTS = Attacker.EVENTS | select.EPOLLOUT


class Deaf(Attacker):
    """The same, but it never reads."""

    EVENTS = select.EPOLLOUT | select.EPOLLRDHUP


def crew(port: int) -> list[Attacker]:
    kinds = [Attacker] * SILENT + [Slow] * SLOW + [Flooding, Deaf] * (FLOODING // 2)
    return [kind(port) for kind in kinds]


class Attack:
    def __init__(self, ports: list[int]) -> None:
        self.counts = Counter({"connections": 0, "dropped": 0, "bytes sent": 0, "bytes read": 0})
        self._poll = select.epoll()
        self._poll.register(sys.stdin, select.EPOLLIN)  # closed when the parent ends
        self._by_file: dict[int, Attacker] = {}
        self._away: deque[tuple[float, Attacker]] = deque()
        for port in ports:
            for attacker in crew(port):
                self._open(attacker)

    def run(self, seconds: float) -> None:
        clock = time.monotonic
        end, next_bytes_at = clock() + seconds, clock()
        while clock() < end:
            for file, events in self._poll.poll(POLL_S):
                if file == sys.stdin.fileno():
                    return
                self._act(self._by_file[file], events)
            if clock() >= next_bytes_at:
                next_bytes_at += BYTE_EVERY_S
                self._send_bytes()
            while self._away and self._away[0][0] <= clock():
                self._open(self._away.popleft()[1])

    def _open(self, attacker: Attacker) -> None:
        self.counts["connections"] += 1
        attacker.open(self._poll)
        self._by_file[attacker.socket.fileno()] = attacker

    def _act(self, attacker: Attacker, events: int) -> None:
        try:
            attacker.act(events, self.counts)
        except OSError:
            self._dropped(attacker)

    def _send_bytes(self) -> None:
        for attacker in [a for a in self._by_file.values() if isinstance(a, Slow)]:
            try:
                self.counts["single bytes"] += attacker.send(1)
            except OSError:
                self._dropped(attacker)

    def _dropped(self, attacker: Attacker) -> None:
        self.counts["dropped"] += 1
        del self._by_file[attacker.socket.fileno()]
        attacker.socket.close()
        self._away.append((time.monotonic() + BACK_AFTER_S, attacker))


def main() -> None:
    seconds, ports = float(sys.argv[1]), [int(port) for port in sys.argv[2:]]
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    attack = Attack(ports)
    attack.run(seconds)
    times = os.times()
    print(json.dumps({**attack.counts, "CPU s": round(times.user + times.system, 1)}), flush=True)


if __name__ == "__main__":
    main()
