"""CloudEvents 1.0 (structured JSON) around a piece of work; its data names the verb and what it is given."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from cloud.crm.port import Call, Completion, Contact, Note, Ticket, Todo, Try, Verb

Work = Call | Completion | Contact | Note | Ticket | Todo

CONTENT_TYPE: Final = "application/cloudevents+json"
SCHEMA: Final = "urn:pulsepost:crm:{verb}:v1"
# Where a step of its own goes before the event: the contact has to stand there first.
CONTACT_STEP: Final = "org.pulsepost.contact.upserted.v1"


def envelope(verb: Verb, work: Work, attempt: Try) -> bytes:
    """The same octets on each try, so that a signature is about one thing. ``id`` is the try's key."""
    event = attempt.event
    own = verb is not Verb.UPSERT_CONTACT or (event is not None and event.type.startswith("org.pulsepost.patient."))
    fields = {
        "specversion": "1.0",
        "id": attempt.key,
        "source": event.source if event else "/pulsepost",
        "type": event.type if event and own else CONTACT_STEP,
        "subject": event.subject if event else None,
        "time": _time(event.at if event else attempt.at),
        "datacontenttype": "application/json",
        "dataschema": SCHEMA.format(verb=verb.value),
        "data": {"verb": verb.value, **data(work)},
    }
    return msgspec.json.encode({name: value for name, value in fields.items() if value is not None})


def data(work: Work) -> dict[str, object]:
    """Its fields by name; what was kept back (None) is left out. Times are RFC 3339 in UTC, durations seconds."""
    found = {field.name: getattr(work, field.name) for field in dataclasses.fields(work)}
    return {name: _plain(value) for name, value in found.items() if value is not None}


def _plain(value: object) -> object:
    match value:
        case datetime():
            return _time(value)
        case timedelta():
            return int(value.total_seconds())
        case _:
            return value


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
