"""Which of our chips answer on an I²C bus, for when one does not answer where it should."""

from collections.abc import Iterable
from dataclasses import dataclass

from rtu_firmware.pi.i2c import Bus
from rtu_firmware.pi.sensing import SensorError

METERS, GAUGES = range(0x40, 0x50), (0x36,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A register of which these bits tell the chip."""

    chip: str
    addresses: Iterable[int]
    register: int
    mask: int
    word: int


SIGNS = (
    Sign(chip="ina226", addresses=METERS, register=0xFF, mask=0xFFF0, word=0x2260),
    Sign(chip="max17048", addresses=GAUGES, register=0x08, mask=0xFFF0, word=0x0010),
    # These two tell no name: as they are after power-up, which they still are where nobody has set them up.
    Sign(chip="ads1115", addresses=range(0x48, 0x4C), register=0x01, mask=0xFFFF, word=0x8583),
    Sign(chip="ina219", addresses=METERS, register=0x00, mask=0xFFFF, word=0x399F),
)


def find_chips(bus: Bus) -> dict[int, str]:
    """By address: its name, or "" where something answers that tells none."""
    found = {}
    for address in (*GAUGES, *METERS):
        try:
            bus.read_word(address, 0x00, "")
        except SensorError:
            continue
        found[address] = next((s.chip for s in SIGNS if address in s.addresses and _has(bus, address, s)), "")
    return found


def _has(bus: Bus, address: int, sign: Sign) -> bool:
    try:
        return bus.read_word(address, sign.register, sign.chip) & sign.mask == sign.word
    except SensorError:
        return False


def found_text(found: dict[int, str]) -> str:
    if not found:
        return "None of our chips answers anywhere else either"
    chips = [f"{chip or 'an unknown chip'} at {address:#04x}" for address, chip in found.items()]
    return f"On the bus there is {', '.join(chips)}"
