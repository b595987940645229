"""Accounts and sessions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from alerting.units import Units
from cloud.auth.browsers import spoken
from cloud.language.languages import ENGLISH, LANGUAGES, known
from device_drivers.nomenclature import Unit

# A unit that somebody chose: that of each device, whatever their language.
AS_DEVICES_SAY: Final = "device"


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
STAFF = frozenset(Role) - {Role.PATIENT}


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
    confined: bool = False  # to setting up the second factor that the role needs
    glucose_unit: str | None = None  # UCUM, or AS_DEVICES_SAY; None: they have not chosen one
    pressure_unit: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", Role(self.role))

    @property
    def units(self) -> Units:
        """In which they read figures: as chosen, else as is usual in their language."""
        usual = LANGUAGES[known(self.language) or ENGLISH].glucose
        return Units(
            glucose=_unit(self.glucose_unit) if self.glucose_unit else usual, pressure=_unit(self.pressure_unit)
        )


def _unit(chosen: str | None) -> Unit | None:
    return None if chosen is None or chosen == AS_DEVICES_SAY else Unit(chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What is compared at sign-in."""

    account_id: UUID
    role: Role
    password_hash: str | None  # None: invited, and no password set yet

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", Role(self.role))


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A second factor; it counts once it is confirmed. ``last_step``: of the last code that was taken."""

    account_id: UUID
    sealed: bytes
    confirmed_at: datetime | None
    last_step: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A sign-in whose password was right and whose code is still to come."""

    token_hash: bytes
    account_id: UUID
    login: str
    role: Role

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", Role(self.role))


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeNeeded:
    """The password was right; ``token`` goes into a cookie of its own until the code has come."""

    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A sign-in that succeeded: ``token`` goes into the cookie and nowhere else."""

    account_id: UUID
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session as it begins: it ends after ``idle`` without a request, and at ``expires_at`` in any case."""

    token_hash: bytes
    account_id: UUID
    csrf_token: str
    at: datetime
    expires_at: datetime
    idle: timedelta
    confined: bool
    browser: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSession:
    """One of a person's sessions, as they see it."""

    session_id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    browser: str
    is_this: bool

    @property
    def browser_name(self) -> str:
        return spoken(self.browser)


class Refusal(StrEnum):
    """Why nobody was signed in. An unknown login and a wrong password look the same."""

    WRONG = "wrong"
    WRONG_CODE = "wrong_code"
    OUTSIDE = "outside"
    THROTTLED = "throttled"
