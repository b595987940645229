"""Argon2id (RFC 9106, the low-memory recommendation: 64 MiB, 3 passes), off the event loop."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

_HASHER = PasswordHasher()
# An unknown login costs what a known one costs: its password is compared with this, which nobody knows.
_NOBODY = _HASHER.hash("an account that does not exist")


def hash_password(password: str) -> str:
    """The PHC string to store."""
    return _HASHER.hash(password)


async def hashed(password: str) -> str:
    """The same, off the event loop."""
    return await asyncio.to_thread(hash_password, password)


async def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is the account's; for ``None`` (no such account) the same work, and always False."""
    fits = await asyncio.to_thread(_fits, password_hash or _NOBODY, password)
    return fits and password_hash is not None


def _fits(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
