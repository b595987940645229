"""Trying limits, for doctors and lead nurses. Nothing is saved here: limits are changed on the plan's own page.

GET /what-if?programme_id= or ?patient_id=&condition=&unit=&value=   the form, runs of this person, and budgets
POST /what-if                                                       ask: 303 to the run, 422 with what is wrong
GET /what-if/{run_id}                                               progress and result
GET /what-if/{run_id}/result                                        the same without the page around it, for polling
POST /what-if/{run_id}/cancel                                       303 back to the run
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response, status
from fastapi.responses import HTMLResponse, RedirectResponse

from cloud.audit import store as audit
from cloud.auth.access import only
from cloud.auth.models import Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import fragment, page
from cloud.plans.fields import id_of
from cloud.what_if import budgets, service, store
from cloud.what_if.models import PROPOSING, Run

router = APIRouter(prefix="/what-if")

Proposing = Annotated[Session, Depends(only(PROPOSING))]
Text = Annotated[str, Query(max_length=100)]


@router.get("")
async def what_if(
    request: Request,
    conn: Tx,
    now: Now,
    session: Proposing,
    programme_id: Text = "",
    patient_id: Annotated[UUID | None, Query()] = None,
    condition: Text = "",
    unit: Text = "",
    value: Text = "",
) -> Response:
    typed = {"limit_0": f"{condition} {unit}".strip(), "value_0": value} if condition else {}
    return await _form(request, conn, now, session, programme_id, patient_id, typed, None)


@router.post("")
async def ask(request: Request, conn: Tx, now: Now, session: Proposing) -> Response:
    typed = await form(request)
    patient_id = _uuid(typed.get("patient_id", ""))
    about = await service.asking(
        conn, session, now, programme_id=typed.get("programme_id", ""), patient_id=patient_id, typed=typed
    )
    if about is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    try:
        run_id = await service.ask(conn, session, about, now)
    except service.Refused as refused:
        return await _form(request, conn, now, session, about.programme.programme_id, patient_id, typed, refused)
    return RedirectResponse(f"/what-if/{run_id}", status.HTTP_303_SEE_OTHER)


@router.get("/{run_id}")
async def run(request: Request, run_id: UUID, conn: Tx, now: Now, session: Proposing) -> Response:
    found = await _found(conn, session, run_id)
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action="what_if.read",
        subject=f"what_if_run:{run_id}",
        patient_id=found.patient_id,
    )
    return page(request, "what_if_run.html", **await _of_run(conn, now, session, found))


@router.get("/{run_id}/result")
async def result(run_id: UUID, conn: Tx, now: Now, session: Proposing) -> Response:
    found = await _found(conn, session, run_id)
    await audit.record_reading_on(
        conn,
        at=now,
        account_id=session.account_id,
        action="what_if.read",
        subject=f"what_if_run:{run_id}",
        patient_id=found.patient_id,
    )
    return HTMLResponse(fragment("what_if_result.html", session=session, **await _of_run(conn, now, session, found)))


@router.post("/{run_id}/cancel")
async def cancel(run_id: UUID, conn: Tx, now: Now, session: Proposing) -> Response:
    await _found(conn, session, run_id)
    await store.cancel(conn, session.account_id, run_id, now)
    return RedirectResponse(f"/what-if/{run_id}", status.HTTP_303_SEE_OTHER)


async def _form(
    request: Request,
    conn: Connection,
    now: datetime,
    session: Session,
    programme_id: str,
    patient_id: UUID | None,
    typed: Mapping[str, str],
    refused: service.Refused | None,
) -> Response:
    about = await service.asking(conn, session, now, programme_id=programme_id, patient_id=patient_id, typed=typed)
    if about is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    runs = await store.runs_of(conn, session.account_id)
    return page(
        request,
        "what_if.html",
        about=about,
        refused=refused,
        runs=runs,
        subjects=await store.subjects(conn, session.account_id, [one.patient_id for one in runs if one.patient_id]),
        accounts=await budgets.accounts(conn),
        now=now,
    )


async def _of_run(conn: Connection, now: datetime, session: Session, found: Run) -> dict[str, Any]:
    shown, hidden = await service.differences(conn, session, found)
    subject = await store.subject(conn, session.account_id, found.patient_id) if found.patient_id else None
    programmes = {one.programme_id: one for one in await store.programmes(conn)}
    return {
        "run": found,
        "subject": subject,
        "programme": programmes.get(found.programme_id or ""),
        "lines": service.compared(found),
        "shown": shown,
        "hidden": hidden,
        "minutes": service.minutes_of_tiers(),
        "now": now,
    }


async def _found(conn: Connection, session: Session, run_id: UUID) -> Run:
    return found_or_404(await store.run(conn, session.account_id, run_id))


def _uuid(text: str) -> UUID | None:
    return found_or_404(id_of(text)) if text else None
