"""What contradicts itself in a site's file, though each key alone is right."""

from collections.abc import Mapping
from typing import Any

from master_scada.site_schema import MOST_V, PORT, CircuitFile, SiteFile, StationEntry
from register_maps.register_map import RegisterMap
from register_maps.yaml_file import Faults, unknown

FENCING = ("master_term", "master_age")
"""By these a station refuses the older of two masters."""


def note_circuit_faults(circuits: list[dict[str, Any]], faults: Faults) -> None:
    """What is wrong with the tree of circuits."""
    names = [str(circuit.get("name")) for circuit in circuits]
    parents = {str(c.get("name")): c.get("parent") for c in circuits}
    for index, name in enumerate(names):
        at = ("circuits", index)
        parent = circuits[index].get("parent")
        if names.index(name) != index:
            faults.add((*at, "name"), f"{name!r} is the name of another circuit already")
        if parent is not None and parent not in parents:
            faults.add((*at, "parent"), unknown("circuit", parent, names))
        elif _is_its_own_ancestor(name, parents):
            faults.add((*at, "parent"), f"{name!r} would be its own ancestor")
    main = [name for name, parent in parents.items() if parent is None]
    if len(main) > 1:
        faults.add(("circuits",), f"only the main circuit has no parent; here {' and '.join(main)} have none")


def note_bands(circuits: list[CircuitFile | None], faults: Faults) -> None:
    for index, circuit in enumerate(circuits):
        if circuit is None:
            continue
        low, high = circuit.voltage_band
        if not low < 1 < high:
            faults.add(
                ("circuits", index, "voltage_band"),
                f"[{low:g}, {high:g}] must reach from below to above 1, in shares of the nominal voltage",
            )
        if high * circuit.nominal_voltage_v > MOST_V:
            faults.add(
                ("circuits", index, "nominal_voltage_v"),
                f"the band's {high * circuit.nominal_voltage_v:g} V are more than the {MOST_V} V that the"
                " registers can hold; give the voltage that the stations measure",
            )


def note_tls_use(stations: list[StationEntry | None], file: SiteFile, faults: Faults) -> None:
    users = [index for index, entry in enumerate(stations) if entry and entry.tls]
    if file.tls is None:
        for index in users:
            faults.add(("stations", index, "tls"), "needs the master's certificate: give `tls` for the site")
    elif not users and file.server.roles is None:
        faults.add(
            ("tls",),
            "serves nothing: say `tls: true` at the stations that speak it, or give `server` its `roles`",
        )


def note_unfenced(
    stations: list[StationEntry | None], maps: Mapping[str, RegisterMap], faults: Faults
) -> None:
    """Whoever can't tell an old master from a new one would be steered by both."""
    for index, entry in enumerate(stations):
        if entry is None or entry.map not in maps:
            continue
        lacking = [name for name in FENCING if name not in maps[entry.map].points]
        if lacking:
            faults.add(
                ("stations", index, "map"),
                f"{entry.map!r} has no {' and no '.join(lacking)}: such a station would obey two masters"
                " at once; `redundant` needs stations that refuse the older one",
            )


def note_mixed_tls(stations: list[dict[str, Any]], faults: Faults) -> None:
    """All who share a host and port share the connection: none may think that it is safer than it is."""
    over_tls: dict[tuple[object, object], object] = {}
    for index, station in enumerate(stations):
        place = (station.get("host"), station.get("port", PORT))
        if over_tls.setdefault(place, station.get("tls", False)) != station.get("tls", False):
            faults.add(
                ("stations", index, "tls"),
                f"{place[0]}:{place[1]} is reached with and without it: give all of its stations the same",
            )


def note_station_faults(
    stations: list[dict[str, Any]], circuits: list[dict[str, Any]], faults: Faults
) -> None:
    known = [str(circuit.get("name")) for circuit in circuits]
    names: dict[str, int] = {}
    places: dict[tuple[object, ...], str] = {}
    for index, station in enumerate(stations):
        at, name = ("stations", index), str(station.get("name"))
        if name in names:
            faults.add((*at, "name"), f"{name!r} is the name of stations[{names[name]}] already")
        names.setdefault(name, index)
        circuit = station.get("circuit")
        if circuit is not None and circuit not in known:
            faults.add((*at, "circuit"), unknown("circuit", circuit, known))
        place = (station.get("host"), station.get("port", PORT), station.get("map", "pev_rtu"))
        if place[0] is not None and place in places:
            faults.add((*at, "port"), f"{place[0]}:{place[1]} is {places[place]!r} already")
        places.setdefault(place, name)


def _is_its_own_ancestor(name: str, parents: Mapping[str, str | None]) -> bool:
    above, seen = parents[name], set[str]()
    while above is not None and above in parents and above not in seen:
        seen.add(above)
        above = parents[above]
    return name in seen
