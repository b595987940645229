"""General questions: asked by patients, answered by the care team.

GET  /me/ask                           what one asked, and the form; opening it reads the answers
POST /me/ask                           body, symptoms, may_publish, warned
POST /me/ask/{question_id}/publishing  allow: yes or no
GET  /asked                            those of one's patients
GET  /asked/waiting                    how many, for the worklist
GET  /asked/{question_id}              one
POST /asked/{question_id}/take
POST /asked/{question_id}/pass         to the doctors; by a doctor, back
POST /asked/{question_id}/answer       answer
POST /asked/{question_id}/message      body: it goes on in the thread
POST /asked/{question_id}/follow-up    what, due_on
POST /asked/{question_id}/publish      a draft for the library, as POST /library takes it

303 when it is done; 422 with what was typed and why it was not.
"""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth.access import Clinical, Patient
from cloud.auth.models import Role, Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404, takes
from cloud.console.pages import page
from cloud.contacts.numbers import said
from cloud.crm.education import answering
from cloud.crm.education.models import LONGEST_ANSWER, LONGEST_QUESTION, Question
from cloud.crm.education.routes import LARGEST_TEXTS, form_facts
from cloud.crm.followups import service as followups
from cloud.messages.models import LONGEST as LONGEST_MESSAGE
from cloud.plans.fields import Refused

router = APIRouter()

MINE: Final = "/me/ask"
ASKED: Final = "/asked"
ONE: Final = "/asked/{question_id}"


@router.get(MINE)
async def mine(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    return await _own_page(request, conn, session, now)


@router.post(MINE)
async def ask(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    try:
        await answering.ask(conn, session, found_or_404(session.patient_id), await form(request), now)
    except Refused as refused:
        return await _own_page(request, conn, session, now, refused)
    return _see(f"{MINE}?sent=1")


@router.post(f"{MINE}/{{question_id}}/publishing")
async def agree(request: Request, question_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    may_publish = (await form(request)).get("allow") == "yes"
    await answering.agree(conn, session, found_or_404(session.patient_id), question_id, now, may_publish=may_publish)
    return _see(MINE)


@router.get(ASKED)
async def questions(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    return page(request, "asked.html", questions=await answering.of_team(conn, session, now), now=now)


@router.get(f"{ASKED}/waiting")
async def waiting(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    return page(request, "asked_waiting.html", questions=await answering.waiting(conn, session), now=now)


@router.get(ONE)
async def question(request: Request, question_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    return _page(request, session, await _found(conn, session, question_id, now), now)


@router.post(f"{ONE}/take")
async def take(question_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    of = await _found(conn, session, question_id, now)
    await answering.take(conn, session, of, now)
    return _see(f"{ASKED}/{question_id}")  # where it stands who was faster


@router.post(f"{ONE}/pass")
async def pass_on(question_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    of = await _found(conn, session, question_id, now)
    await answering.pass_on(conn, session, of, now)
    return _see(f"{ASKED}/{question_id}")


@router.post(f"{ONE}/answer")
async def answer(request: Request, question_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    of = await _found(conn, session, question_id, now)
    return await _ended(request, conn, session, of, now, answering.answer(conn, session, of, await form(request), now))


@router.post(f"{ONE}/message")
async def to_message(request: Request, question_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    of = await _found(conn, session, question_id, now)
    typed = await form(request)
    return await _ended(request, conn, session, of, now, answering.turn_into_message(conn, session, of, typed, now))


@router.post(f"{ONE}/follow-up")
async def to_follow_up(request: Request, question_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    of = await _found(conn, session, question_id, now)
    typed = await form(request)
    return await _ended(request, conn, session, of, now, answering.turn_into_follow_up(conn, session, of, typed, now))


@router.post(f"{ONE}/publish")
@takes(LARGEST_TEXTS)
async def publish(request: Request, question_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    of = await _found(conn, session, question_id, now)
    try:
        async with conn.transaction():
            article_id = await answering.publish(conn, session, of, await form(request), now)
    except Refused as refused:
        return _page(request, session, of, now, refused)
    return _see(f"/library/{article_id}")


async def _ended(
    request: Request, conn: Connection, session: Session, of: Question, now: Now, deed: Awaitable[None]
) -> Response:
    try:
        async with conn.transaction():  # all of it, or nothing: somebody may have been faster
            await deed
    except Refused as refused:
        return _page(request, session, of, now, refused)
    return _see(f"{ASKED}/{of.question_id}")


async def _own_page(
    request: Request, conn: Connection, session: Session, now: Now, refused: Refused | None = None
) -> Response:
    patient_id = found_or_404(session.patient_id)
    return page(
        request,
        "my_questions.html",
        questions=await answering.own(conn, session, patient_id, now),
        whom=await answering.whom_to_call(conn, patient_id),
        spoken_number=said,
        zone=await audit.zone_of(conn, patient_id),
        is_sent=request.query_params.get("sent") == "1" and refused is None,
        longest=LONGEST_QUESTION,
        refused=refused,
        now=now,
    )


def _page(request: Request, session: Session, of: Question, now: Now, refused: Refused | None = None) -> Response:
    today = followups.day_there(now, of.time_zone)
    facts = form_facts()
    return page(
        request,
        "asked_question.html",
        question=of,
        is_mine=of.owner_id == session.account_id,
        may_answer=session.role is Role.DOCTOR or of.for_role is Role.NURSE,
        is_doctor=session.role is Role.DOCTOR,
        tomorrow=today + timedelta(days=1),
        longest_answer=LONGEST_ANSWER,
        longest_message=LONGEST_MESSAGE,
        refused=refused,
        now=now,
        **facts,
    )


async def _found(conn: Connection, session: Session, question_id: UUID, now: Now) -> Question:
    return found_or_404(await answering.opened(conn, session, question_id, now))


def _see(path: str) -> Response:
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)
