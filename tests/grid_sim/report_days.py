"""Days that nobody simulated, for tests of the report: plausible, seeded, quick to make."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from grid_sim.day.model import (
    Charged,
    Day,
    Event,
    Floats,
    Run,
    Scenario,
    Series,
    Station,
    Surroundings,
    Visit,
)
from grid_sim.network.model import Line, Network, Source, Tap
from grid_sim.report.reasons import CODES
from master_scada.model import Circuit, Feeder, Rules
from master_scada.site_file import Site
from master_scada.site_schema import StationEntry
from master_scada.tariff import ScheduleTariff
from modbus_link.listen import Listen
from register_maps.vocabulary import LimitReason
from rtu_firmware.battery import Battery

RATED_W = 7400.0
FULL, NO_VEHICLE, NONE = CODES[LimitReason.FULL], CODES[LimitReason.NO_VEHICLE], CODES[LimitReason.NONE]


def made_up_day(
    *,
    stations: int = 6,
    scans: int = 288,
    scan_period_s: float = 300.0,
    limit_w: float = 15000.0,
    name: str = "A street",
    compare: bool = True,
    start: datetime = datetime(2023, 3, 1, 12, tzinfo=ZoneInfo("Europe/Amsterdam")),
    seed: int = 1,
) -> Day:
    chance = np.random.default_rng(seed)
    at_s = np.arange(scans) * scan_period_s
    names = [f"home {n + 1}" for n in range(stations)]
    scenario = _scenario(name, start, names, at_s, scan_period_s, limit_w, chance)
    price = np.where((at_s // 3600 % 24 >= 5) & (at_s // 3600 % 24 < 9), 0.27, 0.14) + 0.01 * (
        at_s // 3600 % 3
    )
    price[at_s // 3600 == 20] = np.nan
    free = _run(scenario, np.full(scans, np.inf), np.full(scans, LimitReason.NONE), chance)
    room_w = np.where(price > 0.20, 0.0, np.where(np.isnan(price), 0.0, limit_w))
    why = np.where(room_w == 0.0, LimitReason.PRICE, LimitReason.WAITING_TURN)
    events = tuple(
        Event(at_s=60.0 * n, source=names[n % stations], text=f"charging at {7000 + n} W, {n}.0 % charged")
        for n in range(40)
    )
    return Day(
        scenario=scenario,
        price=price,
        controlled=_run(scenario, room_w, why, chance, events),
        uncontrolled=free if compare else None,
    )


def _scenario(
    name: str, start: datetime, names: list[str], at_s: Floats, scan_period_s: float, limit_w: float,
    chance: np.random.Generator,
) -> Scenario:  # fmt: skip
    taps = tuple(Tap(name=f"load {n}", bus="end", phases="abc"[n % 3]) for n in range(len(names)))
    hour = at_s / 3600 % 24
    evening = 300 + 900 * np.exp(-((hour - 7) ** 2) / 4)
    demand_w = evening[:, None] * chance.uniform(0.8, 1.2, (len(at_s), len(names)))
    solar_w = np.maximum(0.0, np.sin((hour - 19) / 9 * np.pi))[:, None] * np.full(len(names), 1200.0)
    solar_w[(hour < 19)] = 0.0
    circuits = [
        Circuit(name="street", power_limit_w=limit_w, nominal_voltage_v=240.2, voltage_band=(0.95, 1.05)),
        *(
            Circuit(
                name=f"street {phase}", power_limit_w=limit_w / 2, nominal_voltage_v=240.2,
                voltage_band=(0.95, 1.05), parent="street",
            )
            for phase in "abc"
        ),
    ]  # fmt: skip
    entries = tuple(
        StationEntry(name=station, circuit=f"street {'abc'[n % 3]}", host="sim")
        for n, station in enumerate(names)
    )
    return Scenario(
        name=name,
        about="Made up for a test: homes on one cable, a car at each.",
        start=start,
        scans=len(at_s),
        site=Site(
            name=name,
            scan_period_s=scan_period_s,
            rules=Rules(price_limit=0.20, minimum_off_s=60, settle_s=2 * scan_period_s),
            feeder=Feeder(circuits),
            stations=entries,
            maps={},
            tariff=ScheduleTariff(kind="schedule", currency="EUR", default=0.12),
            currency="EUR",
            server=Listen(port=5020),
            failsafe=None,
        ),
        network=Network(
            source=Source(bus="head", voltage_pu=1.02),
            nominal_voltage_v={"head": 416.0, "end": 416.0},
            lines=(
                Line(
                    name="cable",
                    from_bus="head",
                    to_bus="end",
                    r1_ohm=0.05,
                    x1_ohm=0.02,
                    r0_ohm=0.05,
                    x0_ohm=0.02,
                    max_current_a=100.0,
                ),
            ),
            assumptions=("The source is at 1.02 pu.",),
        ),  # fmt: skip
        stations=tuple(
            Station(
                tap=Tap(name=station, bus="end", phases="abc"[n % 3]),
                rated_power_w=RATED_W,
                minimum_power_w=1440.0,
            )
            for n, station in enumerate(names)
        ),
        visits=_visits(names, at_s[-1], chance),
        surroundings=Surroundings(taps=taps, demand_w=demand_w, demand_var=demand_w * 0.1, solar_w=solar_w),
        compare_uncontrolled=True,
        sources=("All of it was made up.",),
    )


def _visits(names: list[str], last_s: float, chance: np.random.Generator) -> tuple[Visit, ...]:
    made = []
    for day in range(max(1, round(last_s / 86400))):
        for name in names[: max(1, len(names) - len(names) // 10)]:
            arrives_s = day * 86400 + float(np.clip(chance.normal(6, 1.2), 1, 10)) * 3600
            charge = float(chance.uniform(15, 60))
            battery = Battery(capacity_wh=50000.0, max_power_w=RATED_W)
            made.append(
                Visit(
                    station=name,
                    arrives_s=arrives_s,
                    leaves_s=day * 86400 + float(chance.normal(19, 0.8)) * 3600,
                    needs_wh=(100 - charge) / 100 * 50000 / 0.92,
                    battery=battery,
                    state_of_charge_pct=charge,
                )
            )
    return tuple(sorted(made, key=lambda visit: (visit.arrives_s, visit.station)))


def _run(
    scenario: Scenario,
    room_w: Floats,
    why: "np.ndarray",
    chance: np.random.Generator,
    events: tuple[Event, ...] = (),
) -> Run:
    """First come, first served, under `room_w`; whoever has no room is told `why`."""
    shape = (scenario.scans, len(scenario.stations))
    column = {station.name: n for n, station in enumerate(scenario.stations)}
    charging_w = np.zeros(shape)
    charge = np.full(shape, np.nan)
    reason = np.full(shape, NO_VEHICLE, dtype=np.uint8)
    left_w = room_w.copy()
    hours = scenario.scan_period_s / 3600
    charged = []
    for visit in scenario.visits:
        n, stored_wh, delivered_wh = column[visit.station], visit.state_of_charge_pct, 0.0
        for scan in range(int(visit.arrives_s / scenario.scan_period_s) + 1, scenario.scans):
            if scan * scenario.scan_period_s >= visit.leaves_s:
                break
            missing_wh = visit.needs_wh - delivered_wh
            wants_w = min(RATED_W, missing_wh / hours)
            has_room = left_w[scan] >= RATED_W
            watts = wants_w if has_room else 0.0
            left_w[scan] -= watts
            delivered_wh += watts * hours
            charging_w[scan, n] = watts
            charge[scan, n] = stored_wh + 100 * delivered_wh * 0.92 / visit.battery.capacity_wh
            reason[scan, n] = FULL if missing_wh < 1 else NONE if has_room else CODES[LimitReason(why[scan])]
        charged.append(
            Charged(
                visit=visit,
                delivered_wh=delivered_wh,
                state_of_charge_pct=stored_wh + 100 * delivered_wh * 0.92 / visit.battery.capacity_wh,
            )
        )
    net_w = charging_w.sum(axis=1) + (scenario.surroundings.demand_w - scenario.surroundings.solar_w).sum(
        axis=1
    )
    share = net_w / (len(scenario.stations) * RATED_W)
    closed = charging_w > 0
    return Run(
        series=Series(
            charging_w=charging_w,
            state_of_charge_pct=charge,
            reason=reason,
            closed=closed,
            station_voltage_v=240.2 * (1.02 - 0.1 * share)[:, None] * np.ones(shape),
            low_pu=1.02 - 0.12 * share - 0.004 * chance.random(scenario.scans),
            high_pu=1.02 - 0.05 * share + 0.004 * chance.random(scenario.scans),
            loading=1.3 * np.abs(share),
            supplied_w=1.02 * net_w,
        ),
        charged=tuple(charged),
        metered_wh=charging_w.sum(axis=0) * hours,
        switchings=np.abs(np.diff(closed.astype(np.int64), axis=0)).sum(axis=0),
        events=events,
    )
