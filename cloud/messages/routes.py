"""Messages, for the patient and for the care team.

GET  /me/messages                           the patient's thread; opening it reads what the care team wrote
POST /me/messages                           body, message_id
GET  /messages                              which patients wait for an answer
GET  /messages/waiting                      how many, for the worklist to refresh itself
GET  /patients/{patient_id}/messages        the thread; opening it reads what the patient wrote
POST /patients/{patient_id}/messages        body, message_id, seen: an answer
POST /patients/{patient_id}/messages/settle seen: what the patient wrote needs no answer

303 back to the thread when it is done; 422 with what was typed and why it was not sent.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth.access import Clinical, Patient
from cloud.auth.models import Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.contacts import models
from cloud.contacts import service as contacts
from cloud.contacts.numbers import said
from cloud.messages import service
from cloud.messages.models import LONGEST, Message, Refused, count
from cloud.plans import fields

router = APIRouter()

MINE: Final = "/me/messages"
OF_PATIENT: Final = "/patients/{patient_id}/messages"


@router.get(MINE)
async def mine(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    return await _own_page(request, conn, now, session)


@router.post(MINE)
async def write_to_care_team(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    typed = await form(request)
    try:
        await service.write(conn, session, _own_id(session), typed, _id_in(typed), now)
    except Refused as refused:
        return await _own_page(request, conn, now, session, refused)
    return _see(f"{MINE}?sent=1")


@router.get("/messages")
async def waiting(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="messages.waiting", subject="messages:own"
    )
    return page(request, "messages.html", waiting=await service.waiting(conn, session), now=now)


@router.get("/messages/waiting")
async def count_waiting(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    return page(request, "messages_waiting.html", messages=count(await service.waiting(conn, session)), now=now)


@router.get(OF_PATIENT)
async def of_patient(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    return await _page(request, conn, now, session, await _found(conn, session, patient_id))


@router.post(OF_PATIENT)
async def answer(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    of, typed = await _found(conn, session, patient_id), await form(request)
    try:
        await service.write(conn, session, of.patient_id, typed, _id_in(typed), now)
    except Refused as refused:
        return await _page(request, conn, now, session, of, refused)
    return _see(f"/patients/{patient_id}/messages")


@router.post(f"{OF_PATIENT}/settle")
async def settle(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    of = await _found(conn, session, patient_id)
    await service.settle(conn, session, of.patient_id, await form(request), now)
    return _see(f"/patients/{patient_id}/messages")


async def _own_page(
    request: Request, conn: Connection, now: Now, session: Session, refused: Refused | None = None
) -> Response:
    patient_id = _own_id(session)
    surroundings = await contacts.surroundings(conn, patient_id)
    return _thread_page(
        request,
        "my_messages.html",
        now,
        refused,
        await service.opened(conn, session, patient_id, now),
        zone=await audit.zone_of(conn, patient_id),
        emergency=surroundings.card.emergency_number if surroundings.card else None,
        is_closed=await service.nobody_reads(conn, patient_id),
        is_sent=request.query_params.get("sent") == "1" and refused is None,
    )


async def _page(
    request: Request, conn: Connection, now: Now, session: Session, of: models.Patient, refused: Refused | None = None
) -> Response:
    surroundings = await contacts.surroundings(conn, of.patient_id)
    return _thread_page(
        request,
        "patient_messages.html",
        now,
        refused,
        await service.opened(conn, session, of.patient_id, now),
        patient=of,
        zone=of.time_zone,
        phones=[said(number) for number in surroundings.card.phones] if surroundings.card else [],
    )


def _thread_page(
    request: Request, template: str, now: Now, refused: Refused | None, messages: Sequence[Message], **context: Any
) -> Response:
    return page(
        request,
        template,
        refused=refused,
        message_id=uuid4(),
        seen=max((one.written_at for one in messages if one.from_patient), default=None),
        messages=messages,
        longest=LONGEST,
        now=now,
        **context,
    )


def _own_id(session: Session) -> UUID:
    if session.patient_id is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return session.patient_id


def _id_in(typed: dict[str, str]) -> UUID:
    """That of the form; a new one for a form without one, as a script sends it."""
    return fields.id_of(typed.get("message_id", "")) or uuid4()


async def _found(conn: Connection, session: Session, patient_id: UUID) -> models.Patient:
    return found_or_404(await contacts.patient(conn, session, patient_id))


def _see(path: str) -> Response:
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)
