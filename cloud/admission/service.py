"""The way in: who is on it, and how each of one patient's steps stands."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.admission import forms, leaving, store
from cloud.admission.facts import facts_of, facts_of_all
from cloud.admission.first_readings import judged, warns
from cloud.admission.models import OnTheWay, Patient, Pause, Step, Way
from cloud.admission.steps import effect_of, stand
from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.consent import documents
from cloud.consent import service as consent
from cloud.participation import service as participation
from cloud.participation import store as participations
from cloud.planning import service as planning
from cloud.planning import store as plans
from cloud.plans import rules

Connection = AsyncConnection[Any]

SHOWN: Final = 100


async def patient(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> Patient | None:
    """The patient, if in the account's care."""
    return await store.patient(conn, session.account_id, patient_id, now)


async def on_the_way(conn: Connection, session: Session, now: datetime) -> list[OnTheWay]:
    """Who is on the way, at which step, and what is missing: the oldest first."""
    patients = await store.on_the_way(conn, session.account_id, now)
    ids = [one.patient_id for one in patients]
    known, takes_part = await facts_of_all(conn, ids, now), await participations.newest(conn, ids)
    limits = {row.programme_id: rules.regime(row.regimes).limits for row in await plans.programmes(conn)}
    return [
        OnTheWay(
            patient=one,
            takes_part=takes_part[one.patient_id],
            steps=list(stand(takes_part[one.patient_id], known[one.patient_id], one.programme_id).values()),
            # The programme's own limits: whoever opens the page sees it by those in force.
            warns=warns(judged(known[one.patient_id], limits[one.programme_id])),
        )
        for one in patients
    ]


async def way(conn: Connection, of: Patient, now: datetime, template_id: str = "") -> Way:
    """The whole page of one patient; the caller has checked who asks."""
    facts = await facts_of(conn, of.patient_id, now)
    takes_part = await participation.of_patient(conn, of.patient_id)
    form = forms.form_of(of.programme_id)
    limits = await planning.limits_in_force(conn, of.patient_id, now)
    readings = judged(facts, limits)
    templates = forms.for_programme(forms.templates(), of.programme_id)
    filled = facts.entries.get((Step.ELIGIBILITY, ""))
    programme = await plans.programme(conn, of.programme_id)
    to_close = await leaving.to_close(conn, takes_part) if takes_part else ()
    return Way(
        patient=of,
        takes_part=takes_part,
        facts=facts,
        steps={step.value: state for step, state in stand(takes_part, facts, of.programme_id).items()},
        form=form,
        answered=filled.detail.get("answers", {}) if filled else {},
        effect=effect_of(filled),
        text=documents.newest(of.language),
        templates=templates,
        preview=forms.chosen(templates, template_id),
        checklists=[forms.checklists()[kind] for kind in facts.kinds],
        readings=readings,
        asked=await store.may_be_asked(conn, of.patient_id),
        decisions=await consent.history(conn, of.patient_id),
        history=await store.history(conn, of.patient_id, SHOWN),
        pauses=[
            Pause(pause_id=pause.pause_id, since=pause.since, until=pause.until, reason=pause.reason)
            for pause in await plans.pauses(conn, of.patient_id, now)
        ],
        to_close=to_close,
        heightened_for=programme.heightened_for,
        limits=len(limits),
        warns=warns(readings),
    )


async def record_reading(conn: Connection, session: Session, of: Patient, now: datetime) -> None:
    """Somebody looked at how far a patient is."""
    await audit.record_by(conn, session, now, "enrolment.read", f"patient:{of.patient_id}", of.patient_id)
