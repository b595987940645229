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
    drug, dose = (fields.line(form, name, LONGEST, refusals) for name in ("drug", "dose"))
    since, until = (
        _day(form, name, date.max, refusals) if form.get(name, "").strip() else None for name in ("since", "until")
    )
    if since and until and until < since:
        refusals["until"] = Refusal("ends_before_it_begins")
    if refusals:
        raise Refused("medication", refusals, form)
    return MedicationEntry(drug=drug, dose=dose, since=since, until=until)


def change(form: Form, today: date) -> ChangeEntry:
    """What was changed, on which day of the patient's calendar, and why."""
    refusals: dict[str, Refusal] = {}
    changed_on = _day(form, "changed_on", today + AHEAD, refusals)
    what = fields.line(form, "what", LONGEST, refusals)
    why = fields.reason(form, refusals, "why")
    if refusals or changed_on is None:
        raise Refused("change", refusals, form)
    return ChangeEntry(changed_on=changed_on, what=what, why=why)


def _day(form: Form, name: str, latest: date, refusals: dict[str, Refusal]) -> date | None:
    return fields.day(form, name, EARLIEST, latest, refusals, early="not_a_date")
