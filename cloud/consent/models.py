"""Consent texts, and what patients decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID


class Decision(StrEnum):
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Method(StrEnum):
    PAPER = "paper"
    SCREEN = "screen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A part of a text: a ``heading``, a ``paragraph`` or a ``list`` with its points."""

    kind: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One consent text in one language. ``approved_by`` None: nobody has, it is this project's proposal."""

    text_id: str
    version: int
    language: str
    title: str
    approved_by: str | None
    blocks: Sequence[Block]
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One decision. ``entered_by`` is a display name, ``by_patient``: on their own screen."""

    consent_id: UUID
    patient_id: UUID
    text_id: str
    version: int
    language: str
    decision: str
    method: str
    signed_on: date | None
    note: str
    entered_by: str
    by_patient: bool
    entered_at: datetime

    def is_older_than(self, text: Text) -> bool:
        """Agreed, and to another text than this one, which is in use."""
        return self.decision == Decision.GIVEN and (self.text_id, self.version) != (text.text_id, text.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outdated:
    """Somebody who agreed to an older text than the one in use."""

    patient_id: UUID
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A decision, about to be written down."""

    text: Text
    decision: Decision
    method: Method
    signed_on: date | None = None
    note: str = ""
