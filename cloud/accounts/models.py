"""Accounts as an administrator sees them, and invitations."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cloud.auth.models import Role


class Standing(StrEnum):
    """Whether somebody can sign in."""

    ACTIVE = "active"
    INVITED = "invited"
    INVITATION_OVER = "invitation_over"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """``invited_until``: of the invitation that is open. ``subject``: who they are at the clinic's provider."""

    account_id: UUID
    login: str
    display_name: str
    role: Role
    disabled_at: datetime | None
    has_password: bool
    has_second_factor: bool
    sessions: int
    invited_until: datetime | None
    subject: str | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", Role(self.role))

    def standing(self, now: datetime) -> Standing:
        """An account that is known from outside needs no password."""
        if self.disabled_at is not None:
            return Standing.DISABLED
        if self.has_password or self.subject is not None:
            return Standing.ACTIVE
        return Standing.INVITED if self.invited_until and self.invited_until > now else Standing.INVITATION_OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """Whose invitation a link is."""

    account_id: UUID
    login: str
    display_name: str
    role: Role
    language: str | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", Role(self.role))


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A link just made: ``code`` is shown this once and stored nowhere."""

    code: str
    login: str
    display_name: str
    expires_at: datetime

    @property
    def path(self) -> str:
        """Nothing in it says whose it is."""
        return f"/invitation/{self.code}"
