"""Days that nobody simulated, for tests of the report: quick to make, and as large as they have to be."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from small_days import RATED_W, scenario, visit

from grid_sim.arrays import Floats
from grid_sim.day.model import Charged, Day, Event, Run, Scenario, Series, Surroundings, Visit
from grid_sim.network.model import Tap
from grid_sim.report.reasons import CODES
from master_scada.model import Circuit, Feeder
from register_maps.vocabulary import LimitReason

NOON = datetime(2023, 3, 1, 12, tzinfo=ZoneInfo("Europe/Amsterdam"))


def made_up_day(
    *,
    stations: int = 6,
    scans: int = 96,
    scan_period_s: float = 900,
    limit_w: float = 10_000,
    name: str = "A street",
    names: tuple[str, ...] = (),
    compare: bool = True,
    start: datetime = NOON,
) -> Day:
    """From noon; its fifth to eighth hour is dear, and the price of its twentieth unknown."""
    given = _scenario(stations, scans, scan_period_s, limit_w, replace_names=names)
    given = replace(given, name=name, start=start)
    hour = np.floor(given.at_s / 3600)
    price = np.where((hour >= 5) & (hour < 9), 0.27, 0.14)
    price[hour == 20] = np.nan
    room_w = np.where(price <= 0.20, limit_w, 0.0)
    return Day(
        scenario=given,
        price=price,
        controlled=_run(given, room_w, _events(given)),
        uncontrolled=_run(given, np.full(scans, np.inf)) if compare else None,
    )


def _scenario(
    stations: int, scans: int, scan_period_s: float, limit_w: float, replace_names: tuple[str, ...]
) -> Scenario:
    names = [f"S{n}" for n in range(1, stations + 1)]
    hours = scans * scan_period_s / 3600
    visits = [
        one
        for day in range(int(hours // 24) or 1)
        for one in _evening(names[: -(stations // 10) or None], day)
    ]
    given = scenario(
        visits, stations=stations, hours=hours, scan_period_s=scan_period_s, power_limit_w=limit_w
    )
    given = _beside(_with_circuits(given, limit_w))
    renamed = dict(zip(names, replace_names, strict=False))
    return _renamed(given, renamed) if renamed else given


def _evening(names: list[str], day: int) -> list[Visit]:
    chance = np.random.default_rng(day)
    return [
        visit(
            name,
            86400 * day + 3600 * chance.uniform(3, 9),
            86400 * day + 3600 * chance.uniform(18, 21),
            chance.uniform(3, 20),
        )
        for name in names
    ]


def _with_circuits(given: Scenario, limit_w: float) -> Scenario:
    main = given.site.feeder.main
    below = [Circuit(name=f"{main.name} {phase}", power_limit_w=limit_w / 2, nominal_voltage_v=110,
                     voltage_band=(0.95, 1.05), parent=main.name) for phase in "abc"]  # fmt: skip
    entries = tuple(replace(entry, circuit=below[n % 3].name) for n, entry in enumerate(given.site.stations))
    return replace(given, site=replace(given.site, feeder=Feeder([main, *below]), stations=entries))


def _beside(given: Scenario) -> Scenario:
    """Homes that cook in the evening, and roofs in the morning."""
    hour = given.at_s / 3600 % 24
    demand_w = np.outer(300 + 900 * np.exp(-((hour - 7) ** 2) / 4), np.ones(3))
    solar_w = np.outer(np.where(hour > 19, 2000 * np.sin((hour - 19) / 9 * np.pi), 0.0), np.ones(3))
    taps = tuple(Tap(name=f"home {phase}", bus="S1", phases=phase) for phase in "abc")
    around = Surroundings(taps=taps, demand_w=demand_w, demand_var=0 * demand_w, solar_w=solar_w)
    return replace(given, surroundings=around)


def _renamed(given: Scenario, names: dict[str, str]) -> Scenario:
    site = given.site
    entries = tuple(replace(e, name=names.get(e.name, e.name)) for e in site.stations)
    return replace(
        given,
        site=replace(site, stations=entries),
        stations=tuple(
            replace(s, tap=replace(s.tap, name=e.name)) for s, e in zip(given.stations, entries, strict=True)
        ),
        visits=tuple(replace(v, station=names.get(v.station, v.station)) for v in given.visits),
    )


def _events(given: Scenario) -> tuple[Event, ...]:
    return tuple(
        Event(at_s=60.0 * n, source=station.name, text=f"charging at {3000 + n} W, {n}.5 % charged")
        for n, station in enumerate(given.stations)
    )


def _run(given: Scenario, room_w: Floats, events: tuple[Event, ...] = ()) -> Run:
    """First come, first served, as far as there is room; no room at all is the price's doing."""
    shape = (given.scans, len(given.stations))
    column = {station.name: n for n, station in enumerate(given.stations)}
    charging_w, charge = np.zeros(shape), np.full(shape, np.nan)
    reason = np.full(shape, CODES[LimitReason.NO_VEHICLE], dtype=np.uint8)
    why = np.where(room_w == 0, CODES[LimitReason.PRICE], CODES[LimitReason.WAITING_TURN])
    left_w, hours = room_w.copy(), given.scan_period_s / 3600
    charged = []
    for car in given.visits:
        n, got_wh = column[car.station], 0.0
        here = np.flatnonzero((given.at_s >= car.arrives_s) & (given.at_s < car.leaves_s))
        for scan in here.tolist():
            missing_wh = car.needs_wh - got_wh
            watts = min(RATED_W, missing_wh / hours) if left_w[scan] >= RATED_W else 0.0
            left_w[scan] -= watts
            got_wh += watts * hours
            charging_w[scan, n] = watts
            charge[scan, n] = car.battery.charged(car.state_of_charge_pct, got_wh)
            full, held = missing_wh < 1, watts == 0
            reason[scan, n] = CODES[LimitReason.FULL] if full else why[scan] if held else 0
        after_pct = car.battery.charged(car.state_of_charge_pct, got_wh)
        charged.append(Charged(visit=car, delivered_wh=got_wh, state_of_charge_pct=after_pct))
    return Run(
        series=_series(given, charging_w, charge, reason),
        charged=tuple(charged),
        metered_wh=charging_w.sum(axis=0) * hours,
        switchings=np.abs(np.diff((charging_w > 0).astype(np.int64), axis=0)).sum(axis=0),
        events=events,
    )


def _series(given: Scenario, charging_w: Floats, charge_pct: Floats, reason: "np.ndarray") -> Series:
    around = given.surroundings
    net_w = charging_w.sum(axis=1) + (around.demand_w - around.solar_w).sum(axis=1)
    share = net_w / (len(given.stations) * RATED_W)
    return Series(
        charging_w=charging_w,
        state_of_charge_pct=charge_pct,
        reason=reason,
        closed=charging_w > 0,
        station_voltage_v=np.outer(110 * (1.02 - 0.1 * share), np.ones(charging_w.shape[1])),
        low_pu=1.02 - 0.12 * share,
        high_pu=1.02 - 0.05 * share,
        loading=1.3 * np.abs(share),
        supplied_w=1.02 * net_w,
    )
