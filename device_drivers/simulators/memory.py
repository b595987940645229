"""A device's memory: as many records as the profile says, the oldest overwritten where it is a ring."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from device_drivers.simulators.spec import RecordSpec


@dataclass(frozen=True, slots=True)
class Kept:
    """A measurement and what the device's clock showed at it (naive)."""

    local: datetime
    record: RecordSpec


class Memory:
    """Records in the order in which they were made."""

    def __init__(self, capacity: int, *, ring: bool, kept: Iterable[Kept] = ()) -> None:
        self._capacity = capacity
        self._ring = ring
        self._kept: list[Kept] = []
        for record in kept:
            self.add(record)

    def add(self, kept: Kept) -> None:
        """Keep a measurement; a full memory that is no ring keeps nothing more."""
        if len(self._kept) < self._capacity:
            self._kept.append(kept)
        elif self._ring:
            self._kept = [*self._kept[1:], kept]

    def newest_first(self, user: int | None = None) -> list[Kept]:
        """All records, or those of one user."""
        return [kept for kept in reversed(self._kept) if user in (None, kept.record.user)]

    def clear(self) -> None:
        """What an erase command does."""
        self._kept.clear()
