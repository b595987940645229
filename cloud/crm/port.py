"""The port of an outside CRM: work in, the remote id back; what the dispatcher should do about an error is its type.

What is handed over is work, not data: opaque references, a deadline, a title, and a link into our console. Names,
telephone numbers and values are in it only where the destination's settings say so: a field that is None was kept back.

Every verb gets a ``Try``. Its ``key`` is the same on each try of the same piece of work, and no other's: whoever can
pass it on (a header, an external id) does; whoever cannot searches for ``reference`` (which stands in the title or the
text, too) where ``Try.may_be_done`` says that an earlier try may have been carried out. A connector keeps nothing of
its own: which remote id belongs to which reference is kept by the dispatcher (``crm_remote``), and comes with the work.

A connector is synchronous, is called from several threads, and is done within CALL_WITHIN_S, all in all. It never
logs an address, a secret, or what the far side said. Its clock is the ``now`` that it is given when it is made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

# All that one verb may take. The dispatcher's lease is longer (cloud/crm/outbox/course.py).
CALL_WITHIN_S: Final = 30.0


class Verb(StrEnum):
    """What may be asked of an outside CRM."""

    UPSERT_CONTACT = "upsert_contact"
    ADD_TODO = "add_todo"
    COMPLETE_TODO = "complete_todo"
    ADD_NOTE = "add_note"
    CREATE_TICKET = "create_ticket"
    LOG_CALL = "log_call"
    FIND_CONTACT_BY_PHONE = "find_contact_by_phone"


class RemoteKind(StrEnum):
    """What stands on the far side."""

    CONTACT = "contact"
    TODO = "todo"
    NOTE = "note"
    TICKET = "ticket"
    CALL = "call"


class Urgency(StrEnum):
    """How soon somebody has to act: the tier of a case, and ``plain`` for what has none."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    SAME_SHIFT = "same_shift"
    ROUTINE = "routine"
    RETROSPECTIVE = "retrospective"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What the work follows from, as its CloudEvents 1.0 envelope says it. ``subject``: the patient's reference."""

    event_id: str
    type: str
    source: str
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One try of one verb. ``number`` is 1 at first. ``event``: None where nothing happened, and we only ask.

    ``unclear_since``: when the latest try that may have been carried out all the same ended (an Ambiguous, or a process
    of ours that died in the middle); None where none did. A TryLater of a later try leaves it as it is.
    """

    key: str
    number: int
    at: datetime
    unclear_since: datetime | None = None
    event: Event | None = None

    @property
    def may_be_done(self) -> bool:
        """Search before doing it again."""
        return self.unclear_since is not None


# What is given ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A patient. ``reference``: opaque, other for each destination, and not the patient's id.

    ``label`` may always be shown: "Patient 7F3K-Q2". ``name`` and ``phone`` (E.164) only by the destination's settings.
    ``remote_id``: what we know the contact by over there, from before. ``active``: False after the end of monitoring.
    """

    reference: str
    label: str
    link: str
    active: bool = True
    name: str | None = None
    phone: str | None = None
    remote_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """Something that somebody is to do. ``reference``: opaque, of the case or visit; ``contact`` its patient's.

    ``title`` begins with what it is and ends with the reference in brackets. ``text`` is None unless the destination's
    settings let values out. ``remote_id``: it is there already and is to be changed (a new deadline, a new urgency).
    """

    reference: str
    contact: str
    contact_remote_id: str | None
    title: str
    link: str
    urgency: Urgency
    deadline: datetime | None = None
    text: str | None = None
    remote_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """The todo with this ``reference`` is done with. ``remote_id``: the todo's, where one was given back."""

    reference: str
    contact: str
    contact_remote_id: str | None
    remote_id: str | None
    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A line on the contact's timeline, or on the todo's, where ``todo_remote_id`` is there and the CRM has such."""

    reference: str
    contact: str
    contact_remote_id: str | None
    text: str
    link: str
    at: datetime
    todo_remote_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A matter with an owner and an outcome: a complaint, a defect of a device."""

    reference: str
    contact: str
    contact_remote_id: str | None
    title: str
    link: str
    urgency: Urgency
    deadline: datetime | None = None
    text: str | None = None


class Direction(StrEnum):
    """Who called whom."""

    OUT = "out"
    IN = "in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A telephone call that has ended. ``outcome`` is a code of ours: 'reached', 'no_answer', ..."""

    reference: str
    contact: str
    contact_remote_id: str | None
    direction: Direction
    at: datetime
    outcome: str
    link: str
    duration: timedelta | None = None
    phone: str | None = None


# What is given back -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """What we know it by over there; '' where the CRM names none. ``found``: it was there before this try."""

    remote_id: str
    found: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundContact:
    """Somebody over there with that telephone number. ``reference``: ours, where they have kept it.

    ``name``: as they write it, all of it; None where they say none.
    """

    remote_id: str
    reference: str | None = None
    name: str | None = None


class CrmError(Exception):
    """It was not done, as far as anybody knows. ``what``: a kind of error or a status, never what the far side said."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class TryLater(CrmError):
    """Certainly not done, and the same again may be. ``retry_after``: what the far side asked us to wait."""

    def __init__(self, what: str, retry_after: timedelta | None = None) -> None:
        super().__init__(what)
        self.retry_after = retry_after


class Unreachable(TryLater):
    """Nobody answered at all: no address, no connection, no TLS. Nothing of ours was sent."""


class Paced(TryLater):
    """We ask no faster than they allow: nothing of this was sent, and nothing is wrong. ``retry_after`` is given."""


class NotYet(TryLater):
    """This piece of work has to wait, and nothing is wrong with the rest. ``retry_after`` is given."""


class Shut(TryLater):
    """They take nothing of ours until a person does something: an expired secret, a blocked account."""


class Refused(CrmError):
    """This piece of work will never be taken, for a reason; others may be."""


class Ambiguous(CrmError):
    """It was sent, and nobody knows whether it was done: the next try has ``may_be_done``."""

    def __init__(self, what: str, retry_after: timedelta | None = None) -> None:
        super().__init__(what)
        self.retry_after = retry_after


class Connector(Protocol):
    """One outside CRM, with one destination's settings and secrets. Each verb: TryLater, Shut, Refused, Ambiguous."""

    def upsert_contact(self, contact: Contact, attempt: Try) -> Remote:
        """The contact stands there once, with this reference."""
        ...

    def add_todo(self, todo: Todo, attempt: Try) -> Remote:
        """The todo stands there once; where ``todo.remote_id`` is given it is changed."""
        ...

    def complete_todo(self, completion: Completion, attempt: Try) -> Remote:
        """It is marked as done; one that is done or gone already is no error."""
        ...

    def add_note(self, note: Note, attempt: Try) -> Remote:
        """One line, once."""
        ...

    def create_ticket(self, ticket: Ticket, attempt: Try) -> Remote:
        """One ticket, once."""
        ...

    def log_call(self, call: Call, attempt: Try) -> Remote:
        """One call, once."""
        ...

    def find_contact_by_phone(self, phone: str, attempt: Try) -> Sequence[FoundContact]:
        """Everybody over there who has this number (E.164): households share one. () where nobody can be asked."""
        ...


# What comes back by itself ----------------------------------------------------------------------------------


class HintKind(StrEnum):
    """What somebody says has happened over there; nothing of it is believed without looking."""

    TODO_COMPLETED = "todo_completed"
    TODO_CHANGED = "todo_changed"
    CONTACT_CHANGED = "contact_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """``event_id`` is the far side's, and the same however often it is said. ``at``: when it happened, as they say.

    ``remote_id``: of the todo or contact there. ``echo_of``: the key of our own try that they say caused it.
    ``signed_at``: when this request was signed, which another of the same event is later; None: nothing says.
    """

    event_id: str
    kind: HintKind
    remote_id: str
    at: datetime | None = None
    echo_of: str | None = None
    signed_at: datetime | None = None


class NotGenuine(Exception):
    """Nobody may act on it. ``what``: 'forged', 'stale', 'replayed' or 'unreadable'."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Listener(Protocol):
    """Who understands what one destination sends to POST /crm/inbound/{destination}."""

    def heard(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Hint]:
        """The hints in one request, verified; none in one that tells of nothing that concerns us. NotGenuine.

        ``headers``: names in lower case. Reads only what it is given: no request goes out from here.
        """
        ...


@runtime_checkable
class Reader(Protocol):
    """Who can look again at what a hint is about; not every CRM lets itself be asked."""

    def is_completed(self, todo_remote_id: str, attempt: Try) -> bool | None:
        """Whether the todo is done over there; None: it is gone. TryLater, Shut, Refused."""
        ...
