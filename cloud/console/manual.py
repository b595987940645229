"""The manual: which of its pages explains which page of the console, and the folder that ``make docs`` puts it into."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

BUILT: Final = Path(__file__).parent / "manual"
PREFIX: Final = "/manual/"
FIRST: Final = "index"

PAGE_OF: Final[Mapping[str, str]] = {
    "access.html": "who-looked",
    "accounts.html": "accounts",
    "audit.html": "audit",
    "break_glass.html": "break-glass",
    "callers.html": "callers",
    "card.html": "card",
    "case.html": "case",
    "enrolment.html": "taking-in",
    "enrolments.html": "taking-in",
    "error.html": FIRST,
    "gateway.html": "gateways",
    "gateways.html": "gateways",
    "held_my_page.html": "my-readings",
    "held_page.html": "questions",
    "invitation.html": "sign-in",
    "invitation_link.html": "invitation",
    "me.html": "my-readings",
    "measured.html": "my-readings",
    "messages.html": "messages",
    "my_messages.html": "my-messages",
    "my_plan.html": "my-readings",
    "no_manual.html": FIRST,
    "no_report.html": "review",
    "own_consent.html": "my-consent",
    "own_sign_in.html": "sign-in",
    "pairing.html": "pairing",
    "pairing_page.html": "pairing",
    "patient.html": "patient-record",
    "patient_invitation.html": "invitation",
    "patient_messages.html": "messages",
    "patient_stock.html": "devices",
    "patient_visits.html": "visits",
    "patients.html": "patient-record",
    "plan.html": "plan",
    "programmes.html": "programmes",
    "quarantine.html": "quarantine",
    "quarantine_item.html": "quarantine",
    "questions.html": "questions",
    "reached.html": "reached",
    "recovery_codes.html": "sign-in",
    "review.html": "review",
    "roster.html": "roster",
    "second_factor.html": "sign-in",
    "settings.html": "shown",
    "shift.html": "hand-over",
    "sign_in.html": "sign-in",
    "sign_in_code.html": "sign-in",
    "stock.html": "devices",
    "stock_item.html": "devices",
    "technical.html": "technical",
    "training.html": "training",
    "treatment.html": "treatment",
    "visits.html": "visits",
    "what_if.html": "what-if",
    "what_if_run.html": "what-if",
    "whose.html": "whose",
    "worklist.html": "worklist",
}
"""Template of a whole page → page of the manual."""


def address(template: str, language: str) -> str:
    """Where a page's Help leads to, in the reader's language."""
    return f"{PREFIX}{language}/{PAGE_OF.get(template, FIRST)}.html"


def is_built(folder: Path = BUILT) -> bool:
    return (folder / "en" / f"{FIRST}.html").is_file()
