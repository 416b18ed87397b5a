"""Real RTUs and a real master in virtual time: only the wire and the clock are replaced."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from master_scada.master import Master
from master_scada.model import Scan
from master_scada.site_file import read_site
from modbus_link.access import Client
from modbus_link.clock import VirtualClock
from modbus_link.in_memory import InMemoryLink
from modbus_link.listen import Listen
from register_maps.codec import decode
from register_maps.points import Value
from rtu_firmware.battery import Battery
from rtu_firmware.rtu import Rtu
from rtu_firmware.sim_board import Line, ResistiveLine, SimBoard, Vehicle
from rtu_firmware.station_file import Failsafe, StationFile

START = datetime(2026, 3, 2, tzinfo=UTC)


def shown(master: Master, *names: str) -> tuple[Value, ...]:
    """What a client reads of these points."""
    points = [master.image.map.points[name] for name in names]
    client = Client(host="in memory")
    return tuple(decode(p, master.image.read(p.table, p.address, p.width, client)) for p in points)


@dataclass(kw_only=True)
class VirtualSite:
    """`stations` RTUs of 3.3 kW behind y = 5 kW; each has a car."""

    folder: Path
    stations: int = 2
    scan_period_s: float = 10.0
    power_limit_w: float = 5000
    rule: str = "price_limit: 0.20, rotation_s: 900, minimum_off_s: 60"
    tariff: str = "kind: schedule, currency: USD, default: 0.12"
    line: Callable[[str], Line] = lambda _: ResistiveLine(source_voltage_v=110, resistance_ohm=0.02)
    station_map: str = "pev_rtu"
    scans: list[Scan] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = VirtualClock(START)
        self.rtus = {name: self._rtu(name) for name in self.names}
        self.links = {name: InMemoryLink(rtu.image) for name, rtu in self.rtus.items()}
        self.restart_master()

    @property
    def names(self) -> list[str]:
        return [f"RTS{n}" for n in range(1, self.stations + 1)]

    def restart_master(self) -> None:
        path = self.folder / "site.yaml"
        path.write_text(self._site_yaml())
        self.master = Master(
            read_site(path),
            self.clock,
            timeout_s=10,
            connect=self.connect,
            on_scan=lambda scan, events: self.scans.append(scan),
        )

    def connect(self, host: str, port: int, *, tls: object) -> InMemoryLink:
        return self.links[f"RTS{port - 5020}"]

    async def run(self, seconds: float, *, steps_per_scan: int = 2) -> None:
        """Scans, with the RTUs stepping in between."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            await self.master.cycle()
            self.pass_time(self.scan_period_s, steps_per_scan)

    def pass_time(self, seconds: float, steps: int) -> None:
        for _ in range(steps):
            self.clock.advance(seconds / steps)
            for rtu in self.rtus.values():
                rtu.step()

    def board(self, name: str) -> SimBoard:
        board = self.rtus[name].board
        assert isinstance(board, SimBoard)
        return board

    def plug_in(self, name: str, *, capacity_wh: float = 24000, state_of_charge_pct: float = 5) -> None:
        battery = Battery(capacity_wh=capacity_wh, max_power_w=3300)
        self.board(name).plug_in(Vehicle(battery=battery, state_of_charge_pct=state_of_charge_pct))

    def _rtu(self, name: str) -> Rtu:
        station = StationFile(
            name=name,
            board="sim",
            listen=Listen(port=0),
            rated_power_w=3300,
            minimum_power_w=1300,
            failsafe=Failsafe(timeout_s=60),
        )
        return Rtu(station, SimBoard(self.line(name), 3300), self.clock)

    def _site_yaml(self) -> str:
        stations = "".join(
            f"  - {{name: {name}, circuit: feeder, host: h, port: {5020 + n}, map: {self.station_map}}}\n"
            for n, name in enumerate(self.names, start=1)
        )
        return (
            "site: Virtual\n"
            f"scan_period_s: {self.scan_period_s}\n"
            f"rule: {{{self.rule}}}\n"
            f"tariff: {{{self.tariff}}}\n"
            "circuits:\n"
            f"  - {{name: feeder, power_limit_w: {self.power_limit_w}, nominal_voltage_v: 110}}\n"
            f"stations:\n{stations}"
            "server: {port: 0}\n"
        )
