"""How a patient is reached, and what there is to tell them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import Final
from uuid import UUID

from cloud.notifications.models import ChannelName

# The ways outside our own pages; the patient's page is there in any case.
WAYS: Final = (ChannelName.EMAIL, ChannelName.SMS, ChannelName.WEBHOOK)
# Where nobody said otherwise, nobody's telephone rings at night. Proposals of this project.
QUIET_FROM: Final = time(21)
QUIET_UNTIL: Final = time(8)


class What(StrEnum):
    """Of what kind it is: to us. What leaves the house says it of none."""

    MESSAGE = "message"
    QUESTIONNAIRE = "questionnaire"
    MEASURE = "measure"
    NUDGE = "nudge"
    MEDICATION = "medication"
    VISIT = "visit"
    ADVICE = "advice"
    SURVEY = "survey"
    COMPLAINT = "complaint"
    ARTICLE = "article"
    EVENT = "event"
    ANSWER = "answer"


class State(StrEnum):
    """How it stands; PAGE: no way outside was open, and it is on the patient's own page."""

    WAITING = "waiting"
    SENT = "sent"
    PAGE = "page"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """When and in which language. ``set_by`` None: nobody chose, and the defaults hold."""

    quiet_from: time
    quiet_until: time
    language: str
    set_by: str | None = None
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A way to the patient; ``place`` says which is tried first."""

    channel_id: UUID
    channel: ChannelName
    address: str
    place: int
    added_by: str
    added_at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "channel", ChannelName(self.channel))


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The newest word of the patient about one way."""

    channel: ChannelName
    decision: str
    method: str
    entered_by: str
    entered_at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "channel", ChannelName(self.channel))

    @property
    def is_given(self) -> bool:
        return self.decision == "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A line of the log: what kind of thing, how it stands and why, and each try: way, when, how it ended."""

    message_id: UUID
    what: What
    created_at: datetime
    state: State
    why: str | None
    tries: tuple[tuple[str, datetime, str], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "what", What(self.what))
        object.__setattr__(self, "state", State(self.state))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """All that the page shows."""

    reach: Reach
    addresses: Sequence[Address]
    consents: Sequence[Consent]
    told: Sequence[Told]

    def consent(self, channel: str) -> Consent | None:
        """None: the patient was never asked, so nothing is sent there."""
        return next((one for one in self.consents if one.channel == channel), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What one patient is to be told, with what the delivery needs to know of them.

    ``has_page``: somebody can sign in and find it. ``until``: later it is of no use.
    """

    message_id: UUID
    patient_id: UUID
    what: What
    reason: str
    subject_id: UUID | None
    created_at: datetime
    until: datetime | None
    zone: str
    quiet_from: time
    quiet_until: time
    language: str
    has_page: bool
    training: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "what", What(self.what))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWords:
    """What a clinic says outside in one language, for all patients the same. ``body`` has {link} once."""

    language: str
    subject: str
    body: str
    set_by: str = ""
    set_at: datetime | None = None
