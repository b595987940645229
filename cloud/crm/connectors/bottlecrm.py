"""BottleCRM (the package django-crm) by its REST API and a personal access token.

It knows no idempotency key, and does not say what it calls a task that it has made. So everything carries a part of our
reference in brackets, and is looked for by it: contacts and tasks always, the rest where an earlier try may have been
carried out, and then no sooner than a lost request can still be at work. Telephone calls are interactions, todos are
tasks, tickets are cases, notes are comments on the contact.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from cloud.crm.connectors.door import Door, check, decoded
from cloud.crm.connectors.references import short, short_of_event, titled
from cloud.crm.port import (
    Ambiguous,
    Call,
    Completion,
    Contact,
    Direction,
    FoundContact,
    Note,
    NotYet,
    Refused,
    Remote,
    Ticket,
    Todo,
    Try,
    TryLater,
    Urgency,
)

# gunicorn ends a request after 30 s, where nobody has set another timeout; and as much again.
SETTLES_AFTER: Final = timedelta(seconds=60)
LARGEST_ANSWER: Final = 1_000_000
PRIORITY_OF_TASK: Final = {Urgency.EMERGENCY: "High", Urgency.URGENT: "High", Urgency.SAME_SHIFT: "Medium"}
PRIORITY_OF_CASE: Final = {Urgency.EMERGENCY: "Urgent", Urgency.URGENT: "High", Urgency.SAME_SHIFT: "Normal"}
# Our outcomes (cloud/calls) in their words; of others we give none.
OUTCOMES: Final[Mapping[str, str]] = {
    "reached": "connected",
    "not_reached": "no_answer",
    "no_answer": "no_answer",
    "voicemail": "voicemail",
    "busy": "busy",
    "wrong_number": "wrong_number",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BottleCrm:
    """``url``: where it answers, without /api. ``token``: bcrm_pat_..., of an account that sees all contacts.

    ``zone``: in which its people count their days.
    """

    door: Door = field(repr=False)
    url: str
    token: str = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)
    zone: tzinfo = UTC

    # Contacts -----------------------------------------------------------------------------------------------

    def upsert_contact(self, contact: Contact, attempt: Try) -> Remote:
        """The port's promise. The reference stands as their last name, since nothing else can be searched for."""
        about: dict[str, object] = {
            "first_name": contact.name or contact.label,
            "last_name": f"[{short(contact.reference)}]",
            "source_detail": "Pulsepost",
            "source_ref": contact.reference,
            "description": contact.link,
            "is_active": contact.active,
        }
        if contact.phone is not None:
            about["phone"] = contact.phone
        known = contact.remote_id or self._contact(contact.reference)
        if known is not None and self._change(f"contacts/{known}/", about):
            return Remote(remote_id=known, found=True)
        _only_when_settled(attempt, self.now())
        return Remote(remote_id=_id(self._write("POST", "contacts/", about)))

    def find_contact_by_phone(self, phone: str, attempt: Try) -> Sequence[FoundContact]:
        """The port's promise."""
        del attempt
        return [
            FoundContact(
                remote_id=_id(each),
                reference=each.get("source_ref") or None,
                name=f"{each.get('first_name') or ''} {each.get('last_name') or ''}".strip() or None,
            )
            for each in self._rows("contacts/", "results", phone=phone)
            if each.get("phone_e164") == phone
        ]

    # Todos --------------------------------------------------------------------------------------------------

    def add_todo(self, todo: Todo, attempt: Try) -> Remote:
        """The port's promise. They keep the day of a deadline; its time stands in the text."""
        about: dict[str, object] = {
            "title": titled(todo.title, short(todo.reference)),
            "priority": PRIORITY_OF_TASK.get(todo.urgency, "Low"),
            "description": _lines(todo.text, _by(todo.deadline), todo.link),
        }
        if todo.deadline is not None:
            about["due_date"] = todo.deadline.astimezone(self.zone).date().isoformat()
        # '': it was made, and nobody has found it yet.
        known = self._task(todo.reference) if todo.remote_id == "" else todo.remote_id
        if known is not None and self._change(f"tasks/{known}/", about):
            return Remote(remote_id=known, found=True)
        if attempt.may_be_done:
            if (found := self._task(todo.reference)) is not None:
                return Remote(remote_id=found, found=True)
            _only_when_settled(attempt, self.now())
        contact = self._owner(todo.contact, todo.contact_remote_id)
        self._write("POST", "tasks/", {**about, "status": "New", "contacts": [contact]})
        return Remote(remote_id=self._made(todo.reference))

    def complete_todo(self, completion: Completion, attempt: Try) -> Remote:
        """The port's promise."""
        del attempt
        known = completion.remote_id or self._task(completion.reference)
        if known is None or not self._change(f"tasks/{known}/", {"status": "Completed"}):
            return Remote(remote_id=known or "", found=True)
        return Remote(remote_id=known)

    def is_completed(self, todo_remote_id: str, attempt: Try) -> bool | None:
        """The port's promise."""
        del attempt
        there = self._read(f"tasks/{quote(todo_remote_id, safe='')}/")
        return None if there is None else there["task_obj"]["status"] == "Completed"

    # The rest -----------------------------------------------------------------------------------------------

    def add_note(self, note: Note, attempt: Try) -> Remote:
        """The port's promise: a comment on the contact."""
        contact = self._owner(note.contact, note.contact_remote_id)
        if attempt.may_be_done:
            there = self._read(f"contacts/{contact}/") or {}
            if (found := _carrying(there.get("comments") or [], "comment", short_of_event(note.reference))) is not None:
                return Remote(remote_id=found, found=True)
            _only_when_settled(attempt, self.now())
        text = titled(_lines(note.text, note.link), short_of_event(note.reference))
        said = self._write("POST", f"contacts/{contact}/", {"comment": text})
        return Remote(remote_id=_carrying(said.get("comments") or [], "comment", short_of_event(note.reference)) or "")

    def create_ticket(self, ticket: Ticket, attempt: Try) -> Remote:
        """The port's promise: a case."""
        if attempt.may_be_done:
            rows = self._rows("cases/", "cases", name=f"[{short(ticket.reference)}]", slim="true")
            if (found := _carrying(rows, "name", short(ticket.reference))) is not None:
                return Remote(remote_id=found, found=True)
            _only_when_settled(attempt, self.now())
        about = {
            "name": titled(ticket.title, short(ticket.reference)),
            "status": "New",
            "priority": PRIORITY_OF_CASE.get(ticket.urgency, "Low"),
            "case_type": "Problem",
            "description": _lines(ticket.text, _by(ticket.deadline), ticket.link),
            "contacts": [self._owner(ticket.contact, ticket.contact_remote_id)],
        }
        return Remote(remote_id=_id(self._write("POST", "cases/", about)))

    def log_call(self, call: Call, attempt: Try) -> Remote:
        """The port's promise: an interaction."""
        contact = self._owner(call.contact, call.contact_remote_id)
        if attempt.may_be_done:
            rows = self._rows("interactions/", "interactions", contact=contact)
            if (found := _carrying(rows, "subject", short(call.reference))) is not None:
                return Remote(remote_id=found, found=True)
            _only_when_settled(attempt, self.now())
        about: dict[str, object] = {
            "kind": "call",
            "direction": "outbound" if call.direction is Direction.OUT else "inbound",
            "contact": contact,
            "occurred_at": call.at.astimezone(UTC).isoformat(timespec="seconds"),
            "outcome": OUTCOMES.get(call.outcome, ""),
            "subject": f"{call.outcome.replace('_', ' ')} [{short(call.reference)}]",
            "body": _lines(call.link, call.phone),
        }
        if call.duration is not None:
            about["duration_seconds"] = round(call.duration.total_seconds())
        return Remote(remote_id=_id(self._write("POST", "interactions/", about)))

    # What they have in common ---------------------------------------------------------------------------------

    def _owner(self, reference: str, remote_id: str | None) -> str:
        contact = remote_id or self._contact(reference)
        if contact is None:
            raise Refused("the contact is not there")
        return contact

    def _contact(self, reference: str) -> str | None:
        rows = self._rows("contacts/", "results", name=f"[{short(reference)}]")
        return next((_id(row) for row in rows if row.get("source_ref") == reference), None)

    def _made(self, reference: str) -> str:
        """What they call the task that they have made; '' where they do not find it. Ambiguous: it stands there."""
        try:
            return self._task(reference) or ""
        except TryLater as error:
            raise Ambiguous(error.what, SETTLES_AFTER) from None

    def _task(self, reference: str) -> str | None:
        rows = self._rows("tasks/", "tasks", search=f"[{short(reference)}]", slim="true")
        return _carrying(rows, "title", short(reference))

    def _rows(self, path: str, under: str, /, **asked: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (self._read(f"{path}?{urlencode(asked)}") or {}).get(under) or []
        return found

    def _read(self, path: str) -> dict[str, Any] | None:
        """None where it does not exist. TryLater, Shut, Refused."""
        try:
            return self._ask("GET", path, None)
        except _NotThere:
            return None
        except Ambiguous as error:
            raise TryLater(error.what) from None

    def _change(self, path: str, about: Mapping[str, object]) -> bool:
        """False where it does not exist any longer."""
        try:
            self._write("PATCH", path, about)
        except _NotThere:
            return False
        return True

    def _write(self, method: str, path: str, about: Mapping[str, object]) -> dict[str, Any]:
        try:
            return self._ask(method, path, about)
        except Ambiguous as error:
            raise Ambiguous(error.what, SETTLES_AFTER) from None

    def _ask(self, method: str, path: str, about: Mapping[str, object] | None) -> dict[str, Any]:
        answer = self.door.ask(
            method,
            f"{self.url}/api/{path}",
            body=b"" if about is None else msgspec.json.encode(about),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
            largest_answer=LARGEST_ANSWER,
        )
        said = decoded(answer.body, dict[str, Any])
        if answer.status == HTTPStatus.NOT_FOUND and said is not None:
            raise _NotThere("status 404")
        check(answer, self.now())
        if said is None:
            raise Ambiguous("no object in the answer")
        return said


class _NotThere(Refused):
    """What the address names is gone; another 404 than that of an address where there is no such API."""


def _only_when_settled(attempt: Try, now: datetime) -> None:
    if attempt.unclear_since is not None and (wait := attempt.unclear_since + SETTLES_AFTER - now) > timedelta(0):
        raise NotYet("an earlier request may still be at work", wait)


def _carrying(rows: list[dict[str, Any]], name: str, mark: str) -> str | None:
    return next((_id(row) for row in rows if f"[{mark}]" in str(row.get(name, ""))), None)


def _id(row: Mapping[str, Any]) -> str:
    if not row.get("id"):
        raise Ambiguous("no id in the answer", SETTLES_AFTER)
    return str(row["id"])


def _by(deadline: datetime | None) -> str | None:
    return f"By {deadline.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if deadline is not None else None


def _lines(*texts: str | None) -> str:
    return "\n".join(text for text in texts if text)
