"""A FHIR R4 server: what is to be done is a Task, notes and calls are Communications.

Each carries our reference as an identifier and is created with If-None-Exist, so that the server itself makes it once.
Patients are not created: that is the hospital's to do. A Task names its patient by our identifier, and by the server's
own id where it has put ours beside its patient's. Changes are read, changed and written with If-Match: what others have
put into a Task stays.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from cloud.crm.connectors.door import Answer, Door, check, decoded
from cloud.crm.port import (
    Ambiguous,
    Call,
    Completion,
    Contact,
    FoundContact,
    Note,
    Refused,
    Remote,
    Ticket,
    Todo,
    Try,
    TryLater,
    Urgency,
)

SYSTEM: Final = "urn:pulsepost:crm"
MEDIA: Final = "application/fhir+json"
LARGEST_ANSWER: Final = 1_000_000
# request-priority (R4): stat is at once, asap higher than urgent.
PRIORITIES: Final = {Urgency.EMERGENCY: "stat", Urgency.URGENT: "asap", Urgency.SAME_SHIFT: "urgent"}
# task-status (R4): nothing more is to be done.
OVER: Final = frozenset({"completed", "cancelled", "rejected", "failed", "entered-in-error"})
# What of a Task is ours to change afterwards.
CHANGED: Final = ("description", "priority", "restriction")
PHONE: Final = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode", "code": "PHONE"}],
    "text": "telephone",
}
# Ours of a call that reached nobody: a Communication that was not done.
REACHED_NOBODY: Final = frozenset({"not_reached", "no_answer", "busy", "wrong_number"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fhir:
    """``url``: the base of the server. ``token``: a bearer's."""

    door: Door = field(repr=False)
    url: str
    token: str = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)

    # Patients: looked at only --------------------------------------------------------------------------------

    def upsert_contact(self, contact: Contact, attempt: Try) -> Remote:
        """Their patient with our identifier, where there is one. Else our reference stands for it: nothing is made."""
        del attempt
        found = self._search("Patient", identifier=f"{SYSTEM}|{contact.reference}")
        if len(found) > 1:
            raise Refused("two patients have this identifier")
        return Remote(remote_id=f"Patient/{_id(found[0])}" if found else contact.reference, found=bool(found))

    def find_contact_by_phone(self, phone: str, attempt: Try) -> Sequence[FoundContact]:
        """The port's promise."""
        del attempt
        return [
            FoundContact(remote_id=f"Patient/{_id(each)}", reference=_ours(each), name=_name(each))
            for each in self._search("Patient", phone=phone)
        ]

    # Tasks ----------------------------------------------------------------------------------------------------

    def add_todo(self, todo: Todo, attempt: Try) -> Remote:
        """The port's promise. A Task that is over there is left as they put it."""
        about = _task(todo, attempt)
        known = self._get("Task", todo.remote_id)
        if known is None:
            return self._create("Task", todo.reference, about)
        if known.get("status") not in OVER:
            changed = {name: about[name] for name in CHANGED if name in about}
            self._put("Task", known | changed | {"lastModified": about["authoredOn"]})
        return Remote(remote_id=_id(known), found=True)

    def complete_todo(self, completion: Completion, attempt: Try) -> Remote:
        """The port's promise."""
        del attempt
        known = self._get("Task", completion.remote_id) or self._carrying("Task", completion.reference)
        if known is None or known.get("status") in OVER:
            return Remote(remote_id=completion.remote_id or "", found=True)
        at = _instant(completion.at)
        said = [*known.get("note", []), {"text": completion.text, "time": at}]
        self._put("Task", {**known, "status": "completed", "note": said, "lastModified": at})
        return Remote(remote_id=_id(known))

    def create_ticket(self, ticket: Ticket, attempt: Try) -> Remote:
        """The port's promise: a Task of another code."""
        return self._create("Task", ticket.reference, {**_task(ticket, attempt), "code": {"text": "ticket"}})

    def is_completed(self, todo_remote_id: str, attempt: Try) -> bool | None:
        """The port's promise."""
        del attempt
        known = self._get("Task", todo_remote_id)
        return None if known is None else known.get("status") in OVER

    # Communications ---------------------------------------------------------------------------------------------

    def add_note(self, note: Note, attempt: Try) -> Remote:
        """The port's promise; about the Task, where it is known."""
        del attempt
        about: dict[str, object] = {
            "status": "completed",
            "subject": _patient(note.contact, note.contact_remote_id),
            "sent": _instant(note.at),
            "payload": [{"contentString": note.text}, {"contentString": note.link}],
        }
        if note.todo_remote_id:
            about["about"] = [{"reference": f"Task/{note.todo_remote_id}"}]
        return self._create("Communication", note.reference, about)

    def log_call(self, call: Call, attempt: Try) -> Remote:
        """The port's promise."""
        del attempt
        minutes = f", {round(call.duration.total_seconds())} s" if call.duration is not None else ""
        about: dict[str, object] = {
            "status": "not-done" if call.outcome in REACHED_NOBODY else "completed",
            "subject": _patient(call.contact, call.contact_remote_id),
            "medium": [PHONE],
            "sent": _instant(call.at),
            "payload": [{"contentString": f"{call.direction}: {call.outcome}{minutes}"}, {"contentString": call.link}],
        }
        return self._create("Communication", call.reference, about)

    # What they have in common -----------------------------------------------------------------------------------

    def _create(self, kind: str, reference: str, about: Mapping[str, object]) -> Remote:
        """Conditional create (http.html#ccreate): 200 with what is there, or 201; 412 where there are several."""
        resource = {"resourceType": kind, "identifier": [{"system": SYSTEM, "value": reference}], **about}
        wanted = {
            "If-None-Exist": urlencode({"identifier": f"{SYSTEM}|{reference}"}),
            "Prefer": "return=representation",
        }
        answer = self._ask("POST", kind, resource, wanted)
        made = _object(answer)
        known = made["id"] if made is not None and "id" in made else _named(answer, kind)
        if not known:
            raise Ambiguous("no id in the answer")
        return Remote(remote_id=str(known), found=answer.status == HTTPStatus.OK)

    def _put(self, kind: str, resource: Mapping[str, Any]) -> None:
        """TryLater where somebody else was faster."""
        version = resource.get("meta", {}).get("versionId")
        headers = {"If-Match": f'W/"{version}"'} if version else {}
        self._ask("PUT", f"{kind}/{_id(resource)}", resource, headers)

    def _get(self, kind: str, known: str | None) -> dict[str, Any] | None:
        """None where it is not there, or no longer."""
        if not known:
            return None
        try:
            return _object(self._ask("GET", f"{kind}/{quote(known, safe='')}", None, {}))
        except _NotThere:
            return None
        except Ambiguous as error:
            raise TryLater(error.what) from None

    def _carrying(self, kind: str, reference: str) -> dict[str, Any] | None:
        return next(iter(self._search(kind, identifier=f"{SYSTEM}|{reference}")), None)

    def _search(self, kind: str, **asked: str) -> list[dict[str, Any]]:
        """Its first page: none of what we look for is there more than once."""
        try:
            bundle = _object(self._ask("GET", f"{kind}?{urlencode(asked)}", None, {})) or {}
        except Ambiguous as error:
            raise TryLater(error.what) from None
        found = (entry.get("resource", {}) for entry in bundle.get("entry", []))
        return [resource for resource in found if resource.get("resourceType") == kind]

    def _ask(self, method: str, path: str, resource: object, headers: Mapping[str, str]) -> Answer:
        answer = self.door.ask(
            method,
            f"{self.url}/{path}",
            body=b"" if resource is None else msgspec.json.encode(resource),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Accept": MEDIA,
                **({} if resource is None else {"Content-Type": MEDIA}),
                **headers,
            },
            largest_answer=LARGEST_ANSWER,
        )
        of_one = method != "POST" and "?" not in path
        if of_one and answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE) and _object(answer) is not None:
            raise _NotThere(f"status {answer.status}")
        if answer.status in (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED) and method == "PUT":
            raise TryLater("somebody else has changed it")
        check(answer, self.now())
        return answer


class _NotThere(Refused):
    """One resource that is gone; another 404 than that of an address where there is no such server."""


def _task(work: Todo | Ticket, attempt: Try) -> dict[str, Any]:
    about: dict[str, Any] = {
        "status": "requested",
        "intent": "order",
        "priority": PRIORITIES.get(work.urgency, "routine"),
        "description": work.title,
        "for": _patient(work.contact, work.contact_remote_id),
        "authoredOn": _instant(attempt.at),
        "note": [{"text": text} for text in (work.text, work.link) if text],
    }
    if work.deadline is not None:
        about["restriction"] = {"period": {"end": _instant(work.deadline)}}
    return about


def _patient(reference: str, remote_id: str | None) -> dict[str, object]:
    """By our identifier; by theirs, too, where they have one."""
    ours: dict[str, object] = {"type": "Patient", "identifier": {"system": SYSTEM, "value": reference}}
    return {**ours, "reference": remote_id} if remote_id and remote_id.startswith("Patient/") else ours


def _object(answer: Answer) -> dict[str, Any] | None:
    return decoded(answer.body, dict[str, Any])


def _named(answer: Answer, kind: str) -> str | None:
    """The id in Location: [base]/Task/ID/_history/VERSION; servers need not send the resource back."""
    words = answer.headers.get("location", "").split("/")
    place = len(words) - 1 - words[::-1].index(kind) if kind in words else None
    return words[place + 1] if place is not None and len(words) > place + 1 else None


def _ours(resource: Mapping[str, Any]) -> str | None:
    return next((each.get("value") for each in resource.get("identifier", []) if each.get("system") == SYSTEM), None)


def _name(resource: Mapping[str, Any]) -> str | None:
    """The first of their names (HumanName), written out."""
    name: Mapping[str, Any] = next(iter(resource.get("name", [])), {})
    words = name.get("text") or " ".join([*name.get("given", []), name.get("family", "")])
    return words.strip() or None


def _id(resource: Mapping[str, Any]) -> str:
    if not resource.get("id"):
        raise Refused("a resource without an id")
    return str(resource["id"])


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
