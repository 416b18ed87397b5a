"""Where a server listens, who may connect and what they may do: as a station's or a site's file says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from importlib.util import find_spec
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import PlainValidator, with_config

from modbus_link.access import ALL_RIGHTS, Rights
from modbus_link.tls import TlsFiles, note_tls
from register_maps.points import Point
from register_maps.register_map import RegisterMap
from register_maps.yaml_file import STRICT_KEYS, Faults, Place, Real, Whole, unknown

_OWN: list[IPv4Network | IPv6Network] = [IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")]


def _network(text: object) -> IPv4Network | IPv6Network:
    try:
        return ip_network(str(text))
    except ValueError as error:
        raise ValueError(f"{error}; write it as in 192.168.1.0/24, or 192.168.1.7 for one machine") from error


Network = Annotated[IPv4Network | IPv6Network, PlainValidator(_network)]


def _names(value: object) -> object:
    if value == "all" or (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        return value
    raise ValueError(f"must be all, or a list of points such as [voltage, '*_energy'] (got {value!r})")


Names = Annotated[Literal["all"] | list[str], PlainValidator(_names)]


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What the holder of a certificate with this role may do: points by name, in which * may stand."""

    read: Names = "all"
    write: Names = field(default_factory=list)

    def rights(self, device_map: RegisterMap) -> Rights:
        return Rights(read=_matching(self.read, device_map), write=_matching(self.write, device_map))


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """`allow` may connect, and of those `writers` may write: this machine alone, where they are not given.

    With `roles` the server speaks TLS, certificates say who comes, and both lists are open to everyone
    unless given.
    """

    host: str = "127.0.0.1"
    port: Annotated[Whole, Ge(0), Le(65535)]
    allow: list[Network] | None = None
    writers: list[Network] | None = None
    roles: Mapping[str, Role] | None = None
    max_connections: Annotated[Whole, Ge(1), Le(1000)] = 100
    idle_timeout_s: Annotated[Real, Ge(1)] = 300

    def allows(self, host: str) -> bool:
        return self._is_in(host, self.allow)

    def rights(self, host: str, given: Rights = ALL_RIGHTS) -> Rights:
        """Of a client at `host`: what its role has given, less writing where `writers` leaves it out."""
        return given if self._is_in(host, self.writers) else replace(given, write=frozenset())

    def _is_in(self, host: str, networks: list[Network] | None) -> bool:
        if networks is None:
            return self.roles is not None or _is_loopback(host)
        address = _address(host)
        return address is not None and any(address in network for network in networks)

    @property
    def about(self) -> str:
        """For the log: who may do what."""
        if self.roles is not None:
            given = [("connect", self.allow), ("write", self.writers)]
            lists = [f"; may {what}: {_listed(who)}" for what, who in given if who is not None]
            return f"over TLS, for the roles {', '.join(self.roles)}{''.join(lists)}"
        if self.allow is None and self.writers is None:
            return "in the clear, for this machine alone"
        return f"in the clear; may connect: {_listed(self.allow)}; may write: {_listed(self.writers)}"


def note_server(
    listen: Listen, tls: TlsFiles | None, device_map: RegisterMap, faults: Faults, key: str
) -> None:
    """What contradicts itself in `listen`, which stands under `key`, or names what `device_map` has not."""
    place: Place = (key,)
    if tls:
        note_tls(tls, faults, ("tls",), serving=listen.roles is not None)
    if listen.roles is not None and tls is None:
        faults.add((*place, "roles"), f"certificates tell the roles: give `tls` beside `{key}`")
    if listen.roles is not None and find_spec("cryptography") is None:
        faults.add(
            (*place, "roles"), "needs the package cryptography: install pev-scada with its extra `tls`"
        )
    if listen.roles is None and listen.allow is None and not _is_loopback(listen.host):
        faults.add(
            (*place, "host"),
            f"{listen.host!r} can be reached from other machines: say in `allow` which of them may connect,"
            " and in `writers` which may write, e.g. [192.168.1.0/24]; or use roles and certificates",
        )
    _note_lists(listen, faults, place)
    for name, role in (listen.roles or {}).items():
        points = list(device_map.points.values())
        _note_names(role.read, points, faults, (*place, "roles", name, "read"))
        _note_names(
            role.write, [p for p in points if p.is_writable], faults, (*place, "roles", name, "write")
        )
    if listen.roles is not None and not listen.roles:
        faults.add((*place, "roles"), "without any role nobody could connect")


def _note_lists(listen: Listen, faults: Faults, place: Place) -> None:
    """Networks that look like a permission, and are none."""
    if not listen.allow:
        return
    for index, writer in enumerate(listen.writers or []):
        if not _meets(writer, listen.allow):
            text = f"{writer} is in no network of `allow`: it could not connect"
            faults.add((*place, "writers", index), text)
    if _is_loopback(listen.host) and not any(_meets(own, listen.allow) for own in _OWN):
        faults.add(
            (*place, "allow"),
            f"this machine alone reaches {listen.host!r}, and is not in it: nobody could connect;"
            " `host` takes the address under which the others reach it",
        )


def _meets(network: Network, others: Iterable[Network]) -> bool:
    return any(network.overlaps(other) for other in others)


def _note_names(names: Names, points: Iterable[Point], faults: Faults, place: Place) -> None:
    known = [point.name for point in points]
    for index, name in enumerate(names if isinstance(names, list) else []):
        if not any(fnmatchcase(point, name) for point in known):
            faults.add((*place, index), unknown(f"point to {place[-1]}", name, known))


def _matching(names: Names, device_map: RegisterMap) -> frozenset[str] | None:
    if isinstance(names, str):
        return None
    return frozenset(p for p in device_map.points if any(fnmatchcase(p, name) for name in names))


def _listed(networks: list[Network] | None) -> str:
    return "this machine alone" if networks is None else ", ".join(map(str, networks)) or "nobody"


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """None for a name. A client over IPv4 at a server for both is told by its IPv4 address."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
