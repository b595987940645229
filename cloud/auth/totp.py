"""Codes of an authenticator app: TOTP (RFC 6238) with SHA-1, 6 digits and steps of 30 s, as every app speaks it."""

import base64
import secrets
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives import constant_time
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_S: Final = 30
DIGITS: Final = 6
SECRET_OCTETS: Final = 20  # RFC 4226, section 4: 160 bits are recommended
# A telephone's clock may be half a minute off, or somebody types slowly (RFC 6238, section 5.2: one step).
STEPS_AROUND: Final = 1
ISSUER: Final = "Pulsepost"


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_OCTETS)


def as_text(secret: bytes) -> str:
    """The secret in base32, in groups of four, for typing into an app."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def address(secret: bytes, login: str) -> str:
    """The ``otpauth:`` address that a QR code carries."""
    return _totp(secret).get_provisioning_uri(login, ISSUER)


def code(secret: bytes, at: datetime) -> str:
    """The code of that moment."""
    return _code_of(secret, _step(at))


def fitting_step(secret: bytes, typed: str, at: datetime, after: int | None) -> int | None:
    """The step whose code this is, one step early or late; None where it is none, or not later than ``after``.

    Every step is looked at, whichever fits: the time it takes says nothing.
    """
    now, found = _step(at), None
    given = "".join(typed.split()).encode()
    for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1):
        fits = constant_time.bytes_eq(_code_of(secret, step).encode(), given)
        if fits and (after is None or step > after):
            found = step
    return found


def _step(at: datetime) -> int:
    return int(at.timestamp()) // STEP_S


def _code_of(secret: bytes, step: int) -> str:
    return _totp(secret).generate(step * STEP_S).decode()


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303  (HMAC-SHA-1: the only one that all apps speak)
