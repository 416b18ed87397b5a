"""The bus by the real smbus2, at its system calls: the bytes, and what goes wrong by its name."""

import builtins
import errno
from collections.abc import Callable
from typing import Any

import pytest
from i2c_bench import wiring
from i2c_chips import RegisterChip
from i2c_wires import I2cWires

from modbus_link.clock import Clock
from modbus_link.errors import BadInput
from register_maps.register_map import load_map
from rtu_firmware.pi.i2c import TROUBLES, Bus, open_bus
from rtu_firmware.pi.sensing import SensorError
from rtu_firmware.pi.sensors import open_sensors
from rtu_firmware.pi.wiring import Ina226

LONGEST_WHAT = "MAX17048 at 0x36"


class Memory(RegisterChip):
    WRITABLE = frozenset(range(256))


@pytest.fixture
def wires(monkeypatch: pytest.MonkeyPatch) -> I2cWires:
    wires = I2cWires()
    wires.install(monkeypatch)
    wires.chips[0x36] = Memory(wires.clock.now)
    return wires


@pytest.fixture
def bus(wires: I2cWires) -> Bus:
    return open_bus(1)


def trouble(bus: Bus) -> str:
    with pytest.raises(SensorError) as raised:
        bus.read_word(0x36, 0, LONGEST_WHAT)
    return str(raised.value)


def test_words_are_on_the_wires_with_the_most_significant_byte_first(wires: I2cWires, bus: Bus) -> None:
    bus.write_word(0x36, 0x05, 0x0A00, "chip")
    assert bus.read_word(0x36, 0x05, "chip") == 0x0A00
    assert list(wires.traffic) == [
        (0x36, "write", b"\x05\x0a\x00"),
        (0x36, "write", b"\x05"),
        (0x36, "read", b"\x0a\x00"),
    ]


def test_the_bus_is_opened_at_the_first_call_and_closed_once(wires: I2cWires, bus: Bus) -> None:
    assert wires.opened == 0
    bus.read_word(0x36, 0, "chip")
    bus.read_word(0x36, 0, "chip")
    assert (wires.opened, wires.open_files) == (1, 1)
    bus.close()
    bus.close()
    assert wires.open_files == 0


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (lambda w: w.chips.clear(), "no device: check its wires"),
        (lambda w: setattr(w, "stuck", True), "the bus hangs"),
        (lambda w: w.errors.append(errno.EIO), "transfer disturbed"),
        (lambda w: w.errors.append(errno.EAGAIN), "transfer disturbed"),
        (lambda w: w.errors.append(errno.ENXIO), "no device: check its wires"),
        (lambda w: w.held_by_kernel.add(0x36), "busy: remove the dtoverlay"),
        (lambda w: setattr(w, "no_file", errno.ENOENT), "enable I²C with raspi-config"),
        (lambda w: setattr(w, "no_file", errno.EACCES), "add the user to group i2c"),
        (lambda w: w.errors.append(errno.EPROTO), "Protocol error"),
    ],
)
def test_an_error_has_a_name_and_the_bus_works_again_after_it(
    monkeypatch: pytest.MonkeyPatch, wires: I2cWires, bus: Bus, stage: Callable[[I2cWires], Any], words: str
) -> None:
    monkeypatch.setattr("i2c_wires.STUCK_FOR_S", 0.001)
    chip = wires.chips[0x36]
    stage(wires)
    found = trouble(bus)
    assert found.startswith(f"{LONGEST_WHAT}: {words}") or (words in found and found.startswith(LONGEST_WHAT))
    assert found.endswith("(/dev/i2c-1)")
    wires.chips[0x36] = chip
    wires.stuck, wires.no_file = False, 0
    wires.held_by_kernel.clear()
    assert bus.read_word(0x36, 0, LONGEST_WHAT) == 0
    assert wires.open_files == 1


def test_a_bus_that_goes_and_comes_back_is_used_again(wires: I2cWires, bus: Bus) -> None:
    bus.read_word(0x36, 0, LONGEST_WHAT)
    wires.lose()
    assert "the bus has gone" in trouble(bus)
    assert "no such bus" in trouble(bus)
    wires.no_file = 0
    assert bus.read_word(0x36, 0, LONGEST_WHAT) == 0
    assert wires.open_files == 1


@pytest.mark.parametrize("number", TROUBLES)
def test_what_to_do_fits_the_register(number: int) -> None:
    room = 2 * load_map("pev_rtu").points["fault_detail"].length
    assert len(f"{LONGEST_WHAT}: {TROUBLES[number]}".encode()) <= room


def test_without_smbus2_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **keywords: Any) -> Any:
        if name == "smbus2":
            raise ImportError(name)
        return real(name, *args, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    meter = Ina226(chip="ina226", shunt_ohm=0.002, max_current_a=20)
    with pytest.raises(BadInput, match=r"smbus2: install pev-scada\[pi\]"):
        open_sensors(wiring(meter), 12.0, Clock())
