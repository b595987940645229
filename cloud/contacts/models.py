"""An emergency card, contact persons, and what is typed to change them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    patient_id: UUID
    display_name: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardEntry:
    """What a card says. ``phones`` are the patient's own, E.164, the first is tried first."""

    address: str
    door_notes: str
    emergency_number: str
    speaks: str
    phones: Sequence[str]
    notes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(CardEntry):
    """One version; ``superseded_at`` None: the one in force. ``set_by`` is a display name."""

    card_id: UUID
    set_by: str
    set_at: datetime
    superseded_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactEntry:
    """``may_be_told``: the patient has agreed that they hear about the illness."""

    place: int
    name: str
    relation: str
    phones: Sequence[str]
    may_be_told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPerson(ContactEntry):
    """``added_by`` and ``removed_by`` are display names."""

    contact_id: UUID
    added_by: str
    added_at: datetime
    removed_by: str | None
    removed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is shown with a case: the card in force and whom to call, in order. ``card`` None: there is none yet."""

    card: Card | None
    contacts: Sequence[ContactPerson]
