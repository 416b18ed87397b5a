"""The files of a certificate: what can be wrong with them, told at the place that names them."""

import datetime
import re
import shutil
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from site_certificates import SiteCertificates

from modbus_link.certificates import Authority, Certificate
from modbus_link.tls import BadTlsFiles, TlsFiles, note_tls
from register_maps.yaml_file import BadFile, Faults, read_yaml


def _open_to_the_group(folder: Path) -> None:
    (folder / "rtu.key").chmod(0o640)


def _key_of_another(folder: Path) -> None:
    shutil.copy(folder / "viewer.key", folder / "rtu.key")


def _with_a_password(folder: Path) -> None:
    key = serialization.load_pem_private_key((folder / "rtu.key").read_bytes(), password=None)
    (folder / "rtu.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )


def _in_der(folder: Path) -> None:
    path = folder / "rtu.crt"
    path.write_bytes(ssl.PEM_cert_to_DER_cert(path.read_text()))


def _revocation_list(folder: Path) -> None:
    key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    now = datetime.datetime.now(datetime.UTC)
    issuer = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes()).subject
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer)
    crl = builder.last_update(now).next_update(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    (folder / "ca.crt").write_bytes(crl.public_bytes(serialization.Encoding.PEM))


def _is_a_folder(folder: Path) -> None:
    (folder / "ca.crt").unlink()
    (folder / "ca.crt").mkdir()


FILES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "no certificate there": (
        lambda folder: (folder / "rtu.crt").unlink(),
        "certificate",
        "{folder}/rtu.crt can't be read: no such file or directory; pev-scada certs init makes a site's",
    ),
    "no key there": (lambda folder: (folder / "rtu.key").unlink(), "key", "{folder}/rtu.key can't be read: "),
    "no authority there": (lambda f: (f / "ca.crt").unlink(), "ca", "{folder}/ca.crt can't be read: no such"),
    "a folder": (_is_a_folder, "ca", "{folder}/ca.crt can't be read: is a directory"),
    "an open key": (
        _open_to_the_group,
        "key",
        "{folder}/rtu.key is open to other users of this machine; run: chmod 600 {folder}/rtu.key",
    ),
    "the key of another": (
        _key_of_another,
        "key",
        "{folder}/rtu.key does not belong to {folder}/rtu.crt",
    ),
    "a key with a password": (
        _with_a_password,
        "key",
        "{folder}/rtu.key holds no private key in PEM form, or one with a password",
    ),
    "an empty key": (
        lambda f: (f / "rtu.key").write_text(""),
        "key",
        "{folder}/rtu.key holds no private key",
    ),
    "an empty certificate": (
        lambda f: (f / "rtu.crt").write_text(""),
        "certificate",
        "{folder}/rtu.crt holds no certificate in PEM form",
    ),
    "text for a certificate": (
        lambda f: (f / "ca.crt").write_text("hello\n"),
        "ca",
        "{folder}/ca.crt holds no certificate in PEM form",
    ),
    "a list of revoked ones for a certificate": (
        _revocation_list,
        "ca",
        "{folder}/ca.crt holds no certificate in PEM form",
    ),
    "a key for a certificate": (
        lambda f: shutil.copy(f / "rtu.key", f / "rtu.crt"),
        "certificate",
        "{folder}/rtu.crt holds no certificate in PEM form",
    ),
    "DER for PEM": (_in_der, "certificate", "{folder}/rtu.crt holds no certificate in PEM form"),
}


@pytest.mark.parametrize("what", FILES)
def test_a_fault_of_a_file(tmp_path: Path, certificates: SiteCertificates, what: str) -> None:
    """Under the file's key; the paths in it count from the folder that it stands in."""
    break_it, key, message = FILES[what]
    path, folder = tmp_path / "station.yaml", tmp_path / "certs"
    shutil.copytree(certificates.folder, folder)
    break_it(folder)
    lines = ["tls:", "  ca: certs/ca.crt", "  certificate: certs/rtu.crt", "  key: certs/rtu.key"]
    path.write_text("\n".join(lines))
    faults = Faults(path)
    files = faults.parse(TlsFiles, read_yaml(path)["tls"], ("tls",))
    assert files is not None
    note_tls(files.under(tmp_path), faults, ("tls",))
    with pytest.raises(BadFile) as caught:
        faults.raise_if_any()
    at = 1 + next(index for index, line in enumerate(lines) if line.startswith(f"  {key}:"))
    (told,) = str(caught.value).splitlines()
    assert told.startswith(f"{path}:{at}: tls.{key}: {message.format(folder=folder)}")
    with pytest.raises(BadTlsFiles, match=re.escape(message.format(folder=folder))):
        files.under(tmp_path).load()


def test_two_files_that_are_wrong_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadTlsFiles) as caught:
        TlsFiles(ca="a", certificate="b", key="c").under(tmp_path).load()
    assert list(caught.value.problems) == ["ca", "certificate", "key"]


@pytest.mark.parametrize(
    ("days", "told"), [(0, "has expired"), (30, "expires in 30 days"), (90, "")], ids=str
)
def test_the_log_warns_before_a_certificate_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, days: int, told: str
) -> None:
    folder = tmp_path / "certs"
    Authority(folder).create("test", [Certificate(name="rtu", role="rtu")], days=days)
    files = TlsFiles(ca="ca.crt", certificate="rtu.crt", key="rtu.key").under(folder)
    note_tls(files, Faults(tmp_path / "station.yaml"), ("tls",))
    assert [record.getMessage() for record in caplog.records] == (
        [f"{folder}/rtu.crt: {told}"] if told else []
    )


def test_a_certificate_in_a_form_that_openssl_alone_reads(
    tmp_path: Path, certificates: SiteCertificates
) -> None:
    folder = tmp_path / "certs"
    shutil.copytree(certificates.folder, folder)
    text = (folder / "ca.crt").read_text()
    for line in ("BEGIN", "END"):
        text = text.replace(f"{line} CERTIFICATE", f"{line} TRUSTED CERTIFICATE")
    (folder / "ca.crt").write_text(text)
    TlsFiles(ca="ca.crt", certificate="rtu.crt", key="rtu.key").under(folder).load()
