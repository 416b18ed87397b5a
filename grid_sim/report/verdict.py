"""What came of the day, in a few sentences."""

from collections.abc import Iterator

from grid_sim.day.model import Day
from grid_sim.day.outcome import SERVED_SHARE, Outcome
from grid_sim.report.numbers import in_words, number


def verdict(day: Day, controlled: Outcome, uncontrolled: Outcome | None) -> tuple[str, ...]:
    sentences = []
    if uncontrolled is not None:
        sentences.append(
            f"Without control {_joined([_voltage(day, uncontrolled), *_network(day, uncontrolled)])}."
        )
    voltage = _voltage(day, controlled) + _answer(controlled)
    sentences.append(f"With the rule {_joined([voltage, *_network(day, controlled)])}.")
    sentences.append(_energy(controlled, uncontrolled))
    return tuple(sentences)


def _voltage(day: Day, outcome: Outcome) -> str:
    """Below and above apart: where phases are loaded unevenly, both may hold at once."""
    low, high = day.scenario.site.feeder.main.voltage_band
    out = []
    if outcome.minutes_under_band:
        out.append(
            f"below {low:g} for {_minutes(outcome.minutes_under_band)} (down to {outcome.lowest_pu:.3f})"
        )
    if outcome.minutes_over_band:
        out.append(
            f"above {high:g} for {_minutes(outcome.minutes_over_band)} (up to {outcome.highest_pu:.3f})"
        )
    if out:
        return f"the voltage was {' and '.join(out)}"
    return (
        f"the voltage stayed within [{low:g}, {high:g}] ({outcome.lowest_pu:.3f} to {outcome.highest_pu:.3f})"
    )


def _network(day: Day, outcome: Outcome) -> Iterator[str]:
    yield _power(day, outcome)
    if outcome.minutes_overloaded and outcome.peak_loading is not None:
        percent = number(100 * outcome.peak_loading, 0)
        yield f"a line was overloaded for {_minutes(outcome.minutes_overloaded)} (up to {percent} %)"
    elif outcome.peak_loading is not None:
        yield f"no line was overloaded (at most {number(100 * outcome.peak_loading, 0)} %)"


def _power(day: Day, outcome: Outcome) -> str:
    feeder = day.scenario.site.feeder
    several = len(feeder.circuits) > 1
    y = f"y = {feeder.main.power_limit_w / 1000:g} kW"
    peak = f"{number(outcome.peak_charging_kw, 1)} kW"
    if not outcome.scans_over_power_limit:
        return f"charging never exceeded {y}{' nor any circuit’s limit' * several} (at most {peak})"
    over = f"{y} or a circuit’s limit" if several else y
    return f"charging exceeded {over} for {_minutes(outcome.minutes_over_power_limit)} (up to {peak})"


def _answer(outcome: Outcome) -> str:
    """How much of the time out of the band the rule can't be excused for."""
    if not outcome.minutes_under_band + outcome.minutes_over_band:
        return ""
    beyond_min = outcome.minutes_out_beyond_answer
    share = f"{_minutes(beyond_min)} of that" if beyond_min else "none of that"
    return f", {share} beyond the rule’s answer time of {in_words(outcome.answer_s)}"


def _energy(controlled: Outcome, uncontrolled: Outcome | None) -> str:
    digits = 1 if controlled.requested_kwh < 1000 else 0
    got = f"{number(controlled.delivered_kwh, digits)} of the {number(controlled.requested_kwh, digits)} kWh"
    share = number(100 * controlled.delivered_share, 1)
    sentence = f"The cars got {got} that they asked for, {share} %"
    if uncontrolled is not None:
        sentence += f" (without control {number(100 * uncontrolled.delivered_share, 1)} %)"
    served = f"{controlled.cars_served} of {controlled.cars} cars"
    return f"{sentence}; {served} got at least {100 * SERVED_SHARE:g} % of theirs."


def _minutes(minutes: float) -> str:
    text = number(minutes, 0 if minutes >= 10 else 1)
    return f"{text} minute" if text == "1.0" else f"{text} minutes"


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])}, and {parts[-1]}"
