"""An I²C bus for the real smbus2: its system calls end here, as bytes on two wires that chips hang on.

What the calls do is what the kernel's i2c-dev does for them; what goes wrong is numbered as the Pi's own
adapters do: EREMOTEIO where nobody acknowledges, ETIMEDOUT after a second where the wires are stuck.
"""

import errno
import os
import time
from collections import deque
from types import SimpleNamespace
from typing import Any, Protocol

import pytest
import smbus2.smbus2

from modbus_link.clock import Clock, VirtualClock

I2C_SLAVE, I2C_FUNCS, I2C_RDWR, I2C_SMBUS = 0x0703, 0x0705, 0x0707, 0x0720
QUICK, BYTE, BYTE_DATA, WORD_DATA = range(4)
CAN_I2C, CAN_SMBUS_EMULATED = 0x00000001, 0x0EFF0008
READS = 1
NO_REAL_FILE = 1_000_000
"""Our numbers are above it, so that no real file can be closed by one of them."""
BIT_S = 1 / 100_000
"""The Pi's bus has 100 kHz unless it is told otherwise."""
STUCK_FOR_S = 1.0


class Chip(Protocol):
    powered: bool

    def write(self, data: bytes) -> None: ...

    def read(self, count: int) -> bytes: ...


class I2cWires:
    """`chips` by their addresses; whoever takes one out has unplugged it. The faults to stage:

    `errors`: of the next transfers, one each; 0 is a transfer that goes well.
    `stuck`: SDA or SCL is held low. `floating`: whatever is read is all ones.
    `held_by_kernel`: addresses that a driver of the kernel's has taken.
    `no_file`: why /dev/i2c-N can't be opened; what was open before goes on, unless it is `lost`.
    """

    def __init__(self, clock: Clock | None = None, number: int = 1) -> None:
        self.clock = clock or Clock()
        self.path = f"/dev/i2c-{number}"
        self.chips: dict[int, Chip] = {}
        self.errors: deque[int] = deque()
        self.stuck = False
        self.floating = False
        self.held_by_kernel: set[int] = set()
        self.no_file = 0
        self.opened = 0
        self.traffic: deque[tuple[int, str, bytes]] = deque(maxlen=1000)
        """Address, "write" or "read", and the bytes, as they were on the wires."""
        self._addresses: dict[int, int | None] = {}

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on, smbus2 meets these wires."""
        system = SimpleNamespace(open=self._open, close=self._close, O_RDWR=os.O_RDWR)
        monkeypatch.setattr(smbus2.smbus2, "os", system)
        monkeypatch.setattr(smbus2.smbus2, "ioctl", self._ioctl)

    @property
    def open_files(self) -> int:
        return len(self._addresses)

    def lose(self) -> None:
        """The adapter goes, as when its driver is unloaded; it comes back with `no_file = 0`."""
        self.no_file = errno.ENOENT
        self._addresses.clear()

    def _open(self, path: str, flags: int) -> int:
        if path != self.path:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if self.no_file:
            raise OSError(self.no_file, os.strerror(self.no_file), path)
        assert flags == os.O_RDWR
        self.opened += 1
        file = NO_REAL_FILE + self.opened
        self._addresses[file] = None
        return file

    def _close(self, file: int) -> None:
        if self._addresses.pop(file, self) is self:
            raise _error(errno.EBADF)

    def _ioctl(self, file: int, request: int, argument: Any) -> int:
        if file not in self._addresses:
            raise _error(errno.ENODEV)
        if request == I2C_FUNCS:
            argument.value = CAN_I2C | CAN_SMBUS_EMULATED
        elif request == I2C_SLAVE:
            self._claim(file, argument)
        elif request == I2C_SMBUS:
            self._smbus(self._addresses[file], argument)
        elif request == I2C_RDWR:
            for n in range(argument.nmsgs):
                self._message(argument.msgs[n])
        else:
            raise _error(errno.ENOTTY)
        return 0

    def _claim(self, file: int, address: int) -> None:
        if address > 0x7F:
            raise _error(errno.EINVAL)
        if address in self.held_by_kernel:
            raise _error(errno.EBUSY)
        self._addresses[file] = address

    def _smbus(self, address: int | None, call: Any) -> None:
        """The kernel makes plain I²C transfers of it, and sends the least significant byte first."""
        assert address is not None, "a transfer without I2C_SLAVE before it"
        size = {QUICK: 0, BYTE: 0, BYTE_DATA: 1, WORD_DATA: 2}.get(call.size)
        if size is None:
            raise _error(errno.EOPNOTSUPP)
        command = b"" if call.size == QUICK else bytes([call.command])
        value = call.data.contents
        if call.read_write == READS and call.size != QUICK:
            read = self.transfer(address, b"" if call.size == BYTE else command, reads=size or 1)
            value.word = int.from_bytes(read, "little")
        else:
            self.transfer(address, command + (value.word & 0xFFFF).to_bytes(2, "little")[:size])

    def _message(self, message: Any) -> None:
        if message.flags & READS:
            read = self.transfer(message.addr, b"", reads=message.len)
            for n, byte in enumerate(read):
                message.buf[n] = byte
        else:
            self.transfer(message.addr, bytes(message))

    def transfer(self, address: int, writes: bytes, reads: int = 0) -> bytes:
        """From start to stop: what is written, and what is read after a repeated start."""
        self._fail_as_staged()
        chip = self.chips.get(address)
        if chip is None or not chip.powered:
            raise _error(errno.EREMOTEIO)
        if writes or not reads:
            self._take(9 * (1 + len(writes)) * BIT_S)
            self.traffic.append((address, "write", writes))
            chip.write(writes)
        if not reads:
            return b""
        self._take(9 * (1 + reads) * BIT_S)
        read = chip.read(reads)
        if self.floating:
            read = b"\xff" * reads
        self.traffic.append((address, "read", read))
        return read

    def _fail_as_staged(self) -> None:
        if self.stuck:
            self._take(STUCK_FOR_S)
            if not isinstance(self.clock, VirtualClock):
                time.sleep(STUCK_FOR_S)
            raise _error(errno.ETIMEDOUT)
        if self.errors and (number := self.errors.popleft()):
            raise _error(number)

    def _take(self, seconds: float) -> None:
        if isinstance(self.clock, VirtualClock):
            self.clock.advance(seconds)


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
