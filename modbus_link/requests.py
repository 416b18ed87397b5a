"""A request's bytes to the reply's bytes, against a register image.

Each function checks what MODBUS Application Protocol V1.1b3 says, in its order: quantity and byte
count (exception 3), address (2), value (3). A function that isn't here is exception 1.
"""

import logging
import struct
from collections.abc import Callable

from pymodbus.pdu import ExceptionResponse
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadCoilsResponse,
    WriteMultipleCoilsRequest,
    WriteMultipleCoilsResponse,
)
from pymodbus.pdu.register_message import (
    MaskWriteRegisterRequest,
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadWriteMultipleRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterRequest,
)

from modbus_link.errors import ExceptionCode
from modbus_link.image import Refusal, RegisterImage
from register_maps.points import Table

log = logging.getLogger(__name__)


def respond(image: RegisterImage, pdu: bytes, peer: str) -> bytes:
    """The reply to one request PDU; never raises, because a server must answer."""
    function = pdu[0]
    try:
        return bytes((function,)) + _answer(image, function, pdu[1:], peer)
    except Refusal as refusal:
        code = refusal.code
    except Exception:
        log.exception("request %s of %s failed", pdu.hex(" "), peer)
        code = ExceptionCode.SERVER_DEVICE_FAILURE
    return bytes((function | 0x80,)) + ExceptionResponse(function, code).encode()


def _answer(image: RegisterImage, function: int, data: bytes, peer: str) -> bytes:
    if function in _READS:
        return _read(image, _READS[function], data)
    if function in _WRITES:
        return _WRITES[function](image, data, peer)
    raise Refusal(ExceptionCode.ILLEGAL_FUNCTION)


_READS = {
    1: Table.COIL,
    2: Table.DISCRETE_INPUT,
    3: Table.HOLDING_REGISTER,
    4: Table.INPUT_REGISTER,
}


def _read(image: RegisterImage, table: Table, data: bytes) -> bytes:
    request = ReadCoilsRequest() if table.holds_bits else ReadHoldingRegistersRequest()
    _require(len(data) == 4)
    _decode(request.decode, data)  # checks the quantity
    values = image.read(table, request.address, request.count)
    if table.holds_bits:
        return ReadCoilsResponse(bits=[bool(bit) for bit in values]).encode()
    return ReadHoldingRegistersResponse(registers=values).encode()


def _write_coil(image: RegisterImage, data: bytes, peer: str) -> bytes:
    # Not pymodbus's request: it takes any value but 0 for ON, and a coil here closes a contactor.
    _require(len(data) == 4)
    address, value = struct.unpack(">HH", data)
    _require(value in (0x0000, 0xFF00))
    image.write(Table.COIL, address, [int(value == 0xFF00)], peer)
    return data


def _write_register(image: RegisterImage, data: bytes, peer: str) -> bytes:
    _require(len(data) == 4)
    request = WriteSingleRegisterRequest()
    request.decode(data)
    image.write(Table.HOLDING_REGISTER, request.address, request.registers, peer)
    return data


def _write_coils(image: RegisterImage, data: bytes, peer: str) -> bytes:
    request = WriteMultipleCoilsRequest()
    _decode(request.decode, data)
    _require(1 <= request.count <= 0x7B0)
    _require(request.byte_count == (request.count + 7) // 8 == len(data) - 5)
    image.write(Table.COIL, request.address, [int(bit) for bit in request.bits], peer)
    return WriteMultipleCoilsResponse(address=request.address, count=request.count).encode()


def _write_registers(image: RegisterImage, data: bytes, peer: str) -> bytes:
    # Before pymodbus decodes: it reads as many registers as the count says, whatever is there.
    _require(len(data) >= 5)
    _, count, byte_count = struct.unpack(">HHB", data[:5])
    _require(1 <= count <= 0x7B and byte_count == 2 * count == len(data) - 5)
    request = WriteMultipleRegistersRequest()
    _decode(request.decode, data)
    image.write(Table.HOLDING_REGISTER, request.address, request.registers, peer)
    return WriteMultipleRegistersResponse(address=request.address, count=count).encode()


def _mask_write_register(image: RegisterImage, data: bytes, peer: str) -> bytes:
    _require(len(data) == 6)
    request = MaskWriteRegisterRequest()
    request.decode(data)
    (old,) = image.read(Table.HOLDING_REGISTER, request.address, 1)
    new = old & request.and_mask | request.or_mask & ~request.and_mask & 0xFFFF
    image.write(Table.HOLDING_REGISTER, request.address, [new], peer)
    return data


def _read_write_registers(image: RegisterImage, data: bytes, peer: str) -> bytes:
    _require(len(data) >= 9)
    _, read_count, _, write_count, byte_count = struct.unpack(">HHHHB", data[:9])
    _require(1 <= read_count <= 0x7D and 1 <= write_count <= 0x79)
    _require(byte_count == 2 * write_count == len(data) - 9)
    request = ReadWriteMultipleRegistersRequest()
    _decode(request.decode, data)
    # Asked first, so that a request which can't be read doesn't write either.
    image.read(Table.HOLDING_REGISTER, request.read_address, read_count)
    image.write(Table.HOLDING_REGISTER, request.write_address, request.write_registers, peer)
    values = image.read(Table.HOLDING_REGISTER, request.read_address, read_count)
    return ReadHoldingRegistersResponse(registers=values).encode()


_WRITES: dict[int, Callable[[RegisterImage, bytes, str], bytes]] = {
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
