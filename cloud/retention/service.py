"""What is due to be ended now."""

from dataclasses import dataclass
from datetime import datetime

from cloud.db.connect import Connection
from cloud.retention import store
from cloud.retention.models import KEEPING, Keeping


@dataclass(frozen=True, slots=True)
class Ended:
    """How many rows of what."""

    sessions: int = 0
    alarms: int = 0
    commands: int = 0
    forgotten: int = 0  # of the quarantine: emptied, since the patient has withdrawn

    def __bool__(self) -> bool:
        return bool(self.sessions or self.alarms or self.commands or self.forgotten)

    def __add__(self, more: "Ended") -> "Ended":
        return Ended(
            sessions=self.sessions + more.sessions,
            alarms=self.alarms + more.alarms,
            commands=self.commands + more.commands,
            forgotten=self.forgotten + more.forgotten,
        )


def end_what_is_over(connection: Connection, now: datetime, keeping: Keeping = KEEPING) -> Ended:
    """One piece of it; nothing is left where it comes back false."""
    return Ended(
        sessions=store.end_sessions(connection, now - keeping.idle_sessions, keeping.newest_sessions, keeping.at_once),
        alarms=store.end_alarms(connection, now - keeping.resolved_alarms, keeping.at_once),
        commands=store.end_commands(connection, now - keeping.ended_commands, keeping.at_once),
        forgotten=store.forget_withdrawn(connection, now - keeping.withdrawn_octets, keeping.at_once, now),
    )
