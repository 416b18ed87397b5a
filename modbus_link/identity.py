"""What a server says it is: Read Device Identification, function 43/14.

MODBUS Application Protocol V1.1b3, 6.21. pymodbus keeps one identity for the whole process; here every
server has its own, because one process may run many stations.
"""

from importlib.metadata import PackageNotFoundError, version

from pymodbus.constants import DeviceInformation
from pymodbus.pdu.mei_message import ReadDeviceInformationResponse

from modbus_link.errors import ExceptionCode
from modbus_link.image import Refusal
from register_maps.register_map import RegisterMap

LONGEST = 200
"""Bytes of one object, so that it fits into a reply of its own."""
IDENTIFICATION_REQUEST = bytes((0x2B, 0x0E, DeviceInformation.BASIC, 0))
"""For the basic objects, from the first on."""
LAST_OF_CATEGORY: dict[int, int] = {
    DeviceInformation.BASIC: 0x02,
    DeviceInformation.REGULAR: 0x7F,
    DeviceInformation.EXTENDED: 0xFF,
}


class Identity:
    """The identification objects of a server called `name`, which serves `device_map`."""

    def __init__(self, device_map: RegisterMap, name: str) -> None:
        texts = {
            0x00: "pev-scada",
            0x01: device_map.name,
            0x02: package_version(),
            0x04: device_map.about.partition(".")[0],
            0x05: f"{device_map.name} {device_map.version}",
            0x06: name,
            0x80: device_map.name,
            0x81: str(device_map.version),
        }
        self._objects = {number: text.encode("ascii", "replace")[:LONGEST] for number, text in texts.items()}

    def reply(self, read_code: int, object_id: int) -> bytes:
        """The reply's data after the function code; Refusal where there is none."""
        objects = self._objects
        if read_code == DeviceInformation.SPECIFIC:
            if object_id not in objects:
                raise Refusal(ExceptionCode.ILLEGAL_DATA_ADDRESS)
            found = {object_id: objects[object_id]}
        elif read_code in LAST_OF_CATEGORY:
            last = LAST_OF_CATEGORY[read_code]
            # An object that is not there: begin again at the first, as the specification wants.
            start = object_id if object_id in objects and object_id <= last else 0
            found = {number: data for number, data in objects.items() if start <= number <= last}
        else:
            raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)
        return ReadDeviceInformationResponse(read_code=read_code, information=found).encode()


def identification_objects(reply: bytes) -> dict[int, str]:
    """The objects in a reply, from its function code on; IndexError where it is too short."""
    objects, rest = dict[int, str](), reply[7:]
    for _ in range(reply[6]):
        number, length = rest[0], rest[1]
        objects[number] = bytes(rest[2 + n] for n in range(length)).decode("ascii", "replace")
        rest = rest[2 + length :]
    return objects


def package_version() -> str:
    try:
        return version("pev-scada")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0"
