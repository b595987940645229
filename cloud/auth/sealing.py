"""Secrets at rest: AES-256-GCM under the console's key, bound to the account whose they are."""

import secrets
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_OCTETS: Final = 12


class WrongKey(Exception):
    """It was sealed under another key, for another account, or has been changed."""


def seal(key: bytes, account_id: UUID, secret: bytes) -> bytes:
    """Nonce, then ciphertext with its tag."""
    nonce = secrets.token_bytes(NONCE_OCTETS)
    return nonce + AESGCM(key).encrypt(nonce, secret, account_id.bytes)


def opened(key: bytes, account_id: UUID, sealed: bytes) -> bytes:
    """WrongKey."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_OCTETS], sealed[NONCE_OCTETS:], account_id.bytes)
    except InvalidTag:
        raise WrongKey from None
