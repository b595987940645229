"""The worklist, the page of a case, and what people do there.

GET  /worklist?show=open|retrospect|automatic
GET  /cases/{case_id}
POST /cases/{case_id}/acknowledge, start, contacted, withdraw, end-silence
POST /cases/{case_id}/hand-over    to: account_id of a colleague
POST /cases/{case_id}/escalate     to: doctor|lead_nurse, reason
POST /cases/{case_id}/silence      minutes, reason
POST /cases/{case_id}/red-flags    flag (any number), answer: some|none
POST /cases/{case_id}/resolve      disposition, note

A script reads the outcome from the status: 200 (or 303 without htmx) it is done, 409 it is not, and the answer says why
(somebody else was faster, a note is missing), 404 there is no such case for you.
"""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request, Response, status
from fastapi.responses import HTMLResponse, RedirectResponse

from cloud.audit import store as audit
from cloud.auth.access import Clinical, Nursing
from cloud.auth.models import Session
from cloud.calls import service as calls
from cloud.components import service as components
from cloud.console.edge import Connection, Now, Tx, form_field, form_fields, wants_fragment
from cloud.console.pages import page
from cloud.console.spoken import spoken_in
from cloud.contacts import service as contacts
from cloud.contacts.numbers import said
from cloud.duty import service as duty
from cloud.messages import service as messages
from cloud.messages.models import count
from cloud.notifications import store as notifications
from cloud.participation import service as participation
from cloud.plans import fields
from cloud.treatment import service as treatment
from cloud.triage import service as triage
from cloud.what_if import budgets
from cloud.worklist import service, store, views
from cloud.worklist.models import Case, Conflict, Given, Show

router = APIRouter()


@router.get("/worklist")
async def worklist(
    request: Request, conn: Tx, now: Now, session: Nursing, show: Annotated[Show, Query()] = Show.OPEN
) -> Response:
    cases = await store.cases(conn, session.account_id, show, now)
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="worklist.read", subject=f"worklist:{show.value}"
    )
    return page(
        request,
        "worklist.html",
        show=show,
        shows=list(Show),
        aside=await store.aside(conn, session.account_id, now),
        cases=cases,
        waiting=sum(case.is_waiting and not case.is_silent(now) for case in cases),
        our_side=await components.our_side(conn, now),
        gaps=await duty.gaps_for(conn, session, now),
        messages=count(await messages.waiting(conn, session)),
        over_budget=await budgets.exceeded(conn, session),
        endings=await participation.endings(conn, session),
        now=now,
    )


@router.get("/cases/{case_id}")
async def case(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = await store.case(conn, session.account_id, case_id)
    if found is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action="case.read",
        subject=f"case:{case_id}",
        patient_id=found.patient_id,
    )
    return await _page(request, conn, now, session, found)


@router.post("/cases/{case_id}/acknowledge")
async def acknowledge(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    result = await service.acknowledge(conn, session, case_id, now)
    return await _answer(request, conn, now, session, result)


@router.post("/cases/{case_id}/start")
async def start(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    result = await service.start(conn, session, case_id, now)
    return await _answer(request, conn, now, session, result)


@router.post("/cases/{case_id}/contacted")
async def contacted(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    result = await service.contact(conn, session, case_id, now)
    return await _answer(request, conn, now, session, result)


@router.post("/cases/{case_id}/hand-over")
async def hand_over(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    to = fields.id_of(await form_field(request, "to"))
    result = await service.hand_over(conn, session, case_id, to, now)
    return await _answer(request, conn, now, session, result)


@router.post("/cases/{case_id}/withdraw")
async def withdraw(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    result = await service.withdraw(conn, session, case_id, now)
    return await _answer(request, conn, now, session, result)


@router.post("/cases/{case_id}/escalate")
async def escalate(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    given = Given(act="escalate", to=await form_field(request, "to"), reason=await form_field(request, "reason"))
    result = await service.escalate(conn, session, case_id, given.to, given.reason, now)
    return await _answer(request, conn, now, session, result, given)


@router.post("/cases/{case_id}/silence")
async def silence(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    given = Given(act="silence", reason=await form_field(request, "reason"))
    minutes = await form_field(request, "minutes")
    length = timedelta(minutes=int(minutes)) if minutes.isascii() and minutes.isdecimal() and len(minutes) < 8 else None
    result = await service.silence(conn, session, case_id, length, given.reason, now)
    return await _answer(request, conn, now, session, result, given)


@router.post("/cases/{case_id}/end-silence")
async def end_silence(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    result = await service.end_silence(conn, session, case_id, now)
    return await _answer(request, conn, now, session, result)


@router.post("/cases/{case_id}/red-flags")
async def red_flags(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    given = Given(act="red-flags", flags=tuple(await form_fields(request, "flag")))
    nothing = await form_field(request, "answer") == "none"
    result = await service.answer(conn, session, case_id, given.flags, nothing, now)
    return await _answer(request, conn, now, session, result, given)


@router.post("/cases/{case_id}/resolve")
async def resolve(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    disposition, note = await form_field(request, "disposition"), await form_field(request, "note")
    result = await service.resolve(conn, session, case_id, disposition, note, now)
    given = Given(act="resolve", disposition=disposition, note=note)
    return await _answer(request, conn, now, session, result, given)


async def _answer(
    request: Request,
    conn: Connection,
    now: datetime,
    session: Session,
    result: Case | Conflict | None,
    given: Given | None = None,
) -> Response:
    if result is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    if isinstance(result, Conflict):
        words = spoken_in(session.language).CONFLICTS[result.code]
        notice = words.format(owner=result.case.owner_name or "")
        if wants_fragment(request):
            return HTMLResponse(views.row(result.case, session, now, notice), status.HTTP_409_CONFLICT)
        await audit.record_reading_on(
            conn,
            at=now,
            account_id=session.account_id,
            action="case.read",
            subject=f"case:{result.case.case_id}",
            patient_id=result.case.patient_id,
        )
        return await _page(request, conn, now, session, result.case, notice, given)
    if wants_fragment(request):
        return HTMLResponse(views.row(result, session, now))
    return RedirectResponse(f"/cases/{result.case_id}", status.HTTP_303_SEE_OTHER)


async def _page(
    request: Request,
    conn: Connection,
    now: datetime,
    session: Session,
    found: Case,
    notice: str | None = None,
    given: Given | None = None,
) -> Response:
    return page(
        request,
        "case.html",
        status_code=status.HTTP_409_CONFLICT if notice else status.HTTP_200_OK,
        **views.of_case(
            found,
            session,
            now,
            alerts=await store.alerts(conn, found.case_id),
            history=await store.history(conn, found.case_id),
            colleagues=await store.colleagues(conn, session.account_id, found.patient_id),
            given=given or Given(),
            notice=notice,
        ),
        escalates_to=service.ESCALATES_TO,
        told=await notifications.told_of(conn, found.case_id),
        around=await contacts.surroundings(conn, found.patient_id),
        treatment=await treatment.treatment(conn, found.patient_id, found.time_zone, now),
        calls=await calls.last_calls(conn, found.patient_id),
        triage=await triage.triage(conn, found.case_id, found.condition),
        spoken_number=said,
        our_side=await components.our_side(conn, now),
    )
