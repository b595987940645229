"""What is due to be ended now."""

from dataclasses import dataclass
from datetime import datetime

from cloud.db.connect import Connection
from cloud.retention import store
from cloud.retention.models import KEEPING, Keeping


@dataclass(frozen=True, slots=True)
class Ended:
    """How many rows of what."""

    sessions: int
    alarms: int

    def __bool__(self) -> bool:
        return bool(self.sessions or self.alarms)


def end_what_is_over(connection: Connection, now: datetime, keeping: Keeping = KEEPING) -> Ended:
    """One piece of it; nothing is left where it comes back false."""
    return Ended(
        sessions=store.end_sessions(connection, now - keeping.idle_sessions, keeping.newest_sessions, keeping.at_once),
        alarms=store.end_alarms(connection, now - keeping.resolved_alarms, keeping.at_once),
    )
