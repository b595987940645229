"""When each device of the roster was last there: heard on the radio, or found plugged in. For the heartbeat."""

from collections.abc import Callable
from datetime import datetime


class Sightings:
    """One moment per device, by its name in the configuration; kept for as long as the gateway runs."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._heard: dict[str, datetime] = {}

    def note(self, name: str) -> None:
        """It is there now."""
        self._heard[name] = self._now()

    def heard_at(self, name: str) -> datetime | None:
        """When it was there last; None where it was not since the gateway was started."""
        return self._heard.get(name)
