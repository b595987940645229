"""Accounts and sessions."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What an account may do; the care team says for whom."""

    NURSE = "nurse"
    LEAD_NURSE = "lead_nurse"
    DOCTOR = "doctor"
    COORDINATOR = "coordinator"
    SUPPORT = "support"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    PATIENT = "patient"


CLINICAL = frozenset({Role.NURSE, Role.LEAD_NURSE, Role.DOCTOR})
NURSING = frozenset({Role.NURSE, Role.LEAD_NURSE})
# Those who look after gateways and devices; a nurse reads what is wrong with them, and is not paged for it.
SUPPORTING = frozenset({Role.SUPPORT, Role.ADMINISTRATOR})
TECHNICAL = NURSING | SUPPORTING


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in person. ``token_hash`` is the session's key; the token itself is only in the person's cookie.

    Within a request ``language`` is the one that they read, chosen or not.
    """

    token_hash: bytes
    csrf_token: str
    last_seen_at: datetime
    account_id: UUID
    login: str
    display_name: str
    role: Role
    patient_id: UUID | None
    language: str | None = None  # None: they have not chosen one

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", Role(self.role))


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What is compared at sign-in."""

    account_id: UUID
    password_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A sign-in that succeeded: ``token`` goes into the cookie and nowhere else."""

    account_id: UUID
    token: str


class Refusal(StrEnum):
    """Why nobody was signed in. An unknown login and a wrong password look the same."""

    WRONG = "wrong"
    THROTTLED = "throttled"
