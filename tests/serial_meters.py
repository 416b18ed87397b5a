"""Meters at the other end of a pseudo-terminal, byte for byte as their protocol documents have them."""

import os
import select
import struct
import threading
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

Distortion = Callable[[bytes], Sequence[bytes]]


def crc(data: bytes) -> bytes:
    """MODBUS over Serial Line V1.02, 6.2.2: the low byte goes first."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register.to_bytes(2, "little")


class SerialMeter:
    """Answers requests of function 4 for `unit`. `distort` takes each reply and gives the pieces that get
    onto the line, some milliseconds apart."""

    most_words = 125

    def __init__(self, port: Path, unit: int = 1) -> None:
        self.port = port
        self.unit = unit
        self.distort: Distortion = lambda reply: [reply]
        self.requests: list[bytes] = []

    def words(self, address: int, count: int) -> bytes | None:
        """None for what it doesn't have."""
        raise NotImplementedError

    def reply(self, request: bytes) -> bytes:
        """To a whole and right request; b"" where the meter keeps silent."""
        if len(request) != 8 or crc(request[:-2]) != request[-2:] or request[0] != self.unit:
            return b""
        function = request[1]
        if function != 4:
            return self._framed(bytes((function | 0x80, 1)))
        address, count = struct.unpack(">HH", request[2:6])
        data = self.words(address, count) if 0 < count <= self.most_words else None
        if data is None:
            return self._framed(bytes((function | 0x80, 2)))
        return self._framed(bytes((function, len(data))) + data)

    def plug_in(self) -> None:
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(os.ttyname(self._far))
        self._ends, self._end = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def pull_out(self) -> None:
        """As one pulls a USB adapter out: its port is gone."""
        self.port.unlink()
        os.close(self._end)
        self._thread.join()
        for end in (self._near, self._far, self._ends):
            os.close(end)

    def say(self, data: bytes) -> None:
        """Without having been asked."""
        os.write(self._near, data)

    def _framed(self, pdu: bytes) -> bytes:
        frame = bytes((self.unit,)) + pdu
        return frame + crc(frame)

    def _serve(self) -> None:
        heard = b""
        while True:
            ready, _, _ = select.select([self._near, self._ends], [], [], 0.002 if heard else None)
            if self._ends in ready:
                return
            if ready:
                heard += os.read(self._near, 256)
                continue
            self.requests.append(heard)  # silence ends a frame
            reply, heard = self.reply(heard), b""
            for piece in self.distort(reply) if reply else ():
                os.write(self._near, piece)
                time.sleep(0.003)


class Pzem004t(SerialMeter):
    """PZEM-004T V3.0 User Manual, 2.3: ten input registers, the low word of a pair first."""

    most_words = 10

    def __init__(self, port: Path, unit: int = 1) -> None:
        super().__init__(port, unit)
        self.registers = [0] * 10
        self.measure(voltage_v=230.0, current_a=0.0, power_w=0.0)

    def measure(self, *, voltage_v: float, current_a: float, power_w: float) -> None:
        current, power = round(current_a * 1000), round(power_w * 10)
        pairs = [current & 0xFFFF, current >> 16, power & 0xFFFF, power >> 16]
        self.registers = [round(voltage_v * 10), *pairs, 0, 0, 500, 100, 0]

    def words(self, address: int, count: int) -> bytes | None:
        if address + count > len(self.registers):
            return None
        return struct.pack(f">{count}H", *self.registers[address : address + count])


class Sdm120(SerialMeter):
    """Eastron's protocol: a parameter is a float in two input registers, the high word first; at most thirty
    in a request, which begins at a parameter; those that this meter lacks read 0."""

    most_words = 60

    def __init__(self, port: Path, unit: int = 1) -> None:
        super().__init__(port, unit)
        self.parameters = {0x0000: 230.0, 0x0006: 0.0, 0x000C: 0.0, 0x0046: 50.0, 0x0156: 0.0}

    def measure(self, *, voltage_v: float, current_a: float, power_w: float) -> None:
        self.parameters |= {0x0000: voltage_v, 0x0006: current_a, 0x000C: power_w}

    def words(self, address: int, count: int) -> bytes | None:
        if address % 2 or count % 2:
            return None
        values = [self.parameters.get(at, 0.0) for at in range(address, address + count, 2)]
        return struct.pack(f">{len(values)}f", *values)


Meter = TypeVar("Meter", bound=SerialMeter)


@contextmanager
def plugged_in(meter: Meter) -> Iterator[Meter]:
    meter.plug_in()
    try:
        yield meter
    finally:
        meter.pull_out()
