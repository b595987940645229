"""A notification, how it may travel, and what has been tried."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from alerting.tiers import Tier


class ChannelName(StrEnum):
    """The ways to a person. CONSOLE and PRINT need no address."""

    CONSOLE = "console"
    PRINT = "print"
    EMAIL = "email"
    SMS = "sms"
    VOICE = "voice"
    WEBHOOK = "webhook"


# What a person may add an address for.
ADDRESSED = (ChannelName.SMS, ChannelName.VOICE, ChannelName.EMAIL, ChannelName.WEBHOOK)


class Subject(StrEnum):
    """What a notification is about."""

    CASE = "case"
    DUTY_GAP = "duty_gap"
    FOLLOW_UP = "follow_up"
    TEST = "test"


class State(StrEnum):
    """How a notification stands; WAITING and SENT are looked at again."""

    WAITING = "waiting"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """How one try ended, SENDING: not yet."""

    SENDING = "sending"
    SENT = "sent"  # the far side has taken it
    AGAIN = "again"
    NEVER = "never"
    LOST = "lost"  # its process died: the far side may have it or not
    WITHDRAWN = "withdrawn"
    DELIVERED = "delivered"  # the far side says that it arrived
    UNDELIVERED = "undelivered"


class ConfirmedBy(StrEnum):
    """How we know that it arrived."""

    ANSWER = "answer"  # of a gateway whose answer means arrival
    RECEIPT = "receipt"
    CONSOLE = "console"  # the person's open page fetched it
    ACKNOWLEDGED = "acknowledged"
    CODE = "code"  # of a test: the person typed it
    TAKEN = "taken"  # a channel took it, and nobody waits for more


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way to one person. ``address`` is None for channels that need none."""

    channel: ChannelName
    address_id: UUID | None = None
    address: str | None = None

    def key(self, notification_id: UUID) -> UUID:
        """The idempotency key of this notification on this route: the same for each try, by whichever process."""
        return uuid5(notification_id, f"{self.channel}:{self.address_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try on one route."""

    channel: ChannelName
    address_id: UUID | None
    began_at: datetime
    ended_at: datetime | None
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What one person is to be told. ``code``: what a test page has to bring over; ``zone``: the site's."""

    notification_id: UUID
    subject: Subject
    account_id: UUID
    language: str
    created_at: datetime
    state: State
    case_id: UUID | None = None
    round: int | None = None
    address_id: UUID | None = None
    code: str | None = None
    gap: str | None = None
    zone: str = "UTC"

    def __post_init__(self) -> None:
        object.__setattr__(self, "subject", Subject(self.subject))
        object.__setattr__(self, "state", State(self.state))


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCase:
    """What may be said of a case to whoever holds a telephone: how urgent, and since when.

    ``zone`` is that of the site whose roster it is.
    """

    tier: Tier
    raised_at: datetime
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One of a person's own addresses, as their page shows it."""

    address_id: UUID
    channel: ChannelName
    address: str
    position: int
    verified_at: datetime | None
    code_until: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "channel", ChannelName(self.channel))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that its person is shown at the console while the case waits."""

    notification_id: UUID
    subject: Subject
    case_id: UUID | None
    tier: str | None
    since: datetime
    training: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line of a case's log: who was told at which step, how it stands, and the tries."""

    notification_id: UUID
    name: str
    round: int
    step: int
    created_at: datetime
    state: State
    confirmed_at: datetime | None
    confirmed_by: str | None
    tries: tuple[tuple[str, datetime, str], ...]  # channel, when, outcome

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", State(self.state))
