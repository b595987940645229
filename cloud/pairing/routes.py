"""Pairing a device in a patient's home from here.

GET  /patients/{patient_id}/devices/pair                       what to pair, and by which gateway
POST /patients/{patient_id}/devices/pair                       begin
GET  /patients/{patient_id}/devices/pair/{command_id}          what to press, where it stands
GET  /patients/{patient_id}/devices/pair/{command_id}/now?seen=  the part that changes, for polling; 204: nothing new
POST /patients/{patient_id}/devices/pair/{command_id}/{digits|choose|stop|undo|own}
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.responses import HTMLResponse, RedirectResponse

from cloud.auth.models import Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import fragment, page
from cloud.pairing import service, store
from cloud.pairing.models import Pairing, Progress
from cloud.plans.fields import Refused
from cloud.stock import service as stock
from cloud.stock.makes import makes
from cloud.stock.models import Patient
from cloud.stock.routes import Handing

router = APIRouter(prefix="/patients/{patient_id}/devices/pair")

LONGEST_NUMBER: Final = 4


@router.get("")
async def begin_page(
    request: Request, patient_id: UUID, conn: Tx, now: Now, session: Handing, item: str = ""
) -> Response:
    return await _begin_page(request, conn, now, await _patient(conn, session, patient_id), chosen=item)


@router.post("")
async def begin(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Handing) -> Response:
    of = await _patient(conn, session, patient_id)
    try:
        command_id = await service.begin(conn, session, of, await form(request), now)
    except Refused as refused:
        return await _begin_page(request, conn, now, of, refused=refused)
    return _to(patient_id, command_id)


@router.get("/{command_id}")
async def pairing(
    request: Request, patient_id: UUID, command_id: UUID, conn: Tx, now: Now, session: Handing
) -> Response:
    of = await _patient(conn, session, patient_id)
    return await _page(request, conn, now, session, of, command_id)


@router.get("/{command_id}/now")
async def progress(
    patient_id: UUID, command_id: UUID, conn: Tx, now: Now, session: Handing, seen: str = ""
) -> Response:
    of = await _patient(conn, session, patient_id)
    one, at = await _found(conn, of, command_id)
    if seen == str(at.step):
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    one = await service.settle(conn, session, of, one, at, now)
    return HTMLResponse(fragment("pairing_now.html", session=session, **_facts(of, one, at, now)))


@router.post("/{command_id}/digits")
async def digits(
    request: Request, patient_id: UUID, command_id: UUID, conn: Tx, now: Now, session: Handing
) -> Response:
    of = await _patient(conn, session, patient_id)
    one, _ = await _found(conn, of, command_id)
    try:
        await service.type_digits(conn, session, of, one, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, now, session, of, command_id, refused)
    return _to(patient_id, command_id)


@router.post("/{command_id}/choose")
async def choose(
    request: Request, patient_id: UUID, command_id: UUID, conn: Tx, now: Now, session: Handing
) -> Response:
    of = await _patient(conn, session, patient_id)
    one, _ = await _found(conn, of, command_id)
    number = (await form(request)).get("number", "")
    if number.isascii() and number.isdecimal() and len(number) <= LONGEST_NUMBER:
        await service.choose(conn, session, of, one, int(number), now)
    return _to(patient_id, command_id)


@router.post("/{command_id}/stop")
async def stop(patient_id: UUID, command_id: UUID, conn: Tx, now: Now, session: Handing) -> Response:
    of = await _patient(conn, session, patient_id)
    one, at = await _found(conn, of, command_id)
    if not at.is_over:
        await service.stop(conn, session, of, one, now)
    return _to(patient_id, command_id)


@router.post("/{command_id}/undo")
async def undo(patient_id: UUID, command_id: UUID, conn: Tx, now: Now, session: Handing) -> Response:
    """The gateway forgets what was paired."""
    of = await _patient(conn, session, patient_id)
    one, at = await _found(conn, of, command_id)
    if at.state == "paired":
        await service.unpair(conn, session, of, one, now)
    return RedirectResponse(f"/patients/{patient_id}/devices/pair", status.HTTP_303_SEE_OTHER)


@router.post("/{command_id}/own")
async def own(request: Request, patient_id: UUID, command_id: UUID, conn: Tx, now: Now, session: Handing) -> Response:
    """What was paired is the patient's own."""
    of = await _patient(conn, session, patient_id)
    one, at = await _found(conn, of, command_id)
    try:
        await service.take_as_own(conn, session, of, one, at, now)
    except Refused as refused:
        return await _page(request, conn, now, session, of, command_id, refused)
    return _to(patient_id, command_id)


async def _begin_page(
    request: Request,
    conn: Connection,
    now: datetime,
    of: Patient,
    *,
    chosen: str = "",
    refused: Refused | None = None,
) -> Response:
    held = [one for one in await stock.holdings(conn, of.patient_id) if one.until is None]
    return page(
        request,
        "pairing.html",
        patient=of,
        held=[one for one in held if (make := makes().get(one.profile or "")) and make.method is not None],
        makes=[make for make in makes().values() if make.method is not None],
        gateways=await store.gateways_of(conn, of.patient_id),
        chosen=chosen,
        refused=refused,
        now=now,
    )


async def _page(
    request: Request,
    conn: Connection,
    now: datetime,
    session: Session,
    of: Patient,
    command_id: UUID,
    refused: Refused | None = None,
) -> Response:
    one, at = await _found(conn, of, command_id)
    one = await service.settle(conn, session, of, one, at, now)
    return page(
        request,
        "pairing_page.html",
        **_facts(of, one, at, now, refused),
    )


def _facts(of: Patient, one: Pairing, at: Progress, now: datetime, refused: Refused | None = None) -> dict[str, Any]:
    return {
        "patient": of,
        "pairing": one,
        "progress": at,
        "make": makes()[one.profile],
        "refused": refused,
        "now": now,
    }


async def _found(conn: Connection, of: Patient, command_id: UUID) -> tuple[Pairing, Progress]:
    found = await service.found(conn, of, command_id)
    if found is None or found[0].profile not in makes():
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return found


async def _patient(conn: Connection, session: Session, patient_id: UUID) -> Patient:
    return found_or_404(await stock.patient(conn, session, patient_id))


def _to(patient_id: UUID, command_id: UUID) -> Response:
    return RedirectResponse(f"/patients/{patient_id}/devices/pair/{command_id}", status.HTTP_303_SEE_OTHER)
