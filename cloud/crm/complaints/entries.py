"""What is typed about a complaint, read and checked. Pure; Refused with all that is wrong at once."""

from collections.abc import Collection
from datetime import date
from typing import Final
from uuid import UUID

from cloud.crm.complaints.models import OUTCOMES, Kind, Outcome, Written
from cloud.crm.surveys.themes import THEMES
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused

# So that a form fits in what the edge takes, in any alphabet (cloud.console.edge).
LONGEST: Final = 1500
LONGEST_NOTE: Final = 1000
FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)


def written(form: Form, team: Collection[UUID] = ()) -> Written:
    """``kind``, ``body``, ``call_me``, ``harm``, and ``about``: somebody of the team, or nobody."""
    refusals: dict[str, Refusal] = {}
    body = fields.text(form, "body", LONGEST, refusals)
    kind = form.get("kind", "")
    if kind not in tuple(Kind):
        refusals["kind"] = Refusal("choose")
    about = _one_of(form.get("about", ""), team, "about", refusals)
    if refusals:
        raise Refused("complaint", refusals, form)
    return Written(
        kind=Kind(kind), body=body, wants_call=bool(form.get("call_me")), harm=bool(form.get("harm")), about=about
    )


def answer(form: Form, kind: Kind) -> tuple[Outcome, str]:
    """``outcome`` and ``words``, as the patient reads them."""
    refusals: dict[str, Refusal] = {}
    outcome = form.get("outcome", "")
    if outcome not in OUTCOMES[kind]:
        refusals["outcome"] = Refusal("choose")
    words = fields.text(form, "words", LONGEST, refusals)
    if refusals:
        raise Refused("answer", refusals, form)
    return Outcome(outcome), words


def note(form: Form, name: str, *, needed: bool) -> str:
    """``note`` of the form with this name."""
    refusals: dict[str, Refusal] = {}
    said = fields.text(form, "note", LONGEST_NOTE, refusals, may_be_empty=not needed)
    if refusals:
        raise Refused(name, refusals, form)
    return said


def somebody(form: Form, name: str, choice: Collection[UUID]) -> UUID:
    """``account_id``, one of these."""
    refusals: dict[str, Refusal] = {}
    found = _one_of(form.get("account_id", ""), choice, "account_id", refusals)
    if found is None:
        raise Refused(name, {"account_id": Refusal("choose")}, form)
    return found


def done(form: Form, today: date) -> tuple[str, str, date]:
    """``theme``, ``body`` and ``done_on``: what was done about it, not later than today."""
    refusals: dict[str, Refusal] = {}
    theme = form.get("theme", "")
    if theme not in THEMES:
        refusals["theme"] = Refusal("choose")
    body = fields.text(form, "body", LONGEST_NOTE, refusals)
    day = fields.day(form, "done_on", FIRST_DAY, today, refusals, early="not_a_date", late="future")
    if refusals or day is None:
        raise Refused("done", refusals, form)
    return theme, body, day


def span(form: Form, first: date, last: date) -> tuple[date, date]:
    """``first`` and ``last`` day of what belongs to a case file; these where nothing was asked for."""
    refusals: dict[str, Refusal] = {}
    since, until = (
        fields.day(form, name, FIRST_DAY, LAST_DAY, refusals, early="not_a_date", late="not_a_date")
        if form.get(name, "").strip()
        else otherwise
        for name, otherwise in (("first", first), ("last", last))
    )
    if since is not None and until is not None and until < since:
        refusals["last"] = Refusal("ends_before_it_begins")
    if refusals or since is None or until is None:
        raise Refused("file", refusals, form)
    return since, until


def _one_of(typed: str, choice: Collection[UUID], name: str, refusals: dict[str, Refusal]) -> UUID | None:
    if not typed:
        return None
    found = next((one for one in choice if str(one) == typed), None)
    if found is None:
        refusals[name] = Refusal("choose")
    return found
