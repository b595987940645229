"""What a hospital's document says, and how it stands here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from cloud.crm.followups.models import What

# LOINC: Discharge summary.
DISCHARGE_SUMMARY: Final = "18842-5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """``system``: who gives such numbers, a URI."""

    system: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """The patient, as the document names them."""

    name: str
    birth_date: date | None
    identifiers: Sequence[Identifier]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """Something to be done. ``on``: on the patient's calendar. ``why``: why it is not proposed (texts.UNREAD).

    ``why`` None: it is. ``place``: where it stands in the document; ``detail``: what exactly could not be read.
    """

    place: str
    what: What
    says: str
    on: date | None = None
    why: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What people read of the document."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """``discharged_on`` None: it does not say. ``is_summary``: it calls itself one (DISCHARGE_SUMMARY)."""

    title: str
    about: str
    discharged_on: date | None
    is_summary: bool
    whose: Whose
    instructions: Sequence[Instruction]
    sections: Sequence[Section]


class Match(StrEnum):
    """Whose document it is, by its identifiers and the date of birth; never by a name."""

    THIS = "this"  # an identifier of this patient's
    UNKNOWN = "unknown"  # nobody's yet, and the date of birth is this patient's: a person may say that it is theirs
    ANOTHER = "another"  # an identifier of somebody else's
    NO_IDENTIFIER = "no_identifier"
    NO_BIRTH_DATE = "no_birth_date"  # on either side: nothing to compare but a name
    OTHER_BIRTH_DATE = "other_birth_date"
    TOO_OFTEN = "too_often"  # this person asked of too many numbers within an hour: nobody says whose it is


MAY_BE_TAKEN: Final = frozenset({Match.THIS, Match.UNKNOWN})


class State(StrEnum):
    RECEIVED = "received"
    TAKEN = "taken"
    SET_ASIDE = "set_aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A document as it came. Names are display names."""

    document_id: UUID
    state: State
    received_by: str
    received_at: datetime
    ended_by: str | None
    ended_at: datetime | None
    why: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", State(self.state))
