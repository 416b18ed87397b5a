"""Walks through a station's wiring with its installer, step by step; nothing of it needs a master."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

from register_maps.yaml_file import BadFile, Faults
from rtu_firmware.pi.self_test.bench import Bench, Finding, Outcome
from rtu_firmware.pi.self_test.contact_steps import contactor_step, leds_step, plug_step, stop_step
from rtu_firmware.pi.self_test.sensor_steps import charge_step, gauge_step, meter_step
from rtu_firmware.pi.wiring import ModbusMeter, PiWiring
from rtu_firmware.pi.wiring_faults import note_wiring

Step = Callable[[Bench], Awaitable[Finding]]
WELCOME = """\
This reads the sensors, clicks the relay, lights the LEDs, and waits for the Stop button and the plug.
No vehicle may be plugged in at first. Keep a hand at the supply's switch.
Ctrl-C ends it at any time, and opens the relay.\
"""


async def walk(bench: Bench) -> bool:
    """Whether all was tested and in order. The contactor is open after each step."""
    try:
        return await _walk(bench)
    finally:
        bench.close()


async def _walk(bench: Bench) -> bool:
    bench.installer.tell(WELCOME)
    if not bench.installer.agrees("Is the vehicle's plug pulled, and may the relay click?"):
        bench.installer.tell("Nothing was tested.")
        return False
    given, findings = bench.wiring, list[Finding]()
    for step in _steps(bench, findings):
        findings.append(await step(bench))
        bench.installer.tell(_line(findings[-1]))
    passed = all(finding.outcome is Outcome.PASSED for finding in findings)
    bench.installer.tell(_verdict(findings))
    _show_file(bench, changed=bench.wiring != given)
    return passed


def _steps(bench: Bench, findings: list[Finding]) -> Iterator[Step]:
    """A vehicle gets power last, and only where meter, contactor and plug are in order."""
    yield meter_step
    yield contactor_step
    first = len(findings)
    yield stop_step
    if bench.wiring.leds:
        yield leds_step
    if findings[first - 1].outcome is Outcome.FAILED:
        yield _no_vehicle_step
        return
    yield plug_step
    plugged = findings[-1]
    if bench.gauge:
        yield gauge_step
    if all(finding.outcome is Outcome.PASSED for finding in (*findings[:first], plugged)):
        yield charge_step
    else:
        yield _no_charge_step


async def _no_vehicle_step(bench: Bench) -> Finding:
    """It might get power that nobody can take away."""
    seen = "First a contactor that is in order, then a vehicle."
    return Finding(what="plug and charging", outcome=Outcome.SKIPPED, seen=seen)


async def _no_charge_step(bench: Bench) -> Finding:
    seen = "Meter, contactor and plug come first."
    return Finding(what="charging", outcome=Outcome.SKIPPED, seen=seen)


def _line(finding: Finding) -> str:
    text = f"{finding.outcome.upper()}: {finding.what}. {finding.seen}"
    return f"{text}\n  Likely: {finding.remedy}." if finding.remedy else text


def _verdict(findings: list[Finding]) -> str:
    wrong = [finding.what for finding in findings if finding.outcome is Outcome.FAILED]
    untested = [finding.what for finding in findings if finding.outcome is Outcome.SKIPPED]
    if not wrong and not untested:
        return "ALL IN ORDER."
    parts = [("Wrong", wrong), ("Not tested", untested)]
    return "NOT YET IN ORDER. " + " ".join(f"{name}: {'; '.join(which)}." for name, which in parts if which)


def _show_file(bench: Bench, *, changed: bool) -> None:
    tell = bench.installer.tell
    tell("The file, corrected by what was found:" if changed else "The file, as it is:")
    bench.installer.show(as_yaml(bench.wiring))
    for fault in _faults(bench):
        tell(f"This can't stay so: {fault}.")
    if changed:
        tell("Correct it, and test again.")


def _faults(bench: Bench) -> list[str]:
    """What `pev-scada check` would say of the wiring as it was found."""
    faults = Faults(Path("pi"))
    note_wiring(bench.wiring, bench.station.ratings, faults)
    try:
        faults.raise_if_any()
    except BadFile as error:
        return [fault.message for fault in error.faults]
    return []


def as_yaml(wiring: PiWiring) -> str:
    """The section as it stands in a station's file."""
    lines = ["pi:"]
    for one in fields(wiring):
        value = getattr(wiring, one.name)
        if value is not None:
            lines.append(f"  {one.name}: {value if isinstance(value, int) else _flow(value)}")
    return "\n".join(lines) + "\n"


def _flow(part: object) -> str:
    """One of the section's own dataclasses, in a line."""
    pairs = {f.name: getattr(part, f.name) for f in fields(part)}  # type: ignore[arg-type]
    if isinstance(part, ModbusMeter) and part.map.endswith(".yaml"):
        pairs["map"] = Path(part.map).name  # it lies beside the station's file
    return f"{{{', '.join(f'{key}: {_scalar(key, v)}' for key, v in pairs.items() if v is not None)}}}"


def _scalar(key: str, value: object) -> str:
    if key == "address" and isinstance(value, int):
        return f"{value:#04x}"
    if is_dataclass(value):
        return _flow(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
