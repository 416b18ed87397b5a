"""Where a device serves, as a person writes it, and with which certificate he goes there."""

import ssl
from pathlib import Path

from modbus_link.errors import BadInput
from modbus_link.tls import BadTlsFiles, TlsFiles


def host_and_port(text: str) -> tuple[str, int]:
    """Of "127.0.0.1:5021" or "[::1]:5021"; BadInput for anything else."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise BadInput(f"{text!r} is no HOST:PORT; for a station on this machine: 127.0.0.1:5021")
    return host.removeprefix("[").removesuffix("]"), int(port)


def client_tls(certificate: Path | None) -> ssl.SSLContext | None:
    """To connect with NAME.crt; NAME.key and ca.crt lie beside it. None without a certificate."""
    if certificate is None:
        return None
    files = TlsFiles(
        ca=str(certificate.with_name("ca.crt")),
        certificate=str(certificate),
        key=str(certificate.with_suffix(".key")),
    )
    try:
        return files.load().client
    except BadTlsFiles as error:
        raise BadInput("\n".join(error.problems.values())) from error
