"""Bitrix24: patients are contacts, todos are universal activities, tickets are tasks, the rest is comments.

Contacts carry our reference as their external id (``originatorId``, ``originId``): it is looked for before one is
made. Todos, tasks and comments have no such field and no idempotency key; they carry a part of it in brackets in their
title or text. Where an earlier try may have been carried out it is searched for there, no sooner than a lost request
can still be at work (SETTLES_AFTER). Who has the patient's telephone number is asked by the dispatcher before a contact
is made (``cloud.crm.outbox.work``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cloud.crm.connectors.bitrix24.pace import Pace
from cloud.crm.connectors.bitrix24.rest import SETTLES_AFTER, CompletedThere, NotThere, Reply, Rest
from cloud.crm.connectors.bitrix24.words import called, no_longer_monitored
from cloud.crm.connectors.door import Door
from cloud.crm.connectors.references import short, short_of_event, titled
from cloud.crm.port import (
    Ambiguous,
    Call,
    Completion,
    Contact,
    FoundContact,
    Note,
    NotYet,
    Refused,
    Remote,
    Ticket,
    Todo,
    Try,
    Urgency,
)

CONTACT: Final = 3
ORIGINATOR: Final = "pulsepost"
TODO: Final = "CRM_TODO"
# Their todos need a deadline; of what has none we say this one. Ours.
DEADLINE: Final = timedelta(days=1)
SOON: Final = frozenset({Urgency.EMERGENCY, Urgency.URGENT})
# How far their clock may be from ours, when we look for what we may have made since a moment of ours.
CLOCKS_DIFFER_BY: Final = timedelta(days=1)
MOST_PAGES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Bitrix24:
    """``url``: the address of the incoming webhook, a secret. ``responsible``: the employee who gets what we add."""

    door: Door = field(repr=False)
    url: str = field(repr=False)
    responsible: int
    pace: Pace
    now: Callable[[], datetime] = field(repr=False)
    language: str = "en"

    # Contacts -----------------------------------------------------------------------------------------------

    def upsert_contact(self, contact: Contact, attempt: Try) -> Remote:
        """The port's promise. Name, link and telephone number are set; what else they keep of a contact is theirs."""
        rest = self._rest()
        known = _number(contact.remote_id)
        if known is not None:
            with suppress(NotThere):
                return self._update_contact(rest, known, contact)
        known = self._contact_id(rest, contact.reference)
        if known is not None:
            return self._update_contact(rest, known, contact)
        _only_when_settled(attempt, self.now())
        fields = {**self._fields(contact), "opened": "N", "fm": _phones(contact.phone)}
        reply = rest.write("crm.item.add", {"entityTypeId": CONTACT, "fields": fields})
        return Remote(remote_id=_id(_at(reply, "item"), "id"))

    def find_contact_by_phone(self, phone: str, attempt: Try) -> Sequence[FoundContact]:
        """The port's promise; at most twenty, as many as the vendor looks through."""
        del attempt
        rest = self._rest()
        asked = {"type": "PHONE", "values": [phone], "entity_type": "CONTACT"}
        found = rest.read("crm.duplicate.findbycomm", asked).result
        ids = found.get("CONTACT", []) if isinstance(found, dict) else []
        return [self._found(item) for item in self._contacts(rest, {"@id": [int(each) for each in ids]})] if ids else []

    def _found(self, item: Mapping[str, Any]) -> FoundContact:
        ours = item.get("originatorId") == ORIGINATOR and item.get("originId")
        names = (str(item.get(part) or "").strip() for part in ("name", "secondName", "lastName"))
        return FoundContact(
            remote_id=_id(item, "id"),
            reference=str(ours) if ours else None,
            name=" ".join(name for name in names if name) or None,
        )

    def _update_contact(self, rest: Rest, contact_id: int, contact: Contact) -> Remote:
        asked: dict[str, object] = {"entityTypeId": CONTACT, "id": contact_id}
        fields = self._fields(contact)
        if contact.phone is not None:
            there = _at(rest.read("crm.item.get", asked), "item")
            if _digits(contact.phone) not in {_digits(each.get("value", "")) for each in there.get("fm") or []}:
                fields["fm"] = _phones(contact.phone)
        rest.write("crm.item.update", {**asked, "fields": fields})
        return Remote(remote_id=str(contact_id), found=True)

    def _fields(self, contact: Contact) -> dict[str, object]:
        ended = None if contact.active else no_longer_monitored(self.language)
        return {
            "name": contact.name or contact.label,
            "comments": _lines(ended, contact.link),
            "originatorId": ORIGINATOR,
            "originId": contact.reference,
        }

    def _contact_id(self, rest: Rest, reference: str) -> int | None:
        """The contact that carries this reference; the first, where people have made copies of it."""
        ours = {"originatorId": ORIGINATOR, "originId": reference}
        return next((int(item["id"]) for item in self._contacts(rest, ours)), None)

    def _contacts(self, rest: Rest, wanted: Mapping[str, object]) -> list[dict[str, Any]]:
        asked = {
            "entityTypeId": CONTACT,
            "filter": wanted,
            "select": ["id", "originatorId", "originId", "name", "secondName", "lastName"],
            "order": {"id": "ASC"},
        }
        items: list[dict[str, Any]] = _at(rest.read("crm.item.list", asked), "items")
        return items

    # Todos --------------------------------------------------------------------------------------------------

    def add_todo(self, todo: Todo, attempt: Try) -> Remote:
        """The port's promise. What somebody has marked as done there stays as they put it; deleted, it is made anew."""
        rest = self._rest()
        about = {
            "ownerTypeId": CONTACT,
            "deadline": _moment(todo.deadline or attempt.at + DEADLINE),
            "title": titled(todo.title, short(todo.reference)),
            "description": _lines(todo.text, todo.link),
            "responsibleId": self.responsible,
            "pingOffsets": [0, 15] if todo.urgency in SOON else [0],
        }
        known = _number(todo.remote_id)
        if known is not None:
            try:
                return self._update_todo(rest, known, todo, about)
            except NotThere:
                pass

        def find(owner: int) -> str | None:
            return self._find_todo(rest, owner, short(todo.reference), attempt.unclear_since)

        def make(owner: int) -> str:
            return _id(rest.write("crm.activity.todo.add", {**about, "ownerId": owner}).result, "id")

        return self._made_once(rest, todo.contact, todo.contact_remote_id, attempt, find, make)

    def complete_todo(self, completion: Completion, attempt: Try) -> Remote:
        """The port's promise. The vendor has no other method for it than the one for all activities."""
        rest = self._rest()
        known = _number(completion.remote_id) or self._todo_of(rest, completion)
        there = self._activity(rest, known) if known is not None else None
        if there is None or there.get("COMPLETED") == "Y":
            return Remote(remote_id=str(known or ""), found=True)
        text = _lines(str(there.get("DESCRIPTION") or ""), completion.text)
        fields: dict[str, object] = {"COMPLETED": "Y", "DESCRIPTION": text}
        if (responsible := _number(there.get("RESPONSIBLE_ID"))) is not None:
            fields["RESPONSIBLE_ID"] = responsible  # as it is: the vendor's examples all say it again
        try:
            changed = rest.write("crm.activity.update", {"id": known, "fields": fields}).result is True
        except Refused:
            changed = False
        if not changed and known is not None and self._is_open(rest, known):
            raise Refused("the todo was not changed")
        del attempt
        return Remote(remote_id=str(known))

    def is_completed(self, todo_remote_id: str, attempt: Try) -> bool | None:
        """The port's promise."""
        del attempt
        known = _number(todo_remote_id)
        there = self._activity(self._rest(), known) if known is not None else None
        return None if there is None else there.get("COMPLETED") == "Y"

    def _is_open(self, rest: Rest, activity_id: int) -> bool:
        """Somebody may have completed or deleted it in the meantime; of that they say no code."""
        there = self._activity(rest, activity_id)
        return there is not None and there.get("COMPLETED") != "Y"

    def _update_todo(self, rest: Rest, todo_id: int, todo: Todo, about: Mapping[str, object]) -> Remote:
        owner = _number(todo.contact_remote_id) or self._contact_id(rest, todo.contact)
        if owner is None:
            raise Refused("the contact is not there")
        with suppress(CompletedThere):
            rest.write("crm.activity.todo.update", {**about, "id": todo_id, "ownerId": owner})
        return Remote(remote_id=str(todo_id), found=True)

    def _todo_of(self, rest: Rest, completion: Completion) -> int | None:
        owner = _number(completion.contact_remote_id) or self._contact_id(rest, completion.contact)
        found = self._find_todo(rest, owner, short(completion.reference), None) if owner is not None else None
        return _number(found)

    def _find_todo(self, rest: Rest, owner: int, mark: str, since: datetime | None) -> str | None:
        wanted: dict[str, object] = {"OWNER_TYPE_ID": CONTACT, "OWNER_ID": owner, "PROVIDER_ID": TODO}
        if since is not None:
            wanted[">=CREATED"] = _moment(since - CLOCKS_DIFFER_BY)
        asked = {"filter": wanted, "select": ["ID", "SUBJECT"], "order": {"ID": "DESC"}}
        return _carrying(_pages(rest, "crm.activity.list", asked, lambda found: found), "SUBJECT", "ID", mark)

    def _activity(self, rest: Rest, activity_id: int) -> dict[str, Any] | None:
        """Asked for as a list: that it is gone would be said in words only."""
        asked = {"filter": {"ID": activity_id}, "select": ["ID", "COMPLETED", "DESCRIPTION", "RESPONSIBLE_ID"]}
        return next(iter(rest.read("crm.activity.list", asked).result), None)

    # Comments and tasks -------------------------------------------------------------------------------------

    def add_note(self, note: Note, attempt: Try) -> Remote:
        """The port's promise: a comment on the contact's timeline; an activity has none of its own."""
        text = _lines(note.text, note.link)
        return self._comment(note.contact, note.contact_remote_id, text, short_of_event(note.reference), attempt)

    def log_call(self, call: Call, attempt: Try) -> Remote:
        """The port's promise: a comment, since an incoming webhook may not use their telephony."""
        text = _lines(called(call, self.language), call.link)
        return self._comment(call.contact, call.contact_remote_id, text, short(call.reference), attempt)

    def create_ticket(self, ticket: Ticket, attempt: Try) -> Remote:
        """The port's promise: a task, bound to the contact."""
        rest = self._rest()

        def find(owner: int) -> str | None:
            wanted: dict[str, object] = {"UF_CRM_TASK": f"C_{owner}"}
            if attempt.unclear_since is not None:
                wanted[">=CREATED_DATE"] = _moment(attempt.unclear_since - CLOCKS_DIFFER_BY)
            asked = {"filter": wanted, "select": ["ID", "TITLE"], "order": {"ID": "desc"}}
            tasks = _pages(rest, "tasks.task.list", asked, lambda found: found["tasks"])
            return _carrying(tasks, "title", "id", short(ticket.reference))

        def make(owner: int) -> str:
            fields: dict[str, object] = {
                "TITLE": titled(ticket.title, short(ticket.reference)),
                "RESPONSIBLE_ID": self.responsible,
                "DESCRIPTION": _lines(ticket.text, ticket.link),
                "PRIORITY": "2" if ticket.urgency in SOON else "1",
                "UF_CRM_TASK": [f"C_{owner}"],
            }
            if ticket.deadline is not None:
                fields["DEADLINE"] = _moment(ticket.deadline)
            return _id(_at(rest.write("tasks.task.add", {"fields": fields}), "task"), "id")

        return self._made_once(rest, ticket.contact, ticket.contact_remote_id, attempt, find, make)

    def _comment(self, contact: str, contact_remote_id: str | None, text: str, mark: str, attempt: Try) -> Remote:
        rest = self._rest()

        def find(owner: int) -> str | None:
            asked = {
                "filter": {"ENTITY_ID": owner, "ENTITY_TYPE": "contact"},
                "select": ["ID", "COMMENT"],
                "order": {"ID": "DESC"},
            }
            return _carrying(
                _pages(rest, "crm.timeline.comment.list", asked, lambda found: found), "COMMENT", "ID", mark
            )

        def make(owner: int) -> str:
            fields = {"ENTITY_ID": owner, "ENTITY_TYPE": "contact", "COMMENT": titled(text, mark)}
            return str(rest.write("crm.timeline.comment.add", {"fields": fields}).result)

        return self._made_once(rest, contact, contact_remote_id, attempt, find, make)

    # What they have in common ---------------------------------------------------------------------------------

    def _made_once(
        self,
        rest: Rest,
        contact: str,
        contact_remote_id: str | None,
        attempt: Try,
        find: Callable[[int], str | None],
        make: Callable[[int], str],
    ) -> Remote:
        """On this contact; searched for first where an earlier try may have made it."""

        def made(owner: int) -> Remote:
            if attempt.may_be_done:
                if (found := find(owner)) is not None:
                    return Remote(remote_id=found, found=True)
                _only_when_settled(attempt, self.now())
            return Remote(remote_id=make(owner))

        owner = _number(contact_remote_id) or self._contact_id(rest, contact)
        if owner is None:
            raise Refused("the contact is not there")
        try:
            return made(owner)
        except Refused:
            # Somebody may have merged or deleted the contact; where it has another id now, it goes there.
            other = self._contact_id(rest, contact)
            if other is None or other == owner:
                raise
            return made(other)

    def _rest(self) -> Rest:
        return Rest(door=self.door, url=self.url, pace=self.pace, now=self.now, since=self.now())


def _only_when_settled(attempt: Try, now: datetime) -> None:
    """NotYet while a request that nobody waits for any more may still be at work there."""
    if attempt.unclear_since is not None and (wait := attempt.unclear_since + SETTLES_AFTER - now) > timedelta(0):
        raise NotYet("an earlier request may still be at work", wait)


def _pages(
    rest: Rest, method: str, asked: Mapping[str, object], rows: Callable[[Any], list[dict[str, Any]]]
) -> Iterator[dict[str, Any]]:
    """What a list finds, page by page. Refused beyond MOST_PAGES: nobody would know what is in the rest."""
    start: int | None = 0
    for _ in range(MOST_PAGES):
        reply = rest.read(method, {**asked, "start": start})
        yield from rows(reply.result)
        start = reply.next
        if start is None:
            return
    raise Refused("too much to search through")


def _carrying(rows: Iterator[dict[str, Any]], text: str, name: str, mark: str) -> str | None:
    """The id of the row whose text carries the mark."""
    return next((_id(row, name) for row in rows if f"[{mark}]" in str(row.get(text, ""))), None)


def _phones(phone: str | None) -> list[dict[str, str]]:
    return [] if phone is None else [{"typeId": "PHONE", "valueType": "OTHER", "value": phone}]


def _lines(*texts: str | None) -> str:
    return "\n".join(text for text in texts if text)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _number(remote_id: str | None) -> int | None:
    return int(remote_id) if remote_id and remote_id.isascii() and remote_id.isdigit() else None


def _id(row: Any, name: str) -> str:
    """Ambiguous where they name none: it is looked for."""
    found = row.get(name) if isinstance(row, dict) else None
    if found is None:
        raise Ambiguous("no id in the answer", SETTLES_AFTER)
    return str(found)


def _at(reply: Reply, name: str) -> Any:
    found = reply.result.get(name) if isinstance(reply.result, dict) else None
    if found is None:
        raise Ambiguous("nothing in the answer", SETTLES_AFTER)
    return found


def _digits(phone: str) -> str:
    return "".join(sign for sign in phone if sign.isdigit())
