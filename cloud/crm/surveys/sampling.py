"""Who of all is asked: pure. Of one thing it is always the same, by whichever process it is looked at."""

import hashlib
from uuid import UUID


def is_sampled(about: UUID, percent: int) -> bool:
    """Whether this thing falls among ``percent`` of a hundred; by its id alone."""
    return int.from_bytes(hashlib.sha256(about.bytes).digest()[:8]) % 100 < percent
