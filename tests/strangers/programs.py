"""Clients that are programs: mbpoll, our few lines of C on libmodbus, and of JavaScript on npm's clients."""

import functools
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from strangers.stranger import HOST, TIMEOUT_S, UNIT, Refused, Register, Stranger

HERE = Path(__file__).parent
INSTALLED = HERE.parents[1] / ".venv" / "strangers"
"""Where `make test` puts npm's packages, and C programs go."""


MBPOLL_TABLES = {"coil": "0", "discrete_input": "1", "input_register": "3", "holding_register": "4"}
MBPOLL_REFUSALS = {"Illegal data address": 2, "Illegal data value": 3, "Slave device or server is busy": 6}


class Mbpoll(Stranger):
    """It makes a connection for each value."""

    @classmethod
    def missing(cls) -> str:
        return "" if shutil.which("mbpoll") else "mbpoll: apt-get install mbpoll"

    def __init__(self, port: int) -> None:
        self._port = port

    def get(self, register: Register) -> int:
        printed = self._run(register, "-c", "1", HOST)
        found = re.search(rf"^\[{register.address}\]:\s+(-?\d+)", printed, re.MULTILINE)
        assert found, printed
        # It shows 32 bits as signed, and 16 as unsigned.
        number, top = int(found[1]), 1 << (16 * register.words)
        return (number + top // 2) % top - top // 2 if register.is_signed else number % top

    def put(self, register: Register, number: int) -> None:
        self._run(register, HOST, "--", str(number))

    def _run(self, register: Register, *args: str) -> str:
        kind = MBPOLL_TABLES[register.table] + (":int" if register.words == 2 else "")
        where = ["-m", "tcp", "-p", str(self._port), "-a", str(UNIT), "-0", "-r", str(register.address)]
        command = ["mbpoll", *where, "-1", "-o", str(TIMEOUT_S), "-B", "-t", kind, *args]
        done = subprocess.run(command, capture_output=True, text=True, timeout=3 * TIMEOUT_S, check=False)
        for text, code in MBPOLL_REFUSALS.items():
            if text in done.stderr:
                raise Refused(code)
        assert done.returncode == 0, done.stderr
        return done.stdout


class LineByLine(Stranger):
    """A program that takes each request as a line, and answers it by a line."""

    def __init__(self, port: int) -> None:
        self._process = subprocess.Popen(
            [*self.command(), str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "NODE_PATH": str(INSTALLED / "node_modules")},
        )

    @classmethod
    def command(cls) -> list[str]:
        raise NotImplementedError

    def get(self, register: Register) -> int:
        return int(self.ask("get", register.table, register.address, register.kind))

    def put(self, register: Register, number: int) -> None:
        assert self.ask("put", register.table, register.address, register.kind, number) == "done"

    def ask(self, *words: object) -> str:
        assert self._process.stdin
        assert self._process.stdout
        print(*words, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline().strip()
        if answer.startswith("exception "):
            raise Refused(int(answer.removeprefix("exception ")))
        assert answer, "it ended"
        assert not answer.startswith("error "), answer
        return answer

    def close(self) -> None:
        """It ends by itself when there is nothing more to read."""
        try:
            self._process.communicate(timeout=TIMEOUT_S)
        finally:
            self._process.kill()
            self._process.wait()


class Libmodbus(LineByLine):
    HEADER = Path("/usr/include/modbus/modbus.h")

    @classmethod
    def missing(cls) -> str:
        here = shutil.which("cc") and cls.HEADER.exists()
        return "" if here else "libmodbus and a C compiler: apt-get install libmodbus-dev gcc libc6-dev"

    @classmethod
    def command(cls) -> list[str]:
        return [str(_compiled(HERE / "libmodbus_client.c", "-lmodbus"))]


class NodeProgram(LineByLine):
    """`package` from npm, used by `script`."""

    package = ""
    script = ""

    @classmethod
    def missing(cls) -> str:
        if not shutil.which("node"):
            return "node: apt-get install nodejs npm"
        here = (INSTALLED / "node_modules" / cls.package).exists()
        return "" if here else f"npm's {cls.package}: make test installs it"

    @classmethod
    def command(cls) -> list[str]:
        return ["node", str(HERE / cls.script)]

    def identity(self, code: int) -> dict[int, str]:
        return {int(number): text for number, text in json.loads(self.ask("identify", code)).items()}


class ModbusSerial(NodeProgram):
    package, script = "modbus-serial", "modbus_serial_client.js"


class JsModbus(NodeProgram):
    package, script = "jsmodbus", "jsmodbus_client.js"


@functools.cache
def _compiled(source: Path, *libraries: str) -> Path:
    program = INSTALLED / source.stem
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        INSTALLED.mkdir(parents=True, exist_ok=True)
        # Renamed when it is ready, because another test process may want it at the same time.
        fresh = program.with_suffix(f".{os.getpid()}")
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-o", fresh, source, *libraries], check=True)
        fresh.replace(program)
    return program
