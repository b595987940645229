"""What people type on the way, read and checked. Every refusal is said at its field; nothing is guessed. Pure."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Final
from zoneinfo import available_timezones

from cloud.admission.models import Effect, EligibilityForm, Person
from cloud.consent.models import Decision
from cloud.console.pages import is_training
from cloud.console.spoken import zone_of
from cloud.language.languages import LANGUAGES
from cloud.participation.models import EndReason
from cloud.plans import fields
from cloud.plans.fields import LONGEST_REASON, Form, Refusal, Refused

LONGEST_NAME: Final = 200
LONGEST_NUMBER: Final = 64
EARLIEST_BIRTH: Final = date(1900, 1, 1)


def person(form: Form, programmes: Collection[str], today: date) -> Person:
    """Somebody to be taken in: name, birth date, time zone, language, number at the clinic (or empty), programme."""
    refusals: dict[str, Refusal] = {}
    name = " ".join(form.get("display_name", "").split())
    if not name or not name.isprintable() or is_training(name):
        refusals["display_name"] = Refusal("no_name")
    elif len(name) > LONGEST_NAME:
        refusals["display_name"] = Refusal("too_long", {"most": str(LONGEST_NAME)})
    born = fields.day(form, "birth_date", EARLIEST_BIRTH, today, refusals, early="too_far", late="future")
    zone = form.get("time_zone", "").strip()
    if zone not in available_timezones():
        refusals["time_zone"] = Refusal("no_time_zone")
    if form.get("language") not in LANGUAGES:
        refusals["language"] = Refusal("choose")
    mrn = form.get("mrn", "").strip()
    if len(mrn) > LONGEST_NUMBER or not mrn.isprintable():
        refusals["mrn"] = Refusal("too_long", {"most": str(LONGEST_NUMBER)})
    if form.get("programme_id") not in programmes:
        refusals["programme_id"] = Refusal("choose")
    if refusals or born is None:
        raise Refused("person", refusals, form)
    return Person(
        display_name=name,
        birth_date=born,
        time_zone=zone,
        language=form["language"],
        mrn=mrn or None,
        programme_id=form["programme_id"],
        is_other=form.get("who") == "other",
        is_back=form.get("who") == "back",
    )


def answers(form: Form, of: EligibilityForm) -> dict[str, str]:
    """Question → answer: every question has one of its answers."""
    found = {question.question_id: form.get(f"q_{question.question_id}", "") for question in of.questions}
    refusals = {
        f"q_{question.question_id}": Refusal("choose")
        for question in of.questions
        if found[question.question_id] not in {answer.answer_id for answer in question.answers}
    }
    if refusals:
        raise Refused("eligibility", refusals, form)
    return found


def effect_of(of: EligibilityForm, answered: dict[str, str]) -> Effect:
    """The gravest of what the answers do."""
    effects = {
        answer.effect
        for question in of.questions
        for answer in question.answers
        if answered.get(question.question_id) == answer.answer_id
    }
    return next((effect for effect in (Effect.EXCLUDES, Effect.ASKS_DOCTOR) if effect in effects), Effect.NONE)


def consent(form: Form, today: date) -> tuple[Decision, date, str]:
    """A decision on paper: given, refused or withdrawn; the day on which it was signed or said; a note."""
    refusals: dict[str, Refusal] = {}
    if form.get("decision") not in list(Decision):
        refusals["decision"] = Refusal("choose")
    signed = fields.day(form, "signed_on", EARLIEST_BIRTH, today, refusals, early="too_far", late="future")
    said = note(form, refusals)
    if refusals or signed is None:
        raise Refused("consent", refusals, form)
    return Decision(form["decision"]), signed, said


def end(form: Form) -> tuple[EndReason, str]:
    """Why nobody watches any longer, and a note. That a consent is withdrawn is entered with the consent."""
    refusals: dict[str, Refusal] = {}
    if form.get("why") not in set(EndReason) - {EndReason.CONSENT_WITHDRAWN}:
        refusals["why"] = Refusal("choose")
    said = note(form, refusals)
    if form.get("why") == EndReason.OTHER and not said and "note" not in refusals:
        refusals["note"] = Refusal("no_reason")
    if refusals:
        raise Refused("end", refusals, form)
    return EndReason(form["why"]), said


def note(form: Form, refusals: dict[str, Refusal]) -> str:
    """A text that may be missing."""
    return fields.text(form, "note", LONGEST_REASON, refusals, may_be_empty=True)


def today_in(now: datetime, zone: str) -> date:
    """The day there; UTC's where nobody knows the zone."""
    return now.astimezone(zone_of(zone)).date()
