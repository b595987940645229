"""Calls and scripts of a case, unknown callers, and the end of a shift.

POST /cases/{case_id}/calls                     to: patient or a contact_id, a colon, one of their numbers
POST /cases/{case_id}/calls/{call_id}/end       outcome: reached|not_reached|voicemail, note
POST /cases/{case_id}/triage                    question, answer; or again: yes
GET  /callers, POST /callers                    number; in the form, so that no address and no log has it
GET  /shift
POST /shift/offer                               to: account_id of a colleague
POST /shift/accept                              case_id, or none for all

303 back to the page when it is done; 409 when it cannot be done as things stand; 404 no such case for you.
"""

from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import Clinical
from cloud.centre import service
from cloud.console.edge import Now, Tx, form_field
from cloud.console.pages import page

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
async def callers(request: Request, session: Clinical) -> Response:  # noqa: ARG001  (who asks is checked)
    return page(request, "callers.html", typed="", matches=None, asked=False)


@router.post("/callers")
async def who_calls(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    typed = (await form_field(request, "number")).replace("\0", "")
    matches = await service.callers(conn, session, typed, now)
    code = status.HTTP_422_UNPROCESSABLE_CONTENT if matches is None else status.HTTP_200_OK
    return page(request, "callers.html", status_code=code, typed=typed, matches=matches, asked=True, now=now)


@router.get("/shift")
async def shift(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    return page(request, "shift.html", shift=await service.shift(conn, session, now), now=now)


@router.post("/shift/offer")
async def offer(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    if not await service.offer_all(conn, session, _uuid(await form_field(request, "to")), now):
        raise HTTPException(status.HTTP_409_CONFLICT)
    return RedirectResponse("/shift", status.HTTP_303_SEE_OTHER)


@router.post("/shift/accept")
async def accept(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    typed = await form_field(request, "case_id")
    case_id = _uuid(typed)
    if typed and case_id is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    await service.accept(conn, session, case_id, now)
    return RedirectResponse("/shift", status.HTTP_303_SEE_OTHER)


def _back(case_id: UUID, done: bool | None, part: str) -> Response:
    if not done:
        raise HTTPException(status.HTTP_404_NOT_FOUND if done is None else status.HTTP_409_CONFLICT)
    return RedirectResponse(f"/cases/{case_id}#{part}", status.HTTP_303_SEE_OTHER)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
