"""A site's own authority: what its files and certificates are like, and what it refuses to make."""

import os
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from odd_certificates import make_odd, utf8_string
from site_certificates import SiteCertificates, make_certificates

from modbus_link.certificates import Authority, Certificate, holder
from modbus_link.errors import BadInput

ROLE = x509.ObjectIdentifier("1.3.6.1.4.1.50316.802.1")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    found = Authority(tmp_path / "site")
    found.create("test", [], days=30)
    return found


def made(authority: Authority, name: str, **facts: object) -> x509.Certificate:
    fields: dict = {"role": "master", **facts}
    authority.issue(Certificate(name=name, **fields), days=30)
    return x509.load_pem_x509_certificate(authority.path(name).read_bytes())


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_keys_are_their_owners_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    folder = tmp_path / "deep" / "site"
    authority = Authority(folder)
    authority.create("test", [Certificate(name="a", role="master")], days=30)
    authority.issue(Certificate(name="b", role="viewer"), days=30)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {
        f"{name}.{kind}": 0o600 if kind == "key" else 0o644 & ~umask
        for name in ("ca", "a", "b")
        for kind in ("crt", "key")
    }
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_role_is_a_utf8_string_in_its_extension(authority: Authority) -> None:
    """MB-TCP-Security V36, R-65; 0x0C is UTF8String in DER."""
    for role in ("master", "opérateur", "x" * 127, " ", "a: b", "主"):
        certificate = made(authority, f"of {len(role)}{ord(role[0])}", role=role)
        extension = certificate.extensions.get_extension_for_oid(ROLE)
        assert isinstance(extension.value, x509.UnrecognizedExtension)
        data = role.encode()
        assert extension.value.value == bytes((0x0C, len(data))) + data
        assert not extension.critical  # for those who know of no roles
        assert holder(certificate.public_bytes(Encoding.DER)).role == role


def test_without_a_role_there_is_no_extension(authority: Authority) -> None:
    certificate = made(authority, "nobody", role="")
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_oid(ROLE)
    assert holder(certificate.public_bytes(Encoding.DER)).role == ""


NO_ROLES = {
    "empty": b"\x0c\x00",
    "PrintableString": b"\x13\x06master",
    "IA5String": b"\x16\x06master",
    "too short for its length": b"\x0c\x07master",
    "too long for its length": b"\x0c\x05master",
    "a byte behind it": utf8_string("master") + b"\0",
    "two roles": utf8_string("master") + utf8_string("viewer"),
    "a sequence": b"\x30\x08" + utf8_string("master"),
    "no UTF-8": b"\x0c\x02\xff\xfe",
    "length in two bytes": b"\x0c\x81\x06master",
    "128 bytes": b"\x0c\x81\x80" + 128 * b"x",
    "nothing": b"",
    "a tag alone": b"\x0c",
}


@pytest.mark.parametrize("what", NO_ROLES)
def test_what_is_no_role(authority: Authority, what: str) -> None:
    der = make_odd(authority.folder, "odd", role=NO_ROLES[what])
    assert holder(der).role == ""
    assert holder(der).subject == "odd"


def test_who_serves_has_names_and_who_does_not_has_none(authority: Authority) -> None:
    server = made(authority, "a", hosts=["127.0.0.1", "::1", "rts1.local", "127.0.0.1"])
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["127.0.0.1", "::1", "rts1.local"]
    assert [type(name).__name__ for name in names] == ["IPAddress", "IPAddress", "DNSName"]
    client = made(authority, "b")
    with pytest.raises(x509.ExtensionNotFound):
        client.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    both = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    for certificate, wanted in ((server, both), (client, both[:1])):
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        assert list(usage.value) == wanted


def test_no_certificate_but_the_authoritys_can_make_another(authority: Authority) -> None:
    own = x509.load_pem_x509_certificate(authority.path("ca").read_bytes())
    for certificate, signs in ((own, True), (made(authority, "a"), False)):
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
        assert (constraints.critical, constraints.value.ca) == (True, signs)
        assert (usage.critical, usage.value.key_cert_sign, usage.value.digital_signature) == (
            True,
            signs,
            not signs,
        )
    assert own.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda v: v.name)
def test_the_strictest_checks_accept_them(certificates: SiteCertificates, version: ssl.TLSVersion) -> None:
    """A handshake in memory, each side as strict as OpenSSL can be, as Python 3.13 is by default."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server_tls, client_tls = certificates.tls("rtu").server, certificates.tls("master").client
    for context in (server_tls, client_tls):
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        context.minimum_version = context.maximum_version = version
    server = server_tls.wrap_bio(to_server, to_client, server_side=True)
    client = client_tls.wrap_bio(to_client, to_server, server_hostname="localhost")
    sides = [client, server]
    for _ in range(6):
        for side in sides[:]:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            sides.remove(side)
    assert sides == []
    shown = server.getpeercert(binary_form=True)
    assert shown is not None
    assert (holder(shown).subject, holder(shown).role) == ("master", "master")


def test_nothing_is_ever_overwritten(authority: Authority) -> None:
    made(authority, "a")
    before = {path.name: path.read_bytes() for path in authority.folder.iterdir()}
    there = r"is there already; move it away, or choose another folder or name"
    with pytest.raises(BadInput, match=there):
        authority.issue(Certificate(name="a", role="viewer"), days=30)
    with pytest.raises(BadInput, match=there):
        authority.create("test", [Certificate(name="b", role="viewer")], days=30)
    assert {path.name: path.read_bytes() for path in authority.folder.iterdir()} == before


@pytest.mark.parametrize("lost", ["a.crt", "a.key"])
def test_half_of_a_pair_is_not_overwritten_either(authority: Authority, lost: str) -> None:
    made(authority, "a")
    (authority.folder / lost).unlink()
    before = sorted(path.name for path in authority.folder.iterdir())
    with pytest.raises(BadInput, match="is there already"):
        authority.issue(Certificate(name="a", role="viewer"), days=30)
    assert sorted(path.name for path in authority.folder.iterdir()) == before


BAD_NAMES = ["", ".", "..", ".a", "a/b", "../a", "/a", "ca", "a\nb", "a\0b", "a\x1b[2J"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_can_not_be(authority: Authority, name: str) -> None:
    with pytest.raises(BadInput, match="can't be the name of a certificate's file"):
        authority.issue(Certificate(name=name, role="master"), days=30)
    assert sorted(path.name for path in authority.folder.iterdir()) == ["ca.crt", "ca.key"]


def test_odd_names_that_can(authority: Authority) -> None:
    for name in ("RTS 1", "Åse", "-x", "a.b", "ca.crt", "C:\\x"):
        assert holder(made(authority, name).public_bytes(Encoding.DER)).subject == name
    for name in ("x" * 64, "ж" * 32):  # as many bytes as X.520 gives
        assert holder(made(authority, name).public_bytes(Encoding.DER)).subject == name


def test_a_sites_long_name_is_cut_between_letters(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "site")
    authority.create("aж" * 40, [], days=30)
    own = x509.load_pem_x509_certificate(authority.path("ca").read_bytes())
    (name,) = own.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "aж" * 21 + "a"


BAD = {
    "a role that is too long": (Certificate(name="b", role="x" * 128), "is longer than 127 bytes"),
    "in bytes, not letters": (Certificate(name="b", role="ж" * 64), "is longer than 127 bytes"),
    "a role of two lines": (Certificate(name="b", role="x\ny"), "or no plain text"),
    "a name that is too long": (Certificate(name="x" * 65, role="x"), "is longer than 64 bytes"),
    "a name for no file": (Certificate(name="x" * 300, role="x"), "is longer than 64 bytes"),
    "a name too long in bytes": (Certificate(name="ж" * 33, role="x"), "is longer than 64 bytes"),
    **{
        f"the host {host!r}": (
            Certificate(name="b", role="rtu", hosts=[host]),
            f"'{host}' is neither an address nor a host's name",
        )
        for host in ("ü.local", "", "a b", "a..b", "10.0.0.5:802", "http://a", "*")
    },
    "a name twice": (Certificate(name="a", role="rtu"), "two certificates would have the name 'a'"),
    "the authority's name": (Certificate(name="ca", role="rtu"), "'ca' can't be the name"),
}


@pytest.mark.parametrize("what", BAD)
def test_where_one_can_not_be_made_none_is(tmp_path: Path, what: str) -> None:
    bad, message = BAD[what]
    folder = tmp_path / "site"
    with pytest.raises(BadInput, match=message):
        Authority(folder).create("test", [Certificate(name="a", role="master"), bad], days=30)
    assert not folder.exists()


def test_an_authority_that_is_none(authority: Authority, tmp_path: Path) -> None:
    wanted, key = Certificate(name="b", role="rtu"), authority.folder / "ca.key"
    with pytest.raises(
        BadInput, match=r"ca\.key can't be read: no such file .* certs init makes an authority"
    ):
        Authority(tmp_path / "nowhere").issue(wanted, days=30)
    for text in ("", "nonsense", authority.path("ca").read_text()):
        key.write_text(text)
        with pytest.raises(BadInput, match="holds no authority made by pev-scada certs init"):
            authority.issue(wanted, days=30)
    assert not authority.path("b").exists()


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=r"file can't be made: file exists"):
        Authority(tmp_path / "file").create("test", [], days=30)
    with pytest.raises(BadInput, match=r"below can't be made: not a directory"):
        Authority(tmp_path / "file" / "below").create("test", [], days=30)


def test_two_authorities_have_nothing_in_common(tmp_path: Path) -> None:
    first, second = (make_certificates(tmp_path / name) for name in ("first", "second"))
    for name in ("ca", "master"):
        one, other = (
            x509.load_pem_x509_certificate((site.folder / f"{name}.crt").read_bytes())
            for site in (first, second)
        )
        assert one.serial_number != other.serial_number
        assert one.public_key() != other.public_key()
