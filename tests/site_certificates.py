"""Certificates for the tests: a site's own, and some that no server may let in."""

from dataclasses import dataclass
from pathlib import Path

from modbus_link.certificates import Authority, Certificate
from modbus_link.tls import Tls, TlsFiles

HERE = ["localhost", "127.0.0.1"]
ROLES = ("master", "operator", "viewer", "rtu")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCertificates:
    folder: Path

    def files(self, name: str, authority: Path | None = None) -> TlsFiles:
        """`name`'s own; `authority` is the folder of those that it trusts, if that is another."""
        ca = (authority or self.folder) / "ca.crt"
        own = self.folder / name
        return TlsFiles(ca=str(ca), certificate=f"{own}.crt", key=f"{own}.key")

    def tls(self, name: str, authority: Path | None = None) -> Tls:
        return self.files(name, authority).load()


def make_certificates(folder: Path) -> SiteCertificates:
    """One for each role, under the role's name; and nobody (no role), past (expired), guest (a role that
    is in no file)."""
    authority = Authority(folder)
    wanted = [Certificate(name=role, role=role, hosts=HERE) for role in ROLES]
    authority.create("test", wanted, days=365)
    authority.issue(Certificate(name="nobody", role="", hosts=HERE), days=365)
    authority.issue(Certificate(name="past", role="master", hosts=HERE), days=0)
    authority.issue(Certificate(name="guest", role="guest", hosts=HERE), days=365)
    return SiteCertificates(folder=folder)
