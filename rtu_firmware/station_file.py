"""A station's YAML file: what `pev-scada rtu STATION.yaml` runs."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal
from zlib import crc32

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import Strict, with_config

from modbus_link.listen import Listen, note_server
from modbus_link.tls import TlsFiles
from register_maps.register_map import RegisterMap, load_map
from register_maps.yaml_file import STRICT_KEYS, Faults, Place, Real, Whole, read_yaml
from rtu_firmware.model import CountedBattery, Ratings
from rtu_firmware.pi.wiring import PiWiring
from rtu_firmware.pi.wiring_faults import beside, note_wiring

PORT, TLS_PORT = 502, 802
MOST_PEERS = 8
"""As many as the map has room for."""
Name = Annotated[str, MinLen(1)]
Positive = Annotated[Real, Gt(0)]
Watts = Annotated[Real, Gt(0), Le(10_000_000)]


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Failsafe:
    timeout_s: Annotated[Whole, Ge(1), Le(3600)] = 10
    power_limit_w: Annotated[Real, Ge(0)] = 0
    spread_s: Annotated[Real, Ge(0), Le(600)] = 10
    """After a blackout, stations that hear no master begin within so long, each at a time of its own."""


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class SimVehicle:
    capacity_kwh: Positive
    state_of_charge: Annotated[Real, Ge(0), Le(100)]


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class SimLine:
    resistance_ohm: Annotated[Real, Ge(0)] = 0.05


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class PeerEntry:
    """A station on the same circuit."""

    name: Name
    host: Name
    port: Annotated[Whole, Ge(1), Le(65535)] = PORT
    tls: Annotated[bool, Strict()] = False


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class StationFile:
    name: str
    board: Literal["sim", "pi"]
    listen: Listen
    rated_power_w: Watts
    minimum_power_w: Watts
    nominal_voltage_v: Positive = 110
    emergency_band: tuple[Positive, Positive] = (0.85, 1.15)
    failsafe: Failsafe = field(default_factory=Failsafe)
    vehicle: SimVehicle | None = None
    line: SimLine = field(default_factory=SimLine)
    pi: PiWiring | None = None
    keep: Path | None = None
    """Where energy, session and term survive a restart; from the file's folder on."""
    tls: TlsFiles | None = None
    peers: Annotated[list[PeerEntry], MaxLen(MOST_PEERS)] = field(default_factory=list)

    @property
    def ratings(self) -> Ratings:
        return Ratings(
            rated_power_w=self.rated_power_w,
            minimum_power_w=self.minimum_power_w,
            nominal_voltage_v=self.nominal_voltage_v,
            emergency_band=self.emergency_band,
            start_delay_s=self.failsafe.spread_s * crc32(self.name.encode()) / 0xFFFF_FFFF,
            counted_battery=self._counted_battery,
        )

    @property
    def _counted_battery(self) -> CountedBattery | None:
        battery = self.pi.counted if self.pi else None
        if battery is None:
            return None
        return CountedBattery(
            capacity_wh=battery.capacity_kwh * 1000, first_state_of_charge_pct=battery.state_of_charge
        )


def read_station(path: Path) -> StationFile:
    """The station in the file; BadFile with every fault in it."""
    faults = Faults(path)
    station = faults.parse(StationFile, _with_ports(read_yaml(path)))
    if station:
        if station.tls:
            station = replace(station, tls=station.tls.under(path.parent))
        if station.keep:
            station = replace(station, keep=path.parent / station.keep)
        if station.pi:
            station = replace(station, pi=beside(station.pi, path.parent))
        _note_contradictions(station, faults)
        _note_board(station, faults)
        note_server(station.listen, station.tls, load_map("pev_rtu"), faults, "listen")
        _note_half_masters(station.listen, load_map("pev_rtu"), faults)
        _note_peers(station, faults)
    faults.raise_if_any()
    assert station is not None
    return station


def _with_ports(data: dict[str, Any]) -> dict[str, Any]:
    peers = data.get("peers")
    if not isinstance(peers, list):
        return data
    given = [
        {"port": TLS_PORT, **peer} if isinstance(peer, dict) and peer.get("tls") is True else peer
        for peer in peers
    ]
    return {**data, "peers": given}


def _note_peers(station: StationFile, faults: Faults) -> None:
    names = {station.name: "the station itself"}
    places = {(station.listen.host, station.listen.port): "the station itself"}
    if station.peers:
        _note_long_name(station.name, ("name",), faults)
    for n, peer in enumerate(station.peers):
        at = ("peers", n)
        _note_long_name(peer.name, (*at, "name"), faults)
        if peer.name in names:
            faults.add((*at, "name"), f"{peer.name!r} is {names[peer.name]} already")
        if (peer.host, peer.port) in places:
            whose = places[peer.host, peer.port]
            faults.add((*at, "port"), f"{peer.host}:{peer.port} is {whose} already")
        if peer.tls and station.tls is None:
            faults.add((*at, "tls"), "needs the station's certificate: give `tls` for the station")
        names[peer.name] = places[peer.host, peer.port] = f"peers[{n}]"


def _note_long_name(name: str, place: Place, faults: Faults) -> None:
    most = 2 * load_map("pev_rtu").points["name"].length
    if len(name.encode()) > most:
        faults.add(place, f"{name!r} has more than the {most} bytes by which peers know each other")


def _note_half_masters(listen: Listen, device_map: RegisterMap, faults: Faults) -> None:
    exclusive = {point.name for point in device_map.points.values() if point.exclusive}
    for name, role in (listen.roles or {}).items():
        writes = role.rights(device_map).write
        if writes is not None and writes & exclusive and "master_heartbeat" not in writes:
            faults.add(
                ("listen", "roles", name, "write"),
                f"whoever writes {', '.join(sorted(writes & exclusive))} holds the station, and shuts its"
                " master out, but could not keep it going: give master_heartbeat too, or none of these",
            )


def _note_board(station: StationFile, faults: Faults) -> None:
    if station.board == "sim":
        if station.pi:
            faults.add(("pi",), "is for board: pi")
        return
    if station.vehicle:
        faults.add(("vehicle",), "is for board: sim; a real one's battery is pi.battery")
    if station.minimum_power_w != station.rated_power_w:
        faults.add(
            ("minimum_power_w",),
            f"{station.minimum_power_w:g} W: this board switches, it can't tell the vehicle a limit;"
            f" give rated_power_w's {station.rated_power_w:g} W",
        )
    if station.pi is None:
        faults.add(("pi",), "is missing: which pin and which chip does what")
        return
    note_wiring(station.pi, station.ratings, faults)


def _note_contradictions(station: StationFile, faults: Faults) -> None:
    if station.tls and station.listen.roles is None and not any(peer.tls for peer in station.peers):
        faults.add(("tls",), "serves nothing as long as `listen` has no `roles`: this would be in the clear")
    if station.minimum_power_w > station.rated_power_w:
        faults.add(
            ("minimum_power_w",),
            f"{station.minimum_power_w:g} W is above rated_power_w {station.rated_power_w:g} W:"
            " the station could never charge",
        )
    if station.failsafe.power_limit_w > station.rated_power_w:
        faults.add(
            ("failsafe", "power_limit_w"),
            f"{station.failsafe.power_limit_w:g} W is above rated_power_w {station.rated_power_w:g} W",
        )
    if 0 < station.failsafe.power_limit_w < station.minimum_power_w:
        faults.add(
            ("failsafe", "power_limit_w"),
            f"{station.failsafe.power_limit_w:g} W is below minimum_power_w {station.minimum_power_w:g} W:"
            " give 0, or enough to charge with",
        )
    low, high = station.emergency_band
    if not low < 1 < high:
        faults.add(("emergency_band",), f"[{low:g}, {high:g}] must reach from below 1 to above 1")
