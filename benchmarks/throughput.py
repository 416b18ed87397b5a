"""How many requests a second our server answers, and pymodbus's own, and pyModbusTCP's, in one run.

Each server is a process of its own that serves at least ten holding registers, and so is the one client
program (`load_client.py`), which loads them in turns: function 3, ten registers, over one connection
and over fifty, every connection with one request out. What the machine does besides disturbs all alike,
because the rounds are interleaved. `floor` is no Modbus server: it sends the same few bytes whatever
comes, and so shows what the client, and the machine, can do at most.

    python benchmarks/throughput.py
    python benchmarks/throughput.py --rounds 5 --seconds 2 --servers ours pymodbus
"""

import argparse
import asyncio
import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median

from load_client import COUNT, HEADS, HOST, RECEIVE_BYTES, UNIT_ID, Load
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from pyModbusTCP.server import ModbusServer as PyModbusTcpServer

from modbus_link.image import RegisterImage
from modbus_link.listen import Listen
from modbus_link.server import ModbusServer
from register_maps.register_map import load_map

CLIENT = Path(__file__).with_name("load_client.py")
CONNECTIONS = (1, 50)
REFERENCE = "pymodbus"
EXPLANATION = f"""\
Function 3, {COUNT} registers, over loopback; a connection asks again when it has its reply.
µs CPU is the server's, for each request; the other µs are what the client waits for a reply.
ours          pev_rtu's map, its image and its server
pymodbus      ModbusTcpServer with SimDevice, as its documentation shows it
pyModbusTCP   ModbusServer, a thread for each connection
floor         no Modbus: the same bytes whatever comes, so the most that this client can measure
"""

# --- The servers, each in a process of its own ------------------------------------------------------


def serve_ours() -> None:
    async def serve() -> None:
        async with ModbusServer(RegisterImage(load_map("pev_rtu")), Listen(host=HOST, port=0)) as server:
            print(server.port, flush=True)
            await asyncio.Event().wait()

    asyncio.run(serve())


def serve_pymodbus() -> None:
    async def serve() -> None:
        data = SimData(0, values=list(range(COUNT)), datatype=DataType.REGISTERS)
        port = free_port()
        server = ModbusTcpServer(SimDevice(UNIT_ID, simdata=[data]), address=(HOST, port))
        await server.serve_forever(background=True)
        print(port, flush=True)
        await asyncio.Event().wait()

    asyncio.run(serve())


def serve_pymodbustcp() -> None:
    port = free_port()
    server = PyModbusTcpServer(HOST, port, no_block=True)
    server.start()
    print(port, flush=True)
    threading.Event().wait()


def serve_floor() -> None:
    listener, poll = socket.create_server((HOST, 0), backlog=512), select.epoll()
    poll.register(listener, select.EPOLLIN)
    print(listener.getsockname()[1], flush=True)
    clients: dict[int, socket.socket] = {}
    replies = [head + bytes(2 * COUNT) for head in HEADS]
    while True:
        for number, _ in poll.poll():
            client = clients.get(number)
            if client is None:
                client, _ = listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                clients[client.fileno()] = client
                poll.register(client, select.EPOLLIN)
            elif request := client.recv(RECEIVE_BYTES):
                client.send(replies[request[1]])
            else:
                poll.unregister(client)
                clients.pop(number).close()


SERVERS: dict[str, Callable[[], None]] = {
    "ours": serve_ours,
    "pymodbus": serve_pymodbus,
    "pyModbusTCP": serve_pymodbustcp,
    "floor": serve_floor,
}


def free_port() -> int:
    """For the servers that don't tell which one they took."""
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


def end_with_parent() -> None:
    """Whatever becomes of the benchmark, no server outlives it: its end of the pipe closes."""

    def wait() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


# --- Measuring --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    name: str
    port: int
    pid: int


@contextlib.contextmanager
def running(name: str) -> Iterator[Running]:
    command = [sys.executable, __file__, "--serve", name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"{name} ended before it served")
            yield Running(name=name, port=int(line), pid=process.pid)
        finally:
            process.kill()


def load(server: Running, connections: int, seconds: float, core: int) -> Load:
    """With one connection, server and client take turns anyway, and so share a core: to wake a sleeping one
    takes longer than most servers take to answer, on a virtual machine above all."""
    cores = {core} if connections == 1 else os.sched_getaffinity(0)
    keep_to(cores, server.pid)
    command = [sys.executable, str(CLIENT), "--port", str(server.port), "--server-pid", str(server.pid)]
    command += ["--connections", str(connections), "--seconds", str(seconds)]
    command += ["--cores", *map(str, cores)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=seconds + 30, check=False)
    if done.returncode:
        raise SystemExit(f"{server.name} failed under {connections} connections")
    return Load(**json.loads(done.stdout))


def keep_to(cores: set[int], pid: int) -> None:
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cores)


HEADER = (
    f"  {'':<12} {'requests/s':>10} {'least':>9} {'most':>9} {'/' + REFERENCE:>9}"
    f" {'µs CPU':>7} {'median µs':>10} {'99 % µs':>9}"
)


def row(name: str, loads: list[Load], reference: list[Load]) -> str:
    """Medians of the rounds."""
    speeds = [load.per_second for load in loads]
    ratio = f"{median(speeds) / median(load.per_second for load in reference):.2f}" if reference else ""
    cpu_us = median(1e6 * load.server_cpu_s / load.requests for load in loads)
    usual_us, late_us = median(load.median_us for load in loads), median(load.within_99_us for load in loads)
    return (
        f"  {name:<12} {median(speeds):>10,.0f} {min(speeds):>9,.0f} {max(speeds):>9,.0f} {ratio:>9}"
        f" {cpu_us:>7.1f} {usual_us:>10,.0f} {late_us:>9,.0f}"
    )


def compare(servers: list[Running], rounds: int, seconds: float) -> None:
    cores = cycle(os.sched_getaffinity(0))
    for connections in CONNECTIONS:
        loads: dict[str, list[Load]] = {server.name: [] for server in servers}
        for _ in range(rounds):
            core = next(cores)  # another one in each round: something else may keep one of them busy
            for server in servers:
                loads[server.name].append(load(server, connections, seconds, core))
        print(f"{connections} client{'s' if connections > 1 else ', on the core of the server'}\n{HEADER}")
        for name, measured in loads.items():
            print(row(name, measured, loads.get(REFERENCE, [])))
        print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure Modbus TCP servers against each other.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each round, for each server")
    parser.add_argument("--servers", nargs="+", default=list(SERVERS), choices=SERVERS, metavar="NAME")
    parser.add_argument("--serve", choices=SERVERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        end_with_parent()
        SERVERS[options.serve]()
        return
    print(EXPLANATION)
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(running(name)) for name in options.servers]
        compare(servers, options.rounds, options.seconds)


if __name__ == "__main__":
    main()
