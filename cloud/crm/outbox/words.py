"""What a CRM shows of our work, in the destination's language. Never who it is, and never what is wrong."""

from datetime import datetime
from typing import Final
from uuid import UUID

from cloud.crm.port import Urgency
from cloud.language.languages import ENGLISH, known
from cloud.language.words import Words, words_of

SHORT: Final = 8


def short(reference: UUID) -> str:
    """As much of a reference as people read out."""
    return reference.hex[:SHORT].upper()


def label(reference: UUID, language: str) -> str:
    """Whom a contact is about, where no name leaves."""
    return _words(language).gettext("Patient {reference}").format(reference=short(reference))


def case_title(urgency: Urgency, reference: UUID, language: str) -> str:
    words = _words(language)
    said = {
        Urgency.EMERGENCY: words.gettext("Pulsepost: emergency case"),
        Urgency.URGENT: words.gettext("Pulsepost: urgent case"),
        Urgency.SAME_SHIFT: words.gettext("Pulsepost: case for this shift"),
        Urgency.ROUTINE: words.gettext("Pulsepost: routine case"),
        Urgency.RETROSPECTIVE: words.gettext("Pulsepost: case to look back at"),
        Urgency.PLAIN: words.gettext("Pulsepost: case"),
    }[urgency]
    return f"{said} [{short(reference)}]"


def visit_title(way: str, reference: UUID, language: str) -> str:
    words = _words(language)
    said = {
        "clinic": words.gettext("Pulsepost: appointment in the clinic"),
        "telephone": words.gettext("Pulsepost: appointment by telephone"),
        "video": words.gettext("Pulsepost: appointment by video"),
        "home": words.gettext("Pulsepost: visit at home"),
    }.get(way, words.gettext("Pulsepost: appointment"))
    return f"{said} [{short(reference)}]"


def taken(reference: UUID, language: str) -> str:
    said = _words(language).gettext("Somebody has taken the case.")
    return f"{said} [{short(reference)}]"


def returned(reference: UUID, language: str) -> str:
    said = _words(language).gettext("The case is nobody’s again: it waits in Pulsepost.")
    return f"{said} [{short(reference)}]"


def case_closed(reference: UUID, language: str) -> str:
    said = _words(language).gettext("The case is closed in Pulsepost.")
    return f"{said} [{short(reference)}]"


def complaint_title(kind: str, reference: UUID, language: str) -> str:
    words = _words(language)
    suggestion = words.gettext("Pulsepost: suggestion of a patient")
    said = suggestion if kind == "suggestion" else words.gettext("Pulsepost: complaint of a patient")
    return f"{said} [{short(reference)}]"


def complaint_stands(event: str, reference: UUID, language: str) -> str:
    """``event``: the type of what happened, without its prefix."""
    words = _words(language)
    said = {
        "complaint.answered.v1": words.gettext("The complaint was answered in Pulsepost."),
        "complaint.closed.v1": words.gettext("The complaint is closed in Pulsepost."),
    }.get(event, words.gettext("The complaint was opened again in Pulsepost."))
    return f"{said} [{short(reference)}]"


def surveyed(answers: object, reference: UUID, language: str) -> str:
    """``answers``: codes by question, for a destination that has asked for them."""
    said = _words(language).gettext("A survey was answered:")
    codes = ", ".join(f"{key} {value}" for key, value in answers.items()) if isinstance(answers, dict) else ""
    return f"{said} {codes} [{short(reference)}]"


def visit_over(outcome: str, reference: UUID, language: str) -> str:
    words = _words(language)
    said = {
        "took_place": words.gettext("The appointment took place."),
        "did_not_happen": words.gettext("The appointment did not take place."),
        "no_show": words.gettext("The appointment did not take place."),
        "called_off": words.gettext("The appointment was called off."),
        "cancelled": words.gettext("The appointment was called off."),
    }.get(outcome, words.gettext("The appointment is over."))
    return f"{said} [{short(reference)}]"


def _words(language: str) -> Words:
    return words_of(known(language) or ENGLISH)


def moment(text: object) -> datetime | None:
    """A time as the database writes it into JSON."""
    return datetime.fromisoformat(text) if isinstance(text, str) else None
