"""A message, a thread, and what waits for an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

LONGEST: Final = 2000


class Refused(Exception):
    """The message was not sent. ``code`` is one of texts.MESSAGE_REFUSALS; ``typed`` is what stays in the form."""

    def __init__(self, code: str, typed: str) -> None:
        super().__init__(code)
        self.code = code
        self.typed = typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """``read_at``: when somebody of the other side first had it on a screen. Names are display names.

    ``settled_at``: of a patient's, when it was answered or said to need no answer.
    """

    message_id: UUID
    from_patient: bool
    body: str
    written_at: datetime
    written_by: str
    written_by_role: str
    read_at: datetime | None
    read_by: str | None
    read_by_role: str | None
    settled_at: datetime | None
    settled_by: str | None

    @property
    def waits(self) -> bool:
        """For an answer of the care team."""
        return self.from_patient and self.settled_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A patient who waits for an answer: since when, how many messages, and how many of them nobody has opened."""

    patient_id: UUID
    patient_name: str
    time_zone: str
    since: datetime
    messages: int
    unread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What waits among an account's patients."""

    patients: int
    unread: int
    since: datetime | None


def count(waiting: Sequence[Waiting]) -> Count:
    """All of it in three figures."""
    return Count(
        patients=len(waiting),
        unread=sum(one.unread for one in waiting),
        since=min((one.since for one in waiting), default=None),
    )
