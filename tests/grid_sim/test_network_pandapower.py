"""pandapower's networks as ours: the same voltages as by its own power flow, and faults for the rest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import needs_pandapower

from grid_sim.network.model import Network
from grid_sim.network.network_file import read_network
from grid_sim.network.pandapower_tables import PandapowerTables
from grid_sim.network.power_flow import PowerFlow
from register_maps.yaml_file import BadFile, Faults

pytestmark = [needs_pandapower, pytest.mark.filterwarnings("ignore")]  # pandapower's own

Change = Callable[[Any], None]


def made(name: str) -> Any:
    from pandapower import networks

    return getattr(networks, name)()


def read(**keys: object) -> Network | None:
    faults = Faults(Path("scenario.yaml"))
    network = read_network({"kind": "pandapower", **keys}, faults.path, faults, ("network",))
    faults.raise_if_any()
    return network


def nothing(net: Any) -> None:
    pass


def tapped(net: Any) -> None:
    net.trafo["tap_side"], net.trafo["tap_neutral"], net.trafo["tap_pos"] = "hv", 0.0, -2.0
    net.trafo["tap_step_percent"], net.trafo["tap_changer_type"] = 2.5, "Ratio"


def tapped_below(net: Any) -> None:
    tapped(net)
    net.trafo["tap_side"] = "lv"


def changed(net: Any) -> None:
    tapped(net)
    net.line["parallel"], net.trafo["parallel"] = 2, 3
    net.line["c_nf_per_km"] = 50_000.0


def switched(net: Any) -> None:
    """A second way round, joined at one end by a closed switch and open at the other; and a line cut off."""
    import pandapower

    first, last = int(net.line.from_bus.iloc[0]), int(net.line.to_bus.iloc[-1])
    near, far = (pandapower.create_bus(net, vn_kv=0.4) for _ in range(2))
    values = {"length_km": 0.1, "r_ohm_per_km": 0.4, "x_ohm_per_km": 0.1, "c_nf_per_km": 0, "max_i_ka": 0.3}
    pandapower.create_line_from_parameters(net, near, far, **values)
    cut = pandapower.create_line_from_parameters(net, first, last, **values)
    pandapower.create_switch(net, first, near, et="b", closed=True)
    pandapower.create_switch(net, last, far, et="b", closed=True)
    pandapower.create_switch(net, first, int(cut), et="l", closed=False)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("create_kerber_landnetz_freileitung_1", changed),
        ("panda_four_load_branch", tapped_below),
        ("panda_four_load_branch", switched),
        ("create_cigre_network_lv", nothing),
    ],
)
def test_a_balanced_load_gives_the_voltages_of_pandapowers_own_power_flow(name: str, change: Change) -> None:
    from pandapower import runpp

    net = made(name)
    change(net)
    runpp(net, numba=False, calculate_voltage_angles=True, trafo_model="pi", tolerance_mva=1e-9)
    tables = PandapowerTables(net)
    network = tables.network()
    assert tables.faults == []
    assert network
    loads = network.loads
    flow = PowerFlow(network, [load.tap for load in loads]).solve(
        np.array([load.high_w for load in loads]), np.array([load.high_var for load in loads])
    )
    nominal_v = np.array([network.nominal_voltage_v[load.tap.bus] for load in loads]) / np.sqrt(3)
    assert flow.voltage_v[:, 0] / nominal_v == pytest.approx(
        net.res_bus.vm_pu[net.load.bus].to_numpy(), abs=2e-6
    )
    assert flow.loading * 100 == pytest.approx(net.res_line.loading_percent.max(), rel=1e-4)
    assert flow.supplied_w / 1e6 == pytest.approx(net.res_ext_grid.p_mw.sum(), rel=1e-5)


def test_a_network_by_its_name_with_arguments() -> None:
    network = read(
        network="create_kerber_landnetz_freileitung_1",
        arguments={"n_lines": 4, "p_load_mw": 0.003},
        source_pu=1.02,
    )
    assert network
    assert [line.name for line in network.lines] == ["line 0", "line 1", "line 2", "line 3"]
    assert {load.low_w for load in network.loads} == {load.high_w for load in network.loads} == {3000}
    assert {load.tap.phases for load in network.loads} == {"abc"}
    assert network.source.voltage_pu == 1.02


def test_a_load_of_each_phase_is_a_tap_of_its_own() -> None:
    from pandapower import create_asymmetric_load

    net = made("four_loads_with_branches_out")
    create_asymmetric_load(net, 3, p_b_mw=0.002, q_c_mvar=0.001, scaling=0.5)
    network = PandapowerTables(net).network()
    assert network
    one, other = network.loads[-2:]
    assert (one.tap.name, one.tap.phases, one.high_w, one.high_var) == ("asymmetric_load 0 b", "b", 1000, 0)
    assert (other.tap.name, other.tap.phases, other.high_w) == ("asymmetric_load 0 c", "c", 0)
    assert other.high_var == 500


def test_what_the_network_does_not_say_is_told_as_an_assumption() -> None:
    network, again = (read(network="create_cigre_network_lv") for _ in range(2))
    assert network
    told = "\n".join(network.assumptions)
    assert "r0 = 4 r" in told
    assert "taken for a Dyn" in told
    assert "zero-sequence impedance" in told
    assert network.lines[0].r0_ohm == pytest.approx(4 * network.lines[0].r1_ohm)
    assert network == again


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"network": "create_kerber_landnetz_kabel"}, "did you mean 'create_kerber_landnetz_kabel_"),
        ({"network": "sorted_from_json"}, "can't be made"),
        ({"network": "create_bus"}, "there is no network of pandapower's 'create_bus'"),
        ({"network": "case9"}, "case9: has 2 gen, which can't be represented"),
        ({"network": "simple_four_bus_system"}, "has 2 sgen, which can't be represented"),
        ({"network": "create_cigre_network_lv", "arguments": {"size": 3}}, "can't be made"),
        ({}, "network.network: is missing"),
        ({"network": "case9", "source": 1}, "network.source"),
    ],
)
def test_a_network_that_can_not_be_had_says_why(keys: dict[str, object], message: str) -> None:
    with pytest.raises(BadFile) as caught:
        read(**keys)
    assert message in str(caught.value)
    assert all(line.startswith("scenario.yaml: network") for line in str(caught.value).splitlines())


def set_cell(table: str, column: str, value: object) -> Change:
    def change(net: Any) -> None:
        net[table][column] = net[table][column].astype(object) if column in net[table] else value
        net[table].at[net[table].index[0], column] = value

    return change


def add_switch(net: Any) -> None:
    import pandapower

    pandapower.create_switch(net, 1, 2, et="b", closed=True, z_ohm=0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_cell("trafo", "vector_group", "Yyn0"), "trafo 0 is a Yyn0"),
        (set_cell("trafo", "vector_group", "Dyn6"), "trafo 0 is a Dyn6"),
        (set_cell("load", "type", "delta"), "load 0 is no constant power to the neutral"),
        (set_cell("load", "const_z_p_percent", 20.0), "load 0 is no constant power to the neutral"),
        (set_cell("line", "g_us_per_km", 3.0), "line 0 has no impedance, or a leakage"),
        (set_cell("line", "length_km", 0.0), "line 0 has no impedance, or a leakage"),
        (set_cell("line", "in_service", False), "load 1 hangs on nothing"),
        (set_cell("ext_grid", "in_service", False), "has 0 ext_grid in service"),
        (add_switch, "has a switch of 0.1 ohm"),
        (
            lambda net: (tapped(net), set_cell("trafo", "tap_changer_type", "Ideal")(net)),
            "trafo 0 has a tap changer that can't be represented, -2 steps off",
        ),
    ],
)
def test_what_can_not_be_represented_is_a_fault(change: Change, message: str) -> None:
    net = made("panda_four_load_branch")
    change(net)
    tables = PandapowerTables(net)
    tables.network()
    assert any(message in fault for fault in tables.faults), tables.faults
