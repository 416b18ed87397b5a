"""What can go wrong between two Modbus devices.

LinkError
├── LinkDown         no connection, or it broke while a reply was due
├── LinkTimeout      connected, but no reply in time          (also a TimeoutError)
├── BadReply         a reply that doesn't belong to the request
├── Refused          the device answered with an exception code
├── WrongDevice      it serves another map than it was asked for
├── BadTlsFiles      certificates or keys that can't be used  (in tls.py)
└── CannotListen     a server's address can't be had          (also an OSError)

BadInput             what a person asked for can't be done
Failed               what was begun can't be finished
"""

import os
import socket
import ssl
from enum import IntEnum


class ExceptionCode(IntEnum):
    """MODBUS Application Protocol V1.1b3, section 7."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_DATA_ADDRESS = 2
    ILLEGAL_DATA_VALUE = 3
    SERVER_DEVICE_FAILURE = 4
    SERVER_DEVICE_BUSY = 6
    GATEWAY_TARGET_FAILED_TO_RESPOND = 0x0B


class LinkError(Exception):
    """Root of this package's errors; the text says what was being done, to whom."""


class LinkDown(LinkError):
    """There is no connection, or it broke before the reply."""


class LinkTimeout(LinkError, TimeoutError):
    """The device is connected but did not reply in time."""


class BadReply(LinkError):
    """The reply has the wrong function, length or content."""


class Refused(LinkError):
    """The device answered with an exception code."""

    def __init__(self, what: str, code: int) -> None:
        self.code = code
        known = code in list(ExceptionCode)
        name = ExceptionCode(code).name.replace("_", " ").lower() if known else "unknown"
        super().__init__(f"{what}: exception {code:#04x}, {name}")


class WrongDevice(LinkError):
    """It says that it is another kind of device: `product` is the map that it serves."""

    def __init__(self, what: str, product: str) -> None:
        self.product = product
        super().__init__(what)


class BadInput(ValueError):
    """What a person asked for can't be done; the text says why, and what to do instead."""


class Failed(RuntimeError):
    """What was begun can't be finished; the text says why, and what to do."""


class CannotListen(LinkError, OSError):
    """The server's host and port can't be had."""


def reason(error: Exception) -> str:
    """Why the system can't connect or listen; asyncio's own text repeats the address in its stead."""
    if not isinstance(error, OSError):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(error.reason or str(error)).lower().replace('_', ' ')}"
    if error.errno and not isinstance(error, socket.gaierror):
        return os.strerror(error.errno)
    return error.strerror or str(error)
