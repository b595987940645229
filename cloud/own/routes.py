"""What a patient sees of themselves. Every address is of the session's own patient; for staff there is none of it.

GET /me              due today, what was measured and received, what is wrong, the way to everything else
GET /me/readings     the part of it that changes, for the page to refresh itself
GET /me/measured     charts and tables, for the screen and for paper
GET /me/series.json  what the charts draw
GET /me/plan         what was agreed, in plain words
"""

from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from cloud.audit import store as audit
from cloud.auth.access import Patient
from cloud.auth.models import Session
from cloud.consent import service as consent
from cloud.console.edge import Connection, Now, Tx, found_or_404
from cloud.console.pages import page
from cloud.console.spoken import spoken_in
from cloud.contacts.numbers import said
from cloud.crm.appointments import showing as appointments
from cloud.crm.education import store as library
from cloud.crm.followups import store as followups
from cloud.crm.questionnaires import service as questionnaires
from cloud.crm.reminders import service as reminders
from cloud.crm.surveys import service as surveys
from cloud.messages import store as messages
from cloud.own import service
from cloud.patients import models
from cloud.patients import service as patients
from cloud.patients import store as oneself
from cloud.visits import service as visits

router = APIRouter(prefix="/me")

READ: Final = "own_readings.read"


@router.get("")
async def me(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    now_there = await _now(conn, now, session)
    patient_id = now_there["patient"].patient_id
    return page(
        request,
        "me.html",
        **now_there,
        appointments=await appointments.own_to_come(conn, patient_id, now),
        invitations=[one for one in await visits.to_come_of(conn, patient_id) if one.starts_at is None],
        waiting=await questionnaires.open_of(conn, patient_id, now),
        surveys=await surveys.open_of(conn, patient_id, now),
        follow_ups=await followups.of_patient(conn, patient_id),
        given=await library.given(conn, patient_id),
        reader=session.language or "en",
        doses=await reminders.today(conn, patient_id, now_there["patient"].time_zone, now),
    )


@router.get("/readings")
async def readings(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    return page(request, "me_now.html", **await _now(conn, now, session))


@router.get("/measured")
async def measured(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    of = await _oneself(conn, session)
    await _record(conn, now, session, of.patient_id, READ)
    found = await patients.last_readings(conn, of.patient_id, now)
    return page(
        request,
        "measured.html",
        patient=of,
        measured=service.newest(found, of.time_zone),
        consent=await consent.own(conn, of.patient_id, session.language),
        now=now,
    )


@router.get("/series.json")
async def series(
    conn: Tx,
    now: Now,
    session: Patient,
    days: Annotated[int, Query(ge=1, le=patients.DRAWN_WITHIN.days)] = patients.DRAWN_WITHIN.days,
) -> dict[str, Any]:
    of = await _oneself(conn, session)
    await _record(conn, now, session, of.patient_id, READ)
    spoken = spoken_in(session.language, session.units)
    return await patients.series(conn, of.patient_id, of.time_zone, now, spoken, within=timedelta(days=days))


@router.get("/plan")
async def plan(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    of = await _oneself(conn, session)
    await _record(conn, now, session, of.patient_id, "own_plan.read")
    found = await patients.last_readings(conn, of.patient_id, now)
    return page(
        request,
        "my_plan.html",
        patient=of,
        plan=await service.own_plan(conn, of, found, now),
        consent=await consent.own(conn, of.patient_id, session.language),
        whom=await service.whom_to_call(conn, of),
        spoken_number=said,
        now=now,
    )


async def _now(conn: Connection, now: Now, session: Session) -> dict[str, Any]:
    of = await _oneself(conn, session)
    await _record(conn, now, session, of.patient_id, READ)
    found = await patients.last_readings(conn, of.patient_id, now)
    return {
        "patient": of,
        "today": await service.due_today(conn, of, now),
        "measured": service.newest(found, of.time_zone)[: service.SHOWN],
        "troubles": await service.troubles(conn, of, now),
        "consent": await consent.own(conn, of.patient_id, session.language),
        "whom": await service.whom_to_call(conn, of),
        "unread": await messages.unread_by_patient(conn, of.patient_id),
        "spoken_number": said,
        "now": now,
    }


async def _oneself(conn: Connection, session: Session) -> models.Patient:
    return found_or_404(await oneself.oneself(conn, session.patient_id) if session.patient_id else None)


async def _record(conn: Connection, now: Now, session: Session, patient_id: UUID, action: str) -> None:
    await audit.record_reading_on(
        conn,
        at=now,
        account_id=session.account_id,
        action=action,
        subject=f"patient:{patient_id}",
        patient_id=patient_id,
    )
