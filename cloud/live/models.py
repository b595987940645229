"""What the database tells us: ids only; whoever may see the record reads it from its table."""

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import msgspec


class ReadingStored(msgspec.Struct, frozen=True, tag_field="type", tag="reading"):
    """A reading has become an observation."""

    reading_id: UUID
    patient_id: UUID
    kind: str


class HeldAnswered(msgspec.Struct, frozen=True, tag_field="type", tag="held"):
    """Somebody has said whose a reading is that waited."""

    patient_id: UUID


class CaseChanged(msgspec.Struct, frozen=True, tag_field="type", tag="case"):
    """A case was opened or changed by the case event ``event_id``."""

    case_id: UUID
    patient_id: UUID
    event_id: int


class TechnicalChanged(msgspec.Struct, frozen=True, tag_field="type", tag="technical"):
    """Technical alarms were raised, changed or resolved. Without an id: one notice a transaction, however many."""


class PageSent(msgspec.Struct, frozen=True, tag_field="type", tag="page"):
    """Somebody was paged, or a page of theirs was called off: their open pages ask which."""

    account_id: UUID


class MessageTold(msgspec.Struct, frozen=True, tag_field="type", tag="message"):
    """A message between a patient and the care team was written, or opened or settled."""

    patient_id: UUID
    is_new: bool
    from_patient: bool


class CallTold(msgspec.Struct, frozen=True, tag_field="type", tag="call"):
    """Somebody's telephone rings or has stopped, or what it was asked stands otherwise: their open pages ask how."""

    account_id: UUID


Notice = ReadingStored | HeldAnswered | CaseChanged | TechnicalChanged | PageSent | MessageTold | CallTold


@dataclass(frozen=True, slots=True)
class Ended:
    """The last thing in a subscription: why nothing more follows."""

    why: Literal["lost", "behind", "closing"]


def parse(payload: str) -> Notice:
    """A payload of channel ``live``; msgspec.DecodeError for anything else."""
    return _DECODER.decode(payload)


_DECODER: Final[msgspec.json.Decoder[Notice]] = msgspec.json.Decoder(Notice)
