"""Rows of the audit as they are read, and what is wrong with its chain."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

FIRST_HASH = bytes(32)
# What an action ends in that changes nothing: somebody looked.
LOOKS = ".read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page of the audit begins: after this row, going back in time."""

    at: datetime
    audit_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows: every condition that is set must hold. ``action`` may be LOOKS, for whatever was looked at."""

    account_id: UUID | None = None
    patient_id: UUID | None = None
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row. ``login``, ``role`` and ``name`` are those of the account; a patient's own account has no name here."""

    audit_id: int
    at: datetime
    account_id: UUID | None
    login: str | None
    role: str | None
    name: str | None
    action: str
    subject: str
    patient_id: UUID | None
    detail: Mapping[str, Any]

    @property
    def place(self) -> Place:
        """Where this row stands in the list."""
        return Place(at=self.at, audit_id=self.audit_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a row says, each field as the text that is hashed; times are microseconds since 1970."""

    audit_id: str
    at: str
    account_id: str | None
    action: str
    subject: str
    patient_id: str | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A place of the chain as it is stored, with the row that stands there; ``content`` None: the row is gone."""

    position: int
    linked_at: str
    audit_id: int
    hash: bytes
    content: Content | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest place of the chain, as somebody wrote it down."""

    position: int
    hash: bytes

    def __str__(self) -> str:
        return f"audit head {self.position} {self.hash.hex()}"


class Fault(StrEnum):
    """What happened to a row."""

    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The first row that is not as it was written. ``position`` None: it stands nowhere in the chain."""

    fault: Fault
    position: int | None
    audit_id: int | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Every row is as it was written; ``head`` None: there is none yet."""

    rows: int
    head: Head | None
