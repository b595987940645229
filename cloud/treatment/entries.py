"""What people type about treatment, read and checked. Pure; Refused with all that is wrong at once."""

from datetime import date, timedelta
from typing import Final

from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused
from cloud.treatment.models import ChangeEntry, MedicationEntry

LONGEST: Final = 200
# Nobody plans a change of treatment further ahead; a slip in the year is more likely.
AHEAD: Final = timedelta(days=90)
EARLIEST: Final = date(1950, 1, 1)


def medication(form: Form) -> MedicationEntry:
    """``drug`` and ``dose`` as they were said; ``since`` and ``until`` may be empty."""
    refusals: dict[str, Refusal] = {}
    drug, dose = _text(form, "drug", refusals), _text(form, "dose", refusals)
    since, until = _day(form, "since", refusals), _day(form, "until", refusals)
    if since and until and until < since:
        refusals["until"] = Refusal("ends_before_it_begins")
    if refusals:
        raise Refused("medication", refusals, form)
    return MedicationEntry(drug=drug, dose=dose, since=since, until=until)


def change(form: Form, today: date) -> ChangeEntry:
    """What was changed, on which day of the patient's calendar, and why."""
    refusals: dict[str, Refusal] = {}
    changed_on = _day(form, "changed_on", refusals)
    if changed_on is None:
        refusals.setdefault("changed_on", Refusal("not_a_date"))
    elif changed_on > today + AHEAD:
        refusals["changed_on"] = Refusal("too_far")
    what = _text(form, "what", refusals)
    why = fields.reason(form, refusals, "why")
    if refusals or changed_on is None:
        raise Refused("change", refusals, form)
    return ChangeEntry(changed_on=changed_on, what=what, why=why)


def _text(form: Form, name: str, refusals: dict[str, Refusal]) -> str:
    said = " ".join(form.get(name, "").split())
    if not said:
        refusals[name] = Refusal("missing")
    elif len(said) > LONGEST:
        refusals[name] = Refusal("too_long", {"most": str(LONGEST)})
    return said


def _day(form: Form, name: str, refusals: dict[str, Refusal]) -> date | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day < EARLIEST:
        refusals[name] = Refusal("not_a_date")
        return None
    return day
