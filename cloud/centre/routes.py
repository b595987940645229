"""Calls and scripts of a case, unknown callers, and the end of a shift.

POST /cases/{case_id}/calls                     to: patient or a contact_id, a colon, one of their numbers
POST /cases/{case_id}/calls/{call_id}/end       outcome: reached|not_reached|voicemail, note
POST /cases/{case_id}/triage                    question, answer; or again: yes
GET  /callers, POST /callers                    number; in the form, so that no address and no log has it
GET  /callers/{telephone_call_id}               who calls, as a telephone system told of it
GET  /shift
POST /shift/offer                               to: account_id of a colleague
POST /shift/accept                              case_id, or none for all

303 back to the page when it is done; 409 when it cannot be done as things stand; 404 no such case for you.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import Clinical
from cloud.auth.models import Session
from cloud.centre import service
from cloud.centre.models import Match
from cloud.console.edge import Connection, Now, Tx, form_field, found_or_404
from cloud.console.pages import page
from cloud.contacts.numbers import e164, said
from cloud.crm.telephony import service as telephony
from cloud.crm.telephony import store as telephones
from cloud.crm.telephony.models import Caller
from cloud.plans import fields

router = APIRouter()


@router.post("/cases/{case_id}/calls")
async def begin_call(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    done = await service.begin_call(conn, session, case_id, await form_field(request, "to"), now)
    return _back(case_id, done, "calls")


@router.post("/cases/{case_id}/calls/{call_id}/end")
async def end_call(request: Request, case_id: UUID, call_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    outcome, note = await form_field(request, "outcome"), (await form_field(request, "note")).replace("\0", "")
    done = await service.end_call(conn, session, case_id, call_id, outcome, note, now)
    return _back(case_id, done, "calls")


@router.post("/cases/{case_id}/triage")
async def triage(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    if await form_field(request, "again"):
        done = await service.begin_again(conn, session, case_id, now)
    else:
        question, answer = await form_field(request, "question"), await form_field(request, "answer")
        done = await service.answer(conn, session, case_id, question, answer, now)
    return _back(case_id, done, "triage")


@router.get("/callers")
async def callers(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    return await _callers(request, conn, now, session)


@router.get("/callers/{telephone_call_id}")
async def caller(request: Request, telephone_call_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    heard = found_or_404(await telephony.caller(conn, telephone_call_id))
    matches = await service.who_is(conn, session, heard, now)
    return await _callers(request, conn, now, session, matches=matches, asked=True, heard=heard)


@router.post("/callers")
async def who_calls(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    typed = (await form_field(request, "number")).replace("\0", "")
    matches = await service.callers(conn, session, typed, now)
    code = status.HTTP_422_UNPROCESSABLE_CONTENT if matches is None else status.HTTP_200_OK
    return await _callers(request, conn, now, session, code, typed=typed, matches=matches, asked=True)


@router.get("/shift")
async def shift(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    return page(request, "shift.html", shift=await service.shift(conn, session, now), now=now)


@router.post("/shift/offer")
async def offer(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    if not await service.offer_all(conn, session, fields.id_of(await form_field(request, "to")), now):
        raise HTTPException(status.HTTP_409_CONFLICT)
    return RedirectResponse("/shift", status.HTTP_303_SEE_OTHER)


@router.post("/shift/accept")
async def accept(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    typed = await form_field(request, "case_id")
    case_id = fields.id_of(typed)
    if typed and case_id is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    await service.accept(conn, session, case_id, now)
    return RedirectResponse("/shift", status.HTTP_303_SEE_OTHER)


async def _callers(
    request: Request,
    conn: Connection,
    now: datetime,
    session: Session,
    code: int = status.HTTP_200_OK,
    *,
    typed: str = "",
    matches: Sequence[Match] | None = None,
    asked: bool = False,
    heard: Caller | None = None,
) -> Response:
    return page(
        request,
        "callers.html",
        status_code=code,
        typed=typed,
        matches=matches,
        asked=asked,
        heard=heard,
        number=heard.number if heard else e164(typed, None),
        systems=await telephones.systems(conn),
        mine=await telephones.telephone(conn, session.account_id),
        refused=None,
        spoken_number=said,
        now=now,
    )


def _back(case_id: UUID, done: bool | None, part: str) -> Response:
    if not done:
        raise HTTPException(status.HTTP_404_NOT_FOUND if done is None else status.HTTP_409_CONFLICT)
    return RedirectResponse(f"/cases/{case_id}#{part}", status.HTTP_303_SEE_OTHER)
