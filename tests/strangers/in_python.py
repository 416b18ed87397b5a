"""Clients from PyPI."""

import socket
import struct

import umodbus.client.tcp as umodbus
from modbus_tk import defines
from modbus_tk.exceptions import ModbusError as ModbusTkError
from modbus_tk.modbus_tcp import TcpMaster
from pyModbusTCP.client import ModbusClient
from pyModbusTCP.utils import get_2comp, long_list_to_word, word_list_to_long
from strangers.stranger import HOST, TIMEOUT_S, UNIT, Refused, Register, Stranger
from umodbus.exceptions import ModbusError as UModbusError

STRUCT = {"uint16": ">H", "int16": ">h", "uint32": ">I", "int32": ">i"}


class PyModbusTcp(Stranger):
    def __init__(self, port: int) -> None:
        self._client = ModbusClient(HOST, port, UNIT, timeout=TIMEOUT_S)
        self._reads = {
            "coil": self._client.read_coils,
            "discrete_input": self._client.read_discrete_inputs,
            "input_register": self._client.read_input_registers,
            "holding_register": self._client.read_holding_registers,
        }

    def get(self, register: Register) -> int:
        words = self._reads[register.table](register.address, register.words)
        self._check(words)
        raw = word_list_to_long(words)[0] if register.words == 2 else int(words[0])
        return int(get_2comp(raw, 16 * register.words)) if register.is_signed else raw

    def put(self, register: Register, number: int) -> None:
        address, raw = register.address, get_2comp(number, 16 * register.words)
        if register.is_bit:
            self._check(self._client.write_single_coil(address, bool(number)))
        elif register.words == 1:
            self._check(self._client.write_single_register(address, raw))
        else:
            self._check(self._client.write_multiple_registers(address, long_list_to_word([raw])))

    def identity(self, code: int) -> dict[int, str]:
        found = self._client.read_device_identification(code)
        self._check(found)
        return {number: text.decode() for number, text in found.objects_by_id.items()}

    def close(self) -> None:
        self._client.close()

    def _check(self, done: object) -> None:
        if self._client.last_except:
            raise Refused(self._client.last_except)
        assert done, self._client.last_error_as_txt


class UModbus(Stranger):
    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port), TIMEOUT_S)
        self._reads = {
            "coil": umodbus.read_coils,
            "discrete_input": umodbus.read_discrete_inputs,
            "input_register": umodbus.read_input_registers,
            "holding_register": umodbus.read_holding_registers,
        }

    def get(self, register: Register) -> int:
        words = self._send(self._reads[register.table](UNIT, register.address, register.words))
        if register.is_bit:
            return int(words[0])
        return int(struct.unpack(STRUCT[register.kind], struct.pack(f">{len(words)}H", *words))[0])

    def put(self, register: Register, number: int) -> None:
        address = register.address
        if register.is_bit:
            self._send(umodbus.write_single_coil(UNIT, address, number))
            return
        packed = struct.pack(STRUCT[register.kind], number)
        words = struct.unpack(f">{register.words}H", packed)
        if register.words == 1:
            self._send(umodbus.write_single_register(UNIT, address, words[0]))
        else:
            self._send(umodbus.write_multiple_registers(UNIT, address, words))

    def close(self) -> None:
        self._socket.close()

    def _send(self, request: bytes) -> list[int]:
        try:
            answer = umodbus.send_message(request, self._socket)
        except UModbusError as error:
            raise Refused(error.error_code) from error
        return answer if isinstance(answer, list) else [answer]


class ModbusTk(Stranger):
    def __init__(self, port: int) -> None:
        self._master = TcpMaster(HOST, port, TIMEOUT_S)
        self._reads = {
            "coil": defines.READ_COILS,
            "discrete_input": defines.READ_DISCRETE_INPUTS,
            "input_register": defines.READ_INPUT_REGISTERS,
            "holding_register": defines.READ_HOLDING_REGISTERS,
        }

    def get(self, register: Register) -> int:
        how = "" if register.is_bit else STRUCT[register.kind]
        return self._ask(self._reads[register.table], register.address, register.words, data_format=how)

    def put(self, register: Register, number: int) -> None:
        if register.is_bit:
            self._ask(defines.WRITE_SINGLE_COIL, register.address, output_value=number)
        elif register.words == 1:
            self._ask(defines.WRITE_SINGLE_REGISTER, register.address, output_value=number)
        else:
            how, numbers = STRUCT[register.kind], (number,)
            self._ask(
                defines.WRITE_MULTIPLE_REGISTERS, register.address, output_value=numbers, data_format=how
            )

    def close(self) -> None:
        self._master.close()

    def _ask(self, function: int, address: int, *args: int, **more: object) -> int:
        try:
            return int(self._master.execute(UNIT, function, address, *args, **more)[0])
        except ModbusTkError as error:
            raise Refused(error.get_exception_code()) from error
