"""The series of a run, filled scan by scan, or all at once."""

import numpy as np

from grid_sim.day.model import Scenario, Series
from grid_sim.network.power_flow import Flow


def empty_series(scenario: Scenario) -> Series:
    shape = (scenario.scans, len(scenario.stations))
    scans = scenario.scans
    return Series(
        charging_w=np.zeros(shape),
        state_of_charge_pct=np.full(shape, np.nan),
        reason=np.zeros(shape, dtype=np.uint8),
        closed=np.zeros(shape, dtype=np.bool_),
        station_voltage_v=np.zeros(shape),
        low_pu=np.zeros(scans),
        high_pu=np.zeros(scans),
        loading=np.zeros(scans),
        supplied_w=np.zeros(scans),
    )


def note_flow(series: Series, at: int | slice, flow: Flow, scenario: Scenario) -> None:
    """`flow` is of the one scan, or of those in the slice."""
    voltage_pu = flow.voltage_v / scenario.site.feeder.main.nominal_voltage_v
    series.low_pu[at] = np.nanmin(voltage_pu, axis=(-2, -1))
    series.high_pu[at] = np.nanmax(voltage_pu, axis=(-2, -1))
    series.loading[at] = flow.loading
    series.supplied_w[at] = flow.supplied_w
