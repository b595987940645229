"""What a patient was taught, and that what they measure arrives as the display showed it."""

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from cloud.admission import forms
from cloud.admission.entering import enter
from cloud.admission.facts import facts_of
from cloud.admission.models import Patient, Step
from cloud.admission.steps import is_measured, is_taught, readings
from cloud.auth.models import Session
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]


async def teach(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """Points of a checklist that are taught, each ticked by whoever taught it; and those that are not, after all.

    ``kind`` names the list, ``item_…`` what is ticked. What did not change is not entered again.
    """
    checklist = forms.checklists().get(form.get("kind", ""))
    if checklist is None:
        raise Refused("training", {"kind": Refusal("choose")}, form)
    facts = await facts_of(conn, of.patient_id, now)
    for item in checklist.items:
        key, wanted = checklist.key(item), bool(form.get(f"item_{item.item_id}"))
        if wanted != is_taught(facts, key):
            await enter(conn, session, of, now, Step.TRAINING, item=key, done=wanted)


async def confirm_readings(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """Somebody has seen that what the patient measured arrived as the display showed it; or takes that back.

    Refused where something of the plan has not arrived yet.
    """
    if form.get("seen") == "no":
        await enter(conn, session, of, now, Step.READINGS, done=False, detail={"readings": []})
        return
    facts = await facts_of(conn, of.patient_id, now)
    lacking = readings(facts, [forms.checklists()[kind] for kind in facts.kinds]).missing
    if any(one.code != "not_confirmed" for one in lacking):
        raise Refused("readings", {"seen": Refusal("nothing_to_confirm")}, form)
    arrived = [str(one.reading_id) for one in facts.readings if one.kind in facts.kinds and is_measured(one)]
    await enter(conn, session, of, now, Step.READINGS, detail={"readings": arrived})
