"""Scenarios of a few stations on one cable, made without a file."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from grid_sim.day.model import Scenario, Station, Surroundings, Visit
from grid_sim.network.model import Line, Network, Source, Tap
from master_scada.model import Circuit, Feeder, Rules
from master_scada.site_file import Site
from master_scada.site_schema import StationEntry
from master_scada.tariff import ScheduleTariff
from modbus_link.listen import Listen
from register_maps.register_map import load_map
from rtu_firmware.battery import EFFICIENCY, Battery

START = datetime(2026, 3, 2, 15, tzinfo=UTC)
NOMINAL_V = 110.0
RATED_W = 3300.0


def two_wires(stations: int, resistance_ohm: float = 0.02, max_current_a: float | None = 100) -> Network:
    """Stations S1, S2 … one after the other on a cable."""
    names = ["source", *(f"S{n}" for n in range(1, stations + 1))]
    lines = [
        Line(
            name=name,
            from_bus=before,
            to_bus=name,
            r1_ohm=resistance_ohm,
            x1_ohm=0.0,
            r0_ohm=resistance_ohm,
            x0_ohm=0.0,
            max_current_a=max_current_a,
        )
        for before, name in pairwise(names)
    ]
    return Network(
        source=Source(bus="source"),
        nominal_voltage_v=dict.fromkeys(names, NOMINAL_V * 3**0.5),
        lines=tuple(lines),
    )


def visit(
    station: str, arrives_s: float, leaves_s: float, needs_kwh: float, *, capacity_kwh: float = 24
) -> Visit:
    return Visit(
        station=station,
        arrives_s=arrives_s,
        leaves_s=leaves_s,
        needs_wh=1000 * needs_kwh,
        battery=Battery(capacity_wh=1000 * capacity_kwh, max_power_w=RATED_W),
        state_of_charge_pct=100 * (1 - needs_kwh * EFFICIENCY / capacity_kwh),
    )


def scenario(
    visits: Sequence[Visit],
    *,
    stations: int = 2,
    hours: float = 6,
    scan_period_s: float = 10,
    power_limit_w: float = 5000,
    network: Network | None = None,
    price_limit: float = 0.20,
    dear_hours: str = "",
) -> Scenario:
    taps = [Tap(name=f"S{n}", bus=f"S{n}", phases="a") for n in range(1, stations + 1)]
    scans = round(hours * 3600 / scan_period_s)
    nothing = np.zeros((scans, 0))
    return Scenario(
        name="Small",
        about="",
        start=START,
        scans=scans,
        site=_site([tap.name for tap in taps], scan_period_s, power_limit_w, price_limit, dear_hours),
        network=network or two_wires(stations),
        stations=tuple(Station(tap=tap, rated_power_w=RATED_W, minimum_power_w=1300) for tap in taps),
        visits=tuple(sorted(visits, key=lambda visit: visit.arrives_s)),
        surroundings=Surroundings(taps=(), demand_w=nothing, demand_var=nothing, solar_w=nothing),
        compare_uncontrolled=True,
        sources=(),
    )


def beside(given: Scenario, bus: str, demand_w: "np.ndarray") -> Scenario:
    """With a home at `bus` that draws `demand_w`: (scans,)."""
    column = demand_w[:, np.newaxis]
    zeros = np.zeros_like(column)
    home = Tap(name="home", bus=bus, phases="a")
    return replace(
        given,
        surroundings=Surroundings(taps=(home,), demand_w=column, demand_var=zeros, solar_w=zeros),
    )


def _site(
    names: list[str], scan_period_s: float, power_limit_w: float, price_limit: float, dear_hours: str
) -> Site:
    circuit = Circuit(
        name="cable", power_limit_w=power_limit_w, nominal_voltage_v=NOMINAL_V, voltage_band=(0.95, 1.05)
    )
    hours = {dear_hours: 0.32} if dear_hours else {}
    return Site(
        name="Small",
        scan_period_s=scan_period_s,
        rules=Rules(price_limit=price_limit, minimum_off_s=30, settle_s=2 * scan_period_s),
        feeder=Feeder([circuit]),
        stations=tuple(
            StationEntry(name=name, circuit="cable", host="day", port=port)
            for port, name in enumerate(names, start=1)
        ),
        maps={"pev_rtu": load_map("pev_rtu")},
        tariff=ScheduleTariff(kind="schedule", currency="USD", default=0.12, hours=hours),
        currency="USD",
        server=Listen(port=0),
        failsafe=None,
    )
