"""Which ended sessions are worth a message: each that tells something, and one a day of a device that nobody uses.

A meter on a cable is visited every five minutes. That it still holds what it held need not be said each time, and must
be said now and then: the cloud compares what a device holds with what it has stored.
"""

from datetime import datetime, timedelta

AT_LEAST_EVERY = timedelta(days=1)


class Endings:
    """What was told last of each device; empty at each start, so that the first ending after it is told."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[int | None, datetime]] = {}

    def has_news(self, device_id: str) -> None:
        """A reading came that was not known: the next ending is told, also where that is another visit's."""
        self._told.pop(device_id, None)

    def is_worth_telling(self, device_id: str, holds: int | None, at: datetime) -> bool:
        """Whether an ending is the first, comes after something new, holds another number, or is the day's."""
        if device_id not in self._told:
            return True
        told_holds, told_at = self._told[device_id]
        return holds != told_holds or abs(at - told_at) >= AT_LEAST_EVERY  # abs: a clock may be set back

    def told(self, device_id: str, holds: int | None, at: datetime) -> None:
        """It is on disk, and will be told."""
        self._told[device_id] = (holds, at)
