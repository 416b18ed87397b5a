"""A serial line with a meter at its other end, and what may go wrong on the way."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from serial_meters import Pzem004t, Sdm120, SerialMeter, crc, plugged_in

from modbus_link.device import Device
from modbus_link.errors import BadReply, LinkDown, LinkTimeout, Refused
from modbus_link.serial_client import SerialClient
from register_maps.points import Table
from register_maps.register_map import load_map

INPUT = Table.INPUT_REGISTER
LONG_S, SHORT_S = 10.0, 0.15


@pytest.fixture
def meter(tmp_path: Path) -> Iterator[Pzem004t]:
    with plugged_in(Pzem004t(tmp_path / "ttyUSB0")) as meter:
        yield meter


def line(meter: SerialMeter, timeout_s: float = LONG_S) -> SerialClient:
    return SerialClient(str(meter.port), timeout_s=timeout_s)


REAL = [
    (
        # A PZEM-004T V3.0's reply, recorded in a comment of ESPHome's pzemac component.
        "pzem_004t",
        None,
        "01 04 0000 000A 700D",
        "01 04 14 08D1 006C 0000 00F4 0000 0026 0000 01F4 0064 0000 5134",
        {"voltage": 225.7, "current": 0.108, "power": 24.4, "total_energy": 38, "frequency": 50.0}
        | {"power_factor": 1.0, "over_power": "no_alarm"},
    ),
    (
        # The example in Eastron's protocol documents, as in the user manual of the SDM320Y, page 42.
        "eastron_sdm120",
        ["voltage"],
        "01 04 0000 0002 71CB",
        "01 04 04 4366 3334 1B38",
        {"voltage": pytest.approx(230.2, rel=1e-7)},
    ),
]


@pytest.mark.parametrize(("name", "points", "request_hex", "reply_hex", "values"), REAL)
async def test_frames_of_real_meters(tmp_path: Path, name, points, request_hex, reply_hex, values) -> None:
    request, reply = bytes.fromhex(request_hex), bytes.fromhex(reply_hex)
    assert (crc(request[:-2]), crc(reply[:-2])) == (request[-2:], reply[-2:])
    with plugged_in(Pzem004t(tmp_path / "ttyUSB0")) as meter:
        meter.distort = lambda _: [reply]
        async with line(meter) as client:
            assert await Device(client, load_map(name), points).read() == values
        assert meter.requests == [request]


async def test_high_words_and_negative_floats(tmp_path: Path) -> None:
    with plugged_in(Pzem004t(tmp_path / "ttyUSB0")) as pzem:
        pzem.measure(voltage_v=229.9, current_a=95.321, power_w=21_914.7)
        async with line(pzem) as client:
            values = await Device(client, load_map("pzem_004t"), ["voltage", "current", "power"]).read()
        assert values == {"voltage": 229.9, "current": 95.321, "power": 21_914.7}
    with plugged_in(Sdm120(tmp_path / "ttyUSB0")) as sdm:
        sdm.measure(voltage_v=231.5, current_a=7.25, power_w=-1650.5)
        sdm.parameters[0x0156] = 12.5
        async with line(sdm) as client:
            values = await Device(client, load_map("eastron_sdm120")).read()
        assert (values["voltage"], values["current"], values["power"]) == (231.5, 7.25, -1650.5)
        assert (values["total_energy"], values["frequency"]) == (12_500, 50)


HARMLESS = {
    "in pieces": lambda reply: [reply[:1], reply[1:4], reply[4:9], reply[9:]],
    "byte by byte": lambda reply: [reply[n : n + 1] for n in range(len(reply))],
    "after a zero byte of the adapter": lambda reply: [b"\0" + reply],
    "after noise": lambda reply: [b"\xff\x01\x04\x80", reply],
    "before noise": lambda reply: [reply + b"\xa5"],
    "after an echo of the request": lambda reply: [bytes.fromhex("01 04 0000 0001 31CA"), reply],
}


@pytest.mark.parametrize("name", HARMLESS)
async def test_what_does_a_reply_no_harm(meter: Pzem004t, name: str) -> None:
    meter.distort = HARMLESS[name]
    async with line(meter) as client:
        for _ in range(2):
            assert await client.read(INPUT, 0, 1, 1) == (2300,)


def of_unit_2(reply: bytes) -> list[bytes]:
    frame = b"\x02" + reply[1:-2]
    return [frame + crc(frame)]


NO_REPLY = "bytes that are no reply: are baud and parity right"
SHORT = bytes.fromhex("01 04 00")
HARMFUL = {
    "nothing comes": (lambda _: [], LinkTimeout, "no reply within 0.15 s"),
    "one bit is wrong": (lambda reply: [reply[:3] + b"\x18" + reply[4:]], BadReply, f"7 {NO_REPLY}"),
    "the checksum is swapped": (lambda reply: [reply[:-2] + reply[:-3:-1]], BadReply, f"7 {NO_REPLY}"),
    "the end is missing": (lambda reply: [reply[:-1]], BadReply, f"6 {NO_REPLY}"),
    "another baud rate": (lambda _: [b"\xf8\x00\xf8\xfe"], BadReply, f"4 {NO_REPLY}"),
    "another unit's reply": (of_unit_2, BadReply, "unit 2 answered for unit 1"),
    "too few words": (lambda _: [SHORT + crc(SHORT)], BadReply, "2 bytes, 4 expected"),
    "it never ends": (lambda _: [b"\x55" * 300], BadReply, NO_REPLY),
}


@pytest.mark.parametrize("name", HARMFUL)
async def test_what_is_no_reply(meter: Pzem004t, name: str) -> None:
    meter.distort, error, text = HARMFUL[name]
    async with line(meter, SHORT_S) as client:
        with pytest.raises(error, match=text):
            await client.read(INPUT, 0, 1, 1)
        meter.distort, client.timeout_s = lambda reply: [reply], LONG_S
        assert await client.read(INPUT, 0, 1, 1) == (2300,)


async def test_a_late_reply_is_not_taken_for_the_next_one(meter: Pzem004t) -> None:
    """Both have one register: only time tells them apart."""
    late = [b""]

    def keep(reply: bytes) -> list[bytes]:
        late[0] = reply
        return []

    meter.distort = keep
    async with line(meter, SHORT_S) as client:
        with pytest.raises(LinkTimeout):
            await client.read(INPUT, 0, 1, 1)
        meter.distort, client.timeout_s = lambda reply: [reply], LONG_S
        asyncio.get_running_loop().call_later(0.05, meter.say, late[0])
        assert await client.read(INPUT, 7, 1, 1) == (500,)


async def test_what_lies_in_the_buffer_is_thrown_away(meter: Pzem004t) -> None:
    async with line(meter) as client:
        assert await client.read(INPUT, 0, 1, 1) == (2300,)
        frame = bytes.fromhex("01 04 02 03E7")
        meter.say(frame + crc(frame))
        assert await client.read(INPUT, 0, 1, 1) == (2300,)


async def test_refusals(meter: Pzem004t) -> None:
    async with line(meter) as client:
        with pytest.raises(Refused, match="exception 0x02, illegal data address"):
            await client.read(INPUT, 9, 2, 1)
        with pytest.raises(Refused, match="illegal function"):
            await client.read(Table.HOLDING_REGISTER, 0, 1, 1)
        client.timeout_s = SHORT_S
        with pytest.raises(LinkTimeout):
            await client.read(INPUT, 0, 1, 9)


async def test_a_line_that_is_never_silent(meter: Pzem004t) -> None:
    async with line(meter) as client:
        await client.read(INPUT, 0, 1, 1)
        client.timeout_s, meter.distort = SHORT_S, lambda _: []

        async def chatter() -> None:
            while True:
                meter.say(b"\x55")
                await asyncio.sleep(0.0005)

        chattering = asyncio.create_task(chatter())
        with pytest.raises(BadReply, match=r"never silent|no reply"):
            await client.read(INPUT, 0, 1, 1)
        chattering.cancel()


async def test_who_talks_for_ever_fills_no_memory(meter: Pzem004t) -> None:
    async with line(meter) as client:
        await client.read(INPUT, 0, 1, 1)
        client.timeout_s, meter.distort = SHORT_S, lambda _: []

        async def talk() -> None:
            while True:
                meter.say(b"\x55" * 100)
                await asyncio.sleep(0.001)

        talking = asyncio.create_task(talk())
        for _ in range(10):
            with pytest.raises(BadReply):
                await client.read(INPUT, 0, 1, 1)
        talking.cancel()
        assert len(client._received) < 10_000


async def test_an_adapter_is_pulled_out_and_put_back(tmp_path: Path) -> None:
    meter = Pzem004t(tmp_path / "ttyUSB0")
    meter.plug_in()
    async with line(meter) as client:
        assert await client.read(INPUT, 0, 1, 1) == (2300,)
        meter.distort = lambda _: []
        asked = asyncio.create_task(client.read(INPUT, 0, 1, 1))
        while len(meter.requests) < 2:
            await asyncio.sleep(0.001)
        meter.pull_out()
        with pytest.raises(LinkDown, match=r"ttyUSB0: (the port is gone|Input/output error)"):
            await asked
        with pytest.raises(LinkDown, match="no such port: is the adapter plugged in"):
            await client.read(INPUT, 0, 1, 1)
        assert not client.connected
        meter.distort = lambda reply: [reply]
        with plugged_in(meter):
            assert await client.read(INPUT, 0, 1, 1) == (2300,)


async def test_pulled_out_while_nobody_asks(tmp_path: Path) -> None:
    meter = Pzem004t(tmp_path / "ttyUSB0")
    meter.plug_in()
    async with line(meter) as client:
        await client.read(INPUT, 0, 1, 1)
        meter.pull_out()
        while client.connected:
            await asyncio.sleep(0.001)
        with plugged_in(meter):
            assert await client.read(INPUT, 0, 1, 1) == (2300,)


async def test_one_program_at_a_time(meter: Pzem004t) -> None:
    async with line(meter) as client, line(meter) as other:
        await client.read(INPUT, 0, 1, 1)
        with pytest.raises(LinkDown, match="another program has it open"):
            await other.read(INPUT, 0, 1, 1)


async def test_what_is_no_serial_port(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("")
    async with SerialClient(str(path)) as client:
        with pytest.raises(LinkDown, match="no serial port"):
            await client.read(INPUT, 0, 1, 1)


def test_who_may_not_open_it_is_told_what_to_do(tmp_path: Path) -> None:
    """In a process that is nobody's, as this one may be root."""
    program = """
import asyncio, os, sys
from modbus_link.errors import LinkDown
from modbus_link.serial_client import SerialClient
from register_maps.points import Table
SerialClient("/dev/null")
from serial import Serial
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    asyncio.run(SerialClient(sys.argv[1]).read(Table.INPUT_REGISTER, 0, 1, 1))
except LinkDown as error:
    print(error)
"""
    near, far = os.openpty()
    name = os.ttyname(far)
    os.chmod(name, 0)
    done = subprocess.run([sys.executable, "-c", program, name], capture_output=True, text=True, check=False)
    os.close(near)
    os.close(far)
    assert done.stdout == (
        f"no connection to {name}: permission denied: add the user to the group dialout\n"
    ), done.stderr
