"""Networks for the tests: a cable, and the European feeder from the project's data."""

import math
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from grid_sim.arrays import Floats
from grid_sim.network.csv_network import CsvNetwork
from grid_sim.network.model import Line, Network, Source
from register_maps.yaml_file import Faults

DATA = Path(__file__).parents[3] / "shared" / "data"
EUROPEAN_LV = DATA / "european_lv"
EUROPEAN_PHASE_V = 416 / math.sqrt(3)
needs_european_lv = pytest.mark.skipif(not EUROPEAN_LV.exists(), reason=f"needs {EUROPEAN_LV}")
# Importing it takes seconds: whoever only collects the tests does without.
needs_pandapower = pytest.mark.skipif(find_spec("pandapower") is None, reason="needs pandapower")


def european_lv(source_pu: float | None = None) -> Network:
    faults = Faults(EUROPEAN_LV)
    file = CsvNetwork(kind="csv", path=str(EUROPEAN_LV), source_pu=source_pu)
    network = file.load(EUROPEAN_LV, faults, ("network",))
    faults.raise_if_any()
    assert network
    return network


def busy_w(network: Network) -> Floats:
    return np.array([load.high_w for load in network.loads])


def busy_var(network: Network) -> Floats:
    return np.array([load.high_var for load in network.loads])


def every_second(network: Network, power_w: float) -> Floats:
    """A car at every second home."""
    return power_w * (np.arange(len(network.loads)) % 2 == 0)


def line(from_bus: str, to_bus: str, r_ohm: float = 0.1, max_current_a: float | None = None) -> Line:
    """Of a cable whose neutral is as thick as its phases."""
    return Line(
        name=f"{from_bus} {to_bus}",
        from_bus=from_bus,
        to_bus=to_bus,
        r1_ohm=r_ohm,
        x1_ohm=r_ohm / 2,
        r0_ohm=4 * r_ohm,
        x0_ohm=2 * r_ohm,
        max_current_a=max_current_a,
    )


def network_of(*lines: Line, source_pu: float = 1.0) -> Network:
    """At 400 V; the first line begins at the source."""
    buses = dict.fromkeys(bus for each in lines for bus in (each.from_bus, each.to_bus))
    return Network(
        source=Source(bus=lines[0].from_bus, voltage_pu=source_pu),
        nominal_voltage_v=dict.fromkeys(buses, 400.0),
        lines=lines,
    )
