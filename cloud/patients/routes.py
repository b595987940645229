"""The patient's pages.

GET /patients                          the account's patients
GET /patients/{patient_id}             one patient: open cases, charts, readings, limits
GET /patients/{patient_id}/readings    the readings alone, for the page to refresh itself
POST /patients/{patient_id}/devices/{assignment_id}/clock-check  a nurse compared a device's clock with a watch
GET /patients/{patient_id}/series.json?days=&kind=  what the charts draw
"""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth.access import Clinical, Nursing
from cloud.auth.models import Session
from cloud.components import service as components
from cloud.consent import service as consent
from cloud.console.edge import Connection, Now, Tx, found_or_404
from cloud.console.pages import page
from cloud.console.spoken import spoken_in
from cloud.contacts import service as contacts
from cloud.contacts.numbers import said
from cloud.crm.advice import store as advice
from cloud.crm.education import store as library
from cloud.crm.followups import service as followups
from cloud.crm.followups import store as planned
from cloud.crm.households import service as households
from cloud.crm.segments import service as segments
from cloud.messages import service as messages
from cloud.messages import store as threads
from cloud.messages.models import count
from cloud.participation import service as participation
from cloud.patients import models, service, store
from cloud.silences import service as silences
from cloud.treatment import service as treatment
from cloud.what_if import budgets
from cloud.worklist import store as worklist

router = APIRouter()


@router.get("/patients")
async def patients(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="patient_list.read", subject="patient_list:own"
    )
    return page(
        request,
        "patients.html",
        patients=await store.patients(conn, session.account_id),
        our_side=await components.our_side(conn, now),
        messages=count(await messages.waiting(conn, session)),
        over_budget=await budgets.exceeded(conn, session),
        endings=await participation.endings(conn, session),
        outdated=await consent.outdated(conn, session),
        now=now,
    )


@router.get("/patients/{patient_id}")
async def patient(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = await _found(conn, session, patient_id)
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action="patient.read",
        subject=f"patient:{patient_id}",
        patient_id=patient_id,
    )
    agreed = await consent.own(conn, patient_id, session.language)
    stratum = await segments.standing(conn, session, patient_id, now)
    return page(
        request,
        "patient.html",
        patient=found,
        cases=await worklist.open_cases_of(conn, session.account_id, patient_id),
        readings=await service.last_readings(conn, patient_id, now),
        limits=await service.limits(conn, patient_id, now),
        devices=await store.devices(conn, patient_id, now),
        silences=await silences.of_patient(conn, patient_id, now),
        around=await contacts.surroundings(conn, patient_id),
        treatment=await treatment.treatment(conn, patient_id, found.time_zone, now),
        spoken_number=said,
        follow_ups=await planned.of_patient(conn, patient_id),
        today=followups.day_there(now, found.time_zone),
        given=await library.given(conn, patient_id),
        advised=await advice.given(conn, patient_id),
        reader=session.language or "en",
        stratum=stratum,
        stratum_because=await segments.reason(conn, session, stratum, found.time_zone) if stratum else "",
        tags=await segments.tags(conn, patient_id),
        housemates=await households.housemates(conn, session, patient_id, now),
        messages_waiting=await threads.waiting_of(conn, patient_id),
        takes_part=agreed.takes_part,
        consent=agreed,
        our_side=await components.our_side(conn, now),
        now=now,
    )


@router.get("/patients/{patient_id}/readings")
async def readings(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = await _found(conn, session, patient_id)
    await contacts.record_readings(conn, session, patient_id, now)
    last = await service.last_readings(conn, patient_id, now)
    return page(request, "readings.html", patient=found, readings=last)


@router.get("/patients/{patient_id}/series.json")
async def series(
    patient_id: UUID,
    conn: Tx,
    now: Now,
    session: Clinical,
    days: Annotated[int, Query(ge=1, le=service.DRAWN_WITHIN.days)] = service.DRAWN_WITHIN.days,
    kind: Annotated[str | None, Query(max_length=20)] = None,
) -> dict[str, Any]:
    found = await _found(conn, session, patient_id)
    await contacts.record_readings(conn, session, patient_id, now)
    return await service.series(
        conn,
        patient_id,
        found.time_zone,
        now,
        spoken_in(session.language, session.units),
        within=timedelta(days=days),
        kind=kind,
    )


@router.post("/patients/{patient_id}/devices/{assignment_id}/clock-check")
async def check_clock(patient_id: UUID, assignment_id: UUID, conn: Tx, now: Now, session: Nursing) -> Response:
    if not await service.check_clock(conn, session, patient_id, assignment_id, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return RedirectResponse(f"/patients/{patient_id}#devices", status.HTTP_303_SEE_OTHER)


async def _found(conn: Connection, session: Session, patient_id: UUID) -> models.Patient:
    return found_or_404(await store.patient(conn, session.account_id, patient_id))
