"""Why a station does not charge: the colours and the words of the report."""

from typing import Final

import numpy as np

from grid_sim.arrays import Codes
from grid_sim.day.model import Run
from grid_sim.day.stand import reason_codes
from grid_sim.report.picture import Kind
from register_maps.vocabulary import LimitReason

CODES: Final = reason_codes()
REASONS: Final = {code: reason for reason, code in CODES.items()}
CHARGING: Final = 255
"""A closed contactor, which is no reason."""

_LOOKS = {
    LimitReason.PRICE: ("#E69F00", "price above x"),
    LimitReason.POWER: ("#E0703A", "no room under y"),
    LimitReason.VOLTAGE: ("#6A2A6A", "voltage"),
    LimitReason.WAITING_TURN: ("#F0E442", "waits its turn"),
    LimitReason.NO_DATA: ("#7F7F7F", "no data"),
    LimitReason.OPERATOR: ("#8C6D4F", "operator"),
    LimitReason.USER_STOP: ("#CC79A7", "driver’s stop"),
    LimitReason.FAILSAFE: ("#4D4D4D", "failsafe"),
    LimitReason.FAULT: ("#000000", "fault"),
    LimitReason.NONE: ("#56B4E9", "allowed, open"),
    LimitReason.FULL: ("#9AD7C0", "has enough"),
    LimitReason.NO_VEHICLE: ("#EFEFEF", "no car"),
}
KINDS: Final = (
    Kind(code=CHARGING, colour="#0072B2", label="charging"),
    *(Kind(code=CODES[reason], colour=colour, label=words) for reason, (colour, words) in _LOOKS.items()),
)
"""In the order of the legend."""


def states(run: Run) -> Codes:
    """(scans, stations): the reasons, with CHARGING where there is none and the contactor is closed."""
    reason = run.series.reason
    charges = run.series.closed & (reason == CODES[LimitReason.NONE])
    found: Codes = np.where(charges, np.uint8(CHARGING), reason)
    return found
