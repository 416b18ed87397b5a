"""The servers that `conformance.py` compares, each with the device of tests/modbus_link/conformance.md.

They are configured as equal as their interfaces allow. What that leaves out is in `limits`.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from pyModbusTCP.constants import EXP_DATA_ADDRESS
from pyModbusTCP.server import DataBank, DataHandler, DeviceIdentification
from pyModbusTCP.server import ModbusServer as ThreadedServer

from modbus_link.image import RegisterImage
from modbus_link.listen import Listen
from modbus_link.server import ModbusServer
from register_maps.points import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "modbus_link"))
import conformance_table as table

HOST = "127.0.0.1"
Addresses = frozenset[tuple[Table, int]]
IDENTITY = {
    0x00: "pev-scada",
    0x01: "conformance",
    0x02: version("pev-scada"),
    0x04: "A device for the conformance table",
    0x05: "conformance 1",
    0x06: table.SERVER_NAME,
    0x80: "conformance",
    0x81: "1",
}


class Candidate(Protocol):
    name: str
    limits: Sequence[str]

    def serve(self) -> contextlib.AbstractAsyncContextManager[int]:
        """The port of a server in which nobody has written yet."""
        ...

    async def close(self) -> None: ...


class Ours:
    name = "ours"
    limits: Sequence[str] = ()

    def __init__(self) -> None:
        self._map = table.conformance_map()
        self._contents = table.values(self._map, table.read_device())
        self._images: list[RegisterImage] = []

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[int]:
        image = self._images.pop() if self._images else RegisterImage(self._map)
        image.update(self._contents)
        async with ModbusServer(image, Listen(host=HOST, port=0), name=table.SERVER_NAME) as server:
            yield server.port
        self._images.append(image)

    async def close(self) -> None: ...


class StockPymodbus:
    name = f"pymodbus {version('pymodbus')}"
    limits: Sequence[str] = (
        "what lies between the first coil and the last is there, rounded up to 16, and no coil is read-only:"
        " SimData has no place for it",
        "nor for points that can only be written, for least and greatest values, for values of 32 bits",
        "one device answers for all unit ids; devices 1, 0 and 255 would each have values of their own",
    )

    def __init__(self) -> None:
        self._device = table.read_device()
        self._identity = ModbusDeviceIdentification(info=IDENTITY)

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[int]:
        blocks = (
            self._block(Table.COIL),
            self._block(Table.DISCRETE_INPUT),
            self._block(Table.HOLDING_REGISTER),
            self._block(Table.INPUT_REGISTER),
        )
        device = SimDevice(0, blocks, identity=self._identity)
        server = ModbusTcpServer(device, identity=self._identity, address=(HOST, 0))
        await server.serve_forever(background=True)
        yield server.transport.sockets[0].getsockname()[1]
        await server.shutdown()

    def _block(self, kind: Table) -> list[SimData]:
        return [
            SimData(
                run.address,
                values=[bool(bit) for bit in run.contents] if kind.holds_bits else list(run.contents),
                datatype=DataType.BITS if kind.holds_bits else DataType.REGISTERS,
                readonly=run.access == "ro",
            )
            for run in self._device
            if run.table is kind
        ]

    async def close(self) -> None: ...


class PyModbusTcp:
    name = f"pyModbusTCP {version('pyModbusTCP')}"
    limits: Sequence[str] = (
        "functions 8 and 22 are not served; their rows count as failed",
        "gaps, and points that can only be read or written, are refused by a data handler of ours;"
        " least and greatest values and values of 32 bits would need more of it",
        "it answers for all unit ids",
        "a vendor's URL is always among its objects, here an empty one",
    )

    def __init__(self) -> None:
        self._device = table.read_device()
        self._idle: list[ThreadedServer] = []

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[int]:
        server = self._idle.pop() if self._idle else self._start()
        self._reset(server.data_bank)
        yield server.port
        self._idle.append(server)

    async def close(self) -> None:
        # Together, because each takes half a second to end.
        await asyncio.gather(*(asyncio.to_thread(server.stop) for server in self._idle))

    def _start(self) -> ThreadedServer:
        objects = {number: text.encode() for number, text in IDENTITY.items()}
        server = ThreadedServer(
            HOST,
            _free_port(),
            no_block=True,
            data_hdl=DeclaredOnly(self._device),
            device_id=DeviceIdentification(objects_id=objects),
        )
        server.start()
        return server

    def _reset(self, bank: DataBank) -> None:
        setters = {
            Table.COIL: bank.set_coils,
            Table.DISCRETE_INPUT: bank.set_discrete_inputs,
            Table.INPUT_REGISTER: bank.set_input_registers,
            Table.HOLDING_REGISTER: bank.set_holding_registers,
        }
        for run in self._device:
            setters[run.table](run.address, list(run.contents))


class DeclaredOnly(DataHandler):
    """Refuses what the device has not, and else does what pyModbusTCP does."""

    def __init__(self, device: Sequence[table.Run]) -> None:
        super().__init__()
        self._readable = _addresses(device, "ro", "rw")
        self._writable = _addresses(device, "wo", "rw")

    def read_coils(self, address: int, count: int, srv_info: object) -> DataHandler.Return:
        refusal = self._refusal(self._readable, Table.COIL, address, count)
        return refusal or super().read_coils(address, count, srv_info)

    def read_d_inputs(self, address: int, count: int, srv_info: object) -> DataHandler.Return:
        refusal = self._refusal(self._readable, Table.DISCRETE_INPUT, address, count)
        return refusal or super().read_d_inputs(address, count, srv_info)

    def read_h_regs(self, address: int, count: int, srv_info: object) -> DataHandler.Return:
        refusal = self._refusal(self._readable, Table.HOLDING_REGISTER, address, count)
        return refusal or super().read_h_regs(address, count, srv_info)

    def read_i_regs(self, address: int, count: int, srv_info: object) -> DataHandler.Return:
        refusal = self._refusal(self._readable, Table.INPUT_REGISTER, address, count)
        return refusal or super().read_i_regs(address, count, srv_info)

    def write_coils(self, address: int, bits_l: list[bool], srv_info: object) -> DataHandler.Return:
        refusal = self._refusal(self._writable, Table.COIL, address, len(bits_l))
        return refusal or super().write_coils(address, bits_l, srv_info)

    def write_h_regs(self, address: int, words_l: list[int], srv_info: object) -> DataHandler.Return:
        refusal = self._refusal(self._writable, Table.HOLDING_REGISTER, address, len(words_l))
        return refusal or super().write_h_regs(address, words_l, srv_info)

    @staticmethod
    def _refusal(allowed: Addresses, kind: Table, address: int, count: int) -> DataHandler.Return | None:
        if allowed.issuperset((kind, n) for n in range(address, address + count)):
            return None
        return DataHandler.Return(exp_code=EXP_DATA_ADDRESS)


def _addresses(device: Sequence[table.Run], *access: str) -> Addresses:
    runs = [run for run in device if run.access in access]
    return frozenset((run.table, run.address + n) for run in runs for n in range(len(run.contents)))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
