"""A technical alarm as people see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One technical condition of one subject. ``identity``: what a device that no profile fits said of itself.

    ``inhibited_by`` is the condition that explains this one: it is then no work of its own. ``said``: what the sentence
    is made of (``alerting.technical.said``); None of an alarm that an older version raised.
    """

    alarm_id: UUID
    condition: str
    subject: str
    gateway_id: str | None
    device_name: str | None
    device_id: str | None
    priority: str
    sentence: str
    inhibited_by: str | None
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None
    acknowledged_by_name: str | None
    resolved_at: datetime | None
    identity: str | None
    said: Mapping[str, Any] | None = None

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    @property
    def is_waiting(self) -> bool:
        """Nobody has said that they look after it."""
        return self.is_open and self.acknowledged_at is None


class Place(NamedTuple):
    """Where to look for what hides an alarm: a condition of the same subject where that has it, else of the gateway."""

    explanation: str
    gateway_id: str | None
    subject: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An alarm, and what it hides: the first of them, and how many there are."""

    alarm: Alarm
    hidden: Sequence[Alarm] = ()
    hidden_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The open alarms that are work, the most urgent first, at most so many as are shown.

    ``count`` and ``waiting`` are of all. ``orphans`` are hidden by something that is not shown itself.
    """

    entries: Sequence[Entry]
    count: int
    waiting: int
    orphans: Sequence[Alarm]
    orphan_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Why an alarm was not changed: ``code`` names the words in ``texts.CONFLICTS``."""

    code: str
    alarm: Alarm
