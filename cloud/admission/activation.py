"""Activation: from then on somebody watches."""

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from cloud.admission.facts import facts_of
from cloud.admission.models import Patient
from cloud.admission.steps import stand
from cloud.auth.models import Session
from cloud.participation import service as participation
from cloud.participation import store as participations
from cloud.planning import store as plans
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]


async def activate(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """From now on somebody watches, closely at first. Refused while a step does not hold: its words say which."""
    await participations.lock(conn, of.patient_id)
    takes_part = await participation.of_patient(conn, of.patient_id)
    facts = await facts_of(conn, of.patient_id, now)
    if any(state.missing for state in stand(takes_part, facts, of.programme_id).values()):
        raise Refused("activate", {"steps": Refusal("steps_missing")}, form)
    if takes_part is None or not await participations.activate(conn, of.patient_id, session.account_id, now):
        raise Refused("activate", {"steps": Refusal("not_on_the_way")}, form)
    heightened_until = now + (await plans.programme(conn, of.programme_id)).heightened_for
    await plans.join(
        conn,
        patient_id=of.patient_id,
        programme_id=of.programme_id,
        heightened_until=heightened_until,
        set_by=session.account_id,
        at=now,
        reason="",
    )
    detail = {"heightened_until": heightened_until.isoformat()}
    await participation.record(
        conn, session, of.patient_id, now, "participation.activate", takes_part.participation_id, detail
    )
