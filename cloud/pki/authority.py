"""The authority on disk: a folder with its certificate and its key, made once and never overwritten.

``ca.pem`` may be given to anybody; ``ca.key.pem`` (mode 0600) signs, and whoever has it can be any gateway.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cloud.pki import certificates, revocation_list
from cloud.pki.requests import SigningRequest

CERTIFICATE, KEY = "ca.pem", "ca.key.pem"


class AuthorityError(Exception):
    """The authority's folder cannot be used; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Signs. ``certificate`` and what it issues leave it; ``key`` never does."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def pem(self) -> str:
        """Its certificate, which everybody who is to trust it needs."""
        return to_pem(self.certificate)

    def certify_gateway(
        self, request: SigningRequest, at: datetime, validity: timedelta = certificates.GATEWAY_VALIDITY
    ) -> x509.Certificate:
        """A gateway's certificate, valid from a little before ``at``."""
        return certificates.gateway_certificate(
            self.certificate,
            self.key,
            request.gateway_id,
            request.public_key,
            at - certificates.BACKDATED,
            at + validity,
        )

    def certify_server(self, addresses: Iterable[str], at: datetime) -> tuple[str, str]:
        """A server's certificate and its new key, both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        signed = certificates.server_certificate(self.certificate, self.key, addresses, key.public_key(), at)
        return to_pem(signed), key_to_pem(key)

    def list_revoked(self, revoked: Mapping[int, datetime], at: datetime, previous: str | None = None) -> str:
        """The list of the revoked, PEM; newer than ``previous`` in any case (`revocation_list`)."""
        return revocation_list.signed(self.certificate, self.key, revoked, at, previous)

    def issued(self, certificate: x509.Certificate) -> bool:
        """Whether this authority signed it; validity and revocation are not looked at."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except Exception:  # noqa: BLE001 -- whatever does not verify, for whichever reason, is not ours
            return False
        return True


def create(folder: Path, name: str, at: datetime) -> Authority:
    """Make an authority in a folder of its own. AuthorityError where one is there already: it is never overwritten."""
    key = ec.generate_private_key(ec.SECP256R1())
    authority = Authority(certificate=certificates.authority_certificate(key, name, at), key=key)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(folder / KEY, key_to_pem(key), 0o600)
        _write_new(folder / CERTIFICATE, authority.pem, 0o644)
    except FileExistsError as error:
        raise AuthorityError(f"{folder} holds an authority already; it is not overwritten") from error
    except OSError as error:
        raise AuthorityError(f"{folder} cannot be used: {error.strerror}") from error
    return authority


def load(folder: Path) -> Authority:
    """The authority of a folder. AuthorityError."""
    try:
        if (folder / KEY).stat().st_mode & 0o077:
            raise AuthorityError(f"others can read {folder / KEY}; run: chmod 600 {folder / KEY}")
        key = serialization.load_pem_private_key((folder / KEY).read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
    except OSError as error:
        raise AuthorityError(
            f"{error.filename} cannot be read ({error.strerror});"
            f" to make an authority: python -m cloud ca init {folder}"
        ) from error
    except ValueError as error:
        raise AuthorityError(
            f"{folder} does not hold an authority's key and certificate; restore its backup"
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise AuthorityError(f"key and certificate in {folder} are not a pair; restore its backup")
    return Authority(certificate=certificate, key=key)


def to_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_to_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """PKCS #8, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _write_new(path: Path, text: str, mode: int) -> None:
    """Write a file that must not be there yet, and have it on the disk."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
