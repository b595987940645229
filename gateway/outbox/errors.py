"""What can go wrong with the outbox, named by what the caller should do."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.outbox_schema import AnotherRelease
from gateway.sealing import KeyRefused, SealBroken

# SQLite's primary result codes.
_IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 10, 11, 13, 14, 26


class OutboxError(Exception):
    """The outbox could not be read or written (disk full, damaged, its key away); nothing of the call was done."""


class DiskRefused(OutboxError):
    """The disk would not take it: it is full, or fails."""


class FileDamaged(OutboxError):
    """The file is not what SQLite wrote."""


class SealedAway(OutboxError):
    """What was asked is sealed, and we may not read the key."""


@contextmanager
def as_outbox_error() -> Iterator[None]:
    """Errors of SQLite, the disk and the key as ours."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise _kind(error)(f"the outbox: {error}") from error
    except (SealBroken, KeyRefused, AnotherRelease) as error:
        raise OutboxError(f"the outbox: {error}") from error


def _kind(error: sqlite3.Error | OSError) -> type[OutboxError]:
    if isinstance(error, OSError):
        return DiskRefused if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS) else OutboxError
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (_CORRUPT, _NOTADB):
        return FileDamaged
    return DiskRefused if code in (_FULL, _IOERR, _CANTOPEN) else OutboxError
