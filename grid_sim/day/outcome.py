"""The figures of one run: what an engineer asks for first."""

from dataclasses import dataclass

import numpy as np

from grid_sim.arrays import Bools, Floats
from grid_sim.day.model import Run, Scenario

ROUNDING_W = 1e-6
ROUNDING_V = 0.05
"""Of the stations' registers: nobody can answer what they can't tell."""
SERVED_SHARE = 0.99
"""Of what its driver asked for: with less, a car counts as not served."""
ANSWER_SCANS = 4
"""How long the rule may take: one scan sees the voltage and sheds, the contactor moves before the next,
and a second step waits for that (two scans are one settling time)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of all the scenario's days. Minutes are scans times the scan period."""

    cars: int
    cars_served: int
    requested_kwh: float
    delivered_kwh: float
    cost: float
    """Of the delivered energy, in the site's currency; what was drawn at an unknown price costs nothing."""
    peak_charging_kw: float
    peak_supplied_kw: float
    scans_over_power_limit: int
    """On any circuit."""
    minutes_over_power_limit: float
    minutes_under_band: float
    """At any tap, by the main circuit's band, and by more than `ROUNDING_V`."""
    minutes_over_band: float
    longest_out_of_band_s: float
    minutes_out_beyond_answer: float
    """Of each stretch out of the band, what lies beyond `answer_s`."""
    answer_s: float
    lowest_pu: float
    highest_pu: float
    peak_loading: float | None
    """1.0 is full; None where nobody has said what lines carry."""
    minutes_overloaded: float
    switchings: int
    most_switchings: int
    """Of any one station."""
    metered_share: float
    """What the stations metered, as a share of what the cars got."""

    @property
    def undelivered_kwh(self) -> float:
        return self.requested_kwh - self.delivered_kwh

    @property
    def delivered_share(self) -> float:
        return self.delivered_kwh / self.requested_kwh if self.requested_kwh else 1.0


def outcome(scenario: Scenario, price: Floats, run: Run) -> Outcome:
    """`price`: (scans,), as in `Day`."""
    series = run.series
    minutes = scenario.scan_period_s / 60
    low_pu, high_pu = scenario.site.feeder.main.voltage_band
    rounding_pu = ROUNDING_V / scenario.site.feeder.main.nominal_voltage_v
    under, over = series.low_pu < low_pu - rounding_pu, series.high_pu > high_pu + rounding_pu
    too_much = over_power_limit(scenario, series.charging_w)
    requested_wh = sum(visit.needs_wh for visit in scenario.visits)
    delivered_wh = sum(charged.delivered_wh for charged in run.charged)
    stretches_s = _stretches(under | over) * scenario.scan_period_s
    answer_s = ANSWER_SCANS * scenario.scan_period_s
    charging_kw = series.charging_w.sum(axis=1) / 1000
    known = np.nan_to_num(series.loading)
    return Outcome(
        cars=len(run.charged),
        cars_served=sum(c.delivered_wh >= SERVED_SHARE * c.visit.needs_wh for c in run.charged),
        requested_kwh=requested_wh / 1000,
        delivered_kwh=delivered_wh / 1000,
        cost=_mean_price(charging_kw, price) * delivered_wh / 1000,
        peak_charging_kw=float(charging_kw.max()),
        peak_supplied_kw=float(series.supplied_w.max()) / 1000,
        scans_over_power_limit=int(too_much.sum()),
        minutes_over_power_limit=float(too_much.sum()) * minutes,
        minutes_under_band=float(under.sum()) * minutes,
        minutes_over_band=float(over.sum()) * minutes,
        longest_out_of_band_s=float(stretches_s.max(initial=0.0)),
        minutes_out_beyond_answer=float(np.maximum(0.0, stretches_s - answer_s).sum()) / 60,
        answer_s=answer_s,
        lowest_pu=float(series.low_pu.min()),
        highest_pu=float(series.high_pu.max()),
        peak_loading=None if np.isnan(series.loading).all() else float(known.max()),
        minutes_overloaded=float((known > 1).sum()) * minutes,
        switchings=int(run.switchings.sum()),
        most_switchings=int(run.switchings.max(initial=0)),
        metered_share=float(run.metered_wh.sum()) / delivered_wh if delivered_wh else 1.0,
    )


def _mean_price(charging_kw: Floats, price: Floats) -> float:
    """Of a kWh. The shares of the hours are those of the scans, but their sum is not the energy: who comes or
    is allowed between two scans is seen at the second one only."""
    drawn = float(charging_kw.sum())
    return float(np.nansum(charging_kw * price)) / drawn if drawn else 0.0


def circuit_power_w(scenario: Scenario, charging_w: Floats) -> dict[str, Floats]:
    """By circuit, at each scan: what all stations on it and below it draw."""
    feeder = scenario.site.feeder
    paths = [feeder.path(entry.circuit) for entry in scenario.site.stations]
    return {name: charging_w[:, [name in path for path in paths]].sum(axis=1) for name in feeder.circuits}


def over_power_limit(scenario: Scenario, charging_w: Floats) -> Bools:
    """(scans,): whether any circuit carries more than its limit."""
    circuits = scenario.site.feeder.circuits
    over = np.zeros(len(charging_w), dtype=np.bool_)
    for name, power_w in circuit_power_w(scenario, charging_w).items():
        over |= power_w > circuits[name].power_limit_w + ROUNDING_W
    return over


def _stretches(holds: Bools) -> Floats:
    """How many scans long each unbroken stretch is."""
    edges = np.diff(np.concatenate([[0], holds.astype(np.int8), [0]]))
    return (np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)).astype(np.float64)
