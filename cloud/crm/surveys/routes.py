"""Surveys: answered by a link, on the patient's page, and by the staff; what came of them.

GET  /surveys                              what patients wrote beside their marks; results and rules, for who leads
POST /surveys/rules/{survey_kind}                 is_on, after_days, percent, apart_days
POST /surveys/comments/{comment_id}/seen
POST /surveys/comments/{comment_id}/theme  theme, remove
GET, POST /surveys/staff                   the staff's own
GET, POST /me/surveys/{survey_id}            for oneself
POST /me/surveys/wish                      wants: yes or no
POST /patients/{patient_id}/surveys/wish   the same, as the patient said
GET, POST /s/{token}                       by a link, without signing in
POST /s/{token}/stop                       by the link: no more of them

303 when it is done; 422 with what is missing; 410 for a link that leads to nothing any more, 429 where it was tried too
often. What stands on a page by link says nothing of whose it is.
"""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth import cookies
from cloud.auth.access import Clinical, Patient, only, require_csrf_token
from cloud.auth.models import CLINICAL, STAFF, Role, Session
from cloud.auth.routes import browser_of
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.contacts import service as contacts
from cloud.crm.questionnaires.models import Questionnaire
from cloud.crm.surveys import counting, service, store
from cloud.crm.surveys.models import LEADING, Kind, Sent
from cloud.crm.surveys.themes import THEMES
from cloud.duty import store as duty
from cloud.plans.fields import Refused

router = APIRouter()
open_router = APIRouter()

Reading = Annotated[Session, Depends(only(CLINICAL | {Role.ADMINISTRATOR}))]
Leading = Annotated[Session, Depends(only(LEADING))]
Staff = Annotated[Session, Depends(only(STAFF))]
Caring = Annotated[Session, Depends(only(CLINICAL | {Role.COORDINATOR}))]

STATUSES: Final = {
    "open": status.HTTP_200_OK,
    "taken": status.HTTP_200_OK,
    "stopped": status.HTTP_200_OK,
    "throttled": status.HTTP_429_TOO_MANY_REQUESTS,
}


@router.get("/surveys")
async def surveys(request: Request, conn: Tx, now: Now, session: Reading) -> Response:
    return await _page(request, conn, session, now)


@router.post("/surveys/rules/{survey_kind}")
async def set_rule(request: Request, survey_kind: Kind, conn: Tx, now: Now, session: Leading) -> Response:
    try:
        await service.set_rule(conn, session, survey_kind, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, now, refused)
    return _see("/surveys")


@router.post("/surveys/comments/{comment_id}/seen")
async def see(comment_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    if not await service.see(conn, session, comment_id, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _see("/surveys")


@router.post("/surveys/comments/{comment_id}/theme")
async def tag(request: Request, comment_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    try:
        found = await service.tag_comment(conn, session, comment_id, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, now, refused)
    if not found:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _see("/surveys")


@router.get("/surveys/staff")
async def staff(request: Request, conn: Tx, now: Now, _: Staff) -> Response:
    found = await service.staff_round(conn, now)
    return page(request, "staff_survey.html", asked=found[1] if found else None, refused=None)


@router.post("/surveys/staff")
async def answer_as_staff(request: Request, conn: Tx, now: Now, session: Staff) -> Response:
    found = await service.staff_round(conn, now)
    if found is not None:
        try:
            await service.answer_round(conn, session, *found, await form(request), now)
        except Refused as refused:
            return page(request, "staff_survey.html", asked=found[1], refused=refused)
    return _see("/surveys/staff")


@router.post("/patients/{patient_id}/surveys/wish")
async def wish_of(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found_or_404(await contacts.patient(conn, session, patient_id))
    wanted = (await form(request)).get("wants") == "yes"
    await service.choose(conn, session, patient_id, wanted, "told", now)
    return _see(f"/patients/{patient_id}/complaints")


@router.post("/me/surveys/wish")
async def wish(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    wanted = (await form(request)).get("wants") == "yes"
    await service.choose(conn, session, found_or_404(session.patient_id), wanted, "screen", now)
    return _see("/me/complaints")


@router.get("/me/surveys/{survey_id}")
async def mine(request: Request, survey_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    sent = await _sent(conn, session, survey_id)
    return await _asking(request, conn, sent.standing(now), sent.form, sent=sent)


@router.post("/me/surveys/{survey_id}")
async def answer_oneself(request: Request, survey_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    sent = await _sent(conn, session, survey_id)
    try:
        await service.answer(conn, session, sent, await form(request), now)
    except Refused as refused:
        return await _asking(request, conn, "open", sent.form, sent=sent, refused=refused)
    return _see(f"/me/surveys/{survey_id}")


@open_router.get("/s/{token}")
async def by_link(request: Request, token: str, conn: Tx, now: Now) -> Response:
    standing, asked = await service.by_link(conn, token, browser_of(request).address, now)
    return await _open_page(request, conn, standing, asked, token)


@open_router.post("/s/{token}")
async def answer_by_link(request: Request, token: str, conn: Tx, now: Now) -> Response:
    await require_csrf_token(request, cookies.read(request, cookies.SIGN_IN) or "")
    standing, asked = await service.by_link(conn, token, browser_of(request).address, now)
    if standing != "open" or asked is None:
        return await _open_page(request, conn, standing, asked, token)
    try:
        standing = await service.answer_by_link(
            conn, token, browser_of(request).address, asked, await form(request), now
        )
    except Refused as refused:
        return await _open_page(request, conn, "open", asked, token, refused)
    return await _open_page(request, conn, standing, asked, token)


@open_router.post("/s/{token}/stop")
async def stop_by_link(request: Request, token: str, conn: Tx, now: Now) -> Response:
    await require_csrf_token(request, cookies.read(request, cookies.SIGN_IN) or "")
    standing = await service.stop_by_link(conn, token, browser_of(request).address, now)
    return await _open_page(request, conn, standing, None, token)


async def _page(
    request: Request, conn: Connection, session: Session, now: Now, refused: Refused | None = None
) -> Response:
    leads = session.role in LEADING
    counts = await store.counts(conn, *service.a_year(now), now) if leads else []
    if leads:
        await service.record_results(conn, session, now)
    return page(
        request,
        "surveys.html",
        comments=await service.comments(conn, session, now) if session.role in CLINICAL else [],
        leads=leads,
        rules=await store.all_rules(conn) if leads else [],
        marks=counting.marks(counts),
        satisfaction=counting.satisfaction(counts),
        remarks=await store.remarks(conn, now) if leads else [],
        themes=THEMES,
        staff_survey=await service.staff_round(conn, now),
        zone=await duty.site_zone(conn),
        refused=refused,
    )


async def _open_page(
    request: Request,
    conn: Connection,
    standing: str,
    asked: Questionnaire | None,
    token: str,
    refused: Refused | None = None,
) -> Response:
    csrf_token = cookies.sign_in_token(request)
    response = await _asking(request, conn, standing, asked, refused=refused, csrf_token=csrf_token, token=token)
    cookies.write(request, response, cookies.SIGN_IN, csrf_token)
    return response


async def _asking(
    request: Request,
    conn: Connection,
    standing: str,
    asked: Questionnaire | None,
    *,
    refused: Refused | None = None,
    csrf_token: str = "",
    token: str = "",
    sent: Sent | None = None,
) -> Response:
    """The questions, or what has become of them. ``sent``: of somebody who is signed in, with what they answered."""
    code = status.HTTP_200_OK if sent is not None else STATUSES.get(standing, status.HTTP_410_GONE)
    return page(
        request,
        "survey.html",
        status_code=None if refused else code,
        standing=standing,
        asked=asked,
        sent=sent,
        action=f"/me/surveys/{sent.sent_id}" if sent else f"/s/{token}",
        refused=refused,
        own_csrf_token=csrf_token,
        phone=await duty.phone(conn),
    )


async def _sent(conn: Connection, session: Session, sent_id: UUID) -> Sent:
    return found_or_404(await service.one(conn, found_or_404(session.patient_id), sent_id))


def _see(path: str) -> Response:
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)
