"""The documents say what the program does."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from master_scada.site_file import read_site
from rtu_firmware.station_file import read_station

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("script", ["make_registers", "make_wiring"])
def test_what_is_made_from_the_yaml_is_up_to_date(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    pages = import_module(script).pages()
    stale = [path.name for path, text in pages.items() if path.read_text() != text]
    assert stale == [], "run: make docs"


def test_the_site_in_the_readme_is_the_example() -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    example = (ROOT / "examples" / "site.yaml").read_text()
    assert shown == "".join(line for line in example.splitlines(keepends=True) if not line.startswith("#"))


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/bench.md",
        "docs/alarms.md",
        "docs/architecture.md",
        "docs/configuration.md",
        "docs/deployment.md",
        "docs/peers.md",
        "docs/screens.md",
        "CHANGELOG.md",
    ],
)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["pi.yaml", "pi_mains.yaml", "rts1.yaml", "rts2.yaml"])
def test_an_example_of_a_station_has_no_fault(name: str) -> None:
    read_station(ROOT / "examples" / name)


def test_the_site_on_the_bench_has_no_fault(tmp_path: Path) -> None:
    """And its stations stand where the station's example lets its master in."""
    (shown,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "bench.md").read_text(), flags=re.DOTALL)
    (tmp_path / "site.yaml").write_text(shown)
    site, station = read_site(tmp_path / "site.yaml"), read_station(ROOT / "examples" / "pi.yaml")
    assert [one.port for one in site.stations] == [station.listen.port] * 2
    assert all(station.listen.allows(one.host) for one in site.stations)
