"""One-time codes: drawn at random, typed by people, kept as a hash.

Twenty characters of Crockford's alphabet, in groups of five: 100 random bits, without letters that look like digits.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS, GROUP = 4, 5
VALID_FOR: Final = timedelta(hours=24)
LONGEST_VALID: Final = timedelta(days=7)
# What a reader takes for a digit is the digit.
_LOOKALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1", " ": "", "-": "", "\t": ""})


def draw() -> str:
    """A new code, such as `7KQ2M-0XHRD-9FWBZ-4TNVS`."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))


def code_hash(typed: str) -> bytes:
    """SHA-256 of a code however it is typed. A slow hash would protect nothing: 100 random bits cannot be guessed."""
    return hashlib.sha256(typed.strip().upper().translate(_LOOKALIKES).encode()).digest()
