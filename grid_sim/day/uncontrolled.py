"""A scenario's days without any of this project: every car draws what it accepts from plugging in until it
is full or leaves."""

import math

import numpy as np

from grid_sim.arrays import Counts
from grid_sim.day.model import Charged, Run, Scenario, Series, Visit
from grid_sim.day.series import empty_series, note_flow
from grid_sim.day.stand import charged, reason_codes
from grid_sim.day.world import World
from register_maps.vocabulary import LimitReason
from rtu_firmware.battery import FULL_PCT


def run_uncontrolled(scenario: Scenario) -> Run:
    series = empty_series(scenario)
    codes = reason_codes()
    series.reason[:] = codes[LimitReason.NO_VEHICLE]
    index = {station.name: i for i, station in enumerate(scenario.stations)}
    results = [_charge(scenario, series, visit, index[visit.station]) for visit in scenario.visits]
    series.closed[:] = series.charging_w > 0
    here = ~np.isnan(series.state_of_charge_pct)
    full = series.state_of_charge_pct >= FULL_PCT
    series.reason[here] = codes[LimitReason.NONE]
    series.reason[full] = codes[LimitReason.FULL]
    world = World(scenario)
    flow = world.at_each(series.charging_w)
    note_flow(series, slice(None), flow, scenario)
    series.station_voltage_v[:] = world.station_voltage_v(flow)
    delivered_wh = np.zeros(len(scenario.stations))
    for result in results:
        delivered_wh[index[result.visit.station]] += result.delivered_wh
    return Run(
        series=series,
        charged=tuple(results),
        metered_wh=delivered_wh,
        switchings=_switchings(series),
    )


def _charge(scenario: Scenario, series: Series, visit: Visit, station: int) -> Charged:
    """One visit, from scan to scan; it begins and ends between two of them."""
    period_s, charge_pct = scenario.scan_period_s, visit.state_of_charge_pct
    rated_w = scenario.stations[station].rated_power_w
    at_s, first = visit.arrives_s, math.ceil(visit.arrives_s / period_s)
    for scan in range(first, scenario.scans + 1):
        until_s = min(scan * period_s, visit.leaves_s)
        power_w = min(visit.battery.accepted_power_w(charge_pct), rated_w)
        energy_wh = min(power_w * (until_s - at_s) / 3600, visit.battery.room_wh(charge_pct))
        charge_pct, at_s = visit.battery.charged(charge_pct, energy_wh), until_s
        if scan == scenario.scans or visit.leaves_s <= scan * period_s:
            break
        series.charging_w[scan, station] = min(visit.battery.accepted_power_w(charge_pct), rated_w)
        series.state_of_charge_pct[scan, station] = charge_pct
    return charged(visit, charge_pct)


def _switchings(series: Series) -> Counts:
    begins_open = np.vstack([np.zeros_like(series.closed[:1]), series.closed])
    return np.asarray(np.diff(begins_open, axis=0).sum(axis=0), dtype=np.int64)
