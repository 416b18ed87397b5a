"""A station's YAML file: what `pev-scada rtu STATION.yaml` runs."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le
from pydantic import with_config

from modbus_link.listen import Listen, note_server
from modbus_link.tls import TlsFiles
from register_maps.register_map import RegisterMap, load_map
from register_maps.yaml_file import STRICT_KEYS, Faults, Real, Whole, read_yaml
from rtu_firmware.charging import Ratings

Positive = Annotated[Real, Gt(0)]
Watts = Annotated[Real, Gt(0), Le(10_000_000)]


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Failsafe:
    timeout_s: Annotated[Whole, Ge(1), Le(3600)] = 10
    power_limit_w: Annotated[Real, Ge(0)] = 0


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
class StationFile:
    name: str
    board: Literal["sim"]
    listen: Listen
    rated_power_w: Watts
    minimum_power_w: Watts
    nominal_voltage_v: Positive = 110
    emergency_band: tuple[Positive, Positive] = (0.85, 1.15)
    failsafe: Failsafe = field(default_factory=Failsafe)
    vehicle: SimVehicle | None = None
    line: SimLine = field(default_factory=SimLine)
    tls: TlsFiles | None = None

    @property
    def ratings(self) -> Ratings:
        return Ratings(
            rated_power_w=self.rated_power_w,
            minimum_power_w=self.minimum_power_w,
            nominal_voltage_v=self.nominal_voltage_v,
            emergency_band=self.emergency_band,
        )


def read_station(path: Path) -> StationFile:
    """The station in the file; BadFile with every fault in it."""
    faults = Faults(path)
    station = faults.parse(StationFile, read_yaml(path))
    if station:
        if station.tls:
            station = replace(station, tls=station.tls.under(path.parent))
        _note_contradictions(station, faults)
        note_server(station.listen, station.tls, load_map("pev_rtu"), faults, "listen")
        _note_half_masters(station.listen, load_map("pev_rtu"), faults)
    faults.raise_if_any()
    assert station is not None
    return station


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


def _note_contradictions(station: StationFile, faults: Faults) -> None:
    if station.tls and station.listen.roles is None:
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
