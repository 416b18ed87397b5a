"""The steps of a self-test that measure: meter, gauge, and a vehicle's first charging current."""

from dataclasses import replace

from rtu_firmware.pi.self_test.bench import Bench, Finding, Outcome
from rtu_firmware.pi.self_test.known_chips import METERS, found_text
from rtu_firmware.pi.sensing import Sensed, SensorError
from rtu_firmware.pi.wiring import Ads1115, Ina219, Ina226, Meter, ModbusMeter

NO_VOLTAGE_SHARE = 0.05
MOST_POWER_SHARE = 1.1
CHARGED_FOR_S = 3.0


async def meter_step(bench: Bench) -> Finding:
    """With an open contactor: the voltage of the supply, and no current."""
    name = bench.meter.name
    try:
        seen, remedies = await _read_meter(bench)
    except SensorError as error:
        return _silent(bench, name, error)
    return _judged(name, seen, [*remedies, *_voltage_remedies(bench, seen), *_idle_remedies(bench, seen)])


async def _read_meter(bench: Bench) -> tuple[Sensed, list[str]]:
    """From where the file has it, or from where it is found on the bus."""
    try:
        return await bench.read(bench.meter), []
    except SensorError:
        moved = _moved(bench)
        if moved is None:
            raise
    bench.rewire(replace(bench.wiring, meter=moved))
    return await bench.read(bench.meter), [f"it is {bench.meter.name}: correct the file"]


async def gauge_step(bench: Bench) -> Finding:
    """With the battery at the plug."""
    assert bench.gauge is not None
    name = bench.gauge.name
    if not bench.installer.agrees("Is the battery connected now, with its gauge?"):
        return Finding(what=name, outcome=Outcome.SKIPPED, seen="There was no battery.")
    try:
        seen = await bench.read(bench.gauge)
    except SensorError as error:
        return _silent(bench, name, error)
    remedy = "" if seen.state_of_charge_pct is not None else "it tells no state of charge"
    return _judged(name, seen, [remedy] if remedy else [])


async def charge_step(bench: Bench) -> Finding:
    """Power for some seconds into the vehicle: the current's direction, and the voltage under load. None may
    flow before: contactor and feedback that are both the other way round look right until then."""
    what = "charging"
    try:
        idle = await bench.read(bench.meter)
    except SensorError as error:
        return Finding(what=what, outcome=Outcome.FAILED, seen=f"{error}.")
    if remedies := _idle_remedies(bench, idle):
        return _judged(what, idle, ["PULL THE PLUG", *remedies])
    if not bench.installer.agrees(f"The vehicle gets power for {CHARGED_FOR_S:g} s now. Is that safe?"):
        return Finding(what=what, outcome=Outcome.SKIPPED, seen="The vehicle was not to get power.")
    try:
        bench.order(closed=True)
        await bench.sleep(CHARGED_FOR_S)
        seen = await bench.read(bench.meter)
    except SensorError as error:
        return Finding(what=what, outcome=Outcome.FAILED, seen=f"{error}.")
    finally:
        bench.order(closed=False)
    return _judged(what, seen, [*_voltage_remedies(bench, seen), *_load_remedies(bench, seen)])


def _judged(what: str, seen: Sensed, remedies: list[str]) -> Finding:
    values = [
        (seen.voltage_v, "V"),
        (seen.current_a, "A"),
        (seen.power_w, "W"),
        (seen.state_of_charge_pct, "%"),
    ]
    text = ", ".join(f"{value:.4g} {unit}" for value, unit in values if value is not None)
    outcome = Outcome.FAILED if remedies else Outcome.PASSED
    return Finding(what=what, outcome=outcome, seen=f"{text or 'No value'}.", remedy="; ".join(remedies))


def _voltage_remedies(bench: Bench, seen: Sensed) -> list[str]:
    nominal_v = bench.station.nominal_voltage_v
    low_v, high_v = (share * nominal_v for share in bench.station.emergency_band)
    voltage_v = seen.voltage_v
    if voltage_v is None:
        return ["it tells no voltage"]
    if low_v <= voltage_v <= high_v:
        return []
    if abs(voltage_v) < NO_VOLTAGE_SHARE * nominal_v:
        return ["no voltage: the supply is off, a fuse has blown, or the wire to the voltage input is off"]
    return [
        f"{voltage_v:.4g} V is outside {low_v:.4g} to {high_v:.4g} V (emergency_band), where the station"
        " stays open: set the supply and its current limit, look for thin or loose wires, or correct"
        " nominal_voltage_v"
    ]


def _idle_remedies(bench: Bench, seen: Sensed) -> list[str]:
    if seen.power_w is None:
        return ["it tells no power"]
    if abs(seen.power_w) <= bench.no_power_w:
        return []
    return [
        f"{seen.power_w:.4g} W flow though the contactor is ordered open: it is welded or closes on the other"
        " level, or something else hangs behind the meter"
    ]


def _load_remedies(bench: Bench, seen: Sensed) -> list[str]:
    rated_w = bench.station.rated_power_w
    if seen.power_w is None:
        return ["it tells no power"]
    if seen.power_w < -bench.no_power_w:
        return [_reversed(bench.wiring.meter)]
    if seen.power_w <= bench.no_power_w:
        return [
            "no power flows: the battery is full, its charger is off, a wire of the plug is off, the current"
            " does not go through the meter, or the relay opens when it is told to close (closes_on and"
            " closed_is may both be wrong)"
        ]
    if seen.power_w > MOST_POWER_SHARE * rated_w:
        return [f"more than rated_power_w, {rated_w:g} W: correct it, or the shunt or ratio of the meter"]
    return []


def _reversed(meter: Meter) -> str:
    if isinstance(meter, Ina226 | Ina219):
        return "the current flows backwards: exchange the shunt's two wires, IN+ belongs to the supply"
    return "the current flows backwards: exchange the meter's line and load, or turn its transformer"


def _moved(bench: Bench) -> Meter | None:
    """The one other chip on the bus that the meter can be; None where there is none, or more than one."""
    meter = bench.wiring.meter
    if isinstance(meter, ModbusMeter):
        return None
    found = [(at, name) for at, name in bench.chips().items() if at in METERS]
    fitting = [m for at, name in found if (m := _meter_as(meter, name, at))]
    return fitting[0] if len(fitting) == 1 else None


def _meter_as(meter: Ina226 | Ina219 | Ads1115, name: str, address: int) -> Meter | None:
    """A shunt fits either INA; what stands before an ADS1115 fits no other chip."""
    if name == meter.chip:
        return replace(meter, address=address)
    if isinstance(meter, Ads1115):
        return None
    shunt_ohm, most_a = meter.shunt_ohm, meter.max_current_a
    if name == "ina226":
        return Ina226(chip="ina226", address=address, shunt_ohm=shunt_ohm, max_current_a=most_a)
    if name == "ina219":
        return Ina219(chip="ina219", address=address, shunt_ohm=shunt_ohm, max_current_a=most_a)
    return None


def _silent(bench: Bench, name: str, error: SensorError) -> Finding:
    """And what the bus has instead."""
    remedy = "look for its power, its address, and the wires A and B, which may be exchanged"
    if bench.wiring.uses_i2c:
        remedy = f"{found_text(bench.chips())}: look for its power, and the wires SDA and SCL"
    seen = f"{str(error).removeprefix(f'{name}: ')}."
    return Finding(what=name, outcome=Outcome.FAILED, seen=seen, remedy=remedy)
