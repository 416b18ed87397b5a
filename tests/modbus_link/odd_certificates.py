"""Certificates that `pev-scada certs` would not make, from the authority of a site's folder."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID, ObjectIdentifier

from modbus_link.certificates import ROLE_OID

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


def utf8_string(text: str) -> bytes:
    """As DER has it, up to 127 bytes."""
    data = text.encode()
    return bytes((0x0C, len(data))) + data


def make_odd(
    folder: Path,
    name: str,
    *,
    role: bytes | None = None,
    usage: ObjectIdentifier = CLIENT,
    since_days: int = -1,
    hosts: bytes | None = None,
    self_signed: bool = False,
) -> bytes:
    """NAME.crt and NAME.key in `folder`, and the certificate in DER. `role` and `hosts` are the values of
    these extensions, as bytes; it is valid from `since_days` on, counted from today."""
    key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    authority_key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    since = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=since_days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who if self_signed else authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + datetime.timedelta(days=90))
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    )
    for oid, value in ((ROLE_OID, role), (ExtensionOID.SUBJECT_ALTERNATIVE_NAME, hosts)):
        if value is not None:
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    certificate = builder.sign(key if self_signed else authority_key, hashes.SHA256())
    save(folder, name, certificate.public_bytes(serialization.Encoding.PEM), key)
    return certificate.public_bytes(serialization.Encoding.DER)


def save(folder: Path, name: str, certificate: bytes, key: ec.EllipticCurvePrivateKey) -> None:
    (folder / f"{name}.crt").write_bytes(certificate)
    path = folder / f"{name}.key"
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
