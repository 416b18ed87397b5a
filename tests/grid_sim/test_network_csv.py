"""A network from a folder of tables, and every fault that the tables can have."""

from pathlib import Path

import pytest
from networks import european_lv, needs_european_lv

from grid_sim.network.model import Network
from grid_sim.network.network_file import STIFF, read_network
from register_maps.yaml_file import BadFile, Faults

LINES = """\
from_bus,to_bus,length_km,r_ohm_per_km,x_ohm_per_km,r0_ohm_per_km,x0_ohm_per_km,c_nf_per_km,c0_nf_per_km,max_i_ka
1,2,0.1,0.4,0.1,1.6,0.4,0,0,0.2
2,3,0.2,0.4,0.1,1.6,0.4,10,5,0.1
"""
TRANSFORMER = """\
hv_bus,lv_bus,sn_mva,vn_hv_kv,vn_lv_kv,vk_percent,vkr_percent,vk0_percent,vkr0_percent,vector_group,\
ext_grid_bus,ext_grid_vm_pu
0,1,0.4,10,0.4,4,1,4,1,Dyn,0,1.03
"""
OFF_PEAK = "bus,phase,p_kw,q_kvar\n3,a,0.1,0\n2,abc,0.3,0.1\n"
ON_PEAK = "bus,phase,p_kw,q_kvar\n3,a,2,0.5\n2,abc,6,1\n"
FILES = {
    "lines.csv": LINES,
    "transformer.csv": TRANSFORMER,
    "loads_off_peak.csv": OFF_PEAK,
    "loads_on_peak.csv": ON_PEAK,
}


def folder(tmp_path: Path) -> Path:
    path = tmp_path / "street"
    path.mkdir()
    for name, text in FILES.items():
        (path / name).write_text(text)
    return path


def read(tmp_path: Path, **keys: object) -> Network:
    faults = Faults(tmp_path / "scenario.yaml")
    network = read_network({"kind": "csv", "path": "street", **keys}, faults.path, faults, ("network",))
    faults.raise_if_any()
    assert network
    return network


def test_the_tables_become_a_network(tmp_path: Path) -> None:
    folder(tmp_path)
    network = read(tmp_path)
    assert network.nominal_voltage_v == {"0": 10_000, "1": 400, "2": 400, "3": 400}
    assert (network.source.bus, network.source.voltage_pu) == ("0", 1.03)
    line = network.lines[1]
    assert (line.from_bus, line.to_bus, line.max_current_a) == ("2", "3", 100)
    assert (line.r1_ohm, line.x1_ohm, line.r0_ohm, line.x0_ohm) == pytest.approx((0.08, 0.02, 0.32, 0.08))
    assert (line.c1_f, line.c0_f) == pytest.approx((2e-9, 1e-9))
    (transformer,) = network.transformers
    assert transformer.rated_va == pytest.approx(400e3)
    assert (transformer.short_circuit_pu, transformer.copper_loss_pu) == pytest.approx((0.04, 0.01))
    load = network.loads[1]
    assert (load.tap.bus, load.tap.phases) == ("2", "abc")
    assert (load.low_w, load.low_var, load.high_w, load.high_var) == pytest.approx((300, 100, 6000, 1000))
    assert network.assumptions == (STIFF,)


def test_another_source_voltage_is_said(tmp_path: Path) -> None:
    folder(tmp_path)
    network = read(tmp_path, source_pu=1.0)
    assert network.source.voltage_pu == 1
    assert "The source stands at 1 pu; the feeder's table says 1.03." in network.assumptions


def test_a_zero_sequence_that_the_solver_does_not_know_is_said(tmp_path: Path) -> None:
    (folder(tmp_path) / "transformer.csv").write_text(TRANSFORMER.replace("4,1,4,1", "4,1,3.6,1"))
    assert "The transformer's vk0_percent is taken to be its vk_percent, 4." in read(tmp_path).assumptions


@needs_european_lv
def test_the_european_feeder() -> None:
    network = european_lv(source_pu=1.02)
    assert len(network.nominal_voltage_v) == 907
    assert len(network.lines) == 905
    assert len(network.loads) == 55
    assert sum(load.high_w for load in network.loads) == pytest.approx(57_600, rel=0.01)


L, T, LOW, HIGH = FILES
SECOND = "1.03\n0,2,0.4,10,"


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (L, "2,3,0.2", "2,3,long", "lines.csv:3: length_km must be a number (got 'long')"),
        (L, "2,3,0.2", "2,3,-1", "lines.csv:3: length_km must be a number of at least 0 (got '-1')"),
        (L, "2,3,0.2", "2,3,0", "lines.csv:3: length_km must be above 0"),
        (L, "2,3,0.2", "2,3,nan", "lines.csv:3: length_km must be a number of at least 0 (got 'nan')"),
        (L, "2,3,0.2", "2,3,", "lines.csv:3: length_km is empty"),
        (L, "2,3,0.2", "2,2,0.2", "lines.csv:3: begins and ends at bus '2'"),
        (L, "2,3,", "8,9,", "lines.csv:3: hangs on nothing: no way leads from bus '8' to the source"),
        (L, "2,3,", "2,9,", "loads_on_peak.csv:2: there is no bus '3' in lines.csv"),
        (L, ",0,0,0.2\n2,3", ",0,0\n2,3", "lines.csv:2: max_i_ka is empty"),
        (L, "max_i_ka", "ampacity", "lines.csv:1: has no column max_i_ka"),
        (L, LINES, "", "lines.csv:1: has no column from_bus, to_bus"),
        (L, LINES.partition("\n")[2], "", "lines.csv has no row below its headings"),
        (T, "Dyn", "Yyn", "transformer.csv:2: vector_group must be one of Dyn, Dzn"),
        (T, "Dyn,0,", "Dyn,7,", "transformer.csv:2: ext_grid_bus: no transformer and no line is at '7'"),
        (T, "0,1,0.4", "0,1,0", "transformer.csv:2: sn_mva must be above 0"),
        (T, "1.03\n", f"{SECOND}0.23,4,1,4,1,Dyn,0,1.03\n", "bus '2' is at 400 V already, not at 230"),
        (T, "1.03\n", f"{SECOND}0.4,4,1,4,1,Dyn,0,1\n", "transformer.csv:3: names another source"),
        (HIGH, "3,a,2", "7,a,2", "loads_on_peak.csv:2: there is no bus '7' in lines.csv"),
        (HIGH, "3,a,2", "3,d,2", "loads_on_peak.csv:2: phase must be a, b, c or abc (got 'd')"),
        (HIGH, "3,a,2", "3,b,2", "loads_on_peak.csv:2: is another bus or phase than in the same row"),
        (HIGH, "2,abc,6,1\n", "", "loads_on_peak.csv:2: the last of 1 loads; off peak there are 2"),
        (LOW, "0.3", "x", "loads_off_peak.csv:3: p_kw must be a number (got 'x')"),
    ],
)
def test_a_bad_cell_is_told_with_its_file_and_line(
    tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    path = folder(tmp_path) / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(BadFile) as caught:
        read(tmp_path)
    assert message in str(caught.value)


def test_all_faults_are_told_at_once_and_each_of_them_once(tmp_path: Path) -> None:
    path = folder(tmp_path)
    for name in FILES:
        (path / name).write_text(FILES[name].replace("0.4,", "?,", 1).replace("3,a", "5,x"))
    with pytest.raises(BadFile) as caught:
        read(tmp_path, source_pu=3, colour="red")
    lines = str(caught.value).splitlines()
    assert len(lines) == len(set(lines))
    told = "\n".join(lines)
    for part in ("network.source_pu", "network.colour"):
        assert part in told


def test_a_folder_that_is_not_there_is_told_file_by_file(tmp_path: Path) -> None:
    with pytest.raises(BadFile) as caught:
        read(tmp_path)
    assert [name in str(caught.value) for name in FILES] == [True] * 4


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"kind": "cvs"}, "network.kind: there is no kind of network 'cvs'; did you mean 'csv'?"),
        ({"path": "x"}, "network.kind: there is no kind of network None; known: csv, radial, pandapower"),
        ("european_lv", "network: must be a mapping"),
        ({"kind": "csv"}, "network.path: is missing"),
        ({"kind": ["csv"], "path": "x"}, "there is no kind of network"),
    ],
)
def test_what_is_no_network_at_all(data: object, message: str, tmp_path: Path) -> None:
    faults = Faults(tmp_path / "scenario.yaml")
    assert read_network(data, faults.path, faults, ("network",)) is None
    with pytest.raises(BadFile) as caught:
        faults.raise_if_any()
    assert message in str(caught.value)
