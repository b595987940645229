"""How a patient is reached: for whoever cares for them, and for the patient.

GET  /patients/{patient_id}/reach                      ways, consent, quiet hours, and what was told outside
POST /patients/{patient_id}/reach                      quiet_from, quiet_until, language
POST /patients/{patient_id}/reach/ways                 channel, address
POST /patients/{patient_id}/reach/ways/{channel_id}/first
POST /patients/{patient_id}/reach/ways/{channel_id}/remove
POST /patients/{patient_id}/reach/consent              channel, decision: what the patient said
GET  /outside-texts, POST /outside-texts               language, subject, body; or ours: what all patients are told
GET  /me/reach, POST /me/reach, POST /me/reach/consent the same for oneself; addresses are the care team's to write

303 back to the page when it is done; 422 with what was typed and what is wrong with it, when it is not.
"""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth.access import Patient, only
from cloud.auth.models import CLINICAL, Role, Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.contacts import service as contacts
from cloud.contacts.models import Patient as Known
from cloud.crm.reach import service, store, words
from cloud.crm.reach.models import WAYS
from cloud.language.languages import LANGUAGES
from cloud.plans.fields import Refused

router = APIRouter()

Wording = Annotated[Session, Depends(only(frozenset({Role.LEAD_NURSE, Role.ADMINISTRATOR})))]
Caring = Annotated[Session, Depends(only(CLINICAL | {Role.COORDINATOR}))]
OF_PATIENT: Final = "/patients/{patient_id}/reach"
MINE: Final = "/me/reach"
WORDS: Final = "/outside-texts"


@router.get(OF_PATIENT)
async def of_patient(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    await service.record_reading(conn, session, patient_id, now)
    return await _page(request, conn, found, now)


@router.post(OF_PATIENT)
async def choose(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        await service.choose(conn, session, patient_id, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, found, now, refused)
    return _see(f"/patients/{patient_id}/reach")


@router.post(f"{OF_PATIENT}/ways")
async def add_way(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        await service.add(conn, session, patient_id, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, found, now, refused)
    return _see(f"/patients/{patient_id}/reach")


@router.post(f"{OF_PATIENT}/ways/{{channel_id}}/first")
async def prefer_way(patient_id: UUID, channel_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    await _found(conn, session, patient_id)
    if not await service.prefer(conn, session, patient_id, channel_id, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _see(f"/patients/{patient_id}/reach")


@router.post(f"{OF_PATIENT}/ways/{{channel_id}}/remove")
async def remove_way(patient_id: UUID, channel_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    await _found(conn, session, patient_id)
    if not await service.remove(conn, session, patient_id, channel_id, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _see(f"/patients/{patient_id}/reach")


@router.post(f"{OF_PATIENT}/consent")
async def agree(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        await service.agree(conn, session, patient_id, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, found, now, refused)
    return _see(f"/patients/{patient_id}/reach")


@router.get(MINE)
async def mine(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    await service.record_reading(conn, session, _own_id(session), now)
    return await _own_page(request, conn, session)


@router.post(MINE)
async def choose_oneself(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    try:
        await service.choose(conn, session, _own_id(session), await form(request), now)
    except Refused as refused:
        return await _own_page(request, conn, session, refused)
    return _see(MINE)


@router.post(f"{MINE}/consent")
async def agree_oneself(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    try:
        await service.agree(conn, session, _own_id(session), await form(request), now)
    except Refused as refused:
        return await _own_page(request, conn, session, refused)
    return _see(MINE)


async def _page(request: Request, conn: Connection, of: Known, now: Now, refused: Refused | None = None) -> Response:
    return page(
        request,
        "patient_reach.html",
        patient=of,
        ways=await service.ways(conn, of.patient_id),
        kinds=WAYS,
        refused=refused,
        now=now,
    )


async def _own_page(request: Request, conn: Connection, session: Session, refused: Refused | None = None) -> Response:
    patient_id = _own_id(session)
    return page(
        request,
        "my_reach.html",
        ways=await service.ways(conn, patient_id),
        zone=await audit.zone_of(conn, patient_id),
        kinds=WAYS,
        refused=refused,
    )


@router.get(WORDS)
async def own_words(request: Request, conn: Tx, session: Wording) -> Response:
    del session
    return await _words_page(request, conn)


@router.post(WORDS)
async def set_own_words(request: Request, conn: Tx, now: Now, session: Wording) -> Response:
    try:
        await service.set_own_words(conn, session, await form(request), now)
    except Refused as refused:
        return await _words_page(request, conn, refused)
    return _see(WORDS)


async def _words_page(request: Request, conn: Connection, refused: Refused | None = None) -> Response:
    own = {one.language: one for one in await store.all_own_words(conn)}
    return page(
        request,
        "outside_texts.html",
        own=own,
        ours={code: (words.subject(code), words.body(code)) for code in LANGUAGES},
        names={code: facts.name for code, facts in LANGUAGES.items()},
        refused=refused,
    )


def _own_id(session: Session) -> UUID:
    return found_or_404(session.patient_id)


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Known:
    return found_or_404(await contacts.patient(conn, session, patient_id))


def _see(path: str) -> Response:
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)
