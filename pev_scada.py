"""The front door: one command, whose parts are imported only when they are called.

So an RTU on a Raspberry Pi never loads the simulator or a screen. Exit codes: 0 done, 1 failed while
running, 2 the input was wrong.
"""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
maps = typer.Typer(help="The register maps: what every device says and hears.", no_args_is_help=True)
app.add_typer(maps, name="map")
certs = typer.Typer(
    help="Certificates with roles, for masters, stations and people (TLS).", no_args_is_help=True
)
app.add_typer(certs, name="certs")

StationPath = Annotated[Path, typer.Argument(metavar="STATION.yaml", help="The station's file.")]
SitePath = Annotated[Path, typer.Argument(metavar="SITE.yaml", help="The site's file.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the site's certificates.")]
Days = Annotated[int, typer.Option(min=1, max=3650, help="How long a certificate is valid.")]


hmi = typer.Typer(
    help="Screens: Modbus clients with a window, for an LCD or a desktop.", no_args_is_help=True
)
app.add_typer(hmi, name="hmi")
Server = Annotated[str, typer.Argument(metavar="HOST:PORT", help="Where it serves Modbus TCP.")]
Size = Annotated[str, typer.Option(metavar="WIDTHxHEIGHT", help="Of the window, in pixels.")]
Fullscreen = Annotated[bool, typer.Option("--fullscreen", help="No title bar and no cursor: for an LCD.")]
Language = Annotated[str, typer.Option(help="Of the words on it.")]
BlankAfter = Annotated[
    float | None,
    typer.Option(min=1, metavar="SECONDS", help="Go dark when nobody has touched it for so long."),
]
OwnCertificate = Annotated[
    Path | None,
    typer.Option(metavar="NAME.crt", help="Speak TLS, as NAME; NAME.key and ca.crt lie beside it."),
]


FROM_TERMINAL = (signal.SIGHUP, signal.SIGQUIT)
"""Where the connection to it breaks, and Ctrl-\\; without a handler they kill at once."""
MISSING = {
    "cryptography": "needs the package cryptography: install with the extra `tls`",
    "PySimpleGUI": "needs the package PySimpleGUI: install with the extra `hmi`",
    "distributed": "needs the package distributed: install with the extra `cluster`",
    "tkinter": "needs Tk for this Python; on Debian: sudo apt-get install python3-tk",
}
"""What to do where an extra is not installed."""
MISSING |= {
    name: f"needs the package {name}: install with the extra `sim`"
    for name in ("jinja2", "matplotlib", "numpy", "power_grid_model")
}
NO_KIND = (
    "is no site (stations, circuits), station (board, listen), map (points), scenario (network, cars)"
    " or study (study, vary)"
)


class Kind(StrEnum):
    COMMAND = "command"
    OPERATOR = "operator"
    WRITE = "write"
    STATE = "state"
    ALARM = "alarm"


class MapFormat(StrEnum):
    TEXT = "text"
    MARKDOWN = "markdown"
    CSV = "csv"


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        from modbus_link.identity import package_version

        print(f"pev-scada {package_version()}")
        raise typer.Exit


@app.callback()
def pev_scada(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Which one this is.")
    ] = False,
) -> None:
    """Charge many electric cars behind one weak cable."""


@app.command()
def rtu(
    station: StationPath,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Walk through the wiring of a Pi with its installer.")
    ] = False,
    open_contactor: Annotated[
        bool, typer.Option("--open-contactor", help="Only open it: for after a crash, whatever happened.")
    ] = False,
) -> None:
    """Run one charging station."""
    if open_contactor:
        from rtu_firmware.pi.open_contactor import open_at_once

        raise typer.Exit(open_at_once(station))
    from rtu_firmware.station_file import read_station

    _start_log()
    read = read_station(station)
    if self_test:
        from rtu_firmware.pi.self_test.hands_on import walk_through

        raise typer.Exit(walk_through(read))
    from modbus_link.clock import Clock
    from modbus_link.notify import Notify
    from rtu_firmware.boards import open_board
    from rtu_firmware.rtu import TICK_S, Rtu

    signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # stopped by Ctrl-Z, its contactor would stay closed
    clock, notify = Clock(), Notify(TICK_S)
    _run(lambda: Rtu(read, open_board(read, clock), clock, alive=notify.alive).run())


@app.command()
def master(
    site: SitePath,
    standby: Annotated[
        bool, typer.Option("--standby", help="Only watch, until the site's other master is silent.")
    ] = False,
) -> None:
    """Run a master station."""
    from dataclasses import replace

    from master_scada.master import Master
    from master_scada.site_file import read_site
    from modbus_link.clock import Clock
    from modbus_link.errors import BadInput
    from modbus_link.notify import Notify

    _start_log()
    read = read_site(site)
    if standby and not read.redundant:
        raise BadInput(f"{site}: a standby needs `redundant: true`, by which the first master knows of it")
    if standby and read.journal:
        read = replace(read, journal=read.journal.of_standby())
    running = Master(read, Clock(), standby=standby, alive=Notify(read.scan_period_s).alive)
    gc.freeze()  # maps and registers stay: no need to look through them again for garbage
    _run(running.run)


AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command()
def alarms(
    server: Server,
    acknowledge: Annotated[
        str | None, typer.Option(metavar="N|all", help="Somebody has seen alarm N, or all that are listed.")
    ] = None,
    shelve: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=65534, help="Put it out of sight for --minutes.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="How long; a day at the most.")] = None,
    unshelve: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=65534, help="Take it from the shelf.")
    ] = None,
    out_of_service: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=65534, help="Until --in-service.")
    ] = None,
    in_service: Annotated[int | None, typer.Option(metavar="N", min=1, max=65534)] = None,
    as_json: AsJson = False,
    certificate: OwnCertificate = None,
) -> None:
    """What is wrong at a master's site, and what to do about it; acknowledge and shelve."""
    from master_scada.alarm_client import alarm_wish, show_alarms
    from modbus_link.client import ModbusClient
    from modbus_link.where import client_tls, host_and_port

    wish = alarm_wish(
        acknowledge=acknowledge,
        shelve=shelve,
        minutes=minutes,
        unshelve=unshelve,
        out_of_service=out_of_service,
        in_service=in_service,
    )
    host, port = host_and_port(server)
    client = ModbusClient(host, port, timeout_s=2.0, tls=client_tls(certificate))
    _run(lambda: show_alarms(client, wish, as_json=as_json))


@app.command()
def events(
    site: SitePath,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="1h, 30m, 7d, or a date and time: 2026-11-23T08:00.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of a station or a circuit, or site.")
    ] = None,
    kind: Annotated[Kind | None, typer.Option(help="Of what kind alone.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what happens from now on.")] = False,
    standby: Annotated[bool, typer.Option("--standby", help="As the standby has recorded it.")] = False,
    as_json: AsJson = False,
) -> None:
    """What has happened at a site: reads its master's journal, whether or not it runs."""
    from datetime import datetime

    from master_scada.journal_reader import Wanted, print_entries
    from master_scada.journal_reader import since as since_time
    from master_scada.site_file import read_journal_file

    begin = since_time(since, datetime.now().astimezone()) if since else None
    wanted = Wanted(since=begin, source=source, kind=kind)
    journal = read_journal_file(site)
    path = (journal.of_standby() if standby else journal).path
    _run(lambda: print_entries(path, wanted, as_json=as_json, follow=follow))


@app.command()
def demo(
    headless: Annotated[bool, typer.Option("--headless", help="Print events as lines, JSON last.")] = False,
    seconds: Annotated[float | None, typer.Option(min=1, help="Stop after so many seconds.")] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=4, help="How fast the story runs.")] = 1.0,
) -> None:
    """Watch a whole site on this machine: a master, two stations, a feeder and a moving price."""
    from grid_sim.demo import run_demo

    _start_log(logging.ERROR)
    _run(lambda: run_demo(headless=headless, seconds=seconds, speed=speed))


ReportFolder = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Where the results go; by default ./NAME.")
]


@app.command()
def day(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO.yaml", help="Network, cars, rule, prices.")],
    out: ReportFolder = None,
) -> None:
    """Simulate a day on a network through the real code, in virtual time, and write a report."""
    from grid_sim.day.command import run_and_report

    _start_log(logging.CRITICAL)
    run_and_report(scenario, out)


@app.command()
def study(
    study: Annotated[Path, typer.Argument(metavar="STUDY.yaml", help="A scenario, and what to vary in it.")],
    out: ReportFolder = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Days at the same time; by default one for each core.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Of a Dask cluster: tcp://host:8786.")
    ] = None,
) -> None:
    """Simulate many days, and find how many cars a network can host."""
    from grid_sim.study.study import run_study

    _start_log(logging.CRITICAL)
    run_study(study, out or Path(study.stem), workers=workers, scheduler=scheduler)


@hmi.command("station")
def hmi_station(
    server: Server,
    size: Size = "800x480",
    fullscreen: Fullscreen = False,
    language: Language = "en",
    blank_after: BlankAfter = None,
    certificate: OwnCertificate = None,
) -> None:
    """What a station shows its driver: state, charge, times, and Stop."""
    from hmi.screens import show_station
    from modbus_link.clock import Clock

    _start_log()
    shown = _shown(server, size, fullscreen, language, blank_after, certificate)
    _run(lambda: show_station(shown, Clock()))


@hmi.command("master")
def hmi_master(
    server: Server,
    size: Size = "800x480",
    fullscreen: Fullscreen = False,
    language: Language = "en",
    blank_after: BlankAfter = None,
    certificate: OwnCertificate = None,
) -> None:
    """What a master shows its operator: price, power, voltage, the stations; hold and release, x and y."""
    from hmi.screens import show_master
    from modbus_link.clock import Clock

    _start_log()
    shown = _shown(server, size, fullscreen, language, blank_after, certificate)
    _run(lambda: show_master(shown, Clock()))


def _shown(
    server: str,
    size: str,
    fullscreen: bool,
    language: str,
    blank_after_s: float | None,
    certificate: Path | None,
) -> Any:
    from hmi.screens import Shown, width_and_height
    from modbus_link.where import host_and_port

    host, port = host_and_port(server)
    return Shown(
        host=host,
        port=port,
        size=width_and_height(size),
        fullscreen=fullscreen,
        language=language,
        blank_after_s=blank_after_s,
        certificate=certificate,
    )


@app.command()
def check(files: Annotated[list[Path], typer.Argument(metavar="FILE.yaml…")]) -> None:
    """Look for faults in site, station and map files; each is listed with its place."""
    from register_maps.yaml_file import BadFile

    bad = False
    for path in files:
        try:
            print(f"{path}: {_check_one(path)}")
        except BadFile as error:
            print(error, file=sys.stderr)
            bad = True
    raise typer.Exit(2 if bad else 0)


def _check_one(path: Path) -> str:
    from register_maps.register_map import read_map
    from register_maps.yaml_file import BadFile, Fault, read_yaml

    keys = read_yaml(path).keys()
    if keys & {"network", "cars"}:
        from grid_sim.day.scenario_file import read_scenario

        return f"a scenario, no fault; {read_scenario(path).summary}"
    if keys & {"study", "vary"}:
        from grid_sim.study.study_file import read_study

        return f"a study, no fault; {len(read_study(path).jobs)} runs"
    if "stations" in keys or "circuits" in keys:
        from master_scada.site_file import read_site

        site = read_site(path)
        return f"a site, {len(site.stations)} stations, no fault; it serves {site.server.about}"
    if "board" in keys or "listen" in keys:
        from rtu_firmware.station_file import read_station

        station = read_station(path)
        return f"station {station.name}, no fault; it serves {station.listen.about}"
    if "points" in keys or "groups" in keys:
        found = read_map(path)
        return f"map {found.name}, {len(found.points)} points, no fault"
    raise BadFile(
        path,
        [Fault(place=(), message=NO_KIND)],
    )


@maps.command("list")
def map_list() -> None:
    """The maps that come with the project."""
    from register_maps.register_map import load_map, map_names

    for name in map_names():
        found = load_map(name)
        what = found.about.partition(".")[0]
        print(f"{name:12} version {found.version}  {len(found.points):3} points  {what}.")


@maps.command("show")
def map_show(
    name: Annotated[str, typer.Argument(help="A map's name, or a .yaml file.")],
    format: Annotated[MapFormat, typer.Option(help="How to print it.")] = MapFormat.TEXT,
) -> None:
    """Every point of a map: where it stands, how it is written, what it means."""
    from rich.console import Console

    from register_maps.register_map import load_map
    from register_maps.show import as_csv, as_markdown, as_text

    try:
        found = load_map(name)
    except LookupError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from error
    match format:
        case MapFormat.TEXT:
            as_text(found, Console())
        case MapFormat.MARKDOWN:
            print(as_markdown(found), end="")
        case MapFormat.CSV:
            print(as_csv(found), end="")


@certs.command("init")
def certs_init(
    folder: Folder,
    site: Annotated[Path | None, typer.Option(help="A site's file: a certificate for each station.")] = None,
    host: Annotated[
        list[str] | None, typer.Option(help="Address or name that the master serves under, too.")
    ] = None,
    days: Days = 825,
) -> None:
    """Make a site's own authority, and certificates for its master, operator, viewer and stations."""
    import socket

    from modbus_link.certificates import Authority, Certificate

    name, master_host, stations = "pev-scada", "localhost", dict[str, str]()
    if site:
        from master_scada.site_file import read_hosts

        name, master_host, stations = read_hosts(site)
    master_hosts = [master_host, *(host or []), "localhost", "127.0.0.1", socket.gethostname()]
    master_hosts = [one for one in dict.fromkeys(master_hosts) if one not in ("0.0.0.0", "::")]
    wanted = [
        Certificate(name="master", role="master", hosts=master_hosts),
        Certificate(name="operator", role="operator"),
        Certificate(name="viewer", role="viewer"),
        *(Certificate(name=n.replace("/", "-"), role="rtu", hosts=[host]) for n, host in stations.items()),
    ]
    authority = Authority(folder)
    authority.create(name, wanted, days)
    for one in wanted:
        print(authority.path(one.name), f" {one.role:8}", ", ".join(one.hosts))
    print(f"{folder}/ca.key signs new certificates: keep it safe, and off the stations. To each machine")
    print("copy ca.crt and its own .crt and .key. A station more: pev-scada certs add")
    if master_host in ("0.0.0.0", "::") and not host:
        print(f"The master's certificate is for {', '.join(master_hosts)} alone: if others are to reach it,")
        print("begin anew with --host ADDRESS")


@certs.command("add")
def certs_add(
    folder: Folder,
    name: Annotated[str, typer.Argument(help="Whose it is: a station, a machine or a person.")],
    role: Annotated[str, typer.Option(help="What it may do is in the files of those that it connects to.")],
    host: Annotated[list[str] | None, typer.Option(help="Address or name that it serves under.")] = None,
    days: Days = 825,
) -> None:
    """Make one certificate more."""
    from modbus_link.certificates import Authority, Certificate
    from modbus_link.errors import BadInput

    if not role:
        raise BadInput("a certificate without a role is let in nowhere: give --role a name")
    authority = Authority(folder)
    authority.issue(Certificate(name=name, role=role, hosts=host or []), days)
    print(authority.path(name), f" {role:8}", ", ".join(host or []))


def _start_log(level: int = logging.INFO) -> None:
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(message)s")


def _run(program: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run until it ends, or until a signal, after which it cleans up: contactors open."""

    async def until_signal() -> None:
        task = asyncio.ensure_future(program())
        loop, is_ending = asyncio.get_running_loop(), False

        def end() -> None:
            nonlocal is_ending
            if not is_ending:  # a second signal must not cut the cleaning up short
                is_ending = task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM, *FROM_TERMINAL):
            if number not in FROM_TERMINAL or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                loop.add_signal_handler(number, end)
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled():
                raise

    asyncio.run(until_signal())


def main() -> None:
    """The command; foreign tracebacks end here, as one clear line."""
    try:
        app()
    except Exception as error:
        code, text = _explained(error)
        print(text, file=sys.stderr)
        sys.exit(code)


def _explained(error: Exception) -> tuple[int, str]:
    """Exit code and line; imports only now, because a contactor that is to be opened should not wait."""
    from modbus_link.errors import BadInput, Failed, LinkError
    from register_maps.yaml_file import BadFile

    match error:
        case BadFile() | BadInput():
            return 2, str(error)
        case LinkError() | Failed():
            return 1, str(error)
        case ModuleNotFoundError(name=str(name)) if name in MISSING:
            return 1, MISSING[name]
    raise error


if __name__ == "__main__":
    main()
