"""A site's YAML file as it is written: its keys, and what each of them can be."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import Strict, with_config

from master_scada.journal import JournalFile
from master_scada.tariff import Price
from modbus_link.listen import Listen
from modbus_link.tls import TlsFiles
from register_maps.yaml_file import STRICT_KEYS, Real, Whole

Positive = Annotated[Real, Gt(0)]
NotNegative = Annotated[Real, Ge(0)]
# What the master's registers can hold.
MOST_W = Le(4e9)
MOST_V = 6500
MOST_STATIONS = 1500
OWN_SERVER = Listen(port=5020)
# Of Modbus TCP, in the clear and over TLS.
PORT, TLS_PORT = 502, 802
Name = Annotated[str, MinLen(1)]


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    price_limit: Price
    rotation_s: Positive = 900
    minimum_off_s: NotNegative = 10
    overvoltage: Literal["limit", "charge"] = "limit"
    voltage_recovery: Annotated[Real, Ge(0), Le(0.1)] = 0.01


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitFile:
    name: Name
    power_limit_w: Annotated[Real, Gt(0), MOST_W]
    nominal_voltage_v: Positive
    voltage_band: tuple[Positive, Positive] = (0.95, 1.05)
    parent: str | None = None


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class StationEntry:
    """`rated_power_w` counts until the station has told its own, and where its map has no such point."""

    name: Name
    circuit: str
    host: Name
    port: Annotated[Whole, Ge(1), Le(65535)] = PORT
    tls: Annotated[bool, Strict()] = False
    map: str = "pev_rtu"
    priority: Annotated[Whole, Ge(1), Le(100)] = 1
    rated_power_w: Annotated[Real, Gt(0), MOST_W] | None = None


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Failsafe:
    """For a site that hangs under a master above: what it may draw while that one is silent."""

    timeout_s: Annotated[Whole, Ge(1), Le(3600)] = 10
    power_limit_w: Annotated[Real, Ge(0), MOST_W] = 0


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """`path` None: beside the site's file."""

    path: Name | None = None
    max_mb: Annotated[Real, Ge(4), Le(100_000)] = 64

    def file(self, site: Path) -> JournalFile:
        path = site.with_suffix(".journal") if self.path is None else site.parent / self.path
        return JournalFile(path=path, max_mb=self.max_mb)


NORMAL_JOURNAL = JournalEntry()


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFile:
    """As written, but for its lists and its tariff, which `read_site` reads item by item, so that a fault
    in one place hides none in another."""

    site: Name
    rule: RuleFile
    tariff: Mapping[str, Any]
    circuits: Annotated[list[Any], MinLen(1)]
    stations: Annotated[list[Any], MinLen(1), MaxLen(MOST_STATIONS)]
    scan_period_s: Annotated[Real, Ge(0.1)] = 1.0
    server: Listen = OWN_SERVER
    failsafe: Failsafe | None = None
    tls: TlsFiles | None = None
    redundant: Annotated[bool, Strict()] = False
    journal: JournalEntry = NORMAL_JOURNAL
