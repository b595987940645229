"""A case as people see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from alerting.dispositions import WITHOUT_NOTE, Disposition
from alerting.life import Life
from alerting.lifecycle import CLOSED, State
from alerting.reasons import Reason
from alerting.tiers import Tier
from cloud.alerts.reasons import from_json

_RANK: Final = {tier: rank for rank, tier in enumerate(Tier)}


class Show(StrEnum):
    """Which cases a worklist shows."""

    OPEN = "open"  # what is to be done now
    RETROSPECT = "retrospect"  # open, of readings that came late: looked at when there is time
    AUTOMATIC = "automatic"  # closed by nobody in the last day
    TRAINING = "training"  # open, of training patients: on no other list


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case with what a row shows. ``measured_at`` is of its latest reading, ``readings`` how many it has.

    ``reason`` is the JSON behind ``sentence``.
    """

    case_id: UUID
    patient_id: UUID
    patient_name: str
    time_zone: str
    condition: str
    priority: str
    tier: Tier
    state: State
    round: int
    step: int
    escalated_to: str | None
    owner: UUID | None
    owner_name: str | None
    lease_until: datetime | None
    offered_to: UUID | None
    offered_to_name: str | None
    silenced_until: datetime | None
    silenced_by: UUID | None
    silenced_by_name: str | None
    silenced_why: str | None
    sentence: str
    reason: Mapping[str, Any]
    opened_at: datetime
    raised_at: datetime
    deadline: datetime
    contact_by: datetime | None
    contacted_at: datetime | None
    next_at: datetime | None
    changed_at: datetime
    resolved_at: datetime | None
    disposition: str | None
    resolved_why: str | None
    closed_automatically: str | None
    measured_at: datetime | None
    readings: int
    training: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", State(self.state))
        object.__setattr__(self, "tier", Tier(self.tier))

    @property
    def why(self) -> Reason | None:
        """The reason as data; None: written by an older version, the sentence is all there is."""
        return from_json(self.reason)

    @property
    def life(self) -> Life:
        """What events change."""
        return Life(
            state=self.state,
            tier=self.tier,
            raised_at=self.raised_at,
            deadline=self.deadline,
            contact_by=self.contact_by,
            next_at=self.next_at,
            round=self.round,
            step=self.step,
            escalated_to=self.escalated_to,
            owner=self.owner,
            lease_until=self.lease_until,
            offered_to=self.offered_to,
            contacted_at=self.contacted_at,
            silenced_until=self.silenced_until,
            silenced_by=self.silenced_by,
            silenced_why=self.silenced_why,
        )

    @property
    def is_open(self) -> bool:
        return self.state not in CLOSED

    @property
    def is_waiting(self) -> bool:
        """Nobody works on it: its deadline counts."""
        return self.life.is_waiting

    @property
    def is_owned(self) -> bool:
        return self.life.is_owned

    def is_silent(self, at: datetime) -> bool:
        """Nobody is paged for it now."""
        return self.is_open and self.life.is_silent(at)

    @property
    def outcomes(self) -> tuple[Disposition, ...]:
        """How it may be closed without a word of explanation."""
        return WITHOUT_NOTE

    @property
    def due(self) -> datetime:
        """When something must have happened: it is taken by then, or its owner does something by then."""
        if self.is_waiting:
            return max(self.deadline, self.silenced_until or self.deadline)
        return self.lease_until or self.deadline

    @property
    def order(self) -> str:
        """Where it stands in the worklist: tier, what is due first, what worsened most. The page sorts by this text."""
        return f"{_RANK[self.tier]} {self.due:%Y-%m-%dT%H:%M:%S.%f} {max(0, 999 - self.round):03} {self.case_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One finding of a case."""

    tier: Tier
    sentence: str
    reason: Mapping[str, Any]
    effective_time: datetime
    raised_at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "tier", Tier(self.tier))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of a case's history. ``actor_name`` None: nobody did it, a reading or a deadline did.

    ``to_name``: the person whom ``data["to"]`` names, if it does.
    """

    at: datetime
    actor_name: str | None
    event: str
    from_state: str | None
    to_state: str
    data: Mapping[str, Any]
    to_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody to whom a case may be handed over."""

    account_id: UUID
    display_name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Why a case was not changed: ``code`` names the words in ``texts.CONFLICTS``."""

    code: str
    case: Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What somebody wrote into a form that was not accepted, so that they need not write it again."""

    act: str = ""
    disposition: str = ""
    note: str = ""
    to: str = ""
    reason: str = ""
    flags: tuple[str, ...] = ()
