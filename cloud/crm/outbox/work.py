"""From an event to what is asked of the CRM: pure. First the contact, where it does not stand there yet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from cloud.crm.outbox import words
from cloud.crm.outbox.models import Known, Letter, What
from cloud.crm.port import (
    Call,
    Completion,
    Connector,
    Contact,
    Direction,
    Note,
    Remote,
    RemoteKind,
    Ticket,
    Todo,
    Try,
    Urgency,
    Verb,
)

SOURCE: Final = "/pulsepost"
PREFIX: Final = "org.pulsepost."
# What says how a todo or a contact stands, so that the latest counts; notes, calls and tickets stand beside each other.
OPENS: Final = (
    "case.opened.v1", "case.worsened.v1", "case.escalated.v1", "visit.invited.v1", "appointment.booked.v1",
)  # fmt: skip
ENDS: Final = ("case.resolved.v1", "visit.ended.v1", "appointment.ended.v1")
OF_PATIENT: Final = ("patient.enrolled.v1", "patient.withdrawn.v1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One verb. ``kind`` and ``reference``: what is remembered of its answer. ``completes``: the todo is over then."""

    verb: Verb
    kind: RemoteKind
    reference: UUID
    thing_id: UUID
    do: Callable[[Connector, Try], Remote]
    completes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What all work of one destination has: where the console is, and what its settings say."""

    base_url: str
    settings: Mapping[str, str]

    @property
    def language(self) -> str:
        return self.settings.get("language", "en")

    def link(self, reference: UUID) -> str:
        """Into our console, for whoever signs in there."""
        return f"{self.base_url}/crm/open/{reference}"


def number_of(letter: Letter, known: Known) -> str | None:
    """By which telephone number the contact is looked for before one is made; None: there is no need, or no number."""
    return _text(letter, "phone") if known.contact is None else None


def contact_step(letter: Letter, known: Known, around: Around) -> Step | None:
    """What comes first: the contact, where it does not stand there yet, or where the event is about it.

    One that was there before us is not changed: what the clinic wrote of its patient is the clinic's.
    """
    if known.is_theirs:
        return None
    return _contact(letter, known, around) if known.contact is None or letter.what is What.PATIENT else None


def own_step(letter: Letter, known: Known, around: Around) -> Step | None:
    """What the event asks for, once the contact is known; None where that was all."""
    match letter.type.removeprefix(PREFIX):
        case opens if opens in OPENS:
            todo = _todo(letter, known, around)
            return _step(letter, Verb.ADD_TODO, RemoteKind.TODO, lambda crm, attempt: crm.add_todo(todo, attempt))
        case "complaint.received.v1":
            ticket = _ticket(letter, known, around)
            return _step(
                letter, Verb.CREATE_TICKET, RemoteKind.TICKET, lambda crm, attempt: crm.create_ticket(ticket, attempt)
            )
        case (
            "case.taken.v1"
            | "case.returned.v1"
            | "complaint.answered.v1"
            | "complaint.closed.v1"
            | "complaint.reopened.v1"
            | "survey.answered.v1"
        ):
            note = _note(letter, known, around)
            return _step(letter, Verb.ADD_NOTE, RemoteKind.NOTE, lambda crm, attempt: crm.add_note(note, attempt))
        case ends if ends in ENDS:
            done = _completion(letter, known, around)
            return _step(
                letter,
                Verb.COMPLETE_TODO,
                RemoteKind.TODO,
                lambda crm, attempt: crm.complete_todo(done, attempt),
                completes=True,
            )
        case "call.recorded.v1":
            call = _call(letter, known, around)
            return _step(letter, Verb.LOG_CALL, RemoteKind.CALL, lambda crm, attempt: crm.log_call(call, attempt))
        case _:
            return None


def _step(
    letter: Letter, verb: Verb, kind: RemoteKind, do: Callable[[Connector, Try], Remote], *, completes: bool = False
) -> Step:
    # A note is not the case's only one: it is remembered by its event.
    reference = letter.event_id if kind is RemoteKind.NOTE else letter.reference
    return Step(verb=verb, kind=kind, reference=reference, thing_id=letter.thing_id, do=do, completes=completes)


def _contact(letter: Letter, known: Known, around: Around) -> Step:
    contact = Contact(
        reference=str(letter.subject),
        label=words.label(letter.subject, around.language),
        link=around.link(letter.subject),
        active=letter.data.get("active") is not False,
        name=_text(letter, "name"),
        phone=_text(letter, "phone"),
        remote_id=known.contact,
    )
    return Step(
        verb=Verb.UPSERT_CONTACT,
        kind=RemoteKind.CONTACT,
        reference=letter.subject,
        thing_id=letter.patient_id,
        do=lambda crm, attempt: crm.upsert_contact(contact, attempt),
    )


def _todo(letter: Letter, known: Known, around: Around) -> Todo:
    urgency = _urgency(letter)
    return Todo(
        reference=str(letter.reference),
        contact=str(letter.subject),
        contact_remote_id=known.contact,
        title=words.visit_title(_text(letter, "way") or "", letter.reference, around.language)
        if letter.what is not What.CASE
        else words.case_title(urgency, letter.reference, around.language),
        link=around.link(letter.reference),
        urgency=urgency,
        deadline=words.moment(letter.data.get("deadline")),
        text=_text(letter, "sentence"),
        remote_id=known.todo,
    )


def _ticket(letter: Letter, known: Known, around: Around) -> Ticket:
    """Its title says nothing of whom it is; ``text`` is what was said, where the destination has values."""
    return Ticket(
        reference=str(letter.reference),
        contact=str(letter.subject),
        contact_remote_id=known.contact,
        title=words.complaint_title(_text(letter, "kind") or "", letter.reference, around.language),
        link=around.link(letter.reference),
        urgency=_urgency(letter),
        deadline=words.moment(letter.data.get("deadline")),
        text=_text(letter, "sentence"),
    )


def _note(letter: Letter, known: Known, around: Around) -> Note:
    return Note(
        reference=str(letter.event_id),
        contact=str(letter.subject),
        contact_remote_id=known.contact,
        text=_noted(letter, around.language),
        link=around.link(letter.reference),
        at=letter.at,
        todo_remote_id=known.todo,
    )


def _noted(letter: Letter, language: str) -> str:
    match letter.type.removeprefix(PREFIX):
        case "case.taken.v1":
            return words.taken(letter.reference, language)
        case "case.returned.v1":
            return words.returned(letter.reference, language)
        case "survey.answered.v1":
            return words.surveyed(letter.data.get("answers"), letter.reference, language)
        case other:
            return words.complaint_stands(other, letter.reference, language)


def _completion(letter: Letter, known: Known, around: Around) -> Completion:
    outcome = _text(letter, "outcome") or ""
    return Completion(
        reference=str(letter.reference),
        contact=str(letter.subject),
        contact_remote_id=known.contact,
        remote_id=known.todo,
        at=letter.at,
        text=words.visit_over(outcome, letter.reference, around.language)
        if letter.what is not What.CASE
        else words.case_closed(letter.reference, around.language),
    )


def _call(letter: Letter, known: Known, around: Around) -> Call:
    duration = letter.data.get("duration_s")
    return Call(
        reference=str(letter.reference),
        contact=str(letter.subject),
        contact_remote_id=known.contact,
        direction=Direction(_text(letter, "direction") or Direction.OUT),
        at=words.moment(letter.data.get("began_at")) or letter.at,
        outcome=_text(letter, "outcome") or "",
        link=around.link(letter.subject),
        duration=timedelta(seconds=duration) if isinstance(duration, int) else None,
        phone=_text(letter, "number"),
    )


def _urgency(letter: Letter) -> Urgency:
    tier = letter.data.get("tier")
    return Urgency(tier) if isinstance(tier, str) and tier in set(Urgency) else Urgency.PLAIN


def _text(letter: Letter, name: str) -> str | None:
    value = letter.data.get(name)
    return value if isinstance(value, str) else None
