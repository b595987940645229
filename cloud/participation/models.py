"""A patient's participation: being taken in, activated, ended, closed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class TooOften(Exception):
    """One account has asked who is here so often that it has to wait for so long; nobody was looked for."""

    def __init__(self, again_after: timedelta) -> None:
        super().__init__(f"ask again in {again_after}")
        self.again_after = again_after


class Stage(StrEnum):
    """How far a participation has come."""

    ON_THE_WAY = "on_the_way"
    ACTIVE = "active"
    ENDED = "ended"  # something is left to do: cases, devices
    CLOSED = "closed"  # the care team sees the record no more


class EndReason(StrEnum):
    """Why nobody watches any longer; the database knows the same list."""

    CONSENT_WITHDRAWN = "consent_withdrawn"
    OWN_WISH = "own_wish"
    GOAL_REACHED = "goal_reached"
    OTHER_CARE = "other_care"
    MOVED = "moved"
    DIED = "died"
    NOT_SUITABLE = "not_suitable"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Participation:
    """The newest of a patient. Names are display names; ``begun_by`` None: they were here before this was kept."""

    participation_id: UUID
    patient_id: UUID
    begun_at: datetime
    begun_by: str | None
    activated_at: datetime | None
    activated_by: str | None
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None
    end_note: str
    seen_at: datetime | None
    seen_by: str | None
    closed_at: datetime | None
    closed_by: str | None

    @property
    def stage(self) -> Stage:
        if self.closed_at is not None:
            return Stage.CLOSED
        if self.ended_at is not None:
            return Stage.ENDED
        return Stage.ON_THE_WAY if self.activated_at is None else Stage.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Somebody whom nobody watches any longer, and of whom nobody of the care team has taken notice yet.

    ``unconfirmed``: readings beyond a limit that waited to be measured again when it ended, and became no case.
    """

    patient_id: UUID
    display_name: str
    time_zone: str
    ended_at: datetime
    end_reason: str
    open_cases: int
    unconfirmed: int
