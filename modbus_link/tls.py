"""Modbus/TCP Security: the same frames inside TLS 1.2 or newer, with a certificate on either side.

MB-TCP-Security V36. The certificate of who connects carries his role, which the server looks up.
"""

import errno
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path

from pydantic import with_config

from modbus_link.errors import LinkError
from register_maps.yaml_file import STRICT_KEYS, Faults, Place

log = logging.getLogger(__name__)

WARN_DAYS = 60
HANDSHAKE_S = 10.0
"""A connection that has not shown its certificate by then is dropped."""


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Who this program is: its certificate and key, and the authority that it trusts; PEM files."""

    ca: str
    certificate: str
    key: str

    def under(self, base: Path) -> "TlsFiles":
        """As they are named in a file in the folder `base`."""
        return TlsFiles(**{f.name: str(base / getattr(self, f.name)) for f in fields(self)})

    def load(self) -> "Tls":
        """BadTlsFiles with every reason, where they can't be used."""
        problems = {f.name: _problem(f.name, Path(getattr(self, f.name))) for f in fields(self)}
        if any(problems.values()):
            raise BadTlsFiles({name: text for name, text in problems.items() if text})
        return Tls(
            server=_context(ssl.PROTOCOL_TLS_SERVER, self), client=_context(ssl.PROTOCOL_TLS_CLIENT, self)
        )

    def days_left(self) -> float | None:
        """Until the certificate expires; None where that can't be told."""
        return _days_left(Path(self.certificate))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The same, loaded: to listen with and to connect with."""

    server: ssl.SSLContext
    client: ssl.SSLContext


class BadTlsFiles(LinkError):
    """Certificates that can't be used: `problems` by the name of the file."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems.values()))


def note_tls(files: TlsFiles, faults: Faults, place: Place, *, serving: bool = False) -> None:
    """Why the files can't be used, if so; and in the log, that they soon can't."""
    try:
        files.load()
    except BadTlsFiles as error:
        for name, text in error.problems.items():
            faults.add((*place, name), text)
        return
    for path in (files.ca, files.certificate):
        _warn_of_end(Path(path))
    if find_spec("cryptography"):
        from modbus_link.certificates import contradictions

        own, authority = Path(files.certificate).read_bytes(), Path(files.ca).read_bytes()
        for name, text in contradictions(own, authority, serving=serving):
            faults.add((*place, name), f"{getattr(files, name)} {text}")


def _problem(name: str, path: Path) -> str:
    try:
        path.read_bytes()
    except OSError as error:
        made = "; pev-scada certs init makes a site's certificates" if error.errno == errno.ENOENT else ""
        return f"{path} can't be read: {(error.strerror or '').lower()}{made}"
    if name != "key" and not _is_certificate(path):
        return f"{path} holds no certificate in PEM form"
    if name == "key" and path.stat().st_mode & 0o077:
        return f"{path} is open to other users of this machine; run: chmod 600 {path}"
    return ""


def _warn_of_end(path: Path) -> None:
    """In time to make another: all that are made on one day end on one day."""
    days = _days_left(path)
    if days is not None and days < WARN_DAYS:
        log.warning("%s: %s", path, f"expires in {days:.0f} days" if days > 0 else "has expired")


def _days_left(path: Path) -> float | None:
    if find_spec("cryptography") is None:
        return None
    from modbus_link.certificates import days_left

    try:
        return days_left(path.read_bytes())
    except (ValueError, OSError):  # the first: a form of PEM that OpenSSL alone reads
        return None


def _is_certificate(path: Path) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        return False
    return context.cert_store_stats()["x509"] > 0  # and not only a list of revoked ones


def _context(protocol: int, files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    # Who comes back shows his certificate again. OpenSSL's memory of TLS 1.2 sessions can't be turned off
    # from here: for them, the server looks at the certificate that they began with.
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    if protocol == ssl.PROTOCOL_TLS_SERVER:
        context.num_tickets = 0
    context.load_verify_locations(files.ca)
    try:
        context.load_cert_chain(files.certificate, files.key, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            text = f"{files.key} does not belong to {files.certificate}"
        else:
            text = f"{files.key} holds no private key in PEM form, or one with a password"
        raise BadTlsFiles({"key": text}) from error
    return context


def why_refused(error: Exception) -> str:
    """Why a TLS connection did not come about, as the other side's fault is told in a log."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY.get(error.verify_code, f"its certificate is refused: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        reason = error.reason or ""
        if "ALERT" in reason:
            return f"it refuses this side's certificate or TLS version ({reason.lower().replace('_', ' ')})"
        return _REASONS.get(reason, f"no TLS: {reason.lower().replace('_', ' ')}")
    if isinstance(error, ConnectionAbortedError | TimeoutError):
        return f"no handshake within {HANDSHAKE_S:g} s"
    return "it left during the handshake; does it accept this side's certificate?"


_NOT_OURS = "its certificate is not from this site's authority"
_VERIFY = {  # X509_V_ERR_… of OpenSSL
    9: "its certificate is not valid yet; is this machine's clock right?",
    10: "its certificate has expired",
    18: _NOT_OURS,
    19: _NOT_OURS,
    20: _NOT_OURS,
    21: _NOT_OURS,
    7: _NOT_OURS,
    26: "its certificate is not made for this side of a connection",
}
_REASONS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it shows no certificate",
    "WRONG_VERSION_NUMBER": "it does not speak TLS",
    "HTTP_REQUEST": "it does not speak TLS",
    "UNSUPPORTED_PROTOCOL": "it speaks only TLS versions older than 1.2",
}
