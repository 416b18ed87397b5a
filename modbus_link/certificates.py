"""A site's certificates: made here, and read for the role that they carry. The only place that knows the
cryptography library.

MB-TCP-Security V36: the role is a UTF8String in an extension of the certificate.
"""

import contextlib
import datetime
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from modbus_link.errors import BadInput

ROLE_OID = x509.ObjectIdentifier("1.3.6.1.4.1.50316.802.1")
AUTHORITY = "ca"
AUTHORITY_DAYS = 3650
LONGEST_ROLE = 127
"""Bytes, as many as DER counts in one byte."""
LONGEST_NAME = 64
"""Bytes of a holder's name, as X.520 has it; of a file's name, too, so that one is the other."""
SINCE = datetime.timedelta(days=1)
"""Certificates are valid from so long ago, for machines whose clocks are behind."""
_UTF8_STRING = 0x0C
_UNREADABLE = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
_HOST = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whom a certificate speaks of: his name, and his role, "" where it has none; and until when."""

    subject: str
    role: str
    until: datetime.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One to be made: the name of its files and of its holder, his role, and where he serves, if he does."""

    name: str
    role: str
    hosts: Sequence[str] = ()


def holder(der: bytes) -> Holder:
    """BadInput where the certificate has something in it that can't be read, whoever has signed it."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        subject = str(names[0].value) if names else certificate.subject.rfc4514_string()
        return Holder(subject=subject, role=_role(certificate), until=certificate.not_valid_after_utc)
    except Exception as error:  # not all that the library raises has a common root
        raise BadInput("its certificate can't be read") from error


def days_left(pem: bytes) -> float:
    """Until the first of these certificates expires."""
    ends = min(found.not_valid_after_utc for found in x509.load_pem_x509_certificates(pem))
    return (ends - datetime.datetime.now(datetime.UTC)) / datetime.timedelta(days=1)


def contradictions(pem: bytes, authority_pem: bytes, *, serving: bool) -> Iterator[tuple[str, str]]:
    """What is wrong between a certificate and the authority that is trusted beside it: which, and why. As
    far as it can be read: whoever is asked for it over TLS has the last word."""
    with contextlib.suppress(*_UNREADABLE):
        own, *chain = x509.load_pem_x509_certificates(pem)
        authorities = x509.load_pem_x509_certificates(authority_pem)
        if not any(_signs(one) for one in authorities):
            yield "ca", "is no authority's certificate"
        elif _signs(own, by_default=False):
            yield "certificate", "is an authority's own, which stays where certificates are made"
        elif not chain and not any(_is_issued_by(own, one) for one in authorities):
            yield "certificate", "is not from the authority in `ca`"
        if serving and not _is_for_servers(own):
            yield "certificate", "is for a client alone; pev-scada certs add --host makes one for a server"


def _signs(certificate: x509.Certificate, *, by_default: bool = True) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return by_default


def _is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_for_servers(certificate: x509.Certificate) -> bool:
    """As its extended key usage says; without one it is for everything."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.SERVER_AUTH in usage


def _role(certificate: x509.Certificate) -> str:
    try:
        value = certificate.extensions.get_extension_for_oid(ROLE_OID).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return ""
    assert isinstance(value, x509.UnrecognizedExtension)
    data = value.value
    if len(data) < 2 or data[0] != _UTF8_STRING or data[1] != len(data) - 2 or data[1] > LONGEST_ROLE:
        return ""
    try:
        return data[2:].decode()
    except UnicodeDecodeError:
        return ""


def _role_extension(role: str) -> x509.UnrecognizedExtension:
    data = role.encode()
    return x509.UnrecognizedExtension(ROLE_OID, bytes((_UTF8_STRING, len(data))) + data)


class Authority:
    """A site's own certificate authority, in a folder: ca.crt, ca.key, and NAME.crt and NAME.key of
    everyone that it vouches for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.crt"

    def create(self, site: str, certificates: Iterable[Certificate], days: int) -> None:
        """Make the folder, the authority and these certificates; BadInput, and nothing made, if one can't be
        or is there already."""
        wanted = list(certificates)
        for one in wanted:
            self._check(one)
        self._require_free([AUTHORITY, *(one.name for one in wanted)])
        self._create_authority(site)
        for one in wanted:
            self.issue(one, days)

    def _create_authority(self, site: str) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"{self.folder} can't be made: {(error.strerror or '').lower()}") from error
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

    def issue(self, wanted: Certificate, days: int) -> None:
        """For its holder as a client and, where it has hosts, as a server."""
        self._check(wanted)
        self._require_free([wanted.name])
        authority, authority_key = self._load()
        key = ec.generate_private_key(ec.SECP256R1())
        serves = [ExtendedKeyUsageOID.SERVER_AUTH] if wanted.hosts else []
        builder = (
            _builder(_name(wanted.name), authority.subject, key.public_key(), days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, *serves]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
        )
        if wanted.role:
            builder = builder.add_extension(_role_extension(wanted.role), critical=False)
        if wanted.hosts:
            names = x509.SubjectAlternativeName(_alternatives(wanted.hosts))
            builder = builder.add_extension(names, critical=False)
        self._save(wanted.name, builder.sign(authority_key, hashes.SHA256()), key)

    def _check(self, wanted: Certificate) -> None:
        name = wanted.name
        if name == AUTHORITY or not name.isprintable() or "/" in name or name[:1] in ("", "."):
            raise BadInput(f"{name!r} can't be the name of a certificate's file")
        if len(name.encode()) > LONGEST_NAME:
            raise BadInput(f"the name {name!r} is longer than {LONGEST_NAME} bytes")
        if len(wanted.role.encode()) > LONGEST_ROLE or not wanted.role.isprintable():
            raise BadInput(f"the role {wanted.role!r} is longer than {LONGEST_ROLE} bytes, or no plain text")
        _alternatives(wanted.hosts)

    def _require_free(self, names: Sequence[str]) -> None:
        """Never over what is there: a lost key of an authority is a lost site."""
        for name in names:
            if names.count(name) > 1:
                raise BadInput(f"two certificates would have the name {name!r}")
            for path in self._paths(name):
                if path.exists():
                    raise BadInput(f"{path} is there already; move it away, or choose another folder or name")

    def _load(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        certificate, key = self._paths(AUTHORITY)
        try:
            found = serialization.load_pem_private_key(key.read_bytes(), password=None)
            authority = x509.load_pem_x509_certificate(certificate.read_bytes())
        except OSError as error:
            raise BadInput(
                f"{error.filename} can't be read: {(error.strerror or '').lower()};"
                " pev-scada certs init makes an authority"
            ) from error
        except (ValueError, TypeError) as error:
            raise BadInput(f"{self.folder} holds no authority made by pev-scada certs init") from error
        if not isinstance(found, ec.EllipticCurvePrivateKey):
            raise BadInput(f"{key} is no key made by pev-scada certs init")
        return authority, found

    def _paths(self, name: str) -> tuple[Path, Path]:
        return self.path(name), self.folder / f"{name}.key"

    def _save(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        certificate_path, key_path = self._paths(name)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write_new(key_path, pem, 0o600)
        _write_new(certificate_path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _write_new(path: Path, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise BadInput(f"{path} can't be written: {(error.strerror or '').lower()}") from error
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
    fits = text.encode()[:LONGEST_NAME].decode(errors="ignore")
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, fits)])


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
        except ValueError as error:
            if not _HOST.fullmatch(host) or host.rpartition(".")[2].isdigit():
                raise BadInput(f"{host!r} is neither an address nor a host's name") from error
            names.append(x509.DNSName(host))
    return names
