"""Room on the disk: how much is free, when that is too little, and a reserve for getting out of it.

Devices keep what they measured; a full disk stops taking more from them well before the last octet. What was taken must
still get out: writing down that a reading was published or receipted needs a little room, and the reserve is a file
that gives it up where somebody else took the rest.
"""

import os
from contextlib import suppress
from pathlib import Path

MIB = 1024 * 1024
# Below so much, devices are left unread: many visits' worth, and nothing on a card of 8 GB.
FLOOR_OCTETS = 16 * MIB
# SQLite's log and what one checkpoint of it can add to the file: 1,000 pages.
RESERVE_OCTETS = 4 * MIB


class Disk:
    """The filesystem of the outbox."""

    def __init__(self, folder: Path, *, floor: int = FLOOR_OCTETS, reserve: int = RESERVE_OCTETS) -> None:
        self.floor = floor
        self._folder = folder
        self._reserve = reserve
        self._file = folder / "reserve"

    def free_octets(self) -> int:
        """What a user without privileges can still write. OSError."""
        about = os.statvfs(self._folder)
        return about.f_bavail * about.f_frsize

    def is_short(self) -> bool:
        """Whether it is too full to take anything from a device. OSError."""
        return self.free_octets() < self.floor

    def is_tight(self) -> bool:
        """Whether it could not hold the reserve above the floor: what can be given back should be. OSError."""
        needed = self.floor if self._file.exists() else self.floor + self._reserve
        return self.free_octets() < needed

    def hold_reserve(self) -> None:
        """Have the reserve, where there is room for it; a disk that refuses it is short of it, no more."""
        with suppress(OSError):
            if not self._file.exists() and self.free_octets() >= self.floor + self._reserve:
                self._make_reserve()

    def release_reserve(self) -> bool:
        """Give the reserve up; whether there was any."""
        try:
            self._file.unlink()
        except OSError:
            return False
        return True

    def _make_reserve(self) -> None:
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self._reserve)
        except OSError:
            self._file.unlink()  # half a reserve would pass for a whole one
            raise
        finally:
            os.close(descriptor)
