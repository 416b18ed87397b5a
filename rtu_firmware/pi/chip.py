"""A chip at its address on the bus, as its driver sees it."""

from collections.abc import Mapping

from modbus_link.clock import Clock
from rtu_firmware.pi.i2c import Bus
from rtu_firmware.pi.sensing import SensorError

NOTHING = 0xFFFF
"""What a bus reads that nobody pulls low."""


class Chip:
    """`name` as an electrician finds it: "INA226 at 0x40". Reading and writing raise SensorError."""

    def __init__(self, kind: str, address: int, bus: Bus, clock: Clock) -> None:
        self.name = f"{kind} at {address:#04x}"
        self.clock = clock
        self._address = address
        self._bus = bus

    def read(self, register: int) -> int:
        return self._bus.read_word(self._address, register, self.name)

    def write(self, register: int, word: int) -> None:
        self._bus.write_word(self._address, register, word, self.name)

    def read_flags(self, register: int) -> int:
        """A register of which never all bits are set; SensorError where they are."""
        word = self.read(register)
        if word == NOTHING:
            raise self.fault("reads all ones: check SDA and its supply")
        return word

    def check(self, settings: Mapping[int, int], without: int = 0) -> None:
        """SensorError where it has lost them, as after its supply has dipped; not of the bits `without`."""
        for register, word in settings.items():
            if (self.read_flags(register) ^ word) & ~without:
                raise self.fault("settings lost: weak supply, or another chip")

    def fault(self, text: str) -> SensorError:
        return SensorError(f"{self.name}: {text}")

    async def wait(self, seconds: float) -> None:
        await self.clock.sleep_until(self.clock.now() + seconds)

    def close(self) -> None:
        self._bus.close()


def signed(word: int) -> int:
    """Two's complement."""
    return word - 0x10000 if word & 0x8000 else word
