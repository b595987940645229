"""What the escalation reads of a case, and what it tells others to do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from alerting.escalate import Facts
from cloud.db.connect import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A locked case. ``latest``: the latest time that is written anywhere in it; its time never runs backwards.

    ``training``: of a training patient. Its trainees are told whether or not they are on duty, and it opens no gap.
    """

    case_id: UUID
    patient_id: UUID
    facts: Facts
    changed_at: datetime
    latest: datetime
    training: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGap:
    """A locked gap. ``paged``: how often the lead nurses were told."""

    gap_id: UUID
    role: str
    why: str
    opened_at: datetime
    acknowledged_at: datetime | None
    next_at: datetime | None
    paged: int


class Notify(Protocol):
    """``cloud.notifications.service.notify``: one row for each case, round, step and person, however often asked."""

    def __call__(
        self, connection: Connection, *, case_id: UUID, round: int, step: int, account_id: UUID, at: datetime
    ) -> UUID | None:
        """In the caller's transaction."""


class NotifyOfGap(Protocol):
    """``cloud.notifications.service.notify_of_gap``: one row for each gap and person, however often asked."""

    def __call__(self, connection: Connection, *, gap: str, account_id: UUID, at: datetime) -> UUID | None:
        """In the caller's transaction. ``gap`` names no patient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How people are told."""

    notify: Notify
    notify_of_gap: NotifyOfGap
