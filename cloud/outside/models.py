"""What is remembered while somebody is at the provider."""

from dataclasses import dataclass
from uuid import UUID

from cloud.auth.models import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Somebody was sent to the provider with these; they come back with ``state``, and ``nonce`` in the token."""

    state: str
    nonce: str
    code_verifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """The account that an administrator linked to an identity."""

    account_id: UUID
    login: str
    role: Role

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", Role(self.role))


class NotProven(Exception):
    """The provider has not shown who it is; ``why`` is a code for the log and the audit trail."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
