"""A command, as who wrote it sees it and as it goes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

Stage = Literal["waiting", "published", "underway", "done", "failed", "refused", "expired"]

OPEN: Final = frozenset[Stage](("waiting", "published", "underway"))
TOLD: Final = frozenset[Stage](("underway", "done", "failed", "refused", "expired"))

# A gateway that is there answers within a second. One that says nothing is asked again: its broker, ours or a process
# between may have died with the command in its hands.
FIRST_AGAIN: Final = timedelta(seconds=10)
LAST_AGAIN: Final = timedelta(minutes=5)
# What was begun in time may end a little later than its time.
GRACE: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is known of one; ``step``: how often the gateway said something new of it, less one; -1: never."""

    command_id: UUID
    gateway_id: str
    kind: str
    stage: Stage
    step: int
    reason: str | None
    detail: Mapping[str, Any]
    created_at: datetime
    created_by: UUID | None
    expires_at: datetime
    published_at: datetime | None
    answered_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether something may still come of it."""
        return self.stage in OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A command that is due; ``body`` may hold a secret."""

    command_id: UUID
    gateway_id: str
    kind: str
    expires_at: datetime
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a gateway says of one of its commands."""

    command_id: UUID
    gateway_id: str
    stage: Stage
    step: int
    at: datetime
    reason: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
