"""A study on a Dask cluster: a scheduler and a worker on loopback, in this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import study_double as double
from distributed import LocalCluster
from processes import free_port

from grid_sim.study import cluster as ours
from grid_sim.study.cluster import on_cluster
from grid_sim.study.study import run_study
from modbus_link.errors import BadInput


@pytest.fixture
def dask(request: pytest.FixtureRequest) -> Iterator[str]:
    """The scheduler's address."""
    with LocalCluster(
        n_workers=getattr(request, "param", 1),
        threads_per_worker=1,
        processes=False,
        protocol="tcp://",
        host="127.0.0.1",
        dashboard_address=None,
    ) as cluster:
        yield cluster.scheduler_address


def test_a_cluster_does_what_this_machine_does_to_the_byte(tmp_path: Path, dask: str) -> None:
    study = double.write_study(tmp_path)
    run_study(study, tmp_path / "far", scheduler=dask, check=double.no_faults, run=double.run)
    run_study(study, tmp_path / "near", workers=1, check=double.no_faults, run=double.run)
    for name in ("study.csv", "study.html"):
        assert (tmp_path / "far" / name).read_bytes() == (tmp_path / "near" / name).read_bytes()


def test_nobody_answers(tmp_path: Path) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(BadInput, match=f"no Dask scheduler answers at {address}"), on_cluster(address, 0.5):
        pass


@pytest.mark.parametrize("address", ["nonsense", "foo://127.0.0.1:8786"])
def test_no_address(address: str) -> None:
    with pytest.raises(BadInput, match=f"no Dask scheduler answers at {address}: "), on_cluster(address):
        pass


@pytest.mark.parametrize("dask", [0], indirect=True)
def test_a_scheduler_without_workers(dask: str) -> None:
    with pytest.raises(BadInput, match="has no workers: start some"), on_cluster(dask, 0.5):
        pass


def test_workers_of_another_version(dask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "VERSION", "9.9")
    with pytest.raises(BadInput, match=r"install pev-scada 9\.9 on all workers"), on_cluster(dask):
        pass
