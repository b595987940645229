"""The port of a channel: a message in, and whether it was taken; what a caller should do about an error is its type."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

# All that a send may take: whoever takes the case waits for as long (cloud/db/migrations/sql/0011_notifications.sql).
SEND_WITHIN_S = 5.0


class NotSent(Exception):
    """It was not taken. ``what``: a kind of error or a status, never what the far side said."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class TryAgain(NotSent):
    """Not now, or nobody knows: the same message with the same key may be sent again."""


class Never(NotSent):
    """This message will never be taken: another way is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One page to one address. Nothing in it tells who the patient is, or what is wrong.

    ``key`` is the same for each try, so that the far side can tell a second try from a second page.
    """

    key: UUID
    to: str
    subject: str
    text: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The far side has taken it. ``arrived``: its answer says that the person has it."""

    provider_id: str | None = None
    arrived: bool = False


class Channel(Protocol):
    """One way to people's addresses."""

    def send(self, message: Message) -> Sent:
        """Within SEND_WITHIN_S, all in all. TryAgain, Never."""
        ...
