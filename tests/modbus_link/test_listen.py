"""Where a server listens and who may come, as a file says it: every fault with its place and its remedy."""

from pathlib import Path

import pytest
from raw_lines import station_image
from site_certificates import SiteCertificates

from modbus_link.access import Rights
from modbus_link.certificates import Authority, Certificate
from modbus_link.listen import Listen, Role, note_server
from modbus_link.server import ModbusServer
from modbus_link.tls import TlsFiles
from register_maps.yaml_file import BadFile, Faults, read_yaml

PEV_RTU = station_image().map


def read(path: Path, text: str) -> tuple[Listen, TlsFiles | None]:
    """What stands under `listen` and `tls` in such a file; BadFile with every fault."""
    path.write_text(text)
    data, faults = read_yaml(path), Faults(path)
    listen = faults.parse(Listen, data.get("listen"), ("listen",))
    tls = faults.parse(TlsFiles, data["tls"], ("tls",)) if "tls" in data else None
    if listen:
        note_server(listen, tls and tls.under(path.parent), PEV_RTU, faults, "listen")
    faults.raise_if_any()
    assert listen is not None
    return listen, tls


@pytest.fixture
def station(tmp_path: Path) -> Path:
    return tmp_path / "station.yaml"


GOOD = [
    "{port: 802}",
    "{host: localhost, port: 502}",
    "{host: '::1', port: 502}",
    "{host: 127.3.2.1, port: 502}",
    "{host: 0.0.0.0, port: 502, allow: [192.168.1.0/24]}",
    "{host: rts1.local, port: 502, allow: [192.168.1.7, 'fd00::/8'], writers: [192.168.1.7]}",
    "{host: '::', port: 502, allow: []}",
    "{port: 502, allow: [], writers: []}",
    "{port: 502, max_connections: 1, idle_timeout_s: 5}",
    "{port: 502, max_connections: 1000, idle_timeout_s: 2.5}",
]


@pytest.mark.parametrize("listen", GOOD)
def test_what_is_good(station: Path, listen: str) -> None:
    read(station, f"listen: {listen}\n")


def test_by_default_it_is_for_this_machine_alone(station: Path) -> None:
    listen, _ = read(station, "listen: {port: 502}\n")
    assert (listen.host, listen.max_connections, listen.idle_timeout_s) == ("127.0.0.1", 100, 300)
    assert listen.about == "in the clear, for this machine alone"


REACHABLE = (
    "listen.host: {host!r} can be reached from other machines: say in `allow` which of them may connect,"
    " and in `writers` which may write, e.g. [192.168.1.0/24]; or use roles and certificates"
)
NAMES = "must be all, or a list of points such as [voltage, '*_energy']"
NETWORK = "; write it as in 192.168.1.0/24, or 192.168.1.7 for one machine"
BAD = [
    ("{}", "listen.port: is missing"),
    ("5020", "listen: must be a mapping of keys to values (got 5020)"),
    ("{port: 65536}", "listen.port: must be less than or equal to 65535 (got 65536)"),
    ("{port: '502'}", "listen.port: must be a valid integer (got '502')"),
    ("{port: 1, hots: x}", "listen.hots: there is no key 'hots'; did you mean 'host'?"),
    ("{port: 1, writer: []}", "listen.writer: there is no key 'writer'; did you mean 'writers'?"),
    *(
        (f"{{port: 1, host: '{host}'}}", REACHABLE.format(host=host))
        for host in ("0.0.0.0", "::", "192.168.1.21", "rts1.local", "", "::ffff:10.0.0.1", "fe80::1%eth0")
    ),
    ("{port: 1, host: 0.0.0.0, writers: [10.0.0.1]}", REACHABLE.format(host="0.0.0.0")),
    ("{port: 1, allow: [10.0.0.1/24]}", "listen.allow[0]: 10.0.0.1/24 has host bits set" + NETWORK),
    (
        "{port: 1, allow: [10.0.0.1, rts1.local]}",
        "listen.allow[1]: 'rts1.local' does not appear to be an IPv4 or IPv6 network" + NETWORK,
    ),
    (
        "{port: 1, writers: [10.0.0.0/33]}",
        "listen.writers[0]: '10.0.0.0/33' does not appear to be an IPv4 or IPv6 network" + NETWORK,
    ),
    ("{port: 1, allow: 10.0.0.0/8}", "listen.allow: must be a valid list (got '10.0.0.0/8')"),
    ("{port: 1, max_connections: 0}", "listen.max_connections: must be greater than or equal to 1 (got 0)"),
    ("{port: 1, max_connections: 9999}", "listen.max_connections: must be less than or equal to 1000 (got"),
    ("{port: 1, idle_timeout_s: 0}", "listen.idle_timeout_s: must be greater than or equal to 1 (got 0)"),
    ("{port: 1, idle_timeout_s: .inf}", "listen.idle_timeout_s: must be a finite number (got inf)"),
]


@pytest.mark.parametrize(("listen", "message"), BAD, ids=[row[0] for row in BAD])
def test_a_fault_has_its_place_and_its_remedy(station: Path, listen: str, message: str) -> None:
    with pytest.raises(BadFile) as caught:
        read(station, f"\nlisten: {listen}\n")
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{station}:2: {message}")


BAD_ROLES = [
    ("{}", "listen.roles: without any role nobody could connect"),
    ("[master]", "listen.roles: must be a valid"),
    ("{master: all}", "listen.roles.master: must be a mapping of keys to values (got 'all')"),
    ("{master: {wirte: all}}", "listen.roles.master.wirte: there is no key 'wirte'; did you mean 'write'?"),
    (
        "{ops: {write: [stop_reqest]}}",
        "listen.roles.ops.write[0]: there is no point to write 'stop_reqest'; did you mean 'stop_request'?",
    ),
    (
        "{operator: {write: [stop_request, voltage]}}",
        "listen.roles.operator.write[1]: there is no point to write 'voltage'; known: charge_enable, ",
    ),
    *(
        (
            f"{{ops: {{write: {given}}}}}",
            f"listen.roles.ops.write: {NAMES} (got {got})",
        )
        for given, got in (("none", "'none'"), ("All", "'All'"), ("[5]", "[5]"), ("~", "None"))
    ),
    ("{meter: {read: ['*_watts']}}", "listen.roles.meter.read[0]: there is no point to read '*_watts'; "),
]


@pytest.mark.parametrize(("roles", "message"), BAD_ROLES, ids=[row[0] for row in BAD_ROLES])
def test_a_fault_of_a_role(station: Path, certificates: SiteCertificates, roles: str, message: str) -> None:
    own = certificates.files("rtu")
    tls = f"tls: {{ca: {own.ca}, certificate: {own.certificate}, key: {own.key}}}\n"
    with pytest.raises(BadFile) as caught:
        read(station, f"{tls}listen:\n  port: 802\n  roles: {roles}\n")
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{station}:4: {message}")


def test_roles_need_certificates(station: Path) -> None:
    with pytest.raises(BadFile) as caught:
        read(station, "listen:\n  port: 802\n  roles: {master: {write: all}}\n")
    wanted = "listen.roles: certificates tell the roles: give `tls` beside `listen`"
    assert str(caught.value) == f"{station}:3: {wanted}"
    with pytest.raises(ValueError, match="a server with roles needs certificates"):
        ModbusServer(station_image(), Listen(port=0, roles={"master": Role()}))


def test_a_server_needs_a_server_s_certificate(station: Path, tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    Authority(folder).create("test", [Certificate(name="viewer", role="viewer")], days=90)
    files = "{ca: certs/ca.crt, certificate: certs/viewer.crt, key: certs/viewer.key}"
    with pytest.raises(BadFile, match=r"tls\.certificate: \S+ is for a client alone; pev-scada certs"):
        read(station, f"tls: {files}\nlisten: {{port: 802, roles: {{viewer: {{}}}}}}\n")


@pytest.mark.parametrize(
    ("certificate", "ca", "fault"),
    [
        ("ca", "ca", "certificate: .* is an authority's own, which stays where certificates are made"),
        ("rtu", "rtu", "ca: .* is no authority's certificate"),
        ("rtu", "../other/ca", "certificate: .* is not from the authority in `ca`"),
    ],
)
def test_certificates_that_do_not_go_together(
    station: Path, tmp_path: Path, certificate: str, ca: str, fault: str
) -> None:
    for folder in ("certs", "other"):
        wanted = [Certificate(name="rtu", role="rtu", hosts=["localhost"])]
        Authority(tmp_path / folder).create("test", wanted, days=90)
    files = f"{{ca: certs/{ca}.crt, certificate: certs/{certificate}.crt, key: certs/{certificate}.key}}"
    with pytest.raises(BadFile, match=rf"tls\.{fault}"):
        read(station, f"tls: {files}\nlisten: {{port: 802, roles: {{viewer: {{}}}}}}\n")


@pytest.mark.parametrize(
    ("listen", "fault"),
    [
        (
            "{port: 502, allow: [192.168.1.0/24]}",
            "allow: this machine alone reaches '127.0.0.1', and is not in",
        ),
        (
            "{host: 192.168.1.2, port: 502, allow: [192.168.1.0/24], writers: [10.0.0.7]}",
            r"writers\[0\]: 10.0.0.7/32 is in no network of `allow`: it could not connect",
        ),
    ],
)
def test_lists_that_look_like_a_permission_and_are_none(station: Path, listen: str, fault: str) -> None:
    with pytest.raises(BadFile, match=rf"listen\.{fault}"):
        read(station, f"listen: {listen}\n")


def test_every_fault_is_told_at_once(station: Path) -> None:
    with pytest.raises(BadFile) as caught:
        read(
            station,
            "listen: {host: 10.0.0.1, port: 1}\ntls: {ca: no/ca.crt, certificate: no/a.crt, key: no/a.key}\n",
        )
    assert len(str(caught.value).splitlines()) == 4


def test_a_role_is_given_points_by_name_and_by_pattern() -> None:
    everything = frozenset(PEV_RTU.points)
    assert Role().rights(PEV_RTU) == Rights(read=None, write=frozenset())
    assert Role(read=["voltage"], write="all").rights(PEV_RTU) == Rights(
        read=frozenset({"voltage"}), write=None
    )
    assert Role(read=["*_energy", "st?te"]).rights(PEV_RTU).read == {
        "session_energy",
        "total_energy",
        "state",
    }
    assert Role(read=["*"]).rights(PEV_RTU).read == everything
    assert Role(read=[], write=["*_request"]).rights(PEV_RTU) == Rights(
        read=frozenset(), write=frozenset({"stop_request", "start_request"})
    )
    assert Role(read=["Voltage"]).rights(PEV_RTU).read == frozenset()
