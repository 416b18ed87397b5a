"""A site's certificates: made here, and read for the role that they carry. The only place that knows the
cryptography library.

MB-TCP-Security V36: the role is a UTF8String in an extension of the certificate.
"""

import datetime
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROLE_OID = x509.ObjectIdentifier("1.3.6.1.4.1.50316.802.1")
AUTHORITY = "ca"
AUTHORITY_DAYS = 3650
SINCE = datetime.timedelta(days=1)
"""Certificates are valid from so long ago, for machines whose clocks are behind."""
_UTF8_STRING = 0x0C


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whom a certificate speaks of: his name, and his role, "" where it has none."""

    subject: str
    role: str


class CannotMake(ValueError):
    """A certificate can't be made; the text says why and what to do."""


def holder(der: bytes) -> Holder:
    certificate = x509.load_der_x509_certificate(der)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    subject = str(names[0].value) if names else certificate.subject.rfc4514_string()
    return Holder(subject=subject, role=_role(certificate))


def _role(certificate: x509.Certificate) -> str:
    try:
        value = certificate.extensions.get_extension_for_oid(ROLE_OID).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return ""
    assert isinstance(value, x509.UnrecognizedExtension)
    data = value.value
    # DER with the length in one byte: no role is longer than 127 bytes.
    if len(data) < 2 or data[0] != _UTF8_STRING or data[1] != len(data) - 2 or data[1] > 127:
        return ""
    try:
        return data[2:].decode()
    except UnicodeDecodeError:
        return ""


class Authority:
    """A site's own certificate authority, in a folder: ca.crt, ca.key, and NAME.crt and NAME.key of
    everyone that it vouches for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, site: str) -> None:
        """Make the folder and the authority; CannotMake where there is one already."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CannotMake(f"{self.folder} can't be made: {(error.strerror or '').lower()}") from error
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"{site} authority")
        certificate = (
            _builder(name, name, key.public_key(), AUTHORITY_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        self._save(AUTHORITY, certificate, key)

    def issue(self, name: str, role: str, hosts: Sequence[str], days: int) -> None:
        """A certificate for `name`, as a client with `role` and, where it has `hosts`, as their server."""
        if not name or name == AUTHORITY or "/" in name or name.startswith("."):
            raise CannotMake(f"{name!r} can't be the name of a certificate's file")
        if len(role.encode()) > 127:
            raise CannotMake(f"the role {role!r} is longer than 127 bytes")
        authority, authority_key = self._load()
        key = ec.generate_private_key(ec.SECP256R1())
        uses = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if hosts else [])]
        data = role.encode()
        role_extension = x509.UnrecognizedExtension(ROLE_OID, bytes((_UTF8_STRING, len(data))) + data)
        builder = (
            _builder(_name(name), authority.subject, key.public_key(), days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
        )
        if role:
            builder = builder.add_extension(role_extension, critical=False)
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(_alternatives(hosts)), critical=False)
        self._save(name, builder.sign(authority_key, hashes.SHA256()), key)

    def _load(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        certificate, key = self._paths(AUTHORITY)
        try:
            found = serialization.load_pem_private_key(key.read_bytes(), password=None)
            authority = x509.load_pem_x509_certificate(certificate.read_bytes())
        except OSError as error:
            raise CannotMake(
                f"{error.filename} can't be read: {(error.strerror or '').lower()};"
                " pev-scada certs init makes an authority"
            ) from error
        except (ValueError, TypeError) as error:
            raise CannotMake(f"{self.folder} holds no authority made by pev-scada certs init") from error
        if not isinstance(found, ec.EllipticCurvePrivateKey):
            raise CannotMake(f"{key} is no key made by pev-scada certs init")
        return authority, found

    def _paths(self, name: str) -> tuple[Path, Path]:
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    def _save(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        """Never over what is there: a lost key of an authority is a lost site."""
        paths = self._paths(name)
        for path in paths:
            if path.exists():
                raise CannotMake(f"{path} is there already; move it away, or choose another folder or name")
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write_new(paths[1], pem, 0o600)
        _write_new(paths[0], certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _write_new(path: Path, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise CannotMake(f"{path} can't be written: {(error.strerror or '').lower()}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SINCE)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternatives(hosts: Iterable[str]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for host in dict.fromkeys(hosts):
        try:
            names.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            try:
                names.append(x509.DNSName(host))
            except ValueError as error:
                raise CannotMake(f"{host!r} is neither an address nor a host's name") from error
    return names
