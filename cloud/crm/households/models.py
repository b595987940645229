"""Who lives with whom, whom one may talk to about a patient, and about what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from cloud.contacts.models import ContactPerson

LONGEST_RELATION: Final = 60
# Of those whom a search by name finds.
MOST_FOUND: Final = 10


class Topic(StrEnum):
    """What a contact person may be told."""

    REACHED = "reached"  # that we try to reach the patient
    APPOINTMENTS = "appointments"
    DEVICES = "devices"  # how to measure, what is wrong with a device
    READINGS = "readings"
    TREATMENT = "treatment"


class Method(StrEnum):
    """How the patient said it."""

    SPOKEN = "spoken"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Housemate:
    """Somebody of the household in one's own care. ``relation``: in their household, as somebody wrote it.

    ``devices``: those that they share with the patient of the page.
    """

    member_id: UUID
    patient_id: UUID
    display_name: str
    birth_date: date | None
    relation: str
    added_by: str
    added_at: datetime
    devices: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """A patient in one's own care who may live there, too: they share a device or a telephone number, or were found."""

    patient_id: UUID
    display_name: str
    birth_date: date | None
    devices: Sequence[str]
    numbers: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The newest word about one contact person. ``topics`` empty: nothing may be said to them."""

    contact_id: UUID
    topics: Sequence[Topic]
    said_on: date
    method: Method
    entered_by: str
    entered_at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "topics", tuple(topic for topic in Topic if topic.value in self.topics))
        object.__setattr__(self, "method", Method(self.method))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEntry:
    """What somebody wrote down of it."""

    topics: Sequence[Topic]
    said_on: date
    method: Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Talking:
    """A contact person of the card, and what they may be told; ``consent`` None: what the card says holds."""

    person: ContactPerson
    consent: Consent | None

    @property
    def topics(self) -> Sequence[Topic]:
        if self.consent is not None:
            return self.consent.topics
        return tuple(Topic) if self.person.may_be_told else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """What is shown of a patient's household. ``relation`` is the patient's own in it; ``member_id`` None: in none."""

    member_id: UUID | None
    relation: str
    housemates: Sequence[Housemate]
    talking: Sequence[Talking]

    def topics_of(self, name: str, relation: str) -> Sequence[Topic]:
        """What a contact person of this name and relation may be told; of two of them what both may."""
        of = [one.topics for one in self.talking if (one.person.name, one.person.relation) == (name, relation)]
        return tuple(topic for topic in Topic if of and all(topic in topics for topics in of))
