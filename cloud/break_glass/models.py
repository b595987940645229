"""A broken glass, and what somebody typed to break one."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

# A proposal: standards ask for a time box and name none. The database allows no more (sql/0016_access.sql).
OPEN_FOR: Final = timedelta(minutes=60)
SHORTEST_REASON: Final = 10
LONGEST_REASON: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Glass:
    """One that the reader broke and that is still open, or that another broke and a lead nurse has not seen yet.

    ``patient_name``: None where the reader may not see the patient. ``left``: zero or less once it is over.
    """

    break_glass_id: UUID
    patient_id: UUID
    patient_name: str | None
    account_id: UUID
    by_name: str
    reason: str
    left: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Whom somebody asks for, by id or else by full name and birth date, and why."""

    patient_id: UUID | None
    name: str
    born: date | None
    reason: str
