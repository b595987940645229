"""Telephones: whose it is, having it ring, who calls, a patient's calls and where recordings are.

GET  /me/calls                                      who calls, and how it stands with what was asked; 204: no telephone
POST /me/telephone                                  system, extension: one's own
POST /me/telephone/remove
POST /patients/{patient_id}/ring                    to: patient or a contact_id, a colon, a number; case_id; back
GET  /patients/{patient_id}/calls                   the calls as the systems told of them
POST /patients/{patient_id}/calls/recording         decision, method, asked_at
POST /patients/{patient_id}/calls/{telephone_call_id}/join   call_id
POST /callers/{telephone_call_id}/case              case_id: write the call into its log
GET  /recordings/{recording_id}                     where a recording is; that somebody asked is written down
POST /telephone/{system_id}/events                  a system's own, by its signature (``events``)
"""

import ssl
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from cloud.audit import store as audit
from cloud.auth.access import Anyone, Clinical, only
from cloud.auth.models import CLINICAL, STAFF, Session
from cloud.console.edge import Connection, Now, Tx, exceeds, form, form_field, found_or_404, own_path
from cloud.console.pages import fragment, page
from cloud.contacts import service as contacts
from cloud.contacts.models import Patient
from cloud.contacts.numbers import said
from cloud.crm.port import NotGenuine
from cloud.crm.telephony import service, store
from cloud.crm_config import CrmSettings
from cloud.db.pool import Pool
from cloud.plans.fields import Refused, id_of

router = APIRouter()

Staff = Annotated[Session, Depends(only(STAFF))]
CALLERS: Final = "/callers"
LARGEST_BODY: Final = 16_384
NOBODY: Final = "not taken: nobody listens here\n"
# So many requests of telephone systems are looked at at once; whoever has no secret holds up nobody else.
EVENTS_AT_ONCE: Final = 2


async def notices(request: Request, conn: Tx, session: Anyone) -> None:
    """A dependency of every page: whether the reader has a telephone that can be made to ring."""
    if session.role in CLINICAL:
        request.state.telephone = await store.telephone(conn, session.account_id)


@router.get("/me/calls")
async def at_hand(conn: Tx, now: Now, session: Staff) -> Response:
    found = await service.at_hand(conn, session, now) if session.role in CLINICAL else None
    if found is None:
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    return HTMLResponse(fragment("ringing.html", session=session, at_hand=found, spoken_number=said, now=now))


@router.post("/me/telephone")
async def set_telephone(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    typed = await form(request)
    try:
        await service.set_telephone(conn, session, typed, now)
    except Refused as refused:
        return page(
            request, "callers.html", typed="", matches=None, asked=False, heard=None, number=None, refused=refused,
            systems=await store.systems(conn), mine=await store.telephone(conn, session.account_id),
            spoken_number=said, now=now,
        )  # fmt: skip
    return RedirectResponse(CALLERS, status.HTTP_303_SEE_OTHER)


@router.post("/me/telephone/remove")
async def remove_telephone(conn: Tx, now: Now, session: Clinical) -> Response:
    await service.remove_telephone(conn, session, now)
    return RedirectResponse(CALLERS, status.HTTP_303_SEE_OTHER)


@router.post("/patients/{patient_id}/ring")
async def ring(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    typed = await form(request)
    case_id = id_of(typed.get("case_id", ""))
    done = await service.ring(conn, session, patient_id, typed.get("to", ""), case_id, now)
    if not done:
        raise HTTPException(status.HTTP_404_NOT_FOUND if done is None else status.HTTP_409_CONFLICT)
    back = own_path(typed.get("back", ""))
    return RedirectResponse(back if back != "/" else f"/patients/{patient_id}", status.HTTP_303_SEE_OTHER)


@router.get("/patients/{patient_id}/calls")
async def of_patient(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = await _found(conn, session, patient_id)
    await audit.record_by(conn, session, now, "telephone.read", f"patient:{patient_id}", patient_id)
    return await _page(request, conn, found, now)


@router.post("/patients/{patient_id}/calls/recording")
async def agree(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        await service.agree(conn, session, found, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, found, now, refused)
    return _back(patient_id)


@router.post("/patients/{patient_id}/calls/{telephone_call_id}/join")
async def join(
    request: Request, patient_id: UUID, telephone_call_id: UUID, conn: Tx, now: Now, session: Clinical
) -> Response:
    await _found(conn, session, patient_id)
    call_id = id_of(await form_field(request, "call_id"))
    if call_id is None or not await service.join(conn, session, patient_id, telephone_call_id, call_id, now):
        raise HTTPException(status.HTTP_409_CONFLICT)
    return _back(patient_id)


@router.post("/callers/{telephone_call_id}/case")
async def write_into_case(request: Request, telephone_call_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found_or_404(await service.caller(conn, telephone_call_id))
    case_id = id_of(await form_field(request, "case_id"))
    written = await service.log(conn, session, telephone_call_id, case_id, now) if case_id else None
    if written is None:
        raise HTTPException(status.HTTP_409_CONFLICT)
    return RedirectResponse(f"/cases/{written}#calls", status.HTTP_303_SEE_OTHER)


@router.get("/recordings/{recording_id}")
async def recording(request: Request, recording_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = found_or_404(await service.open_recording(conn, session, recording_id, now))
    patient = await _found(conn, session, found.patient_id)
    return page(request, "recording.html", recording=found, patient=patient, now=now)


async def events(request: Request) -> Response:
    """POST /telephone/{system_id}/events, outside of what is asked of browsers: a system has a signature, no session.

    204: heard, now or before. 403: not signed by whom we know, too old, replayed, or not to be read; or nobody listens.
    429: too many in a minute. No answer says anything of anybody.
    """
    if exceeds(request, LARGEST_BODY):
        return Response(status_code=status.HTTP_413_CONTENT_TOO_LARGE)
    system_id = id_of(request.path_params["system_id"])
    if system_id is None:
        return PlainTextResponse(NOBODY, status.HTTP_403_FORBIDDEN)
    body = await request.body()
    settings: CrmSettings = request.app.state.crm
    tls: ssl.SSLContext = request.app.state.crm_tls
    pool: Pool = request.app.state.pool
    try:
        async with request.app.state.telephone_events, pool.connection() as conn:
            now: datetime = request.app.state.now()
            heard = await service.hear(conn, settings, tls, system_id, request.headers, body, now)
    except NotGenuine as error:
        return PlainTextResponse(f"not taken: {error.what}\n", status.HTTP_403_FORBIDDEN)
    if heard is None:
        return PlainTextResponse(NOBODY, status.HTTP_403_FORBIDDEN)
    if heard == "too_many":
        return Response(status_code=status.HTTP_429_TOO_MANY_REQUESTS, headers={"Retry-After": "60"})
    return Response(status_code=status.HTTP_204_NO_CONTENT)


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Patient:
    return found_or_404(await contacts.patient(conn, session, patient_id))


async def _page(
    request: Request, conn: Connection, of: Patient, now: datetime, refused: Refused | None = None
) -> Response:
    return page(
        request,
        "patient_calls.html",
        patient=of,
        log=await service.of_patient(conn, of.patient_id),
        refused=refused,
        spoken_number=said,
        now=now,
    )


def _back(patient_id: UUID) -> Response:
    return RedirectResponse(f"/patients/{patient_id}/calls", status.HTTP_303_SEE_OTHER)
