"""What is agreed with a patient: the consent, when to measure, and who looks after them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from cloud.admission import entries, forms, store
from cloud.admission.entering import enter
from cloud.admission.facts import facts_of
from cloud.admission.models import Patient, Step
from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.consent import documents
from cloud.consent import service as consent
from cloud.consent.models import Decision, Method
from cloud.consent.models import Entry as ConsentEntry
from cloud.participation import service as participation
from cloud.participation import store as participations
from cloud.participation.models import Stage
from cloud.planning import store as plans
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]


async def enter_consent(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """What the patient decided on paper. Withdrawn ends everything at once. Refused where it has ended already."""
    decision, signed_on, note = entries.consent(form, entries.today_in(now, of.time_zone))
    takes_part = await participation.of_patient(conn, of.patient_id)
    has_ended = takes_part is not None and takes_part.stage in (Stage.ENDED, Stage.CLOSED)
    if decision is Decision.WITHDRAWN:
        has_ended = has_ended or not await consent.withdraw(conn, session, of.patient_id, note, now)
    elif not has_ended:
        text = documents.newest(of.language)
        entry = ConsentEntry(text=text, decision=decision, method=Method.PAPER, signed_on=signed_on, note=note)
        await consent.enter(conn, session, of.patient_id, entry, now)
    if has_ended:
        raise Refused("consent", {"decision": Refusal("has_ended")}, form)


async def set_plan(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """The measurement times of a template, in the place of whatever there was."""
    template = forms.chosen(forms.for_programme(forms.templates(), of.programme_id), form.get("template", ""))
    if template is None:
        raise Refused("plan", {"template": Refusal("choose")}, form)
    detail = {"template": template.template_id, "version": template.version}
    await enter(conn, session, of, now, Step.PLAN, detail=detail)
    for slot in await plans.slots(conn, of.patient_id, now):
        await plans.end_slot(conn, of.patient_id, slot.slot_id, now)
    for entry in template.slots:
        await plans.add_slot(conn, of.patient_id, entry, session.account_id, now)


async def join_team(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """One more in the care team, who sees everything of the patient from now on."""
    account_id = fields.id_of(form.get("account_id", ""))
    if account_id is None or not await store.join_team(conn, of.patient_id, account_id):
        raise Refused("team", {"account_id": Refusal("choose")}, form)
    await audit.record_by(conn, session, now, "care_team.add", f"account:{account_id}", of.patient_id)


async def leave_team(conn: Connection, session: Session, of: Patient, account_id: UUID, now: datetime) -> None:
    """One less. Refused where nobody would be left: a patient without a care team is seen by nobody."""
    await participations.lock(conn, of.patient_id)
    team = (await facts_of(conn, of.patient_id, now)).team
    if account_id not in {member.account_id for member in team}:
        raise Refused("team", {"account_id": Refusal("choose")}, {})
    if len(team) < 2:
        raise Refused("team", {"account_id": Refusal("last_of_team")}, {})
    await audit.record_by(conn, session, now, "care_team.end", f"account:{account_id}", of.patient_id)
    await store.leave_team(conn, of.patient_id, account_id)
