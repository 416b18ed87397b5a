"""Programs and sites for the tests that need processes of their own; whatever they start is ended."""

import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from processes import ExampleSite, Program, Stations
from site_certificates import SiteCertificates, make_certificates


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was measured on the way; and the skips, which hide what was not tried: in CI they fail the run."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"measured: {report.nodeid.rpartition('::')[2]}: {name} {value}")
    skipped = terminalreporter.stats.get("skipped", [])
    for report in skipped:
        terminalreporter.write_line(f"skipped: {report.nodeid}: {report.longrepr[2]}")
    if skipped and os.environ.get("CI"):
        terminalreporter.write_line("in CI a skipped test counts as a failed one", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and reporter.stats.get("skipped") and os.environ.get("CI"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """`start("rtu", path)` is a running `pev-scada rtu path`."""
    programs: list[Program] = []

    def start_one(*args: object, python: tuple[str, ...] = ()) -> Program:
        programs.append(Program(tmp_path, *args, python=python))
        return programs[-1]

    yield start_one
    for program in programs:
        program.kill()


@pytest.fixture
def example_site(tmp_path: Path) -> Iterator[Callable[..., ExampleSite]]:
    """`example_site()` is a copy of the examples that is fit to run here."""
    sites: list[ExampleSite] = []

    def make(**settings: int) -> ExampleSite:
        sites.append(ExampleSite(tmp_path, **settings))
        return sites[-1]

    yield make
    for site in sites:
        site.end()


@pytest.fixture
async def look_at() -> AsyncIterator[Callable[[ExampleSite], Awaitable[Stations]]]:
    """`await look_at(site)` reads its stations."""
    async with contextlib.AsyncExitStack() as stack:

        async def look(site: ExampleSite) -> Stations:
            stations = Stations(site, stack)
            await stations.open()
            return stations

        yield look


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> SiteCertificates:
    return make_certificates(tmp_path_factory.mktemp("site") / "certificates")
