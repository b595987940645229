"""Taking patients in: by nurses, doctors and coordinators of their care team.

GET  /enrolments                          who is on the way, who is leaving, who takes part
POST /enrolments/search                   the same, q: of whom; in the form, so that no address and no log has a name
POST /enrolments                          take somebody in
GET  /enrolments/{patient_id}?template=   the steps; with ``template``, what it would set
POST /enrolments/{patient_id}/eligibility, /consent, /plan, /care-team, /care-team/{account_id}/end, /training
POST /enrolments/{patient_id}/readings    whether the test measurements are what the display showed
POST /enrolments/{patient_id}/decision    a doctor says whether somebody can take part
POST /enrolments/{patient_id}/activate, /pause, /pause/{pause_id}/end, /end, /close, /again

303 back to the page when it is done; 422 with the page, what was typed and what is wrong with it, when it is not;
429 with the time to wait for whoever has asked for too many people.
"""

import math
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.admission import activation, agreement, arrival, leaving, service, store, teaching
from cloud.admission.models import ENROLLING, Effect, Patient, Step
from cloud.admission.steps import is_taught
from cloud.audit import store as audit
from cloud.auth.access import only
from cloud.auth.models import Role, Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.participation.models import EndReason, Stage, TooOften
from cloud.planning import store as plans
from cloud.plans import rules
from cloud.plans.fields import Form, Refusal, Refused

router = APIRouter(prefix="/enrolments")

Enrolling = Annotated[Session, Depends(only(frozenset(ENROLLING)))]
Doctor = Annotated[Session, Depends(only(frozenset({Role.DOCTOR})))]
LONGEST_SEARCH: Final = 200
Change = Callable[[Connection, Session, Patient, Form, datetime], Awaitable[None]]


@router.get("")
async def enrolments(request: Request, conn: Tx, now: Now, session: Enrolling) -> Response:
    return await _looked_through(request, conn, now, session, "")


@router.post("/search")
async def search(request: Request, conn: Tx, now: Now, session: Enrolling) -> Response:
    typed = (await form(request)).get("q", "")
    return await _looked_through(request, conn, now, session, typed.strip()[:LONGEST_SEARCH])


@router.post("")
async def take_in(request: Request, conn: Tx, now: Now, session: Enrolling) -> Response:
    typed = await form(request)
    try:
        patient_id = await arrival.take_in(conn, session, typed, now)
    except Refused as refused:
        return await _list(request, conn, now, session, refused=refused)
    except TooOften as often:
        wait_s = math.ceil(often.again_after.total_seconds())
        told = Refusal("too_often", {"minutes": str(math.ceil(wait_s / 60))})
        answer = await _list(request, conn, now, session, refused=Refused("person", {"display_name": told}, typed))
        answer.status_code = status.HTTP_429_TOO_MANY_REQUESTS
        answer.headers["Retry-After"] = str(wait_s)
        return answer
    return RedirectResponse(f"/enrolments/{patient_id}", status.HTTP_303_SEE_OTHER)


@router.get("/{patient_id}")
async def enrolment(
    request: Request,
    patient_id: UUID,
    conn: Tx,
    now: Now,
    session: Enrolling,
    template: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    found = await _found(conn, session, patient_id, now)
    await service.record_reading(conn, session, found, now)
    return await _page(request, conn, found, now, template=template)


@router.post("/{patient_id}/eligibility")
async def eligibility(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Enrolling) -> Response:
    return await _changed(request, patient_id, conn, now, session, arrival.fill_in, "eligibility")


@router.post("/{patient_id}/decision")
async def decision(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Doctor) -> Response:
    return await _changed(request, patient_id, conn, now, session, arrival.decide, "eligibility")


@router.post("/{patient_id}/consent")
async def consent(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Enrolling) -> Response:
    return await _changed(request, patient_id, conn, now, session, agreement.enter_consent, "consent")


@router.post("/{patient_id}/plan")
async def plan(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Enrolling) -> Response:
    return await _changed(request, patient_id, conn, now, session, agreement.set_plan, "plan")


@router.post("/{patient_id}/care-team")
async def join_team(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Enrolling) -> Response:
    return await _changed(request, patient_id, conn, now, session, agreement.join_team, "care_team")


@router.post("/{patient_id}/care-team/{account_id}/end")
async def leave_team(
    request: Request, patient_id: UUID, account_id: UUID, conn: Tx, now: Now, session: Enrolling
) -> Response:
    found = await _found(conn, session, patient_id, now)
    try:
        await agreement.leave_team(conn, session, found, account_id, now)
    except Refused as refused:
        return await _page(request, conn, found, now, refused=refused)
    # Whoever has left sees the page no more.
    return _back(patient_id, "care_team") if account_id != session.account_id else _to_the_list()


@router.post("/{patient_id}/training")
async def training(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Enrolling) -> Response:
    return await _changed(request, patient_id, conn, now, session, teaching.teach, "training")


@router.post("/{patient_id}/readings")
async def readings(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Enrolling) -> Response:
    return await _changed(request, patient_id, conn, now, session, teaching.confirm_readings, "readings")


@router.post("/{patient_id}/activate")
async def activate(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Enrolling) -> Response:
    return await _changed(request, patient_id, conn, now, session, activation.activate, "activate")


@router.post("/{patient_id}/pause")
async def pause(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Enrolling) -> Response:
    return await _changed(request, patient_id, conn, now, session, leaving.pause, "leaving")


@router.post("/{patient_id}/pause/{pause_id}/end")
async def end_pause(patient_id: UUID, pause_id: UUID, conn: Tx, now: Now, session: Enrolling) -> Response:
    found = await _found(conn, session, patient_id, now)
    if not await leaving.end_pause(conn, session, found, pause_id, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _back(patient_id, "leaving")


@router.post("/{patient_id}/end")
async def end(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Enrolling) -> Response:
    return await _changed(request, patient_id, conn, now, session, leaving.end, "leaving")


@router.post("/{patient_id}/close")
async def close(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Enrolling) -> Response:
    done = await _changed(request, patient_id, conn, now, session, leaving.close, "leaving")
    return _to_the_list() if done.status_code == status.HTTP_303_SEE_OTHER else done


@router.post("/{patient_id}/again")
async def again(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Enrolling) -> Response:
    return await _changed(request, patient_id, conn, now, session, leaving.begin_again, "eligibility")


async def _changed(
    request: Request, patient_id: UUID, conn: Connection, now: datetime, session: Session, change: Change, part: str
) -> Response:
    found = await _found(conn, session, patient_id, now)
    typed = await form(request)
    try:
        await change(conn, session, found, typed, now)
    except Refused as refused:
        return await _page(request, conn, found, now, refused=refused)
    return _back(patient_id, part)


async def _page(
    request: Request,
    conn: Connection,
    of: Patient,
    now: datetime,
    *,
    template: str = "",
    refused: Refused | None = None,
) -> Response:
    way = await service.way(conn, of, now, template)
    context: dict[str, Any] = {
        "way": way,
        "patient": of,
        "stage": way.takes_part.stage.value if way.takes_part else Stage.ACTIVE.value,
        "steps": list(Step),
        "asks_doctor": way.effect is Effect.ASKS_DOCTOR,
        "is_taught": is_taught,
        "end_reasons": [reason.value for reason in EndReason if reason is not EndReason.CONSENT_WITHDRAWN],
        "refused": refused,
        "now": now,
    }
    return page(request, "enrolment.html", **context)


async def _looked_through(request: Request, conn: Connection, now: datetime, session: Session, sought: str) -> Response:
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="enrolment_list.read", subject="patient_list:enrolments"
    )
    return await _list(request, conn, now, session, sought=sought)


async def _list(
    request: Request,
    conn: Connection,
    now: datetime,
    session: Session,
    *,
    sought: str = "",
    refused: Refused | None = None,
) -> Response:
    return page(
        request,
        "enrolments.html",
        on_the_way=await service.on_the_way(conn, session, now),
        leaving=await leaving.leaving(conn, session, now),
        taking_part=await store.taking_part(conn, session.account_id, sought, now),
        most=store.MOST_LISTED,
        programmes=[one for one in await plans.programmes(conn) if one.programme_id != rules.TRAINING],
        zone=await store.site_zone(conn),
        sought=sought,
        refused=refused,
        now=now,
    )


def _back(patient_id: UUID, part: str) -> Response:
    return RedirectResponse(f"/enrolments/{patient_id}#{part}", status.HTTP_303_SEE_OTHER)


def _to_the_list() -> Response:
    return RedirectResponse("/enrolments", status.HTTP_303_SEE_OTHER)


async def _found(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> Patient:
    return found_or_404(await service.patient(conn, session, patient_id, now))
