"""What our connector tells BottleCRM, and what then stands there, read back past it: a sentence for each fact."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import httpx

from cloud.crm.connectors.given import Given
from cloud.crm.connectors.offered import connector
from cloud.crm.port import (
    Call,
    Completion,
    Connector,
    Contact,
    CrmError,
    Direction,
    Note,
    Remote,
    Shut,
    Ticket,
    Todo,
    Try,
    Unreachable,
    Urgency,
)
from deploy.crm_e2e.bottlecrm import BottleCrm

LINK: Final = "https://console.example/open"
PHONE: Final = "+4930901820"


class Wrong(Exception):
    """What stands there is not what was told."""


@dataclass(frozen=True)
class Telling:
    """Our connector to that CRM, and a way to read it that is not ours."""

    there: BottleCrm
    now: Callable[[], datetime]

    def crm(self, token: str | None = None) -> Connector:
        """As a destination has it."""
        return connector(
            "bottlecrm",
            Given(
                settings={"url": self.there.url, "inside": "yes"},
                secrets={"token": token or self.there.token},
                tls=ssl.create_default_context(),
                now=self.now,
            ),
        )

    def attempt(self, key: str, *, lost: bool = False) -> Try:
        """``lost``: an earlier one had no answer, two minutes ago."""
        at = self.now()
        return Try(key=key, number=1 + lost, at=at, unclear_since=at - timedelta(minutes=2) if lost else None)

    def read(self, path: str) -> dict[str, Any]:
        """An object of its API."""
        headers = {"Authorization": f"Bearer {self.there.token}"}
        answer = httpx.get(f"{self.there.url}/api/{path}", headers=headers, timeout=30, trust_env=False)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def facts(telling: Telling) -> Iterator[str]:
    """One after the other. Wrong, CrmError."""
    contact = _contact()
    known = telling.crm().upsert_contact(contact, telling.attempt("contact"))
    yield from _of_the_contact(telling, contact, known)
    yield from _of_the_todo(telling, known)
    yield from _of_the_ticket(telling, known)
    yield from _of_the_call(telling, known)
    yield from _of_the_note(telling, known)
    yield from _of_what_fails(telling, known)


def _of_the_contact(telling: Telling, contact: Contact, known: Remote) -> Iterator[str]:
    there = telling.read(f"contacts/{known.remote_id}/")["contact_obj"]
    _holds(there["source_ref"] == contact.reference and there["first_name"] == contact.label, "the contact")
    _holds(there["phone"] is None and contact.label not in there["description"], "what was kept back")
    yield f"contact: made once, as '{there['first_name']}', with our reference {there['source_ref']}, without a number"
    again = telling.crm().upsert_contact(replace(contact, phone=PHONE), telling.attempt("contact again"))
    there = telling.read("contacts/")
    _holds(again == Remote(remote_id=known.remote_id, found=True) and there["count"] == 1, "one contact")
    _holds(there["results"][0]["phone_e164"] == PHONE, "its number")
    yield "contact: told again with a number, found by our reference and changed; still one"
    found = telling.crm().find_contact_by_phone(PHONE, telling.attempt("number"))
    _holds([each.reference for each in found] == [contact.reference], "the number")
    yield "contact: found by its telephone number"


def _of_the_todo(telling: Telling, known: Remote) -> Iterator[str]:
    todo = _todo(known, telling.now())
    made = telling.crm().add_todo(todo, telling.attempt("todo"))
    there = telling.read(f"tasks/{made.remote_id}/")["task_obj"]
    _holds(there["title"] == todo.title and [each["id"] for each in there["contacts"]] == [known.remote_id], "the task")
    yield (
        f"task: '{there['title']}', {there['priority']}, due {there['due_date']}, on the contact; found by its title"
    )
    lost = telling.crm().add_todo(todo, telling.attempt("todo", lost=True))
    _holds(lost == Remote(remote_id=made.remote_id, found=True), "the task again")
    _holds(telling.read("tasks/")["tasks_count"] == 1, "one task")
    yield "task: told again as after a lost answer, found, still one"
    done = Completion(
        reference=todo.reference,
        contact=todo.contact,
        contact_remote_id=known.remote_id,
        remote_id=made.remote_id,
        at=telling.now(),
        text="Done.",
    )
    telling.crm().complete_todo(done, telling.attempt("done"))
    status = telling.read(f"tasks/{made.remote_id}/")["task_obj"]["status"]
    _holds(status == "Completed", "the completion")
    yield f"task: {status}"


def _of_the_ticket(telling: Telling, known: Remote) -> Iterator[str]:
    ticket = Ticket(
        reference="T7781",
        contact="P7F3K",
        contact_remote_id=known.remote_id,
        title="Defect of a device [T7781]",
        link=f"{LINK}/t/T7781",
        urgency=Urgency.URGENT,
    )
    made = telling.crm().create_ticket(ticket, telling.attempt("ticket"))
    lost = telling.crm().create_ticket(ticket, telling.attempt("ticket", lost=True))
    there = telling.read(f"cases/{made.remote_id}/")["cases_obj"]
    _holds(there["name"] == ticket.title and there["status"] == "New", "the ticket")
    _holds(lost == Remote(remote_id=made.remote_id, found=True), "the ticket again")
    _holds(telling.read("cases/")["cases_count"] == 1, "one ticket")
    yield f"ticket: '{there['name']}', {there['priority']}, {there['status']}"
    yield "ticket: told again as after a lost answer, found, still one"


def _of_the_call(telling: Telling, known: Remote) -> Iterator[str]:
    call = Call(
        reference="L5512",
        contact="P7F3K",
        contact_remote_id=known.remote_id,
        direction=Direction.OUT,
        at=telling.now() - timedelta(minutes=10),
        outcome="reached",
        link=f"{LINK}/l/L5512",
        duration=timedelta(minutes=4),
    )
    made = telling.crm().log_call(call, telling.attempt("call"))
    lost = telling.crm().log_call(call, telling.attempt("call", lost=True))
    (there,) = telling.read(f"interactions/?contact={known.remote_id}")["interactions"]
    _holds(there["id"] == made.remote_id == lost.remote_id and there["duration_seconds"] == 240, "the call")
    yield f"call log: {there['direction']} {there['kind']}, {there['outcome']}, {there['duration_seconds']} s"
    yield "call log: told again as after a lost answer, found, still one"


def _of_the_note(telling: Telling, known: Remote) -> Iterator[str]:
    note = Note(
        reference="N3001",
        contact="P7F3K",
        contact_remote_id=known.remote_id,
        text="Visit agreed.",
        link=f"{LINK}/n/N3001",
        at=telling.now(),
    )
    telling.crm().add_note(note, telling.attempt("note"))
    telling.crm().add_note(note, telling.attempt("note", lost=True))
    (there,) = telling.read(f"contacts/{known.remote_id}/")["comments"]
    _holds(note.text in there["comment"], "the note")
    yield "note: a comment on the contact; told again as after a lost answer, still one"


def _of_what_fails(telling: Telling, known: Remote) -> Iterator[str]:
    todo = replace(_todo(known, telling.now()), reference="C1002", title="Urgent: open the case [C1002]")
    stranger = telling.crm(token="bcrm_pat_of_nobody")  # noqa: S106 - it lets nobody in
    _holds(isinstance(_failure(lambda: stranger.add_todo(todo, telling.attempt("token"))), Shut), "a wrong token")
    yield "another's token: shut, until a person gives another"
    telling.there.stop()
    down = _failure(lambda: telling.crm().add_todo(todo, telling.attempt("down")))
    _holds(isinstance(down, Unreachable), "a CRM that is down")
    telling.there.start()
    telling.crm().add_todo(todo, telling.attempt("down"))
    titles = [each["title"] for each in telling.read("tasks/")["tasks"]]
    _holds(titles.count(todo.title) == 1, "the task afterwards")
    yield "stopped and started: nothing was sent meanwhile, the task stands there once afterwards"


def _contact() -> Contact:
    return Contact(reference="P7F3K", label="Patient 7F3K-Q2", link=f"{LINK}/p/P7F3K")


def _todo(known: Remote, now: datetime) -> Todo:
    return Todo(
        reference="C1001",
        contact="P7F3K",
        contact_remote_id=known.remote_id,
        title="Urgent: open the case [C1001]",
        link=f"{LINK}/c/C1001",
        urgency=Urgency.URGENT,
        deadline=now + timedelta(hours=1),
    )


def _failure(doing: Callable[[], object]) -> CrmError | None:
    try:
        doing()
    except CrmError as error:
        return error
    return None


def _holds(condition: bool, what: str) -> None:
    if not condition:
        raise Wrong(f"{what} is not as it was told")
