"""The steps of a self-test that move something: contactor, LEDs, Stop button and plug."""

from dataclasses import replace

from rtu_firmware.pi.self_test.bench import (
    ACTIVE_KEY,
    Bench,
    ContactName,
    Finding,
    Outcome,
    active_level,
    other,
    turned,
)
from rtu_firmware.pi.self_test.verdicts import Cause, Stroke, judge_stroke, stroke_remedy, stuck_remedy
from rtu_firmware.pi.sensing import SensorError
from rtu_firmware.pi.wiring import Leds, Level

CLOSED_FOR_S = 1.0
SETTLE_S = 0.05
"""A contact may bounce for so long."""
PRESS_WITHIN_S = 20.0
TURNED = "the file has it the wrong way round"
NORMALLY_OPEN: dict[ContactName, str] = {
    "feedback": "or the contact is normally open: better take the normally closed one, for then a loose wire"
    " does not read as an open contactor",
    "stop_button": "or the button is normally open: better take a normally closed one, for then a loose wire"
    " stops, too",
}
"""What to say of a contact that reads low when it is active."""


async def contactor_step(bench: Bench) -> Finding:
    """Closes it for a second and looks whether the feedback follows; again where the file was wrong."""
    what = f"contactor at GPIO {bench.wiring.contactor.pin}, feedback at GPIO {bench.pin('feedback')}"
    if not bench.installer.agrees("The relay closes for a second or two now. Is that safe?"):
        return Finding(what=what, outcome=Outcome.SKIPPED, seen="It was not to be closed.")
    stroke, cause = await _try_stroke(bench)
    if cause is Cause.NONE:
        return Finding(what=what, outcome=Outcome.PASSED, seen=_seen(stroke))
    remedy = await _turn(bench) if cause is Cause.TURNED else _remedy(bench, cause)
    return Finding(what=what, outcome=Outcome.FAILED, seen=_seen(stroke), remedy=remedy)


async def _try_stroke(bench: Bench) -> tuple[Stroke, Cause]:
    before = bench.is_active("feedback")
    try:
        bench.order(closed=True)
        closing_s = await bench.wait_for(lambda: bench.is_active("feedback") != before, CLOSED_FOR_S)
        await bench.sleep(CLOSED_FOR_S)
        power_w = await _power_w(bench)
        closed = bench.is_active("feedback")
    finally:
        bench.order(closed=False)
    opening_s = await bench.wait_for(lambda: bench.is_active("feedback") != closed, CLOSED_FOR_S)
    await bench.sleep(SETTLE_S)
    after = bench.is_active("feedback")
    stroke = Stroke(
        before=before, closed=closed, after=after, closing_s=closing_s, opening_s=opening_s, power_w=power_w
    )
    most_s = bench.station.ratings.contactor_time_s
    return stroke, judge_stroke(stroke, most_s=most_s, most_w=bench.no_power_w)


async def _power_w(bench: Bench) -> float | None:
    try:
        return (await bench.meter.read()).power_w
    except SensorError:
        return None  # the meter has a step of its own


async def _turn(bench: Bench) -> str:
    """Either the coil or the feedback is the other way round; looking at the relay tells which."""
    given = bench.wiring
    if bench.installer.agrees(
        "The feedback tells the opposite of the order. Look at the relay, which is ordered OPEN now, or"
        " measure at its coil: is its lamp lit, its armature pulled in, or a voltage at its coil?"
    ):
        level = other(given.contactor.closes_on)
        if _lets_go(bench, level):
            await bench.sleep(CLOSED_FOR_S)
            return await _tried_again(bench, f"contactor.closes_on is {level}: {TURNED}")
    bench.rewire(turned(given, "feedback"))
    return await _tried_again(bench, _turned_text(bench, "feedback"))


def _lets_go(bench: Bench, closes_on: Level) -> bool:
    """Whether the relay opens by the other level. Until that is known, that level may just as well close it:
    who ends the test here must not leave it so."""
    given, lets_go = bench.wiring, False
    bench.rewire(replace(given, contactor=replace(given.contactor, closes_on=closes_on)))
    try:
        lets_go = bench.installer.agrees(
            "It has the other level now. Has it let go, its lamp dark, and no voltage at its coil?"
        )
    finally:
        if not lets_go:
            bench.rewire(given)
    return lets_go


async def _tried_again(bench: Bench, remedy: str) -> str:
    _, cause = await _try_stroke(bench)
    return remedy if cause is Cause.NONE else f"{remedy}. Even so, it does not follow well: test again"


def _remedy(bench: Bench, cause: Cause) -> str:
    needs_ear = cause in (Cause.NEVER_CLOSED, Cause.ALWAYS_CLOSED)
    return stroke_remedy(
        cause,
        clicked=needs_ear and bench.installer.agrees("Did the relay click?"),
        feedback=bench.level("feedback"),
        feedback_pin=bench.pin("feedback"),
        contactor_pin=bench.wiring.contactor.pin,
    )


def _seen(stroke: Stroke) -> str:
    told = ["closed" if is_closed else "open" for is_closed in (stroke.before, stroke.closed, stroke.after)]
    text = f"Ordered open, closed, open, the feedback told {', '.join(told)}"
    if stroke.closing_s is not None and stroke.opening_s is not None:
        text += f", {stroke.closing_s * 1000:.0f} and {stroke.opening_s * 1000:.0f} ms after the order"
    return f"{text}." if stroke.power_w is None else f"{text}; {stroke.power_w:.3g} W flowed."


async def leds_step(bench: Bench) -> Finding:
    leds = bench.wiring.leds
    assert leds is not None
    what = f"LEDs, green at GPIO {leds.green}, red at GPIO {leds.red}"
    right = {"green": _is_lit(bench, leds.green, "green"), "red": _is_lit(bench, leds.red, "red")}
    if all(right.values()):
        return Finding(what=what, outcome=Outcome.PASSED, seen="Each was lit alone.")
    wrong = [colour for colour, ok in right.items() if not ok]
    remedy = "an LED is the wrong way round (its long leg is plus), or its wire is at another pin"
    if len(wrong) == 2 and bench.installer.agrees("Was it the other one that was lit, both times?"):
        bench.rewire(replace(bench.wiring, leds=Leds(green=leds.red, red=leds.green)))
        remedy = "they are exchanged: exchange the two pins in the file"
    return Finding(
        what=what, outcome=Outcome.FAILED, seen=f"Not lit as it should be: {', '.join(wrong)}.", remedy=remedy
    )


def _is_lit(bench: Bench, pin: int, colour: str) -> bool:
    bench.gpio.write(pin, True)
    try:
        return bench.installer.agrees(f"Is the {colour} LED lit, and it alone?")
    finally:
        bench.gpio.write(pin, False)


async def stop_step(bench: Bench) -> Finding:
    """Waits for a press and for the release."""
    what, rests = f"Stop button at GPIO {bench.pin('stop_button')}", bench.level("stop_button")
    bench.installer.tell(f"Within {PRESS_WITHIN_S:g} s, press the Stop button for a second.")
    pressed_s = await bench.wait_for(lambda: bench.level("stop_button") != rests, PRESS_WITHIN_S)
    if pressed_s is None:
        return _contact_finding(bench, "stop_button", what, rests=rests, active=rests)
    await bench.sleep(SETTLE_S)
    released_s = await bench.wait_for(lambda: bench.level("stop_button") == rests, PRESS_WITHIN_S)
    if released_s is None:
        seen = f"It read {rests} at rest, and stayed {other(rests)}."
        remedy = "it latches, or is stuck: this input wants a button that springs back"
        return Finding(what=what, outcome=Outcome.FAILED, seen=seen, remedy=remedy)
    return _contact_finding(bench, "stop_button", what, rests=rests, active=other(rests))


async def plug_step(bench: Bench) -> Finding:
    """Ends with the vehicle plugged in, where there is one."""
    what = f"plug contact at GPIO {bench.pin('plug')}"
    if not bench.installer.agrees("Pull the vehicle's plug out. Is it out?"):
        return Finding(what=what, outcome=Outcome.SKIPPED, seen=f"It reads {bench.level('plug')} now.")
    rests = bench.level("plug")
    if not bench.installer.agrees("Plug the vehicle in, and leave it so. Is it in?"):
        return Finding(what=what, outcome=Outcome.SKIPPED, seen=f"Without a plug it reads {rests}.")
    return _contact_finding(bench, "plug", what, rests=rests, active=bench.level("plug"))


def _contact_finding(bench: Bench, name: ContactName, what: str, *, rests: Level, active: Level) -> Finding:
    """Of a contact as it was at rest, and when it should have been active."""
    seen = f"It read {rests} at rest, and {active} then."
    if rests == active:
        remedy = stuck_remedy(rests, bench.pin(name))
    elif active == active_level(bench.wiring, name):
        return Finding(what=what, outcome=Outcome.PASSED, seen=seen)
    else:
        bench.rewire(turned(bench.wiring, name))
        remedy = _turned_text(bench, name)
    return Finding(what=what, outcome=Outcome.FAILED, seen=seen, remedy=remedy)


def _turned_text(bench: Bench, name: ContactName) -> str:
    level = active_level(bench.wiring, name)
    text = f"{name}.{ACTIVE_KEY[name]} is {level}: {TURNED}"
    return f"{text}, {NORMALLY_OPEN[name]}" if level == "low" and name in NORMALLY_OPEN else text
