"""Who comes in, and whether they can take part: a new patient, the eligibility form, a doctor's decision."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from cloud.admission import entries, forms
from cloud.admission.entering import enter
from cloud.admission.models import Patient, Step
from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.participation import store as participations
from cloud.planning import entries as planned
from cloud.planning import store as plans
from cloud.plans import rules
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]


async def take_in(conn: Connection, session: Session, form: Form, now: datetime) -> UUID:
    """A new patient in one's care, or one who has come back. Refused where somebody is here already, and says so.

    TooOften: this account has asked so often that nobody was looked for, and nothing is written but the audit row.
    """
    programmes = {row.programme_id for row in await plans.programmes(conn)} - {rules.TRAINING}
    person = entries.person(form, programmes, now.date())
    name, born, mrn = person.display_name, person.birth_date, person.mrn
    await audit.record(
        conn, at=now, account_id=session.account_id, action="patient.look_for", subject="patient_list:all"
    )
    fits = await participations.fitting(conn, name, born, mrn)
    patient_id: UUID | None = None
    if person.is_back:
        patient_id = await participations.take_back(conn, name=name, born=born, mrn=mrn, at=now)
        if patient_id is None:
            raise Refused("person", {"who": Refusal("nobody_back")}, form)
    elif (by_number := next((one for one in fits if one[0] == "mrn"), None)) is not None:
        raise Refused("person", {"mrn": Refusal("number_taken", {"own": str(by_number[1] or "")})}, form)
    elif fits and not person.is_other:
        raise Refused("person", {"who": Refusal("here_already", {"own": str(fits[0][1] or "")})}, form)
    else:
        patient_id = await participations.take_in(
            conn, name=name, born=born, zone=person.time_zone, language=person.language, mrn=mrn, at=now
        )
        if patient_id is None:  # somebody else was faster with this number
            raise Refused("person", {"mrn": Refusal("number_taken", {"own": ""})}, form)
    await plans.join(
        conn,
        patient_id=patient_id,
        programme_id=person.programme_id,
        heightened_until=None,
        set_by=session.account_id,
        at=now,
        reason="",
    )
    action = "patient.take_back" if person.is_back else "patient.take_in"
    await audit.record_by(conn, session, now, action, f"patient:{patient_id}", patient_id)
    return patient_id


async def fill_in(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """The eligibility form of the patient's programme. Refused where a question has no answer."""
    asked = forms.form_of(of.programme_id)
    answered = entries.answers(form, asked)
    effect = entries.effect_of(asked, answered)
    detail = {"form": asked.form_id, "version": asked.version, "answers": answered, "effect": effect.value}
    await enter(conn, session, of, now, Step.ELIGIBILITY, detail=detail)


async def decide(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """A doctor says whether somebody of whom the form asks that can take part. Refused without a reason."""
    if form.get("decision") not in ("yes", "no"):
        raise Refused("decision", {"decision": Refusal("choose")}, form)
    reason = planned.reason(form, "decision")
    await enter(conn, session, of, now, "decision", done=form["decision"] == "yes", note=reason)
