"""Who this gateway is to the broker: its key, its certificate and the authority it trusts, in one file of its data.

One file, because one file can be replaced in one step: a gateway that loses power has its old identity or its new one.
It is PEM with text before it (RFC 7468 §5.2), so that the running gateway knows its certificate's end without a library
that reads certificates: that one costs 8 MB of memory (measured), and only `enrol` and `renew` load it.
"""

import fcntl
import os
import re
import secrets
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

FILE = "identity.pem"
# When so much of its validity has passed, a certificate is renewed.
RENEWED_AFTER = 2 / 3

# Of this file, and of the key that a certificate is being asked for with.
_DRAFTS = ".identity.*.????????"
_HEAD = re.compile(r"Gateway: (\S+)\nValid-From: (\S+)\nValid-Until: (\S+)\n")
_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----\n.+?-----END \1-----\n", re.DOTALL)


class IdentityError(Exception):
    """The identity cannot be used; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """PEM: ``key`` (PKCS #8), ``certificate`` (of this gateway), ``authority`` (that signs the broker's, too)."""

    gateway_id: str
    valid_from: datetime
    valid_until: datetime
    certificate: str
    authority: str
    key: str = field(repr=False)

    @property
    def renew_at(self) -> datetime:
        """From when on to ask for the next one."""
        return self.valid_from + (self.valid_until - self.valid_from) * RENEWED_AFTER


def path_in(data_dir: Path) -> Path:
    """Where the identity is."""
    return data_dir / FILE


def load(data_dir: Path) -> Identity | None:
    """The identity, or None where the gateway has not been enrolled. IdentityError."""
    path = path_in(data_dir)
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise IdentityError(f"{path} cannot be read; enrol this gateway again, with a new code") from error
    head, blocks = _HEAD.match(text), [found.group() for found in _BLOCK.finditer(text)]
    try:
        if head is None or len(blocks) != 3:
            raise ValueError("not an identity")
        valid_from, valid_until = (datetime.fromisoformat(head[number]) for number in (2, 3))
    except ValueError as error:
        raise IdentityError(f"{path} is damaged; enrol this gateway again, with a new code") from error
    key, certificate, authority = blocks
    return Identity(
        gateway_id=head[1],
        valid_from=valid_from,
        valid_until=valid_until,
        certificate=certificate,
        authority=authority,
        key=key,
    )


def save(data_dir: Path, identity: Identity) -> None:
    """Replace the identity in one step; when this returns, it is on the disk. OSError."""
    text = (
        f"Gateway: {identity.gateway_id}\nValid-From: {identity.valid_from.isoformat()}\n"
        f"Valid-Until: {identity.valid_until.isoformat()}\n\n{identity.key}{identity.certificate}{identity.authority}"
    )
    replace_private(path_in(data_dir), text)


def replace_private(path: Path, text: str) -> None:
    """Replace a file in one step by one of mode 0600; when this returns, it is on the disk. OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # somebody still writes it: see forget_drafts
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def forget_drafts(data_dir: Path) -> None:
    """Remove what a process that was killed between writing and replacing has left: it holds a key.

    One that is being written at this moment, by `enrol` or `renew`, stays. OSError.
    """
    for draft in data_dir.glob(_DRAFTS):
        try:
            with draft.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                draft.unlink(missing_ok=True)
        except (BlockingIOError, FileNotFoundError):
            continue


def tls_context(data_dir: Path) -> ssl.SSLContext:
    """How the broker is met: TLS 1.2 at least, our certificate, our authority's and nobody else's. IdentityError."""
    identity = load(data_dir)
    if identity is None:
        raise IdentityError(f"{path_in(data_dir)} is not there; enrol this gateway, with a code")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=identity.authority)
        context.load_cert_chain(path_in(data_dir))
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise IdentityError(f"{path_in(data_dir)} is damaged; enrol this gateway again, with a new code") from error
    return context
