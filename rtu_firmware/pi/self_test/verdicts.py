"""What a contact or the contactor has shown, and the likely cause: the pure part of the self-test."""

from dataclasses import dataclass
from enum import StrEnum

from rtu_firmware.pi.wiring import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """The contactor ordered to close and to open again: what the feedback told before, meanwhile, after."""

    before: bool
    closed: bool
    after: bool
    closing_s: float | None = None
    opening_s: float | None = None
    power_w: float | None = None
    """While it was ordered closed, without a vehicle."""


class Cause(StrEnum):
    NONE = "none"
    TURNED = "turned"
    """The feedback tells the opposite, or the coil gets it: who looks at the relay can tell."""
    NEVER_CLOSED = "never_closed"
    ALWAYS_CLOSED = "always_closed"
    STUCK = "stuck"
    UNSTEADY = "unsteady"
    SLOW = "slow"
    DRAWS = "draws"


_BY_FEEDBACK = {
    (False, True, False): Cause.NONE,
    (True, False, True): Cause.TURNED,
    (False, False, False): Cause.NEVER_CLOSED,
    (True, True, True): Cause.ALWAYS_CLOSED,
    (False, True, True): Cause.STUCK,
}


def judge_stroke(stroke: Stroke, *, most_s: float, most_w: float) -> Cause:
    cause = _BY_FEEDBACK.get((stroke.before, stroke.closed, stroke.after), Cause.UNSTEADY)
    if cause is not Cause.NONE:
        return cause
    if any(time_s is None or time_s > most_s for time_s in (stroke.closing_s, stroke.opening_s)):
        return Cause.SLOW
    draws = stroke.power_w is not None and abs(stroke.power_w) > most_w
    return Cause.DRAWS if draws else Cause.NONE


def stroke_remedy(
    cause: Cause, *, clicked: bool, feedback: Level, feedback_pin: int, contactor_pin: int
) -> str:
    """What to do about it; `clicked` where the relay was heard, `feedback` is the level that it stays at."""
    not_driven = (
        "the relay does not get its order: look for its coil's supply, an emergency stop that is pressed, the"
        f" driver, and the wire at GPIO {contactor_pin}"
    )
    stuck = stuck_remedy(feedback, feedback_pin)
    remedies = {
        Cause.NEVER_CLOSED: stuck if clicked else not_driven,
        Cause.ALWAYS_CLOSED: stuck if clicked else f"{stuck}. Or the relay is welded; or {not_driven}",
        Cause.STUCK: "it does not fall open: SWITCH THE SUPPLY OFF. Its contact is welded, or its driver"
        " leads on: replace what is broken",
        Cause.UNSTEADY: "the feedback changes without an order: a loose wire, or a contact that bounces",
        Cause.SLOW: "as slow as one that is broken: the coil gets too little voltage",
        Cause.DRAWS: "power flows without a vehicle: is one plugged in? Else what hangs behind the relay?",
    }
    return remedies[cause]


def stuck_remedy(level: Level, pin: int) -> str:
    """Of a contact to ground, pulled up, that always reads so."""
    if level == "high":
        return (
            f"GPIO {pin} stays high: a wire is off or at another pin, or the contact never closes."
            " Bridge the contact: if it reads low then, the contact is to blame"
        )
    return (
        f"GPIO {pin} stays low: its wire touches ground, or the contact never opens."
        " Take the wire off the contact: if it reads high then, the contact is to blame"
    )
