"""Requests, mutated: from a blob of random bytes to what a client sends.

A blob is cut into records of 8 bytes, each of which makes one ADU. So whoever draws the blob (hypothesis)
draws a thousand ADUs at once, and shrinks them: a record of zeros is nothing.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

RECORD = 8
MAX_PDU = 253

VALID = tuple(
    bytes.fromhex(line)
    for line in """
    01 0000 0003
    01 0000 0001
    02 0000 0006
    02 0001 0001
    03 0000 000b
    03 0000 0002
    03 000a 0001
    04 0000 0016
    04 0003 0005
    04 0008 0002
    05 0000 ff00
    05 0000 0000
    05 0001 ff00
    05 0002 ff00
    06 0002 0007
    06 0003 0004
    06 000a 000a
    0f 0000 0001 01 01
    0f 0000 0003 01 04
    0f 0001 0002 01 03
    10 0000 0002 04 00000ce4
    10 0000 0003 06 00000578 0008
    10 0000 0008 10 00000ce4 0009 0000 000004b0 000007d0
    10 0004 0004 08 80000000 80000000
    10 0008 0002 04 00000514
    10 0008 0003 06 00000000 000a
    10 0000 000b 16 00000ce4 000a 0001 000004b0 000007d0 00000000 0014
    16 0002 00f2 0025
    16 0003 0000 0003
    16 000a 0000 0e10
    17 0000 000b 0002 0001 02 000b
    17 0002 0001 0000 0008 10 00000ce4 000c 0000 000004b0 000007d0
    17 0008 0003 0008 0003 06 00000ce4 000f
    08 0000 a537
    08 0000
    08 0000 00112233445566
    2b 0e 01 00
    2b 0e 02 00
    2b 0e 03 00
    2b 0e 04 81
    """.strip().splitlines()
)
EDGES = struct.unpack(
    ">56H",
    bytes.fromhex(
        "0000 0001 0002 0003 0004 0005 0006 0007 0008 000a 000b 000c 0010 0016 0017 0079 007a 007b 007c 007d"
        "007e 007f 0080 00fe 00ff 0100 0513 0514 0ce4 0ce5 0e10 0e11 07b0 07b1 07d0 07d1 1234 7735 9400 9401"
        "88ca 6c00 6bff 7fff 8000 8001 ff00 ff01 fffe ffff 0000 0001 0002 0003 0006 00ff"
    ),
)
"""Limits of quantities, byte counts, addresses and values, and what lies beside them."""


@dataclass(frozen=True, slots=True)
class Dice:
    """What a mutation may take its chances from."""

    place: int
    value: int
    noise: bytes


Mutation = Callable[[bytes, Dice], bytes]


def frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


# --- Of a PDU; some do for a whole ADU as well ------------------------------------------------------


def untouched(data: bytes, _: Dice) -> bytes:
    return data


def flip_bit(data: bytes, dice: Dice) -> bytes:
    index = dice.place % len(data)
    return data[:index] + bytes([data[index] ^ 1 << dice.value % 8]) + data[index + 1 :]


def set_byte(data: bytes, dice: Dice) -> bytes:
    index = dice.place % len(data)
    return data[:index] + bytes([dice.value]) + data[index + 1 :]


def set_word(data: bytes, dice: Dice) -> bytes:
    """Where a PDU has its words, after the function code; elsewhere one time in four."""
    index = dice.place % len(data)
    index = index if dice.value & 3 == 0 else 1 + index // 2 * 2
    return data[:index] + EDGES[dice.value % len(EDGES)].to_bytes(2) + data[index + 2 :]


def cut(data: bytes, dice: Dice) -> bytes:
    return data[: max(1, dice.place % len(data))]


def grow(data: bytes, dice: Dice) -> bytes:
    return data + dice.noise[: 1 + dice.value % 32]


def insert(data: bytes, dice: Dice) -> bytes:
    index = dice.place % len(data)
    return data[:index] + bytes([dice.value]) + data[index:]


def delete(data: bytes, dice: Dice) -> bytes:
    index = dice.place % len(data)
    return data[:index] + data[index + 1 :]


def splice(data: bytes, dice: Dice) -> bytes:
    other = VALID[dice.value % len(VALID)]
    return data[: 1 + dice.place % len(data)] + other[dice.place % len(other) :]


def double(data: bytes, _: Dice) -> bytes:
    return data + data


def fill(data: bytes, dice: Dice) -> bytes:
    """As long as it may be; sometimes with the counts of a write of that size."""
    if dice.value & 1:
        return (data + 2 * dice.noise)[:MAX_PDU]
    head = bytes.fromhex("10 0000 007b f6" if dice.value & 2 else "0f 0000 07b0 f6")
    return head + dice.noise[:246].ljust(246, b"\0")


def be_noise(_: bytes, dice: Dice) -> bytes:
    return dice.noise[: 1 + dice.value % 64]


def set_function(data: bytes, dice: Dice) -> bytes:
    return bytes([dice.value]) + data[1:]


# --- Of the header ----------------------------------------------------------------------------------


def set_unit(adu: bytes, dice: Dice) -> bytes:
    return adu[:6] + bytes([dice.value]) + adu[7:]


def set_protocol(adu: bytes, dice: Dice) -> bytes:
    return adu[:2] + dice.noise[:2].ljust(2, b"\1") + adu[4:]


def set_length(adu: bytes, dice: Dice) -> bytes:
    return adu[:4] + EDGES[dice.value % len(EDGES)].to_bytes(2) + adu[6:]


def miscount(adu: bytes, dice: Dice) -> bytes:
    """A length that is nearly right: what follows is read out of step."""
    return adu[:4] + max(0, len(adu) - 6 + dice.value % 9 - 4).to_bytes(2) + adu[6:]


def flip_header_bit(adu: bytes, dice: Dice) -> bytes:
    return flip_bit(adu[:7], dice) + adu[7:]


def oversize(adu: bytes, dice: Dice) -> bytes:
    return frame(dice.place, 1, adu[7:].ljust(MAX_PDU + 1 + dice.value % 3, b"\0"))


def _table(weights: list[tuple[Mutation, int]]) -> list[Mutation]:
    return [mutation for mutation, weight in weights for _ in range(weight)]


OF_PDU = _table(
    [
        (untouched, 40), (flip_bit, 52), (set_byte, 30), (set_word, 64), (cut, 8), (grow, 8), (insert, 8),
        (delete, 8), (splice, 12), (double, 2), (fill, 4), (be_noise, 6), (set_function, 14),
    ]
)  # fmt: skip
OF_ADU = _table(
    [
        (untouched, 238), (set_unit, 10), (set_protocol, 1), (set_length, 1), (miscount, 1), (oversize, 1),
        (flip_header_bit, 1), (flip_bit, 1), (cut, 1), (be_noise, 1),
    ]
)  # fmt: skip
"""Few break the framing: that ends the connection, and with it what could be tried on it."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """What one record makes: an ADU, and how it is sent. `copies` of it go out, if it `is_sent_at_once`, or
    else together with the next; but the last `split` bytes come in a segment of their own."""

    adu: bytes
    copies: int
    split: int
    is_sent_at_once: bool
    is_mutated: bool
    dice: Dice

    @property
    def is_last(self) -> bool:
        """Whether the client goes after it."""
        return self.dice.place % 97 == 0


def mutants(blob: bytes) -> Iterator[Mutant]:
    noise = 2 * blob
    for start in range(0, len(blob) - RECORD + 1, RECORD):
        record = blob[start : start + RECORD]
        if any(record):
            yield _mutant(record, noise[start + RECORD : start + RECORD + 256], start // RECORD)


def _mutant(record: bytes, noise: bytes, number: int) -> Mutant:
    which, kind, place, value, more, of_adu, flow = struct.unpack(">BBHBBBB", record)
    dice = Dice(place, value, noise)
    valid = VALID[which % len(VALID)]
    pdu = OF_PDU[kind](valid, dice)[:MAX_PDU]
    if more & 7 == 7:  # a second mutation of the same
        pdu = OF_PDU[more](pdu, Dice(place >> 5, more ^ value, noise))[:MAX_PDU] or valid
    adu = whole = frame(number, (1, 1, 0, 255)[flow >> 3 & 3], pdu)
    if OF_ADU[of_adu] is not untouched:
        adu = OF_ADU[of_adu](whole, dice)
    return Mutant(
        adu=adu,
        copies=2 + value % 6 if flow >> 3 == 31 else 1,
        split=1 + place % (len(adu) - 1) if flow & 7 == 7 and len(adu) > 1 else 0,
        is_sent_at_once=flow & 3 == 3,
        is_mutated=adu != whole or pdu != valid,
        dice=dice,
    )
