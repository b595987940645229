"""The fake for development: each piece of work is a line on the standard output, and is taken."""

import sys
from collections.abc import Sequence

from cloud.crm.port import Call, Completion, Contact, FoundContact, Note, Remote, Ticket, Todo, Try


class Printing:
    """Prints, and calls everything by our own reference."""

    def upsert_contact(self, contact: Contact, attempt: Try) -> Remote:
        return _printed(attempt, contact.reference, f"contact {contact.label}, {_active(contact)}")

    def add_todo(self, todo: Todo, attempt: Try) -> Remote:
        by = f" by {todo.deadline:%Y-%m-%d %H:%M %Z}" if todo.deadline else ""
        return _printed(attempt, todo.reference, f"todo: {todo.title}{by} {todo.link}")

    def complete_todo(self, completion: Completion, attempt: Try) -> Remote:
        return _printed(attempt, completion.reference, f"done: {completion.text}")

    def add_note(self, note: Note, attempt: Try) -> Remote:
        return _printed(attempt, note.reference, f"note: {note.text} {note.link}")

    def create_ticket(self, ticket: Ticket, attempt: Try) -> Remote:
        return _printed(attempt, ticket.reference, f"ticket: {ticket.title} {ticket.link}")

    def log_call(self, call: Call, attempt: Try) -> Remote:
        return _printed(attempt, call.reference, f"call {call.direction}: {call.outcome} {call.link}")

    def find_contact_by_phone(self, phone: str, attempt: Try) -> Sequence[FoundContact]:
        """Nobody: a piece of paper knows no numbers."""
        del phone, attempt
        return ()


def _active(contact: Contact) -> str:
    return "monitored" if contact.active else "no longer monitored"


def _printed(attempt: Try, reference: str, text: str) -> Remote:
    sys.stdout.write(f"crm {text} [{attempt.key}]\n")
    sys.stdout.flush()
    return Remote(remote_id=reference)
