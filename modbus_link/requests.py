"""A request's bytes to the reply's bytes, against a register image.

Each function checks what MODBUS Application Protocol V1.1b3 says, in its order: quantity and byte
count (exception 3), address (2), value (3). A function that isn't here is exception 1, and so is one
that this client may not use.
"""

import logging
import struct
from collections.abc import Callable
from functools import partial

from pymodbus.pdu import ExceptionResponse
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadCoilsResponse,
    WriteMultipleCoilsRequest,
    WriteMultipleCoilsResponse,
)
from pymodbus.pdu.diag_message import ReturnQueryDataRequest, ReturnQueryDataResponse
from pymodbus.pdu.mei_message import ReadDeviceInformationRequest
from pymodbus.pdu.register_message import (
    MaskWriteRegisterRequest,
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadWriteMultipleRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterRequest,
)

from modbus_link.access import Client
from modbus_link.errors import ExceptionCode
from modbus_link.identity import Identity
from modbus_link.image import Refusal, RegisterImage, not_allowed
from modbus_link.line_limit import LineLimit
from register_maps.points import Table

log = logging.getLogger(__name__)
_lines = LineLimit(log)


def respond(image: RegisterImage, identity: Identity, pdu: bytes, client: Client) -> bytes:
    """The reply to one request PDU; never raises, because a server must answer."""
    function = pdu[0]
    try:
        return bytes((function,)) + _answer(image, identity, function, pdu[1:], client)
    except Refusal as refusal:
        code = refusal.code
        if refusal.why:
            _lines.warning(client.host, code.name, f"{client} {refusal.why}: refused")
            if image.on_refused and function in _WRITES:
                image.on_refused(client, refusal.why)
    except Exception:
        text = f"request {pdu.hex(' ')} of {client} failed"
        _lines.warning(client.host, "failed", text, exc_info=True)
        code = ExceptionCode.SERVER_DEVICE_FAILURE
    return exception(function, code)


def exception(function: int, code: ExceptionCode) -> bytes:
    """The PDU that refuses a request of `function`."""
    return bytes((function | 0x80,)) + ExceptionResponse(function, code).encode()


def _answer(image: RegisterImage, identity: Identity, function: int, data: bytes, client: Client) -> bytes:
    if function in _READS:
        return _READS[function](image, data, client)
    if function in _WRITES:
        if client.rights.reads_only:
            why = "by its role, or not being" if client.role else "not being"
            raise not_allowed(f"write (function {function}), {why} one of `writers`")
        return _WRITES[function](image, data, client)
    if function == 8:
        return _diagnose(data)
    if function == 43:
        return _identify(identity, data)
    raise Refusal(ExceptionCode.ILLEGAL_FUNCTION)


class _Registers(ReadHoldingRegistersResponse):
    """pymodbus's reply, packed at once: it appends register by register, 125 of which take it 24 µs."""

    def encode(self) -> bytes:
        count = len(self.registers)
        return struct.pack(f">B{count}H", 2 * count, *self.registers)


def _read_registers(table: Table, image: RegisterImage, data: bytes, client: Client) -> bytes:
    request = ReadHoldingRegistersRequest()
    _require(len(data) == 4)
    _decode(request.decode, data)  # checks the quantity
    return _Registers(registers=image.read(table, request.address, request.count, client)).encode()


def _read_bits(table: Table, image: RegisterImage, data: bytes, client: Client) -> bytes:
    request = ReadCoilsRequest()
    _require(len(data) == 4)
    _decode(request.decode, data)  # checks the quantity
    bits = image.read(table, request.address, request.count, client)
    return ReadCoilsResponse(bits=[bool(bit) for bit in bits]).encode()


def _write_coil(image: RegisterImage, data: bytes, client: Client) -> bytes:
    # Not pymodbus's request: it takes any value but 0 for ON, and a coil here closes a contactor.
    _require(len(data) == 4)
    address, value = struct.unpack(">HH", data)
    _require(value in (0x0000, 0xFF00))
    image.write(Table.COIL, address, [int(value == 0xFF00)], client)
    return data


def _write_register(image: RegisterImage, data: bytes, client: Client) -> bytes:
    _require(len(data) == 4)
    request = WriteSingleRegisterRequest()
    request.decode(data)
    image.write(Table.HOLDING_REGISTER, request.address, request.registers, client)
    return data


def _write_coils(image: RegisterImage, data: bytes, client: Client) -> bytes:
    request = WriteMultipleCoilsRequest()
    _decode(request.decode, data)
    _require(1 <= request.count <= 0x7B0)
    _require(request.byte_count == (request.count + 7) // 8 == len(data) - 5)
    image.write(Table.COIL, request.address, [int(bit) for bit in request.bits], client)
    return WriteMultipleCoilsResponse(address=request.address, count=request.count).encode()


def _write_registers(image: RegisterImage, data: bytes, client: Client) -> bytes:
    # Before pymodbus decodes: it reads as many registers as the count says, whatever is there.
    _require(len(data) >= 5)
    _, count, byte_count = struct.unpack(">HHB", data[:5])
    _require(1 <= count <= 0x7B and byte_count == 2 * count == len(data) - 5)
    request = WriteMultipleRegistersRequest()
    _decode(request.decode, data)
    image.write(Table.HOLDING_REGISTER, request.address, request.registers, client)
    return WriteMultipleRegistersResponse(address=request.address, count=count).encode()


def _mask_write_register(image: RegisterImage, data: bytes, client: Client) -> bytes:
    _require(len(data) == 6)
    request = MaskWriteRegisterRequest()
    request.decode(data)
    (old,) = image.read(Table.HOLDING_REGISTER, request.address, 1, client)
    new = old & request.and_mask | request.or_mask & ~request.and_mask & 0xFFFF
    image.write(Table.HOLDING_REGISTER, request.address, [new], client)
    return data


def _read_write_registers(image: RegisterImage, data: bytes, client: Client) -> bytes:
    _require(len(data) >= 9)
    _, read_count, _, write_count, byte_count = struct.unpack(">HHHHB", data[:9])
    _require(1 <= read_count <= 0x7D and 1 <= write_count <= 0x79)
    _require(byte_count == 2 * write_count == len(data) - 9)
    request = ReadWriteMultipleRegistersRequest()
    _decode(request.decode, data)
    # Asked first, so that a request which can't be read doesn't write either.
    image.read(Table.HOLDING_REGISTER, request.read_address, read_count, client)
    image.write(Table.HOLDING_REGISTER, request.write_address, request.write_registers, client)
    values = image.read(Table.HOLDING_REGISTER, request.read_address, read_count, client)
    return _Registers(registers=values).encode()


def _diagnose(data: bytes) -> bytes:
    """Sub-function 0, the echo; the others count what happens on a serial line."""
    _require(len(data) >= 2)
    if data[:2] != b"\0\0":
        raise Refusal(ExceptionCode.ILLEGAL_FUNCTION)
    _require(len(data) % 2 == 0)
    request = ReturnQueryDataRequest()
    request.decode(data)
    return ReturnQueryDataResponse(request.message).encode()


def _identify(identity: Identity, data: bytes) -> bytes:
    _require(len(data) >= 1)
    if data[0] != ReadDeviceInformationRequest.sub_function_code:
        raise Refusal(ExceptionCode.ILLEGAL_FUNCTION)
    _require(len(data) == 3)
    request = ReadDeviceInformationRequest()
    request.decode(data)
    return identity.reply(request.read_code, request.object_id)


_Answer = Callable[[RegisterImage, bytes, Client], bytes]
_READS: dict[int, _Answer] = {
    1: partial(_read_bits, Table.COIL),
    2: partial(_read_bits, Table.DISCRETE_INPUT),
    3: partial(_read_registers, Table.HOLDING_REGISTER),
    4: partial(_read_registers, Table.INPUT_REGISTER),
}
_WRITES: dict[int, _Answer] = {
    5: _write_coil,
    6: _write_register,
    15: _write_coils,
    16: _write_registers,
    22: _mask_write_register,
    23: _read_write_registers,
}


def _require(holds: bool) -> None:
    if not holds:
        raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)


def _decode(decode: Callable[[bytes], None], data: bytes) -> None:
    try:
        decode(data)
    except (ValueError, IndexError, struct.error) as error:
        raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE) from error
