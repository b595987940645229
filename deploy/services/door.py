"""The gateways' way in at the broker: this clone's own certificate authority, and what a broker needs of it.

Imported where a broker is started: certificates are the cloud's trade (`cloud.pki`).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from cloud import clock
from cloud.pki import authority, revocation_list
from cloud.pki.authority import Authority
from deploy.services import locks, places
from deploy.services.ports import LOOPBACK

ADDRESSES = (LOOPBACK, "localhost")


@dataclass(frozen=True)
class Door:
    """The broker's TLS listener. Gateways come in with certificates that `authority` (a folder) signed.

    revocation_list: the file that the broker reads, and reload: a command line that makes it read it again.
    """

    host: str
    port: int
    authority: Path
    revocation_list: Path
    reload: str


@dataclass(frozen=True)
class ServerFiles:
    """PEM, each."""

    authority: str
    certificate: str
    key: str


def authority_of_clone(folder: Path | None = None) -> Authority:
    """The clone's authority, made at first use."""
    folder = folder or places.AUTHORITY
    with locks.exclusive(locks.AUTHORITY):
        if not (folder / authority.CERTIFICATE).exists():
            shutil.rmtree(folder, ignore_errors=True)  # half of one, from a command that was killed
            return authority.create(folder, "Pulsepost, one clone", clock.now())
        return authority.load(folder)


def server_files() -> ServerFiles:
    """What a server on loopback shows, and whom it trusts."""
    signer = authority_of_clone()
    certificate, key = signer.certify_server(ADDRESSES, clock.now())
    return ServerFiles(signer.pem, certificate, key)


def list_to_start_with(file: Path) -> str:
    """The list of the revoked that is there, renewed; an empty one where there is none of this authority's."""
    signer, revoked = authority_of_clone(), {}
    previous = file.read_text() if file.exists() else None
    if previous is not None and revocation_list.is_signed_by(previous, signer.certificate):
        revoked = revocation_list.entries(previous)
    else:
        previous = None
    return signer.list_revoked(revoked, clock.now(), previous)
