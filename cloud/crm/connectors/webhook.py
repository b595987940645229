"""The signed generic webhook: each piece of work is one POST of a CloudEvent, signed as Standard Webhooks say (v1).

``webhook-id`` and the event's ``id`` are the try's key: the same on each try, so that the far side tells a second try
from a second piece of work. While secrets change there are two, and each request carries both signatures. The answer
may name what was made: ``{"id": "..."}``; where it does not, it is known by our own reference.

Back come CloudEvents, signed the same way: ``org.pulsepost.crm.todo.completed.v1`` and others of HEARD, whose data has
``remote_id``, and ``key`` where one of our own requests was the cause.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from cloud.crm.connectors.door import Door
from cloud.crm.connectors.envelopes import Work, envelope
from cloud.crm.connectors.signed import is_plain, post, read, signed_at
from cloud.crm.port import (
    Call,
    Completion,
    Contact,
    FoundContact,
    Hint,
    HintKind,
    Note,
    NotGenuine,
    Remote,
    Ticket,
    Todo,
    Try,
    Verb,
)

HEARD: Final[Mapping[str, HintKind]] = {
    "org.pulsepost.crm.todo.completed.v1": HintKind.TODO_COMPLETED,
    "org.pulsepost.crm.todo.changed.v1": HintKind.TODO_CHANGED,
    "org.pulsepost.crm.contact.changed.v1": HintKind.CONTACT_CHANGED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """``keys``: with the newest first; each signs."""

    door: Door
    url: str = field(repr=False)
    keys: Sequence[bytes] = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)

    def upsert_contact(self, contact: Contact, attempt: Try) -> Remote:
        return self._post(Verb.UPSERT_CONTACT, contact, attempt)

    def add_todo(self, todo: Todo, attempt: Try) -> Remote:
        return self._post(Verb.ADD_TODO, todo, attempt)

    def complete_todo(self, completion: Completion, attempt: Try) -> Remote:
        return self._post(Verb.COMPLETE_TODO, completion, attempt)

    def add_note(self, note: Note, attempt: Try) -> Remote:
        return self._post(Verb.ADD_NOTE, note, attempt)

    def create_ticket(self, ticket: Ticket, attempt: Try) -> Remote:
        return self._post(Verb.CREATE_TICKET, ticket, attempt)

    def log_call(self, call: Call, attempt: Try) -> Remote:
        return self._post(Verb.LOG_CALL, call, attempt)

    def find_contact_by_phone(self, phone: str, attempt: Try) -> Sequence[FoundContact]:
        """Nobody: a webhook is told, and not asked."""
        del phone, attempt
        return ()

    def _post(self, verb: Verb, work: Work, attempt: Try) -> Remote:
        named = post(self.door, self.url, self.keys, attempt.key, envelope(verb, work, attempt), self.now)
        return Remote(remote_id=named or work.reference)


class _Told(msgspec.Struct, frozen=True):
    remote_id: str
    key: str | None = None


class _Event(msgspec.Struct, frozen=True):
    id: str
    type: str
    data: msgspec.Raw = msgspec.Raw(b"{}")
    time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookListener:
    """What the far side posts to us. ``keys``: any of them may have signed it."""

    keys: Sequence[bytes] = field(repr=False)

    def heard(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Hint]:
        """The port's promise: no later than five minutes after it was signed. NotGenuine."""
        at = signed_at(self.keys, headers, body, now)
        event = read(body, _Event)
        kind = HEARD.get(event.type)
        if kind is None:
            return ()
        told = read(event.data, _Told)
        if not all(map(is_plain, (event.id, told.remote_id, *(() if told.key is None else (told.key,))))):
            raise NotGenuine("unreadable")
        return (
            Hint(
                event_id=event.id,
                kind=kind,
                remote_id=told.remote_id,
                at=_aware(event.time),
                echo_of=told.key,
                signed_at=at,
            ),
        )


def _aware(at: datetime | None) -> datetime | None:
    return at if at is not None and at.tzinfo is not None else None
