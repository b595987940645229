"""Codes that people carry on paper or in a link: of 80 or more random bits, kept as a hash alone."""

import base64
import hashlib
import secrets
from typing import Final

RECOVERY_CODES: Final = 10
RECOVERY_OCTETS: Final = 10


def new_recovery_code() -> str:
    """80 bits in base32, in groups of four: ``ABCD-EFGH-IJKL-MNOP``."""
    text = base64.b32encode(secrets.token_bytes(RECOVERY_OCTETS)).decode()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def recovery_hash(typed: str) -> bytes:
    """Of what somebody typed: without regard to case, spaces and hyphens."""
    return _hash("".join(letter for letter in typed.upper() if letter.isalnum()))


def new_token() -> str:
    """256 bits, for a cookie or a link."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    return _hash(token)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
