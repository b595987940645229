"""A patient's own consent.

GET  /me/consent            what it says, what was decided, and how to take it back
POST /me/consent            decision: given|refused, version
POST /me/consent/withdraw   sure: yes
"""

from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth.access import Patient
from cloud.auth.models import Session
from cloud.consent import service
from cloud.consent.models import Decision
from cloud.console.edge import Connection, Now, Tx, form
from cloud.console.pages import page

router = APIRouter()

HERE = "/me/consent"
LONGEST_NOTE = 500


@router.get(HERE)
async def consent(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    patient_id = _oneself(session)
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="consent.read", subject=f"patient:{patient_id}",
        patient_id=patient_id,
    )  # fmt: skip
    return await _page(request, conn, session, patient_id)


@router.post(HERE)
async def decide(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    patient_id, typed = _oneself(session), await form(request)
    version = typed.get("version", "")
    is_known = typed.get("decision") in (Decision.GIVEN, Decision.REFUSED) and version.isascii() and version.isdigit()
    if not is_known or not await service.decide(
        conn, session, patient_id, Decision(typed["decision"]), int(version[:9]), now
    ):
        return await _page(request, conn, session, patient_id, refusal="choose")
    return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)


@router.post(f"{HERE}/withdraw")
async def withdraw(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    patient_id, typed = _oneself(session), await form(request)
    if typed.get("sure") != "yes":
        return await _page(request, conn, session, patient_id, refusal="sure")
    # Withdrawing what is withdrawn changes nothing, and the page says how it stands.
    await service.withdraw(conn, session, patient_id, typed.get("note", "").strip()[:LONGEST_NOTE], now)
    return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)


async def _page(
    request: Request, conn: Connection, session: Session, patient_id: UUID, refusal: str | None = None
) -> Response:
    return page(
        request,
        "own_consent.html",
        status_code=status.HTTP_422_UNPROCESSABLE_CONTENT if refusal else status.HTTP_200_OK,
        consent=await service.own(conn, patient_id, session.language),
        history=await service.history(conn, patient_id),
        refusal=refusal,
    )


def _oneself(session: Session) -> UUID:
    if session.patient_id is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return session.patient_id
