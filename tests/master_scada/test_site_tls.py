"""TLS in a site's file: which stations are reached over it, on which port, and what contradicts itself."""

from pathlib import Path

import pytest
from site_certificates import SiteCertificates

from master_scada.site_file import Site, read_site
from register_maps.yaml_file import BadFile

HEAD = """\
site: Park
rule: {price_limit: 0.2}
tariff: {kind: schedule, currency: EUR, default: 0.1}
circuits: [{name: main, power_limit_w: 5000, nominal_voltage_v: 230}]
"""


@pytest.fixture
def tls(certificates: SiteCertificates) -> str:
    own = certificates.files("master")
    return f"tls: {{ca: {own.ca}, certificate: {own.certificate}, key: {own.key}}}\n"


def site(folder: Path, text: str) -> Site:
    path = folder / "site.yaml"
    path.write_text(HEAD + text)
    return read_site(path)


def faults(folder: Path, text: str) -> list[str]:
    """Each without the path in front, so 'line: place: message'."""
    with pytest.raises(BadFile) as caught:
        site(folder, text)
    return [line.removeprefix(f"{folder / 'site.yaml'}:") for line in str(caught.value).splitlines()]


def stations(*entries: str) -> str:
    return "stations:\n" + "".join(f"  - {{circuit: main, {entry}}}\n" for entry in entries)


def test_over_tls_the_port_is_another(tmp_path: Path, tls: str) -> None:
    found = site(
        tmp_path,
        tls
        + stations(
            "name: A, host: a, tls: true",
            "name: B, host: b",
            "name: C, host: c, tls: true, port: 8802",
            "name: D, host: d, tls: false",
        ),
    )
    ports = {entry.name: (entry.port, entry.tls) for entry in found.stations}
    assert ports == {"A": (802, True), "B": (502, False), "C": (8802, True), "D": (502, False)}


def test_stations_over_tls_need_the_masters_certificate(tmp_path: Path) -> None:
    told = faults(tmp_path, stations("name: A, host: a", "name: B, host: b, tls: true"))
    assert told == ["7: stations[1].tls: needs the master's certificate: give `tls` for the site"]


def test_a_certificate_that_nobody_needs(tmp_path: Path, tls: str) -> None:
    told = faults(tmp_path, tls + stations("name: A, host: a"))
    wanted = "serves nothing: say `tls: true` at the stations that speak it, or give `server` its `roles`"
    assert told == [f"5: tls: {wanted}"]
    site(tmp_path, tls + stations("name: A, host: a") + "server: {port: 802, roles: {viewer: {}}}\n")


def test_the_masters_own_points_are_those_of_its_roles(tmp_path: Path, tls: str) -> None:
    one = stations("name: A, host: a")
    server = "server: {port: 802, roles: {operator: {write: ['station_*_hold', price_limit]}}}\n"
    site(tmp_path, tls + one + server)
    (told,) = faults(tmp_path, tls + one + server.replace("_hold", "_hodl"))
    assert told.startswith("8: server.roles.operator.write[0]: there is no point to write 'station_*_hodl'")


def test_a_server_for_other_machines_has_to_say_for_which(tmp_path: Path) -> None:
    (told,) = faults(tmp_path, stations("name: A, host: a") + "server: {port: 502, host: 0.0.0.0}\n")
    assert told.startswith("7: server.host: '0.0.0.0' can be reached from other machines: say in `allow`")


def test_the_same_place_with_and_without_tls_is_the_same_place(tmp_path: Path, tls: str) -> None:
    told = faults(tmp_path, tls + stations("name: A, host: h, tls: true", "name: B, host: h, tls: true"))
    assert told == ["8: stations[1].port: h:802 is 'A' already"]
    site(tmp_path, tls + stations("name: A, host: h, tls: true", "name: B, host: h"))  # 802 and 502


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_units_behind_one_port_are_all_reached_over_tls_or_none(
    tmp_path: Path, tls: str, order: tuple[int, int]
) -> None:
    """They share a connection, and none may think that it is safer than it is."""
    text = (Path(__file__).parents[2] / "register_maps/devices/pev_rtu.yaml").read_text()
    (tmp_path / "other.yaml").write_text(text.replace("name: pev_rtu", "name: other\nunit_id: 7", 1))
    entries = ("name: A, host: h, port: 802, map: other.yaml", "name: B, host: h, tls: true")
    (told,) = faults(tmp_path, tls + stations(*(entries[index] for index in order)))
    assert told.partition(": ")[2].startswith("stations[1]")
    assert told.endswith("h:802 is reached with and without it: give all of its stations the same")
